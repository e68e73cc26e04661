// RegBlock: the registers of one unit as CSB sees them: two groups of D_* registers, the producer
// and consumer pointers, S_STATUS, masks, write-one-to-clear. Hardware manual: "Ping-pong
// synchronization". It knows no time and no meaning of any configuration register.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "models/regs/reg_table.hpp"

namespace dlavp::regs {

class RegBlock;

/// The registers of one group (single registers included), as decode reads them.
class RegView {
 public:
  RegView(const RegBlock& block, unsigned group) : block_(&block), group_(group) {}
  [[nodiscard]] uint32_t get(const Field& field) const;
  /// A signed field.
  [[nodiscard]] int32_t get_signed(const Field& field) const;
  [[nodiscard]] bool flag(const Field& field) const { return get(field) != 0; }
  /// A 64-bit address of its two registers.
  [[nodiscard]] uint64_t address(const Field& high, const Field& low) const {
    return (uint64_t{get(high)} << 32) | (uint64_t{get(low)} << low.lsb);
  }
  [[nodiscard]] unsigned group() const { return group_; }
  [[nodiscard]] const RegBlock& block() const { return *block_; }

 private:
  const RegBlock* block_;
  unsigned group_;
};

class RegBlock {
 public:
  explicit RegBlock(const UnitTable& table);

  /// CSB accesses. `offset` is relative to the unit's base; an unknown one reads 0 and ignores writes.
  /// D_* registers are those of the producer's group; a write to them while that group's D_OP_ENABLE
  /// is set is ignored, as in hardware (false is returned).
  [[nodiscard]] uint32_t read(uint32_t offset) const;
  bool write(uint32_t offset, uint32_t value);

  /// Called with the group when a write sets its D_OP_ENABLE.
  void on_enable(std::function<void(unsigned group)> callback) { on_enable_ = std::move(callback); }
  /// Called after a write to `offset` was applied, with the value now stored (for example S_INTR_SET,
  /// S_LUT_ACCESS_DATA); for write-one registers with the bits that were written as one.
  void on_write(uint32_t offset, std::function<void(uint32_t value)> callback) { on_write_[offset] = std::move(callback); }
  /// A register whose reads come from the unit (LUT data, interrupt status).
  void on_read(uint32_t offset, std::function<uint32_t()> callback) { on_read_[offset] = std::move(callback); }

  [[nodiscard]] unsigned producer() const { return producer_; }
  [[nodiscard]] unsigned consumer() const { return consumer_; }
  [[nodiscard]] bool enabled(unsigned group) const { return enabled_[group]; }
  /// The unit finished the consumer's operation: clears its D_OP_ENABLE and moves the consumer to
  /// the other group.
  void operation_done();

  [[nodiscard]] RegView view(unsigned group) const { return {*this, group}; }
  /// Raw stored value, for decode and for status registers that the unit itself sets.
  [[nodiscard]] uint32_t peek(uint32_t offset, unsigned group) const;
  void poke(uint32_t offset, unsigned group, uint32_t value);
  void reset();

  [[nodiscard]] const UnitTable& table() const { return *table_; }

 private:
  struct Slot {
    const RegInfo* info = nullptr;
    std::array<uint32_t, 2> value{};
  };
  [[nodiscard]] const Slot* find(uint32_t offset) const;
  [[nodiscard]] uint32_t status() const;

  const UnitTable* table_;
  std::vector<Slot> slots_;  ///< by offset / 4
  uint32_t op_enable_offset_ = ~0u, pointer_offset_ = ~0u, status_offset_ = ~0u;
  unsigned producer_ = 0, consumer_ = 0;
  std::array<bool, 2> enabled_{};
  std::function<void(unsigned)> on_enable_;
  std::map<uint32_t, std::function<void(uint32_t)>> on_write_;
  std::map<uint32_t, std::function<uint32_t()>> on_read_;
};

}  // namespace dlavp::regs
