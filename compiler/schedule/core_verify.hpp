// The rules of layers on the core: numbers of inputs and parameters, shapes.
#pragma once

#include "compiler/schedule/layer.hpp"

namespace dlavp::compiler {

/// "table", "softmax", or the name of a custom layer.
[[nodiscard]] std::string core_kernel_name(const CoreLayer& layer);

/// What the firmware would refuse about `layer`: layer.core. Precondition: its tensors exist and
/// its work is a CoreLayer.
[[nodiscard]] Diagnostics verify_core(const LayerProgram& program, const Layer& layer);

}  // namespace dlavp::compiler
