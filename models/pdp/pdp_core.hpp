// What PDP computes: pooling of an int8 cube. Hardware manual: "Planar Data Processor". Widths and
// rounding are those of the RTL: rows are summed in 11 bits, windows in 14, each reciprocal is
// applied with its own rounding, and the result wraps to 8 bits.
#pragma once

#include "models/common/cube.hpp"
#include "models/common/memory.hpp"
#include "models/pdp/pdp_op.hpp"

namespace dlavp::pdp {

/// Pools `in` (op.in, all lanes of the last surface included).
[[nodiscard]] AtomCube<int8_t> pool(const PdpOp& op, const AtomCube<int8_t>& in);

/// An average from its window sum: two multiplications by a reciprocal, each rounded.
[[nodiscard]] int8_t average(int32_t window_sum, uint32_t recip_width, uint32_t recip_height);

/// Reads the operation's input / writes its output; false if any byte is unmapped.
[[nodiscard]] bool load_input(const PdpOp& op, uint32_t atom, Memory& memory, AtomCube<int8_t>& in);
[[nodiscard]] bool store_output(const PdpOp& op, const AtomCube<int8_t>& out, Memory& memory);

}  // namespace dlavp::pdp
