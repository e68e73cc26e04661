// The oracle's view of an operation: register values by unit, look-up tables, memory, and the few
// sizes that the memory layout depends on. It shares register constants and plain memory with the
// models and nothing else. Sources: the hardware manual and its arithmetic, written as plain loops.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
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
  Registers cdma{regs::kCdma}, csc{regs::kCsc}, cmac_a{regs::kCmacA}, cmac_b{regs::kCmacB};
  Registers cacc{regs::kCacc};
  Registers sdp_rdma{regs::kSdpRdma}, sdp{regs::kSdp};
  Registers pdp_rdma{regs::kPdpRdma}, pdp{regs::kPdp};
  Registers cdp_rdma{regs::kCdpRdma}, cdp{regs::kCdp};
  Tables sdp_tables, cdp_tables;
  unsigned atom = 8;          ///< bytes of a memory atom
  unsigned mac_channels = 8;  ///< channels of a weight block
  unsigned mac_kernels = 8;   ///< kernels of a weight group
  Memory* memory = nullptr;
};

/// Values that come from the unit in front, by column, line, surface and lane.
using Source = std::function<int64_t(uint32_t x, uint32_t y, uint32_t surface, uint32_t lane)>;

/// The operation's effect on memory; returns the addresses of the bytes it defines. Only the
/// programmed unit (and its read DMA) is looked at. Without a source the input is in memory; a
/// convolution goes through SDP, and through PDP where SDP says so.
std::vector<uint64_t> run_sdp(const Program& program, const Source& source = {});
std::vector<uint64_t> run_pdp(const Program& program, const Source& source = {});
std::vector<uint64_t> run_cdp(const Program& program);
std::vector<uint64_t> run_conv(const Program& program);

/// One result of SDP.
[[nodiscard]] int64_t sdp_element(const Program& program, uint32_t x, uint32_t y, uint32_t surface,
                                  uint32_t lane, const Source& source);

// What they need.
[[nodiscard]] int8_t load(Memory& memory, uint64_t address);
void store(Memory& memory, uint64_t address, int64_t value);
[[nodiscard]] int64_t clamp_bits(int64_t value, unsigned bits);
/// value / 2^shift to nearest, ties away from zero, by magnitude; 0 if shift is `width` or more.
[[nodiscard]] int64_t divide(int64_t value, unsigned shift, unsigned width);
/// A signed shift: right with rounding, left with saturation, into `bits`.
[[nodiscard]] int64_t shift_signed(int64_t value, int64_t shift, unsigned bits);

}  // namespace dlavp::reference
