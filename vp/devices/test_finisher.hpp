// TestFinisher: the exit device of SiFive test chips and QEMU's virt machine (at 0x100000). A guest
// ends its run with one 32-bit store: 0x5555 is success, 0x3333 with a code in the upper half is
// failure. Reset (0x7777) is reported as failure too: the platform does not restart.
#pragma once

#include <functional>

#include "vp/devices/register_target.hpp"

namespace dlavp::devices {

class TestFinisher : public RegisterTarget {
 public:
  static constexpr uint64_t kSizeBytes = 0x1000;
  static constexpr uint32_t kPass = 0x5555, kFail = 0x3333, kReset = 0x7777;

  /// `finish` gets the exit code; typically `[&core](int code) { core.stop(code); }`.
  TestFinisher(const sc_core::sc_module_name& name, std::function<void(int)> finish);

 private:
  bool read(uint64_t offset, unsigned bytes, uint64_t& value) override;
  bool write(uint64_t offset, unsigned bytes, uint64_t value) override;
  bool peek(uint64_t offset, unsigned bytes, uint64_t& value) override;

  std::function<void(int)> finish_;
};

}  // namespace dlavp::devices
