// SDP's stages on one line of atoms: X1 and X2, Y, and the output converter. Pure arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "models/sdp/sdp_lut.hpp"
#include "models/sdp/sdp_op.hpp"

namespace dlavp::sdp {

/// Operands of a line: one value a lane for every pixel (pixel_stride 0) or for each.
struct Values {
  const int32_t* data = nullptr;
  size_t pixel_stride = 0;
};

/// A line: `pixels` atoms of `lanes` values.
struct Line {
  int32_t* data;
  size_t pixels, lanes;
};

/// X1 or X2; `alu` operands are shifted already (x_alu_operand).
void run_x(const StageOp& op, const Line& line, Values alu, Values mul);
/// The operand after ALU_SHIFT_VALUE: saturates at 32 bits.
[[nodiscard]] int32_t x_alu_operand(int16_t value, unsigned shift);

/// Y without the look-up table; operands from memory are converted already (y_operand).
void run_y(const StageOp& op, const Line& line, Values alu, Values mul);
[[nodiscard]] int32_t y_operand(int16_t value, const OperandCvt& cvt);

/// Output converter; returns how many values saturated at its 17 bits.
uint64_t convert(const OutputCvt& cvt, std::span<const int32_t> in, int8_t* out);

}  // namespace dlavp::sdp
