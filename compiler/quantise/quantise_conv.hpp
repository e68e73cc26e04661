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
};

/// `tolerance`: how many units the bias may be off because of its common shift. Weights whose
/// scales the model prescribes keep them.
/// Precondition: as many weights as a multiple of bias.size().
Result<QuantisedConv> quantise_conv(const Tensor& weights, const std::vector<float>& bias,
                                    double input_scale, double unit, double tolerance);

}  // namespace dlavp::compiler
