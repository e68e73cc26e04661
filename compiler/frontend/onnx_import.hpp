// ONNX to the typed graph, opset 7 to 17.
#pragma once

#include "compiler/frontend/onnx_model.hpp"
#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

struct ImportOptions {
  CustomRegistry custom;  ///< operators of other domains (or unknown ones), by type
};

/// The typed graph of `model`, whose weights move into it. Errors (ids): onnx.opset, onnx.operator
/// (all unsupported ones, each with its node), onnx.attribute, onnx.missing, onnx.dynamic_shape,
/// onnx.shape, onnx.batch, onnx.quantise, and the graph's own rules.
Result<Graph> import_onnx(OnnxModel model, const ImportOptions& options = {});

/// Names of the ONNX operators that can be imported.
[[nodiscard]] std::vector<std::string> supported_onnx_operators();

}  // namespace dlavp::compiler
