// Post-training calibration: runs the float network on sample inputs and gives every activation an
// int8 scale (symmetric, one a tensor).
#pragma once

#include <vector>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

struct CalibrationOptions {
  /// 1: largest magnitude (min-max). Below: the smallest range that holds this share of the values.
  double percentile = 1.0;
};

/// What the samples showed of one graph input.
struct InputRange {
  double min = 0, max = 0;
  bool integral = true;  ///< every value is a whole number
};

/// Each sample holds one vector for each graph input, with its shape's elements.
using Samples = std::vector<std::vector<std::vector<float>>>;

/// Sets `scale` of every activation of `graph`. Poolings and Flatten keep their input's scale.
/// Errors: calibrate.no_samples, calibrate.sample_size, calibrate.not_finite.
Result<std::vector<InputRange>> calibrate(Graph& graph, const Samples& samples,
                                          const CalibrationOptions& options);

}  // namespace dlavp::compiler
