// The integer arithmetic of NVDLA's datapaths: one rounding rule (nearest, ties away from
// zero), saturation to a signed width, saturating left shift. Hardware manual: "Precision
// preservation"; behaviour as in the RTL's shift cells.
#pragma once

#include <cstdint>

namespace dlavp {

/// Largest and smallest value of a signed `bits`-wide number, 1 <= bits <= 63.
[[nodiscard]] constexpr int64_t signed_max(unsigned bits) { return (int64_t{1} << (bits - 1)) - 1; }
[[nodiscard]] constexpr int64_t signed_min(unsigned bits) { return -(int64_t{1} << (bits - 1)); }

/// `x` clamped to a signed `bits`-wide range.
[[nodiscard]] constexpr int64_t saturate(int64_t x, unsigned bits) {
  return x > signed_max(bits) ? signed_max(bits) : x < signed_min(bits) ? signed_min(bits) : x;
}

/// `x / 2^shift` rounded to nearest, ties away from zero; a shift of 63 or more gives 0.
[[nodiscard]] constexpr int64_t round_shift_right(int64_t x, unsigned shift) {
  if (shift == 0) return x;
  if (shift >= 63) return 0;
  const int64_t floor = x >> shift;
  const bool guard = ((x >> (shift - 1)) & 1) != 0;
  const bool sticky = (x & ((int64_t{1} << (shift - 1)) - 1)) != 0;
  return floor + ((guard && (x >= 0 || sticky)) ? 1 : 0);
}

/// Round, then saturate to `bits`. A shift of `input_bits` or more gives 0, as the RTL's cell does.
[[nodiscard]] constexpr int64_t rshr(int64_t x, unsigned shift, unsigned bits, unsigned input_bits = 63) {
  return shift >= input_bits ? 0 : saturate(round_shift_right(x, shift), bits);
}

/// `x * 2^shift` clamped to a signed `bits`-wide range (bits <= 62), any shift.
[[nodiscard]] constexpr int64_t lshl(int64_t x, unsigned shift, unsigned bits) {
  if (x == 0) return 0;
  if (shift >= bits) return x > 0 ? signed_max(bits) : signed_min(bits);
  const int64_t limit = signed_max(bits) >> shift;
  const int64_t low = signed_min(bits) >> shift;
  return x > limit ? signed_max(bits) : x < low ? signed_min(bits) : x << shift;
}

/// Shift right by a signed amount: negative shifts left, saturating.
[[nodiscard]] constexpr int64_t sshr(int64_t x, int shift, unsigned bits) {
  return shift >= 0 ? rshr(x, static_cast<unsigned>(shift), bits) : lshl(x, static_cast<unsigned>(-shift), bits);
}

/// The low `bits` of `x` as a signed number.
[[nodiscard]] constexpr int64_t sign_extend(uint64_t x, unsigned bits) {
  const unsigned up = 64 - bits;
  return static_cast<int64_t>(x << up) >> up;
}

}  // namespace dlavp
