// The exit register.
#include "vp/devices/test_finisher.hpp"

#include <utility>

namespace dlavp::devices {

TestFinisher::TestFinisher(const sc_core::sc_module_name& name, std::function<void(int)> finish)
    : RegisterTarget(name, kSizeBytes, sc_core::SC_ZERO_TIME), finish_(std::move(finish)) {}

bool TestFinisher::peek(uint64_t, unsigned, uint64_t& value) {
  value = 0;
  return true;
}

bool TestFinisher::read(uint64_t offset, unsigned bytes, uint64_t& value) {
  return peek(offset, bytes, value);
}

bool TestFinisher::write(uint64_t offset, unsigned, uint64_t value) {
  if (offset != 0) return true;
  switch (value & 0xFFFF) {
    case kPass:
      finish_(0);
      break;
    case kFail:
      finish_(static_cast<int>((value >> 16) & 0xFFFF));
      break;
    case kReset:
      finish_(1);
      break;
    default:
      break;
  }
  return true;
}

}  // namespace dlavp::devices
