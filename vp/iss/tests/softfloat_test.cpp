// softfloat against the host's floating point unit: values and flags, in the four rounding modes
// that the host has; and the rules that are RISC-V's own.
#include <bit>
#include <catch2/catch.hpp>
#include <cfenv>
#include <cmath>
#include <random>

#include "vp/iss/softfloat.hpp"

using namespace dlavp::iss::fp;

namespace {

constexpr int kHostModes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};

uint32_t host_flags() {
  const int raised = std::fetestexcept(FE_ALL_EXCEPT);
  return ((raised & FE_INEXACT) != 0 ? kInexact : 0) |
         ((raised & FE_UNDERFLOW) != 0 ? kUnderflow : 0) |
         ((raised & FE_OVERFLOW) != 0 ? kOverflow : 0) |
         ((raised & FE_DIVBYZERO) != 0 ? kDivideByZero : 0) |
         ((raised & FE_INVALID) != 0 ? kInvalid : 0);
}

template <typename F>
using HostOf = std::conditional_t<sizeof(typename F::Bits) == 8, double, float>;

/// Evaluates `compute` on the host in a mode; volatile keeps the compiler from doing it itself.
template <typename F, typename Compute>
typename F::Bits on_host(int mode, uint32_t& flags, Compute compute) {
  std::fesetround(kHostModes[mode]);
  std::feclearexcept(FE_ALL_EXCEPT);
  volatile HostOf<F> result = compute();
  flags = host_flags();
  std::fesetround(FE_TONEAREST);
  const HostOf<F> value = result;
  return std::isnan(value) ? kCanonicalNan<F> : std::bit_cast<typename F::Bits>(value);
}

template <typename F>
typename F::Bits random_operand(std::mt19937_64& rng) {
  using Bits = typename F::Bits;
  constexpr Bits kOne = Bits{1} << F::kFraction;
  constexpr Bits kInfinity = ((Bits{1} << F::kExponent) - 1) << F::kFraction;
  const Bits sign = static_cast<Bits>(rng() & 1) << (F::kFraction + F::kExponent);
  const Bits specials[] = {
      0, 1, kOne, kOne - 1, kInfinity, kInfinity - 1, kCanonicalNan<F>, kInfinity + 1};
  switch (rng() % 4) {
    case 0:
      return sign | specials[rng() % std::size(specials)];
    case 1: {
      const Bits middle = (Bits{1} << (F::kExponent - 1)) - 1;
      const Bits exponent = middle - 3 + static_cast<Bits>(rng() % 7);
      return sign | (exponent << F::kFraction) | (static_cast<Bits>(rng()) & (kOne - 1));
    }
    case 2:
      return sign | static_cast<Bits>(rng() % (kOne * 3));
    default:
      return static_cast<Bits>(rng());
  }
}

template <typename F>
void compare_with_host(uint64_t seed) {
  using T = HostOf<F>;
  std::mt19937_64 rng(seed);
  for (int i = 0; i < 40000; ++i) {
    const auto a = random_operand<F>(rng);
    const auto b = random_operand<F>(rng);
    const auto d = random_operand<F>(rng);
    volatile T x = std::bit_cast<T>(a);
    volatile T y = std::bit_cast<T>(b);
    volatile T z = std::bit_cast<T>(d);
    for (int mode = 0; mode < 4; ++mode) {
      const auto check = [&](auto ours, auto theirs) {
        Context c{static_cast<Rounding>(mode), 0};
        uint32_t flags = 0;
        const auto result = ours(c);
        const auto expected = on_host<F>(mode, flags, theirs);
        INFO(std::hex << +a << " " << +b << " " << +d << " mode " << mode);
        REQUIRE(result == expected);
        REQUIRE(c.flags == flags);
      };
      check([&](Context& c) { return add<F>(a, b, c); }, [&] { return x + y; });
      check([&](Context& c) { return sub<F>(a, b, c); }, [&] { return x - y; });
      check([&](Context& c) { return mul<F>(a, b, c); }, [&] { return x * y; });
      check([&](Context& c) { return div<F>(a, b, c); }, [&] { return x / y; });
      check([&](Context& c) { return sqrt<F>(a, c); }, [&] { return std::sqrt(x); });
    }
    // The library's fma need not be exact in its flags: value only, to nearest.
    Context c;
    const auto fused = fma<F>(a, b, d, c);
    const T expected = std::fma(x, y, z);
    REQUIRE(fused ==
            (std::isnan(expected) ? kCanonicalNan<F> : std::bit_cast<typename F::Bits>(expected)));
  }
}

}  // namespace

TEST_CASE("iss softfloat: single precision equals the host in values and flags") {
  compare_with_host<Single>(1);
}

TEST_CASE("iss softfloat: double precision equals the host in values and flags") {
  compare_with_host<Double>(2);
}

TEST_CASE("iss softfloat: round to nearest away takes ties up in magnitude") {
  Context c{Rounding::kNearestAway, 0};
  CHECK(to_integer<int32_t, Double>(std::bit_cast<uint64_t>(2.5), c) == 3);
  CHECK(to_integer<int32_t, Double>(std::bit_cast<uint64_t>(-2.5), c) == -3);
  CHECK(c.flags == kInexact);
  const uint64_t one = std::bit_cast<uint64_t>(1.0);
  CHECK(add<Double>(one, std::bit_cast<uint64_t>(0x1p-53), c) == one + 1);
}

TEST_CASE("iss softfloat: conversions to integers saturate and raise invalid alone") {
  const auto bits = [](double v) { return std::bit_cast<uint64_t>(v); };
  const auto flags_of = [&](auto convert, auto expected) {
    Context c{Rounding::kToZero, 0};
    CHECK(convert(c) == expected);
    return c.flags;
  };
  CHECK(flags_of([&](Context& c) { return to_integer<int32_t, Double>(bits(2147483648.0), c); },
                 INT32_MAX) == kInvalid);
  CHECK(flags_of([&](Context& c) { return to_integer<int32_t, Double>(bits(-2147483648.9), c); },
                 INT32_MIN) == kInexact);
  CHECK(flags_of([&](Context& c) { return to_integer<uint32_t, Double>(bits(-1.0), c); }, 0u) ==
        kInvalid);
  CHECK(flags_of([&](Context& c) { return to_integer<uint64_t, Double>(bits(-0.9), c); },
                 uint64_t{0}) == kInexact);
  CHECK(flags_of([&](Context& c) { return to_integer<int64_t, Double>(kCanonicalNan<Double>, c); },
                 INT64_MAX) == kInvalid);
  CHECK(flags_of([&](Context& c) { return to_integer<uint64_t, Double>(bits(0x1p64), c); },
                 UINT64_MAX) == kInvalid);
}

TEST_CASE("iss softfloat: minimum and maximum order zeros and pass numbers over NaN") {
  Context c;
  const uint64_t minus_zero = uint64_t{1} << 63;
  CHECK(min<Double>(0, minus_zero, c) == minus_zero);
  CHECK(max<Double>(minus_zero, 0, c) == 0);
  CHECK(max<Double>(kCanonicalNan<Double>, 5, c) == 5);
  CHECK(c.flags == 0);
  CHECK(min<Double>(0x7FF0000000000001, 5, c) == 5);
  CHECK(c.flags == kInvalid);
}
