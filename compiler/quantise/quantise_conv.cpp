// Per-kernel weight scales. X1 computes (sum + (bias << s)) * mul >> t with one s and one t a layer
// and 16-bit bias and mul a kernel; kernels whose own range would make either lose its precision
// get a coarser weight scale instead.
#include "compiler/quantise/quantise_conv.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>

#include "compiler/quantise/multiplier.hpp"

namespace dlavp::compiler {
namespace {

constexpr double kOperandMax = 32767;
constexpr unsigned kMostBiasShift = 16;  ///< the shifted operand saturates at 32 bits
constexpr double kSmallestShare =
    1.0 / 128;  ///< of the largest multiplier: at least 8 bits are left

unsigned bias_shift(const std::vector<double>& factor, const std::vector<double>& bias_units,
                    double tolerance) {
  const double largest = *std::max_element(factor.begin(), factor.end());
  unsigned needed = 0;
  for (size_t k = 0; k < factor.size(); ++k) {
    while (needed < kMostBiasShift &&
           std::abs(bias_units[k]) / std::ldexp(factor[k], static_cast<int>(needed)) > kOperandMax)
      ++needed;
  }
  unsigned tolerable = 0;
  while (tolerable < kMostBiasShift &&
         std::ldexp(largest, static_cast<int>(tolerable)) <= tolerance)
    ++tolerable;
  return std::min(needed, tolerable);
}

/// The largest magnitude. The bits of positive floats are in the order of their values.
float largest_magnitude(std::span<const float> values) {
  int32_t most = 0;
  for (const float v : values)
    most = std::max(most, std::bit_cast<int32_t>(v) & std::numeric_limits<int32_t>::max());
  return std::bit_cast<float>(most);
}

/// Units of one step of each kernel's integer sum.
std::vector<double> sum_factors(const Tensor& weights, const std::vector<double>& bias_units,
                                double input_scale, double unit) {
  const size_t kernels = bias_units.size();
  const size_t per_kernel = weights.values.size() / kernels;
  std::vector<double> factor(kernels);
  for (size_t k = 0; k < kernels; ++k) {
    const double largest{
        largest_magnitude(std::span(weights.values).subspan(k * per_kernel, per_kernel))};
    factor[k] = input_scale * largest / 127 / unit;
  }
  double largest = *std::max_element(factor.begin(), factor.end());
  for (double b : bias_units)
    largest = std::max(largest, std::abs(b) / std::ldexp(kOperandMax, kMostBiasShift));
  if (largest <= 0) largest = input_scale / unit;  // no weights and no bias at all
  for (double& f : factor) f = std::max(f, largest * kSmallestShare);
  return factor;
}

}  // namespace

Result<QuantisedConv> quantise_conv(const Tensor& weights, const std::vector<float>& bias,
                                    double input_scale, double unit, double tolerance) {
  const size_t kernels = bias.size();
  const size_t per_kernel = weights.values.size() / kernels;
  const std::vector<double>& fixed = weights.kernel_scales;
  const auto fixed_scale = [&](size_t k) { return fixed[fixed.size() == 1 ? 0 : k]; };
  std::vector<double> bias_units(kernels);
  for (size_t k = 0; k < kernels; ++k) bias_units[k] = double{bias[k]} / unit;
  std::vector<double> factor = sum_factors(weights, bias_units, input_scale, unit);
  if (!fixed.empty()) {
    for (size_t k = 0; k < kernels; ++k) factor[k] = input_scale * fixed_scale(k) / unit;
  }
  const unsigned shift = bias_shift(factor, bias_units, tolerance);
  const double limit = std::ldexp(kOperandMax, static_cast<int>(shift));
  if (fixed.empty()) {
    for (size_t k = 0; k < kernels; ++k)
      factor[k] = std::max(factor[k], std::abs(bias_units[k]) / limit);
  }

  auto multipliers = make_multipliers(factor);
  if (!multipliers.ok()) return multipliers.errors();
  QuantisedConv out;
  out.x1.kind = StageKind::kBoth;
  out.x1.mode = StageMode::kPerKernel;
  out.x1.mul = multipliers->mul;
  out.x1.alu_shift = static_cast<uint8_t>(shift);
  out.x1.mul_shift = multipliers->shift;
  out.weights.resize(weights.values.size());
  for (size_t k = 0; k < kernels; ++k) {
    // The factor that the integers realise, so that bias and weights do not inherit its rounding.
    const double exact =
        std::ldexp(static_cast<double>(multipliers->mul[k]), -int{multipliers->shift});
    const double weight_scale = fixed.empty() ? exact * unit / input_scale : fixed_scale(k);
    quantise_values(std::span(weights.values).subspan(k * per_kernel, per_kernel), weight_scale,
                    std::span(out.weights).subspan(k * per_kernel, per_kernel));
    const double operand = std::round(bias_units[k] / std::ldexp(exact, static_cast<int>(shift)));
    out.x1.alu.push_back(static_cast<int16_t>(std::clamp(operand, -kOperandMax, kOperandMax)));
    const double added = std::ldexp(exact * out.x1.alu.back(), static_cast<int>(shift));
    out.bias_error = std::max(out.bias_error, std::abs(added - bias_units[k]));
  }
  return out;
}

}  // namespace dlavp::compiler
