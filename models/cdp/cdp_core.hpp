// What CDP computes: input converter, sum of squares over neighbouring channels, lookup table,
// multiplication with the centre, output converter. Hardware manual: "Cross Channel Data
// Processor".
#pragma once

#include "models/cdp/cdp_op.hpp"
#include "models/common/cube.hpp"
#include "models/common/memory.hpp"

namespace dlavp::cdp {

/// Normalises `in` (op.size, all lanes of the last surface included: those beyond the channels
/// count as zero and are written). `counts` receives the table statistics.
[[nodiscard]] AtomCube<int8_t> normalise(const CdpOp& op, const AtomCube<int8_t>& in,
                                         LutCounts& counts);

/// The converters: 8 to 9 bits, and 25 to 8 bits.
[[nodiscard]] int32_t convert_in(const CdpOp& op, int8_t value);
[[nodiscard]] int8_t convert_out(const CdpOp& op, int32_t value);

/// Reads the operation's input / writes its output; false if any byte is unmapped.
[[nodiscard]] bool load_input(const CdpOp& op, uint32_t atom, Memory& memory, AtomCube<int8_t>& in);
[[nodiscard]] bool store_output(const CdpOp& op, const AtomCube<int8_t>& out, Memory& memory);

}  // namespace dlavp::cdp
