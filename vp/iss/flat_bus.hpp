// A bus with one block of memory and nothing else: what unit tests and benchmarks run on.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "vp/iss/bus.hpp"

namespace dlavp::iss {

class FlatBus : public Bus {
 public:
  explicit FlatBus(uint64_t base = 0x80000000, size_t size_bytes = 1 << 20)
      : base_(base), bytes_(size_bytes) {}

  bool load(uint64_t address, unsigned bytes, uint64_t& value) override {
    uint8_t* host = at(address, bytes);
    value = 0;
    if (host != nullptr) std::memcpy(&value, host, bytes);
    return host != nullptr;
  }
  bool store(uint64_t address, unsigned bytes, uint64_t value) override {
    uint8_t* host = at(address, bytes);
    if (host != nullptr) std::memcpy(host, &value, bytes);
    return host != nullptr;
  }
  DmiRegion dmi(uint64_t address) override {
    if (at(address, 1) == nullptr) return {};
    return {bytes_.data(), base_, bytes_.size(), true};
  }
  uint64_t time() override { return 0; }

  /// Host address of a guest range inside the memory, else null.
  [[nodiscard]] uint8_t* at(uint64_t address, size_t bytes) {
    if (address < base_ || address - base_ > bytes_.size()) return nullptr;
    return bytes_.size() - (address - base_) < bytes ? nullptr : bytes_.data() + (address - base_);
  }
  void write(uint64_t address, std::span<const uint8_t> data) {
    if (uint8_t* host = at(address, data.size())) std::memcpy(host, data.data(), data.size());
  }
  [[nodiscard]] uint64_t base() const { return base_; }
  [[nodiscard]] std::span<uint8_t> bytes() { return bytes_; }

 private:
  uint64_t base_;
  std::vector<uint8_t> bytes_;
};

}  // namespace dlavp::iss
