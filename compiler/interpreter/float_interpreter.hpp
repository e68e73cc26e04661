// The graph's meaning in 32-bit floating point: the reference that calibration and accuracy reports
// compare with. The same on every machine: sums have one order and no step is contracted.
#pragma once

#include <vector>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

/// Values of every activation, by tensor id (NCHW); constants stay empty.
using FloatValues = std::vector<std::vector<float>>;

/// Runs a well-formed graph. `inputs` are in the order of graph.inputs, each with its shape's
/// elements.
FloatValues interpret_float(const Graph& graph, const std::vector<std::vector<float>>& inputs);

/// How one output row or column of a resize comes from the input: low * (1 - share) + high * share,
/// or zero where zero insertion leaves a gap.
struct ResizeTap {
  int64_t low = 0, high = 0;
  double share = 0;
  bool present = true;
};
/// One tap for each output column (`horizontal`) or row; `in` is the input's size along that axis.
[[nodiscard]] std::vector<ResizeTap> resize_taps(const ResizeOp& op, bool horizontal, int64_t in);

/// The row-major input position of each output element.
[[nodiscard]] std::vector<size_t> reorder_sources(const ReorderOp& op);

}  // namespace dlavp::compiler
