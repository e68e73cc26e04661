// What the core needs of the world outside: loads and stores that may fail, host pointers for
// plain memory, and the time base. The SystemC module and the tests' flat memory implement it.
#pragma once

#include <cstdint>

namespace dlavp::iss {

/// A range of guest addresses that is plain host memory. `host` is the byte at `base`.
struct DmiRegion {
  uint8_t* host = nullptr;  ///< null: the address has none; with a size: memory without a pointer
  uint64_t base = 0;
  uint64_t size_bytes = 0;
  bool writable = false;
};

class Bus {
 public:
  virtual ~Bus() = default;
  /// Loads `bytes` (1, 2, 4 or 8, naturally aligned) little endian; false: access fault.
  [[nodiscard]] virtual bool load(uint64_t address, unsigned bytes, uint64_t& value) = 0;
  /// Stores likewise.
  [[nodiscard]] virtual bool store(uint64_t address, unsigned bytes, uint64_t value) = 0;
  /// The plain memory around `address`, if it is that. Valid until Cpu::invalidate_dmi.
  [[nodiscard]] virtual DmiRegion dmi(uint64_t address) = 0;
  /// The `time` CSR: ticks of the platform's real-time counter.
  [[nodiscard]] virtual uint64_t time() = 0;
};

}  // namespace dlavp::iss
