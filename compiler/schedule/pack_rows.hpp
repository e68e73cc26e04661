// Convolutions over one atom of channels with the kernel's rows as channels: a cube whose surfaces
// are lines of the tensor, so that the multipliers of one step, wider than an atom, see several
// rows. Padding would blank all surfaces of a row, so output rows that see any are computed apart.
#pragma once

#include <vector>

#include "compiler/schedule/conv_tiling.hpp"
#include "compiler/schedule/hw_program.hpp"

namespace dlavp::compiler {

/// A convolution of `groups` groups, of which `fewest` fill whole atoms and `dense` at a time are
/// one convolution with zeros between them: that is `geometry`.
struct RowPacking {
  ConvGeometry geometry;
  uint32_t groups = 1, fewest = 1, dense = 1;
  uint32_t in_channels = 0, kernels = 0;  ///< of one group
  bool table = false;                     ///< behind it
  bool always = false;                    ///< also where it takes more
};

/// Output rows of some groups.
struct RowPart {
  ConvGeometry geometry;
  uint32_t first_group = 0, groups = 1;
};

/// How many groups at a time one dense convolution takes: `dense`, or more where each operation
/// is so short that programming it takes longer.
[[nodiscard]] uint32_t groups_at_once(const HwConfig& hw, const RowPacking& layer);

/// The parts, of a layer without pooling on the fly, in the order of execution; empty where this is
/// impossible or takes no less.
[[nodiscard]] std::vector<RowPart> pack_rows(const HwConfig& hw, const RowPacking& layer);

/// What an operation reads through `src`, whose surfaces are lines of one surface of `tensor`.
[[nodiscard]] View lines_read(const ConvGeometry& packed, View src, const View& tensor);

}  // namespace dlavp::compiler
