#include "models/cdp/cdp_lut.hpp"

#include <algorithm>
#include <bit>

#include "models/common/fixed_point.hpp"

namespace dlavp::cdp {

namespace {

constexpr unsigned kCompareBits = 22;  // of the table start that is compared and subtracted
constexpr unsigned kFractionBits = 16, kResultBits = 16, kStartBits = 39;

// Linear indexing: d in steps of 2^select.
Lookup linear(uint64_t d, int select, uint32_t entries, int left_shift) {
  Lookup out;
  const uint32_t last = entries - 1;
  uint64_t index;
  if (select < 0) {
    index = left_shift >= 40 || (d >> (40 - left_shift)) != 0 ? last : d << left_shift;
  } else {
    index = d >> select;
    const uint64_t rest = d - (index << select);
    out.fraction = static_cast<uint32_t>(((rest << kFractionBits) >> select) & 0xffff);
  }
  out.over = index >= last;
  out.index = static_cast<uint32_t>(std::min<uint64_t>(index, last));
  return out;
}

int32_t interpolate(int64_t base, int64_t x, int64_t scale, int shift, int64_t y) {
  const int64_t product = (x - base) * scale;
  const int64_t step = shift < 0 ? lshl(product, static_cast<unsigned>(-shift), 62)
                                 : round_shift_right(product, static_cast<unsigned>(shift));
  return static_cast<int32_t>(saturate(step + y, kResultBits));
}

}  // namespace

Lookup lookup_le(const Lut& lut, int64_t x) {
  Lookup out;
  const int64_t d = x - sign_extend(static_cast<uint64_t>(lut.le_start), kCompareBits);
  if (d <= 0) {
    out.under = true;
    return out;
  }
  const auto distance = static_cast<uint64_t>(d);
  if (!lut.le_exponent) return linear(distance, lut.le_select, kLeEntries, -lut.le_select);
  const int exponent = std::bit_width(distance) - 1;
  if (exponent < lut.le_index_offset) {
    out.under = true;
    return out;
  }
  const auto index = static_cast<uint32_t>(exponent - lut.le_index_offset);
  const uint64_t mantissa = distance - (uint64_t{1} << exponent);
  out.fraction = static_cast<uint32_t>((mantissa << kFractionBits) >> exponent);
  out.over = index >= kLeEntries - 1;
  out.index = std::min(index, kLeEntries - 1);
  return out;
}

Lookup lookup_lo(const Lut& lut, int64_t x) {
  Lookup out;
  const int64_t d = x - sign_extend(static_cast<uint64_t>(lut.lo_start), kCompareBits);
  if (d <= 0) {
    out.under = true;
    return out;
  }
  // The shift amount of a negative selection has five bits here: -32 shifts by nothing.
  return linear(static_cast<uint64_t>(d), lut.lo_select, kLoEntries, -lut.lo_select & 31);
}

Table choose(const Lut& lut, const Lookup& le, const Lookup& lo) {
  if (le.hit() != lo.hit()) return le.hit() ? Table::kLe : Table::kLo;
  if (le.under && lo.under) return lut.both_under;
  if (le.over && lo.over) return lut.both_over;
  return lut.otherwise;
}

int32_t evaluate(const Lut& lut, int64_t x, LutCounts& counts) {
  const Lookup le = lookup_le(lut, x), lo = lookup_lo(lut, x);
  if (le.hit() != lo.hit())
    ++(le.hit() ? counts.le_only : counts.lo_only);
  else if (le.under && lo.under)
    ++counts.both_under;
  else if (le.over && lo.over)
    ++counts.both_over;
  else
    ++counts.hybrid;
  const bool use_le = choose(lut, le, lo) == Table::kLe;
  const Lookup& at = use_le ? le : lo;
  const uint32_t last = (use_le ? kLeEntries : kLoEntries) - 1;
  const auto entry = [&](uint32_t i) { return use_le ? lut.le[i] : lut.lo[i]; };
  if (at.under) {
    int64_t base = use_le ? lut.le_start : lut.lo_start;
    // A logarithmic table begins 2^offset behind its start.
    if (use_le && lut.le_exponent && lut.le_index_offset >= 0 &&
        lut.le_index_offset < int{kStartBits})
      base = sign_extend(static_cast<uint64_t>(base + (int64_t{1} << lut.le_index_offset)),
                         kStartBits);
    const Slope& slope = use_le ? lut.le_under : lut.lo_under;
    return interpolate(base, x, slope.scale, slope.shift, entry(0));
  }
  if (at.over) {
    const Slope& slope = use_le ? lut.le_over : lut.lo_over;
    return interpolate(use_le ? lut.le_end : lut.lo_end, x, slope.scale, slope.shift, entry(last));
  }
  const int32_t y = entry(at.index);
  return interpolate(y, entry(at.index + 1), at.fraction, kFractionBits, y);
}

}  // namespace dlavp::cdp
