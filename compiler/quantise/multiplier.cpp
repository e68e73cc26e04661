// Decomposition of real factors into multiplier and shift.
#include "compiler/quantise/multiplier.hpp"

#include <algorithm>
#include <cmath>

namespace dlavp::compiler {

Result<Multipliers> make_multipliers(std::span<const double> factors, unsigned max_shift) {
  constexpr double kLargest = 32767;
  double largest = 0;
  for (double f : factors) {
    if (!std::isfinite(f) || std::abs(f) > kLargest) {
      return Error{"quantise.factor", "",
                   fmt::format("factor {} cannot be a 16-bit multiplier", f)};
    }
    largest = std::max(largest, std::abs(f));
  }
  Multipliers out;
  unsigned shift = 0;
  if (largest > 0) {
    while (shift < max_shift &&
           std::round(std::ldexp(largest, static_cast<int>(shift) + 1)) <= kLargest)
      ++shift;
  }
  out.shift = static_cast<uint8_t>(shift);
  for (double f : factors) {
    out.mul.push_back(static_cast<int16_t>(std::lround(std::ldexp(f, static_cast<int>(shift)))));
  }
  return out;
}

int8_t quantise_value(double real, double scale) {
  return static_cast<int8_t>(std::clamp(std::round(real / scale), -127.0, 127.0));
}

int8_t quantise_value(double real, const Quantisation& q) {
  if (q.zero_point == 0) return quantise_value(real, q.scale);
  return static_cast<int8_t>(std::clamp(std::round(real / q.scale) + q.zero_point, -128.0, 127.0));
}

}  // namespace dlavp::compiler
