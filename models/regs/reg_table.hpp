// The shape of the generated register tables (tools/gen_regs.py).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dlavp::regs {

/// A field of a register, as decode uses it.
struct Field {
  uint32_t offset;  ///< of its register in the unit
  uint8_t lsb, width;
  bool ping_pong;
  [[nodiscard]] constexpr uint32_t mask() const {
    return (width == 32 ? ~uint32_t{0} : (uint32_t{1} << width) - 1) << lsb;
  }
};

enum class Access : uint8_t { kPlain, kWriteOneToClear, kWriteOneToSet };

struct FieldInfo {
  std::string name;
  uint8_t lsb, width;
};

struct RegInfo {
  std::string name;
  uint32_t offset;
  uint32_t reset, read_mask, write_mask;
  bool ping_pong;
  Access access;
  std::vector<FieldInfo> fields;
};

/// One unit's registers. A base of -1: the unit does not exist in that hardware generation.
struct UnitTable {
  std::string name;
  int64_t base_hw1, base_hw2;
  std::vector<RegInfo> registers;
  [[nodiscard]] int64_t base(int hw) const { return hw == 1 ? base_hw1 : base_hw2; }
};

}  // namespace dlavp::regs
