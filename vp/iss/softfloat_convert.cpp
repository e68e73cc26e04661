// Comparison, selection, classification and conversion.
#include <bit>
#include <limits>
#include <type_traits>

#include "vp/iss/softfloat.hpp"
#include "vp/iss/softfloat_number.hpp"

namespace dlavp::iss::fp {
namespace {

template <typename F>
bool less(typename F::Bits a, typename F::Bits b, bool or_equal) {
  using T = Traits<F>;
  const bool a_negative = (a & T::kSign) != 0;
  const bool b_negative = (b & T::kSign) != 0;
  const bool both_zero = ((a | b) & ~T::kSign) == 0;
  if (both_zero || a == b) return or_equal;
  if (a_negative != b_negative) return a_negative;
  return a_negative ? a > b : a < b;
}

/// False, and invalid, if either is a NaN.
template <typename F>
bool ordered(typename F::Bits a, typename F::Bits b, Context& c) {
  const bool is_ordered = !unpack<F>(a).is_nan() && !unpack<F>(b).is_nan();
  if (!is_ordered) c.flags |= kInvalid;
  return is_ordered;
}

}  // namespace

template <typename F>
typename F::Bits min(typename F::Bits a, typename F::Bits b, Context& c) {
  const Number x = unpack<F>(a);
  const Number y = unpack<F>(b);
  note_signaling(c, x, y);
  if (x.is_nan()) return y.is_nan() ? kCanonicalNan<F> : b;
  if (y.is_nan()) return a;
  if (x.kind == Kind::kZero && y.kind == Kind::kZero) return x.negative ? a : b;
  return less<F>(a, b, false) ? a : b;
}

template <typename F>
typename F::Bits max(typename F::Bits a, typename F::Bits b, Context& c) {
  const Number x = unpack<F>(a);
  const Number y = unpack<F>(b);
  note_signaling(c, x, y);
  if (x.is_nan()) return y.is_nan() ? kCanonicalNan<F> : b;
  if (y.is_nan()) return a;
  if (x.kind == Kind::kZero && y.kind == Kind::kZero) return x.negative ? b : a;
  return less<F>(a, b, false) ? b : a;
}

template <typename F>
bool eq(typename F::Bits a, typename F::Bits b, Context& c) {
  const Number x = unpack<F>(a);
  const Number y = unpack<F>(b);
  note_signaling(c, x, y);
  if (x.is_nan() || y.is_nan()) return false;
  return a == b || (x.kind == Kind::kZero && y.kind == Kind::kZero);
}

template <typename F>
bool lt(typename F::Bits a, typename F::Bits b, Context& c) {
  return ordered<F>(a, b, c) && less<F>(a, b, false);
}

template <typename F>
bool le(typename F::Bits a, typename F::Bits b, Context& c) {
  return ordered<F>(a, b, c) && less<F>(a, b, true);
}

template <typename F>
uint32_t classify(typename F::Bits bits) {
  const Number n = unpack<F>(bits);
  switch (n.kind) {
    case Kind::kInfinity:
      return n.negative ? 1u << 0 : 1u << 7;
    case Kind::kZero:
      return n.negative ? 1u << 3 : 1u << 4;
    case Kind::kSignalingNan:
      return 1u << 8;
    case Kind::kQuietNan:
      return 1u << 9;
    case Kind::kFinite:
      break;
  }
  const bool subnormal = n.exponent < Traits<F>::kMinExponent;
  if (n.negative) return subnormal ? 1u << 2 : 1u << 1;
  return subnormal ? 1u << 5 : 1u << 6;
}

template <typename I, typename F>
I to_integer(typename F::Bits bits, Context& c) {
  constexpr I kMax = std::numeric_limits<I>::max();
  constexpr I kMin = std::numeric_limits<I>::min();
  const Number n = unpack<F>(bits);
  if (n.kind == Kind::kZero) return 0;
  const I saturated = n.negative && !n.is_nan() ? kMin : kMax;
  if (n.kind != Kind::kFinite || n.exponent > 63) {
    c.flags |= kInvalid;
    return saturated;
  }
  // The number as a fixed-point value: whole part and 64 bits of fraction.
  uint64_t whole = 0;
  uint64_t rest = 0;
  bool sticky = false;
  if (n.exponent < -1) {
    sticky = true;
  } else if (n.exponent == -1) {
    rest = n.significand;
  } else {
    const auto down = static_cast<unsigned>(63 - n.exponent);
    whole = n.significand >> down;
    rest = down == 0 ? 0 : n.significand << (64 - down);
  }
  constexpr uint64_t kHalf = uint64_t{1} << 63;
  const bool up = rounds_up(c.rounding, n.negative, (whole & 1) != 0, rest, kHalf, sticky);
  const bool carried = up && whole == ~uint64_t{0};
  whole += up ? 1 : 0;
  // The most negative value has one more than the most positive; for unsigned it is 0.
  const uint64_t limit = n.negative
                             ? uint64_t{0} - static_cast<uint64_t>(static_cast<int64_t>(kMin))
                             : static_cast<uint64_t>(kMax);
  if (carried || whole > limit) {
    c.flags |= kInvalid;
    return saturated;
  }
  if (rest != 0 || sticky) c.flags |= kInexact;
  return static_cast<I>(n.negative ? uint64_t{0} - whole : whole);
}

template <typename F>
typename F::Bits from_unsigned(uint64_t v, Context& c) {
  if (v == 0) return 0;
  const int up = std::countl_zero(v);
  return round_pack<F>(false, 63 - up, v << up, false, c);
}

template <typename F>
typename F::Bits from_signed(int64_t v, Context& c) {
  if (v >= 0) return from_unsigned<F>(static_cast<uint64_t>(v), c);
  const uint64_t magnitude = uint64_t{0} - static_cast<uint64_t>(v);
  const int up = std::countl_zero(magnitude);
  return round_pack<F>(true, 63 - up, magnitude << up, false, c);
}

namespace {

template <typename To, typename From>
typename To::Bits convert(typename From::Bits bits, Context& c) {
  const Number n = unpack<From>(bits);
  note_signaling(c, n);
  if (n.is_nan()) return kCanonicalNan<To>;
  if (n.kind == Kind::kInfinity) return infinity<To>(n.negative);
  if (n.kind == Kind::kZero) return zero<To>(n.negative);
  return round_pack<To>(n.negative, n.exponent, n.significand, false, c);
}

}  // namespace

uint64_t widen(uint32_t a, Context& c) { return convert<Double, Single>(a, c); }
uint32_t narrow(uint64_t a, Context& c) { return convert<Single, Double>(a, c); }

#define DLAVP_INSTANTIATE(F)                                    \
  template F::Bits min<F>(F::Bits, F::Bits, Context&);          \
  template F::Bits max<F>(F::Bits, F::Bits, Context&);          \
  template bool eq<F>(F::Bits, F::Bits, Context&);              \
  template bool lt<F>(F::Bits, F::Bits, Context&);              \
  template bool le<F>(F::Bits, F::Bits, Context&);              \
  template uint32_t classify<F>(F::Bits);                       \
  template int32_t to_integer<int32_t, F>(F::Bits, Context&);   \
  template uint32_t to_integer<uint32_t, F>(F::Bits, Context&); \
  template int64_t to_integer<int64_t, F>(F::Bits, Context&);   \
  template uint64_t to_integer<uint64_t, F>(F::Bits, Context&); \
  template F::Bits from_signed<F>(int64_t, Context&);           \
  template F::Bits from_unsigned<F>(uint64_t, Context&);
DLAVP_INSTANTIATE(Single)
DLAVP_INSTANTIATE(Double)
#undef DLAVP_INSTANTIATE

}  // namespace dlavp::iss::fp
