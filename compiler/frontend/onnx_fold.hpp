// Constant folding: operators whose inputs are all constants, as exporters leave them behind in
// computations of shapes, and in prepared weights.
#pragma once

#include <optional>
#include <span>

#include "compiler/frontend/onnx_model.hpp"

namespace dlavp::compiler {

/// Whether `op_type` is one that `fold_constants` knows.
[[nodiscard]] bool can_fold(const std::string& op_type);

/// The outputs of `node` for constant inputs (null where an optional one is missing).
/// Errors: onnx.fold, with what the operator would need.
Result<std::vector<OnnxTensor>> fold_constants(const OnnxNode& node,
                                               std::span<const OnnxTensor* const> inputs);

}  // namespace dlavp::compiler
