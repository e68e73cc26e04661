// The look-up tables of Y: index, choice of table, interpolation and extrapolation (hardware
// manual: "LUT programming"). Pure functions; the tables are those of the moment an operation
// starts.
#pragma once

#include <array>
#include <cstdint>

#include "models/sdp/sdp_op.hpp"

namespace dlavp::sdp {

inline constexpr unsigned kLeEntries = 65, kLoEntries = 257;

struct LutTables {
  std::array<int16_t, kLeEntries> le{};
  std::array<int16_t, kLoEntries> lo{};
};

/// Elements by what their look-up did; `hybrid`: the chosen table had it.
struct LutCounts {
  uint64_t underflow = 0, overflow = 0, hybrid = 0, le_hit = 0, lo_hit = 0;
};

/// Where a value falls in one table.
struct LutIndex {
  unsigned index = 0;
  uint64_t fraction = 0;  ///< 35 bits
  bool underflow = false, overflow = false;
  [[nodiscard]] bool hit() const { return !underflow && !overflow; }
};

/// Linear table of `entries`; a value equal to `start` is an underflow.
[[nodiscard]] LutIndex linear_index(int32_t x, int32_t start, int select, unsigned entries);
/// Exponential table (LE only).
[[nodiscard]] LutIndex exponent_index(int32_t x, int32_t start, int offset, unsigned entries);

/// The value that replaces `x`; adds to `counts`.
[[nodiscard]] int32_t look_up(int32_t x, const LutParams& params, const LutTables& tables,
                              LutCounts& counts);

}  // namespace dlavp::sdp
