// What the functional cores see of memory: bytes at addresses, no time. The platform's memories
// and the tests' plain buffers implement it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp {

/// Byte-addressed storage. Both calls return false, and do nothing, if any byte is unmapped.
class Memory {
 public:
  virtual ~Memory() = default;
  [[nodiscard]] virtual bool read(uint64_t address, std::span<uint8_t> out) = 0;
  [[nodiscard]] virtual bool write(uint64_t address, std::span<const uint8_t> in) = 0;
};

/// Sparse memory over the whole address space, pages made on first touch, zero filled.
class SparseMemory final : public Memory {
 public:
  bool read(uint64_t address, std::span<uint8_t> out) override;
  bool write(uint64_t address, std::span<const uint8_t> in) override;

 private:
  static constexpr uint64_t kPageBytes = 1 << 16;
  std::vector<uint8_t>& page(uint64_t address);
  std::map<uint64_t, std::vector<uint8_t>> pages_;
  uint64_t last_index_ = ~uint64_t{0};
  std::vector<uint8_t>* last_page_ = nullptr;
};

/// Which memory interface a register's *_RAM_TYPE field selects (encodings of the register map: CV 0, MC 1).
enum class RamType : uint8_t { kCv = 0, kMc = 1 };

/// The two memories of an accelerator; `secondary` is null where the configuration has no CVIF.
struct MemorySpaces {
  Memory* primary = nullptr;
  Memory* secondary = nullptr;
  [[nodiscard]] Memory& of(RamType type) const {
    Memory* m = type == RamType::kMc ? primary : secondary;
    DLAVP_CHECK(m != nullptr, "ram type {} has no memory", static_cast<int>(type));
    return *m;
  }
};

}  // namespace dlavp
