// ByteSource: a fuzzer's input as a stream of numbers. An input that has run out gives zeros, so
// that every input is a complete program. No part of the manual.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace dlavp::fuzz {

class ByteSource {
 public:
  explicit ByteSource(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] bool empty() const { return at_ >= bytes_.size(); }
  uint8_t byte() { return empty() ? uint8_t{0} : bytes_[at_++]; }
  uint32_t half() { return byte() | uint32_t{byte()} << 8; }
  uint32_t word() { return half() | half() << 16; }
  /// 0 to n - 1; n is at most 65536.
  uint32_t below(uint32_t n) { return (n <= 256 ? byte() : half()) % n; }

 private:
  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
};

}  // namespace dlavp::fuzz
