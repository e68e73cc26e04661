// Unpacked floating point numbers, and the one function that rounds and packs them. Internal to
// softfloat.
#pragma once

#include <bit>
#include <cstdint>

#include "vp/iss/softfloat.hpp"

namespace dlavp::iss::fp {

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

inline bool rounds_up(Rounding mode, bool negative, bool odd, uint64_t rest, uint64_t half,
                      bool sticky) {
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

}  // namespace dlavp::iss::fp
