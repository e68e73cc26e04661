// How a convolution is cut to fit the convolution buffer (CBUF). The sequencer starts an operation
// only when all of its input lies in CBUF, so an input that does not fit makes several operations,
// each a band of output rows. Weights may stream: one group of kernels at a time must fit.
#pragma once

#include <vector>

#include "compiler/ir/graph.hpp"
#include "models/common/hw_config.hpp"

namespace dlavp::compiler {

struct ConvGeometry {
  uint32_t in_w = 0, in_h = 0, in_c = 0;
  uint32_t out_w = 0, out_h = 0, kernels = 0;
  Window window;
  bool image = false;  ///< pixels: padding columns lie in CBUF, channels are folded into the kernel
};

/// Output rows [out_y, out_y + out_rows) from input rows [in_y, in_y + in_rows).
struct ConvTile {
  uint32_t out_y = 0, out_rows = 0;
  uint32_t in_y = 0, in_rows = 0;
  uint32_t pad_top = 0, pad_bottom = 0;
};

struct ConvTiling {
  uint32_t entries_per_slice = 0;
  uint32_t data_banks = 0, weight_banks = 0;
  bool weights_resident = false;
  std::vector<ConvTile> tiles;
  double cycles = 0;  ///< the estimate that chose it
};

/// CBUF entries of one input line.
[[nodiscard]] uint32_t entries_per_slice(const HwConfig& hw, const ConvGeometry& g);

/// Bytes of one kernel and of all, without rounding.
[[nodiscard]] uint64_t kernel_bytes(const ConvGeometry& g);

/// The rows of one tile.
[[nodiscard]] ConvTile make_tile(const ConvGeometry& g, uint32_t out_y, uint32_t out_rows);

/// The bank split and tiles with the lowest estimated cycles.
/// Errors: schedule.cbuf, with what is needed and what there is.
Result<ConvTiling> tile_convolution(const HwConfig& hw, const ConvGeometry& g);

}  // namespace dlavp::compiler
