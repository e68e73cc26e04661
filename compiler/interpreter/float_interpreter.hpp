// The graph's meaning in 32-bit floating point (sums in double): the reference that calibration and
// accuracy reports compare with.
#pragma once

#include <vector>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

/// Values of every activation, by tensor id (NCHW); constants stay empty.
using FloatValues = std::vector<std::vector<float>>;

/// Runs a well-formed graph. `inputs` are in the order of graph.inputs, each with its shape's
/// elements.
FloatValues interpret_float(const Graph& graph, const std::vector<std::vector<float>>& inputs);

}  // namespace dlavp::compiler
