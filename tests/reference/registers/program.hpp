// The oracle's view of an operation: register values by unit, look-up tables, memory, and the few
// sizes that the memory layout depends on. It shares register constants and plain memory with the
// models and nothing else. Sources: the hardware manual and its arithmetic, written as plain loops.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "models/common/memory.hpp"
#include "registers.hpp"

namespace dlavp::reference {

/// One unit's registers as programmed; those never set read their reset value.
class Registers {
 public:
  explicit Registers(const regs::UnitTable& table) : table_(&table) {}
  [[nodiscard]] uint32_t get(const regs::Field& field) const {
    return (value(field.offset) & field.mask()) >> field.lsb;
  }
  [[nodiscard]] int64_t get_signed(const regs::Field& field) const {
    const int64_t raw = get(field), top = int64_t{1} << (field.width - 1);
    return raw >= top ? raw - 2 * top : raw;
  }
  void set(const regs::Field& field, int64_t v) {
    values_[field.offset] = (value(field.offset) & ~field.mask()) |
                            ((static_cast<uint32_t>(v) << field.lsb) & field.mask());
  }
  [[nodiscard]] const std::map<uint32_t, uint32_t>& values() const { return values_; }
  [[nodiscard]] const regs::UnitTable& table() const { return *table_; }

 private:
  [[nodiscard]] uint32_t value(uint32_t offset) const {
    if (const auto found = values_.find(offset); found != values_.end()) return found->second;
    for (const regs::RegInfo& info : table_->registers)
      if (info.offset == offset) return info.reset;
    return 0;
  }
  const regs::UnitTable* table_;
  std::map<uint32_t, uint32_t> values_;
};

/// LE has 65 entries, LO 257.
struct Tables {
  std::array<int16_t, 65> le{};
  std::array<int16_t, 257> lo{};
};

struct Program {
  Registers sdp_rdma{regs::kSdpRdma}, sdp{regs::kSdp};
  Registers pdp_rdma{regs::kPdpRdma}, pdp{regs::kPdp};
  Registers cdp_rdma{regs::kCdpRdma}, cdp{regs::kCdp};
  Tables sdp_tables, cdp_tables;
  unsigned atom = 8;  ///< bytes of a memory atom
  Memory* memory = nullptr;
};

/// The operation's effect on memory; returns the addresses of the bytes it defines. Only the
/// programmed unit (and its read DMA) is looked at.
std::vector<uint64_t> run_sdp(const Program& program);
std::vector<uint64_t> run_pdp(const Program& program);
std::vector<uint64_t> run_cdp(const Program& program);

// What the three need.
[[nodiscard]] int8_t load(Memory& memory, uint64_t address);
void store(Memory& memory, uint64_t address, int64_t value);
[[nodiscard]] int64_t clamp_bits(int64_t value, unsigned bits);
/// value / 2^shift to nearest, ties away from zero, by magnitude; 0 if shift is `width` or more.
[[nodiscard]] int64_t divide(int64_t value, unsigned shift, unsigned width);
/// A signed shift: right with rounding, left with saturation, into `bits`.
[[nodiscard]] int64_t shift_signed(int64_t value, int64_t shift, unsigned bits);

}  // namespace dlavp::reference
