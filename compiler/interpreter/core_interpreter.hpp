// What the core's layers compute, on NCHW arrays: written from docs/firmware.md, without the
// firmware's code or memory layout.
#pragma once

#include "compiler/interpreter/int8_interpreter.hpp"

namespace dlavp::compiler {

/// Fills the output of a CoreLayer.
void interpret_core(const LayerProgram& program, const Layer& layer, Int8Values& values);

}  // namespace dlavp::compiler
