// A memory of limited size for tests: whatever reaches beyond `end` is unmapped.
#pragma once

#include "models/common/memory.hpp"

namespace dlavp::test {

class BoundedMemory final : public Memory {
 public:
  bool read(uint64_t address, std::span<uint8_t> out) override {
    return address + out.size() <= end && bytes_.read(address, out);
  }
  bool write(uint64_t address, std::span<const uint8_t> in) override {
    return address + in.size() <= end && bytes_.write(address, in);
  }
  uint64_t end = ~uint64_t{0};

 private:
  SparseMemory bytes_;
};

}  // namespace dlavp::test
