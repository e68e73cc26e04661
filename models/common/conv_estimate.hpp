// How long a convolution occupies the pipeline, in closed form: stripes of the sequencer, the rate
// at which SDP takes atoms, the weight stream and the fill of the convolution buffer. For choosing
// between tilings and for first sweeps; the event-driven model is what is measured against RTL.
// Leaves out arbitration between clients and memories with their own back-pressure.
#pragma once

#include <cstdint>

#include "models/common/hw_config.hpp"

namespace dlavp {

/// One operation as the sequencer sees it.
struct ConvWork {
  uint64_t atoms = 0;  ///< output pixels
  uint64_t line = 0;   ///< image only: output pixels of a line (stripes end with the line)
  uint32_t kernels = 0;
  uint64_t steps = 0;        ///< kernel positions x channel blocks of one stripe
  uint64_t atom_cycles = 0;  ///< in which SDP takes one atom; 0: sdp_atom_cycles()
};

/// Cycles in which SDP takes one atom behind the convolution.
[[nodiscard]] uint32_t sdp_atom_cycles(const HwConfig& hw);

/// Cycles of the stripes of one kernel group; what bounds each is its MAC steps or SDP.
[[nodiscard]] uint64_t conv_group_cycles(const HwConfig& hw, const ConvWork& work);

/// Cycles of all kernel groups with data and weights in the buffer.
[[nodiscard]] uint64_t conv_cycles(const HwConfig& hw, const ConvWork& work);

/// Cycles to fill the buffer with `lines` feature lines of `width` pixels and `surfaces` surfaces.
[[nodiscard]] uint64_t conv_fill_cycles(uint64_t width, uint64_t surfaces, uint64_t lines);

}  // namespace dlavp
