// Cross-channel normalisation in the CDP's integer arithmetic, on NCHW arrays.
#pragma once

#include "compiler/interpreter/int8_interpreter.hpp"

namespace dlavp::compiler {

/// Fills the output of `layer`, whose work is `lrn`.
void interpret_lrn(const LayerProgram& program, const Layer& layer, const LrnLayer& lrn,
                   Int8Values& values);

/// CDP's tables at a sum of squares (or any other index).
[[nodiscard]] int64_t cdp_look_up(const Lut& lut, int64_t x);

}  // namespace dlavp::compiler
