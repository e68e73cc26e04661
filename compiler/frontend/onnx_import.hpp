// ONNX to the typed graph, opset 7 to 17.
#pragma once

#include "compiler/frontend/onnx_model.hpp"
#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

/// The typed graph of `model`. Errors (ids): onnx.opset, onnx.operator (all unsupported ones, each
/// with its node), onnx.attribute, onnx.missing, onnx.dynamic_shape, onnx.shape, onnx.batch, and
/// the graph's own rules.
Result<Graph> import_onnx(const OnnxModel& model);

/// Names of the ONNX operators that can be imported.
[[nodiscard]] std::vector<std::string> supported_onnx_operators();

}  // namespace dlavp::compiler
