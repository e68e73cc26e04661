// Per-kernel weight scales. X1 computes (sum + (bias << s)) * mul >> t with one s and one t a layer
// and 16-bit bias and mul a kernel; kernels whose own range would make either lose its precision
// get a coarser weight scale instead.
#include "compiler/quantise/quantise_conv.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
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

/// What the input's zero point adds to a kernel's sum, a real value.
double zero_point_sum(const Tensor& weights, size_t k, size_t kernels, const Quantisation& input) {
  if (input.zero_point == 0) return 0;
  const auto per_kernel = static_cast<std::ptrdiff_t>(weights.values.size() / kernels);
  const auto first = weights.values.begin() + static_cast<std::ptrdiff_t>(k) * per_kernel;
  return input.zero_point * input.scale * std::accumulate(first, first + per_kernel, 0.0);
}

}  // namespace

std::vector<int64_t> kernel_sums(const std::vector<int8_t>& weights, size_t kernels) {
  const auto per_kernel = static_cast<std::ptrdiff_t>(weights.size() / kernels);
  std::vector<int64_t> out(kernels);
  for (size_t k = 0; k < kernels; ++k) {
    const auto first = weights.begin() + static_cast<std::ptrdiff_t>(k) * per_kernel;
    out[k] = std::accumulate(first, first + per_kernel, int64_t{0});
  }
  return out;
}

Result<QuantisedConv> quantise_conv(const Tensor& weights, const std::vector<float>& bias,
                                    const Quantisation& input, double unit, double tolerance) {
  const size_t kernels = bias.size();
  const size_t per_kernel = weights.values.size() / kernels;
  const std::vector<double>& fixed = weights.kernel_scales;
  const auto fixed_scale = [&](size_t k) { return fixed[fixed.size() == 1 ? 0 : k]; };
  std::vector<double> bias_units(kernels);
  for (size_t k = 0; k < kernels; ++k)
    bias_units[k] = (double{bias[k]} - zero_point_sum(weights, k, kernels, input)) / unit;
  std::vector<double> factor = sum_factors(weights, bias_units, input.scale, unit);
  if (!fixed.empty()) {
    for (size_t k = 0; k < kernels; ++k) factor[k] = input.scale * fixed_scale(k) / unit;
  }
  const unsigned shift = bias_shift(factor, bias_units, tolerance);
  const double limit = std::ldexp(kOperandMax, static_cast<int>(shift));
  QuantisedConv out;
  if (fixed.empty()) {
    for (size_t k = 0; k < kernels; ++k) {
      const double own = factor[k];
      factor[k] = std::max(own, std::abs(bias_units[k]) / limit);
      out.coarsened = std::max(out.coarsened, factor[k] / own);
    }
  }

  auto multipliers = make_multipliers(factor);
  if (!multipliers.ok()) return multipliers.errors();
  out.x1.kind = StageKind::kBoth;
  out.x1.mode = StageMode::kPerKernel;
  out.x1.mul = multipliers->mul;
  out.x1.alu_shift = static_cast<uint8_t>(shift);
  out.x1.mul_shift = multipliers->shift;
  out.weights.resize(weights.values.size());
  std::vector<double> realised(kernels);
  for (size_t k = 0; k < kernels; ++k) {
    // The factor that the integers realise, so that bias and weights do not inherit its rounding.
    const double exact =
        std::ldexp(static_cast<double>(multipliers->mul[k]), -int{multipliers->shift});
    realised[k] = exact;
    const double weight_scale = fixed.empty() ? exact * unit / input.scale : fixed_scale(k);
    quantise_values(std::span(weights.values).subspan(k * per_kernel, per_kernel), weight_scale,
                    std::span(out.weights).subspan(k * per_kernel, per_kernel));
  }
  const std::vector<int64_t> sums = kernel_sums(out.weights, kernels);
  for (size_t k = 0; k < kernels; ++k) {
    const double wanted =
        double{bias[k]} / unit - static_cast<double>(input.zero_point * sums[k]) * realised[k];
    const double operand = std::round(wanted / std::ldexp(realised[k], static_cast<int>(shift)));
    out.x1.alu.push_back(static_cast<int16_t>(std::clamp(operand, -kOperandMax, kOperandMax)));
    const double added = std::ldexp(realised[k] * out.x1.alu.back(), static_cast<int>(shift));
    out.bias_error = std::max(out.bias_error, std::abs(added - wanted));
  }
  return out;
}

}  // namespace dlavp::compiler
