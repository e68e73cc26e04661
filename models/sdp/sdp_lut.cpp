// LUT arithmetic of Y, integer only. Where the C model and the RTL differ (the offset of the
// exponential table's underflow base) this follows the RTL.
#include "models/sdp/sdp_lut.hpp"

#include <bit>

#include "models/common/fixed_point.hpp"

namespace dlavp::sdp {

namespace {

constexpr unsigned kFractionBits = 35;
constexpr unsigned kIndexMax = 511;  // nine index bits, saturating

/// Extrapolation beyond one end of a table.
struct Slope {
  int64_t base;
  int16_t scale;
  int shift;
  int16_t y;
};

int32_t extrapolate(int32_t x, const Slope& s) {
  const int64_t distance = int64_t{x} - s.base;
  return static_cast<int32_t>(saturate(sshr(distance * s.scale, s.shift, 32) + s.y, 32));
}

int32_t interpolate(int16_t y0, int16_t y1, uint64_t fraction) {
  const auto f = static_cast<int64_t>(fraction);
  const int64_t sum = y0 * ((int64_t{1} << kFractionBits) - f) + y1 * f;
  return static_cast<int32_t>(round_shift_right(sum, kFractionBits));
}

}  // namespace

LutIndex linear_index(int32_t x, int32_t start, int select, unsigned entries) {
  LutIndex at;
  at.underflow = x <= start;
  if (at.underflow) return at;
  const auto distance = static_cast<uint32_t>(int64_t{x} - start);
  uint64_t index = 0;
  if (select < 0) {
    const auto up = static_cast<unsigned>(-select);
    index = up >= 9 || (uint64_t{distance} << up) > kIndexMax ? kIndexMax : distance << up;
  } else {
    const auto down = static_cast<unsigned>(select);
    index = down >= 32 ? 0 : distance >> down;
    const uint64_t low = down >= 32 ? distance : distance & ((uint64_t{1} << down) - 1);
    at.fraction = down <= kFractionBits        ? low << (kFractionBits - down)
                  : down - kFractionBits >= 32 ? 0
                                               : low >> (down - kFractionBits);
  }
  at.overflow = index >= entries - 1;
  at.index = at.overflow ? entries - 1 : static_cast<unsigned>(index);
  return at;
}

LutIndex exponent_index(int32_t x, int32_t start, int offset, unsigned entries) {
  LutIndex at;
  at.underflow = x <= start;
  if (at.underflow) return at;
  const auto distance = static_cast<uint32_t>(int64_t{x} - start);
  const int log2 = 31 - std::countl_zero(distance);
  const int index = log2 - offset;
  at.underflow = index < 0;
  if (at.underflow) return at;
  at.overflow = static_cast<unsigned>(index) >= entries - 1;
  at.index = at.overflow ? entries - 1 : static_cast<unsigned>(index);
  const uint64_t low = distance & ((uint64_t{1} << log2) - 1);
  at.fraction = low << (kFractionBits - static_cast<unsigned>(log2));
  return at;
}

int32_t look_up(int32_t x, const LutParams& p, const LutTables& tables, LutCounts& counts) {
  const LutIndex le = p.le_linear ? linear_index(x, p.le_start, p.le_index_select, kLeEntries)
                                  : exponent_index(x, p.le_start, p.le_index_offset, kLeEntries);
  const LutIndex lo = linear_index(x, p.lo_start, p.lo_index_select, kLoEntries);
  bool use_lo = p.hybrid_lo;  // both hit, or they miss on different sides
  if (le.underflow && lo.underflow)
    use_lo = p.underflow_lo;
  else if (le.overflow && lo.overflow)
    use_lo = p.overflow_lo;
  else if (le.hit() != lo.hit())
    use_lo = lo.hit();
  const LutIndex& at = use_lo ? lo : le;
  counts.underflow += at.underflow;
  counts.overflow += at.overflow;
  counts.hybrid += at.hit();
  counts.le_hit += le.hit();
  counts.lo_hit += lo.hit();
  if (at.underflow) {
    if (use_lo)
      return extrapolate(x, {p.lo_start, p.lo_underflow_scale, p.lo_underflow_shift, tables.lo[0]});
    // The base of an exponential table lies 2^offset above its start, also for offset 0. The
    // shifter keeps 32 bits.
    const int64_t bias = p.le_linear || p.le_index_offset < 0 || p.le_index_offset > 31
                             ? 0
                             : int64_t{1} << p.le_index_offset;
    return extrapolate(
        x, {p.le_start + bias, p.le_underflow_scale, p.le_underflow_shift, tables.le[0]});
  }
  if (at.overflow) {
    if (use_lo)
      return extrapolate(
          x, {p.lo_end, p.lo_overflow_scale, p.lo_overflow_shift, tables.lo[kLoEntries - 1]});
    return extrapolate(
        x, {p.le_end, p.le_overflow_scale, p.le_overflow_shift, tables.le[kLeEntries - 1]});
  }
  return use_lo ? interpolate(tables.lo[at.index], tables.lo[at.index + 1], at.fraction)
                : interpolate(tables.le[at.index], tables.le[at.index + 1], at.fraction);
}

}  // namespace dlavp::sdp
