// Post-training calibration: runs the float network on sample inputs and gives every activation an
// int8 scale and zero point, one a tensor.
#pragma once

#include <vector>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

enum class CalibrationMethod : uint8_t {
  kMinMax,      ///< the largest magnitude
  kPercentile,  ///< the smallest range that holds a share of the values
  kEntropy,     ///< the range whose int8 distribution diverges least from the float one
};

struct CalibrationOptions {
  CalibrationMethod method = CalibrationMethod::kMinMax;
  double percentile = 0.9999;  ///< the share of kPercentile
  bool zero_points = true;     ///< else every range is symmetric
};

/// What the samples showed of one graph input.
struct InputRange {
  double min = 0, max = 0;
  bool integral = true;  ///< every value is a whole number
};

/// Each sample holds one vector for each graph input, with its shape's elements.
using Samples = std::vector<std::vector<std::vector<float>>>;

/// Sets `quantisation` of every activation of `graph`. Tensors that only hold each other's values
/// (pooling, joining, cutting, moving) share one; what model or table prescribes is kept. Outputs
/// of the network get a zero point only if one is prescribed.
/// Precondition: copy_zero_points.
/// Errors: calibrate.no_samples, calibrate.sample_size, calibrate.not_finite.
Result<std::vector<InputRange>> calibrate(Graph& graph, const Samples& samples,
                                          const CalibrationOptions& options);

}  // namespace dlavp::compiler
