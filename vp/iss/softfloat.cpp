// Arithmetic on unpacked numbers (sign, exponent, significand with its leading one at the top),
// rounded and packed by one function.
#include "vp/iss/softfloat.hpp"

#include <bit>
#include <limits>
#include <type_traits>
#include <utility>

namespace dlavp::iss::fp {
namespace {

__extension__ using Wide = unsigned __int128;

enum class Kind : uint8_t { kZero, kFinite, kInfinity, kQuietNan, kSignalingNan };

/// A finite number is significand / 2^63 * 2^exponent with bit 63 of the significand set.
struct Number {
  Kind kind = Kind::kZero;
  bool negative = false;
  int exponent = 0;
  uint64_t significand = 0;
  [[nodiscard]] bool is_nan() const { return kind >= Kind::kQuietNan; }
};

template <typename F>
struct Traits {
  using Bits = typename F::Bits;
  static constexpr int kBias = (1 << (F::kExponent - 1)) - 1;
  static constexpr int kMinExponent = 1 - kBias;
  static constexpr unsigned kExponentMask = (1u << F::kExponent) - 1;
  static constexpr Bits kSign = Bits{1} << (F::kFraction + F::kExponent);
  static constexpr Bits kFractionMask = (Bits{1} << F::kFraction) - 1;
  static constexpr Bits kInfinity = Bits{kExponentMask} << F::kFraction;
  static constexpr unsigned kDropped = 63 - F::kFraction;  ///< bits below the last one kept
};

template <typename F>
Number unpack(typename F::Bits bits) {
  using T = Traits<F>;
  Number n;
  n.negative = (bits & T::kSign) != 0;
  const auto biased = static_cast<unsigned>((bits >> F::kFraction) & T::kExponentMask);
  const uint64_t fraction = bits & T::kFractionMask;
  if (biased == T::kExponentMask) {
    const bool quiet = (fraction >> (F::kFraction - 1)) != 0;
    n.kind = fraction == 0 ? Kind::kInfinity : quiet ? Kind::kQuietNan : Kind::kSignalingNan;
  } else if (biased != 0) {
    n.kind = Kind::kFinite;
    n.exponent = static_cast<int>(biased) - T::kBias;
    n.significand = (uint64_t{1} << 63) | (fraction << T::kDropped);
  } else if (fraction != 0) {
    n.kind = Kind::kFinite;
    const int up = std::countl_zero(fraction);
    n.significand = fraction << up;
    n.exponent = T::kMinExponent + static_cast<int>(T::kDropped) - up;
  }
  return n;
}

bool rounds_up(Rounding mode, bool negative, bool odd, uint64_t rest, uint64_t half, bool sticky) {
  const bool inexact = rest != 0 || sticky;
  switch (mode) {
    case Rounding::kNearestEven:
      return rest > half || (rest == half && (sticky || odd));
    case Rounding::kNearestAway:
      return rest >= half;
    case Rounding::kUp:
      return inexact && !negative;
    case Rounding::kDown:
      return inexact && negative;
    case Rounding::kToZero:
      return false;
  }
  return false;
}

template <typename F>
typename F::Bits overflowed(bool negative, Context& c) {
  using T = Traits<F>;
  c.flags |= kOverflow | kInexact;
  const bool to_infinity = c.rounding == Rounding::kNearestEven ||
                           c.rounding == Rounding::kNearestAway ||
                           c.rounding == (negative ? Rounding::kDown : Rounding::kUp);
  return (negative ? T::kSign : 0) | (to_infinity ? T::kInfinity : T::kInfinity - 1);
}

/// Rounds significand / 2^63 * 2^exponent (bit 63 set; `sticky`: it was truncated) into F.
template <typename F>
typename F::Bits round_pack(bool negative, int exponent, uint64_t significand, bool sticky,
                            Context& c) {
  using T = Traits<F>;
  constexpr uint64_t kRestMask = (uint64_t{1} << T::kDropped) - 1;
  constexpr uint64_t kHalf = uint64_t{1} << (T::kDropped - 1);
  constexpr uint64_t kLeading = uint64_t{1} << F::kFraction;
  const auto round = [&](uint64_t s, bool lost) {
    const uint64_t kept = s >> T::kDropped;
    const bool up = rounds_up(c.rounding, negative, (kept & 1) != 0, s & kRestMask, kHalf, lost);
    return kept + (up ? 1 : 0);
  };
  bool tiny = false;
  if (exponent < T::kMinExponent) {
    // Tiny if it would still be below the smallest normal with an unbounded exponent range.
    tiny = exponent < T::kMinExponent - 1 || round(significand, sticky) < 2 * kLeading;
    const int shift = T::kMinExponent - exponent;
    if (shift >= 64) {
      sticky = true;
      significand = 0;
    } else {
      sticky = sticky || (significand << (64 - shift)) != 0;
      significand >>= shift;
    }
    exponent = T::kMinExponent;
  }
  uint64_t fraction = round(significand, sticky);
  const bool inexact = (significand & kRestMask) != 0 || sticky;
  if (fraction >= 2 * kLeading) {
    fraction >>= 1;
    ++exponent;
  }
  if (exponent > T::kBias) return overflowed<F>(negative, c);
  if (inexact) c.flags |= kInexact | (tiny ? kUnderflow : 0);
  using Bits = typename F::Bits;
  const Bits biased = fraction >= kLeading ? static_cast<Bits>(exponent + T::kBias) : 0;
  return (negative ? T::kSign : 0) | (biased << F::kFraction) |
         (static_cast<Bits>(fraction) & T::kFractionMask);
}

template <typename F>
typename F::Bits zero(bool negative) {
  return negative ? Traits<F>::kSign : 0;
}
template <typename F>
typename F::Bits infinity(bool negative) {
  return zero<F>(negative) | Traits<F>::kInfinity;
}

template <typename F>
typename F::Bits invalid(Context& c) {
  c.flags |= kInvalid;
  return kCanonicalNan<F>;
}

template <typename... N>
void note_signaling(Context& c, const N&... numbers) {
  if (((numbers.kind == Kind::kSignalingNan) || ...)) c.flags |= kInvalid;
}

/// A finite non-zero value with 127 bits: significand / 2^126 * 2^exponent, bit 126 set.
struct WideNumber {
  bool negative;
  int exponent;
  Wide significand;
};

WideNumber widened(const Number& n) { return {n.negative, n.exponent, Wide{n.significand} << 63}; }

template <typename F>
typename F::Bits pack_wide(bool negative, int exponent, Wide significand, bool sticky, Context& c) {
  const auto high = static_cast<uint64_t>(significand >> 64);
  const int up = high != 0 ? std::countl_zero(high)
                           : 64 + std::countl_zero(static_cast<uint64_t>(significand));
  significand <<= up;
  return round_pack<F>(negative, exponent + 1 - up, static_cast<uint64_t>(significand >> 64),
                       sticky || static_cast<uint64_t>(significand) != 0, c);
}

/// Sum of two finite non-zero values.
template <typename F>
typename F::Bits add_wide(WideNumber a, WideNumber b, Context& c) {
  if (a.exponent < b.exponent || (a.exponent == b.exponent && a.significand < b.significand)) {
    std::swap(a, b);
  }
  const int distance = a.exponent - b.exponent;
  bool sticky = false;
  if (distance >= 127) {
    sticky = true;
    b.significand = 0;
  } else if (distance > 0) {
    sticky = (b.significand & ((Wide{1} << distance) - 1)) != 0;
    b.significand >>= distance;
  }
  if (a.negative == b.negative) {
    return pack_wide<F>(a.negative, a.exponent, a.significand + b.significand, sticky, c);
  }
  // What was shifted out of b is taken from the difference: one less, and a rest remains.
  const Wide difference = a.significand - b.significand - (sticky ? 1 : 0);
  if (difference == 0 && !sticky) return zero<F>(c.rounding == Rounding::kDown);
  return pack_wide<F>(a.negative, a.exponent, difference, sticky, c);
}

template <typename F>
typename F::Bits add_numbers(const Number& a, const Number& b, Context& c) {
  note_signaling(c, a, b);
  if (a.is_nan() || b.is_nan()) return kCanonicalNan<F>;
  if (a.kind == Kind::kInfinity) {
    if (b.kind == Kind::kInfinity && a.negative != b.negative) return invalid<F>(c);
    return infinity<F>(a.negative);
  }
  if (b.kind == Kind::kInfinity) return infinity<F>(b.negative);
  if (a.kind == Kind::kZero && b.kind == Kind::kZero) {
    return zero<F>(a.negative == b.negative ? a.negative : c.rounding == Rounding::kDown);
  }
  if (a.kind == Kind::kZero) return round_pack<F>(b.negative, b.exponent, b.significand, false, c);
  if (b.kind == Kind::kZero) return round_pack<F>(a.negative, a.exponent, a.significand, false, c);
  return add_wide<F>(widened(a), widened(b), c);
}

/// The exact product of two finite non-zero numbers.
WideNumber product(const Number& a, const Number& b) {
  Wide p = Wide{a.significand} * b.significand;
  int exponent = a.exponent + b.exponent;
  if ((p >> 127) != 0) {
    // Both significands have at most 53 bits, so the low bit is clear and the shift exact.
    p >>= 1;
    ++exponent;
  }
  return {a.negative != b.negative, exponent, p};
}

/// floor(sqrt(v)) for v with a root of 64 bits; `rest` tells whether it is inexact.
uint64_t integer_sqrt(Wide v, bool& rest) {
  uint64_t root = 0;
  Wide remainder = 0;
  for (int i = 0; i < 64; ++i) {
    remainder = (remainder << 2) | (v >> 126);
    v <<= 2;
    const Wide trial = (Wide{root} << 2) | 1;
    root <<= 1;
    if (remainder >= trial) {
      remainder -= trial;
      root |= 1;
    }
  }
  rest = remainder != 0;
  return root;
}

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

}  // namespace

template <typename F>
typename F::Bits add(typename F::Bits a, typename F::Bits b, Context& c) {
  return add_numbers<F>(unpack<F>(a), unpack<F>(b), c);
}

template <typename F>
typename F::Bits sub(typename F::Bits a, typename F::Bits b, Context& c) {
  Number subtrahend = unpack<F>(b);
  subtrahend.negative = !subtrahend.negative;
  return add_numbers<F>(unpack<F>(a), subtrahend, c);
}

template <typename F>
typename F::Bits mul(typename F::Bits a_bits, typename F::Bits b_bits, Context& c) {
  const Number a = unpack<F>(a_bits);
  const Number b = unpack<F>(b_bits);
  note_signaling(c, a, b);
  if (a.is_nan() || b.is_nan()) return kCanonicalNan<F>;
  const bool negative = a.negative != b.negative;
  if (a.kind == Kind::kInfinity || b.kind == Kind::kInfinity) {
    if (a.kind == Kind::kZero || b.kind == Kind::kZero) return invalid<F>(c);
    return infinity<F>(negative);
  }
  if (a.kind == Kind::kZero || b.kind == Kind::kZero) return zero<F>(negative);
  const WideNumber p = product(a, b);
  return pack_wide<F>(p.negative, p.exponent, p.significand, false, c);
}

template <typename F>
typename F::Bits fma(typename F::Bits a_bits, typename F::Bits b_bits, typename F::Bits d_bits,
                     Context& c) {
  const Number a = unpack<F>(a_bits);
  const Number b = unpack<F>(b_bits);
  const Number d = unpack<F>(d_bits);
  note_signaling(c, a, b, d);
  const bool zero_times_infinity = (a.kind == Kind::kZero && b.kind == Kind::kInfinity) ||
                                   (a.kind == Kind::kInfinity && b.kind == Kind::kZero);
  if (zero_times_infinity) return invalid<F>(c);
  if (a.is_nan() || b.is_nan() || d.is_nan()) return kCanonicalNan<F>;
  const bool negative = a.negative != b.negative;
  if (a.kind == Kind::kInfinity || b.kind == Kind::kInfinity) {
    if (d.kind == Kind::kInfinity && d.negative != negative) return invalid<F>(c);
    return infinity<F>(negative);
  }
  if (a.kind == Kind::kZero || b.kind == Kind::kZero) {
    Number signed_zero;
    signed_zero.negative = negative;
    return add_numbers<F>(signed_zero, d, c);
  }
  if (d.kind == Kind::kInfinity) return infinity<F>(d.negative);
  const WideNumber p = product(a, b);
  if (d.kind == Kind::kZero) return pack_wide<F>(p.negative, p.exponent, p.significand, false, c);
  return add_wide<F>(p, widened(d), c);
}

template <typename F>
typename F::Bits div(typename F::Bits a_bits, typename F::Bits b_bits, Context& c) {
  const Number a = unpack<F>(a_bits);
  const Number b = unpack<F>(b_bits);
  note_signaling(c, a, b);
  if (a.is_nan() || b.is_nan()) return kCanonicalNan<F>;
  const bool negative = a.negative != b.negative;
  if (a.kind == b.kind && a.kind != Kind::kFinite) return invalid<F>(c);
  if (a.kind == Kind::kInfinity) return infinity<F>(negative);
  if (b.kind == Kind::kInfinity || a.kind == Kind::kZero) return zero<F>(negative);
  if (b.kind == Kind::kZero) {
    c.flags |= kDivideByZero;
    return infinity<F>(negative);
  }
  const Wide dividend = Wide{a.significand} << 62;
  const auto quotient = static_cast<uint64_t>(dividend / b.significand);
  const bool sticky = dividend % b.significand != 0;
  // The quotient is in (2^61, 2^63): at least 62 bits of it are enough for 53 and a guard.
  const int up = std::countl_zero(quotient);
  return round_pack<F>(negative, a.exponent - b.exponent + 1 - up, quotient << up, sticky, c);
}

template <typename F>
typename F::Bits sqrt(typename F::Bits bits, Context& c) {
  const Number a = unpack<F>(bits);
  note_signaling(c, a);
  if (a.is_nan()) return kCanonicalNan<F>;
  if (a.kind == Kind::kZero) return bits;
  if (a.negative) return invalid<F>(c);
  if (a.kind == Kind::kInfinity) return bits;
  const bool odd = (a.exponent & 1) != 0;
  bool rest = false;
  const uint64_t root = integer_sqrt(Wide{a.significand} << (odd ? 64 : 63), rest);
  return round_pack<F>(false, (a.exponent - (odd ? 1 : 0)) / 2, root, rest, c);
}

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
  if (unpack<F>(a).is_nan() || unpack<F>(b).is_nan()) {
    c.flags |= kInvalid;
    return false;
  }
  return less<F>(a, b, false);
}

template <typename F>
bool le(typename F::Bits a, typename F::Bits b, Context& c) {
  if (unpack<F>(a).is_nan() || unpack<F>(b).is_nan()) {
    c.flags |= kInvalid;
    return false;
  }
  return less<F>(a, b, true);
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
  template F::Bits add<F>(F::Bits, F::Bits, Context&);          \
  template F::Bits sub<F>(F::Bits, F::Bits, Context&);          \
  template F::Bits mul<F>(F::Bits, F::Bits, Context&);          \
  template F::Bits div<F>(F::Bits, F::Bits, Context&);          \
  template F::Bits sqrt<F>(F::Bits, Context&);                  \
  template F::Bits fma<F>(F::Bits, F::Bits, F::Bits, Context&); \
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
