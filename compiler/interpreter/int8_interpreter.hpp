// The layer program's meaning, byte for byte as the accelerator computes it: the oracle for the
// platform. Shares no code with the unit models except the rounding rule of fixed_point.hpp.
#pragma once

#include <span>
#include <vector>

#include "compiler/schedule/layer.hpp"

namespace dlavp::compiler {

/// int8 values of every layer tensor, NCHW, by tensor id; an int32 tensor as little-endian bytes.
using Int8Values = std::vector<std::vector<int8_t>>;

/// The bytes to bind for real values of an input: pixels (unsigned) or features (int8 as uint8),
/// NCHW.
[[nodiscard]] std::vector<uint8_t> input_bytes(const LayerInput& input,
                                               std::span<const float> values);

/// The int8 tensor that the accelerator computes with, given the bound bytes.
[[nodiscard]] std::vector<int8_t> converted_input(const LayerInput& input,
                                                  std::span<const uint8_t> bytes);

/// Runs the program. `inputs`: the bound bytes of each input, NCHW.
Int8Values interpret_int8(const LayerProgram& program,
                          const std::vector<std::vector<uint8_t>>& inputs);

/// The same from real values.
Int8Values interpret_int8_real(const LayerProgram& program,
                               const std::vector<std::vector<float>>& inputs);

}  // namespace dlavp::compiler
