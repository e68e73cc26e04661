// Weights, bias and multipliers of one convolution. Internal to quantisation.
#pragma once

#include <vector>

#include "compiler/schedule/layer.hpp"

namespace dlavp::compiler {

/// int8 weights, and an X1 stage that brings sums to units of `unit` (a real value).
struct QuantisedConv {
  std::vector<int8_t> weights;
  SdpStage x1;
  double bias_error = 0;  ///< the most that a bias is off, in units
  double coarsened = 1;   ///< the most that a kernel's weight scale grew to make room for its bias
};

/// `tolerance`: how many units the bias may be off because of its common shift. X1's bias also
/// takes off what the input's zero point adds to the sums. Weights whose scales the model
/// prescribes keep them. Precondition: as many weights as a multiple of bias.size().
Result<QuantisedConv> quantise_conv(const Tensor& weights, const std::vector<float>& bias,
                                    const Quantisation& input, double unit, double tolerance);

/// The sum of each kernel's weights.
[[nodiscard]] std::vector<int64_t> kernel_sums(const std::vector<int8_t>& weights, size_t kernels);

}  // namespace dlavp::compiler
