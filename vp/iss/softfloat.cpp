// Arithmetic on unpacked numbers: sums and products are exact in 128 bits, then rounded once.
#include "vp/iss/softfloat.hpp"

#include <bit>
#include <utility>

#include "vp/iss/softfloat_number.hpp"

namespace dlavp::iss::fp {
namespace {

__extension__ using Wide = unsigned __int128;

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

#define DLAVP_INSTANTIATE(F)                           \
  template F::Bits add<F>(F::Bits, F::Bits, Context&); \
  template F::Bits sub<F>(F::Bits, F::Bits, Context&); \
  template F::Bits mul<F>(F::Bits, F::Bits, Context&); \
  template F::Bits div<F>(F::Bits, F::Bits, Context&); \
  template F::Bits sqrt<F>(F::Bits, Context&);         \
  template F::Bits fma<F>(F::Bits, F::Bits, F::Bits, Context&);
DLAVP_INSTANTIATE(Single)
DLAVP_INSTANTIATE(Double)
#undef DLAVP_INSTANTIATE

}  // namespace dlavp::iss::fp
