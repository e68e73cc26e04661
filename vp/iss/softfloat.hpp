// Binary floating point of the F and D extensions in integer arithmetic: IEEE 754-2008 with all
// five rounding modes, exception flags, tininess after rounding and RISC-V's canonical NaN. Pure
// functions; a value is its bit pattern. RISC-V unprivileged specification, chapters "F" and "D".
#pragma once

#include <cstdint>

namespace dlavp::iss::fp {

/// Encodings of the rm field and of frm.
enum class Rounding : uint8_t {
  kNearestEven = 0,
  kToZero = 1,
  kDown = 2,
  kUp = 3,
  kNearestAway = 4
};

/// Bits of fflags.
inline constexpr uint32_t kInexact = 1, kUnderflow = 2, kOverflow = 4, kDivideByZero = 8;
inline constexpr uint32_t kInvalid = 16;

/// Rounding mode of one operation and the flags it raised, or-ed to those already there.
struct Context {
  Rounding rounding = Rounding::kNearestEven;
  uint32_t flags = 0;
};

struct Single {
  using Bits = uint32_t;
  static constexpr unsigned kFraction = 23, kExponent = 8;
};
struct Double {
  using Bits = uint64_t;
  static constexpr unsigned kFraction = 52, kExponent = 11;
};

/// The NaN that every operation returns.
template <typename F>
inline constexpr typename F::Bits kCanonicalNan = ((typename F::Bits{1} << (F::kExponent + 1)) - 1)
                                                  << (F::kFraction - 1);

template <typename F>
typename F::Bits add(typename F::Bits a, typename F::Bits b, Context& c);
template <typename F>
typename F::Bits sub(typename F::Bits a, typename F::Bits b, Context& c);
template <typename F>
typename F::Bits mul(typename F::Bits a, typename F::Bits b, Context& c);
template <typename F>
typename F::Bits div(typename F::Bits a, typename F::Bits b, Context& c);
template <typename F>
typename F::Bits sqrt(typename F::Bits a, Context& c);
/// a * b + d with one rounding.
template <typename F>
typename F::Bits fma(typename F::Bits a, typename F::Bits b, typename F::Bits d, Context& c);

/// minimumNumber and maximumNumber of IEEE 754-2019; -0 is less than +0.
template <typename F>
typename F::Bits min(typename F::Bits a, typename F::Bits b, Context& c);
template <typename F>
typename F::Bits max(typename F::Bits a, typename F::Bits b, Context& c);
/// Quiet equality; signaling less and less-or-equal.
template <typename F>
bool eq(typename F::Bits a, typename F::Bits b, Context& c);
template <typename F>
bool lt(typename F::Bits a, typename F::Bits b, Context& c);
template <typename F>
bool le(typename F::Bits a, typename F::Bits b, Context& c);
/// The one-hot class mask of fclass.
template <typename F>
uint32_t classify(typename F::Bits a);

/// To an integer of type I (int32_t, uint32_t, int64_t, uint64_t), saturating, NaN to the maximum.
template <typename I, typename F>
I to_integer(typename F::Bits a, Context& c);
/// From a signed or unsigned 64-bit integer.
template <typename F>
typename F::Bits from_signed(int64_t v, Context& c);
template <typename F>
typename F::Bits from_unsigned(uint64_t v, Context& c);

[[nodiscard]] uint64_t widen(uint32_t a, Context& c);
[[nodiscard]] uint32_t narrow(uint64_t a, Context& c);

}  // namespace dlavp::iss::fp
