// Real factors as 16-bit multipliers with a common right shift, as SDP and converters take them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/ir/tensor.hpp"
#include "models/common/result.hpp"

namespace dlavp::compiler {

/// factor[i] is about mul[i] / 2^shift.
struct Multipliers {
  std::vector<int16_t> mul;
  uint8_t shift = 0;
};

/// The largest shift (at most `max_shift`) for which every factor fits 16 bits.
/// Errors: quantise.factor, a factor too large for any shift or not finite.
Result<Multipliers> make_multipliers(std::span<const double> factors, unsigned max_shift = 40);

/// The int8 value of `real` at `scale`: nearest, ties away from zero, within -127 to 127.
[[nodiscard]] int8_t quantise_value(double real, double scale);
/// The same with a zero point; then also -128.
[[nodiscard]] int8_t quantise_value(double real, const Quantisation& q);
/// The same of many finite values.
void quantise_values(std::span<const float> real, double scale, std::span<int8_t> out);

}  // namespace dlavp::compiler
