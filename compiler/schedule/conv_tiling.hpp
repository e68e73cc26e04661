// How a convolution is cut to fit the convolution buffer (CBUF). The sequencer starts an operation
// only when all of its input lies in CBUF, so an input that does not fit makes several operations,
// each a band of output rows. Weights may stream: one group of kernels at a time must fit.
#pragma once

#include <optional>
#include <vector>

#include "compiler/ir/graph.hpp"
#include "models/common/conv_estimate.hpp"
#include "models/common/hw_config.hpp"

namespace dlavp::compiler {

/// Pooling that takes the convolution's results on the fly; only its results reach memory.
struct FusedPool {
  Window window;
  uint32_t out_w = 0, out_h = 0;
};

struct ConvGeometry {
  uint32_t in_w = 0, in_h = 0, in_c = 0;
  uint32_t out_w = 0, out_h = 0, kernels = 0;
  Window window;
  bool image = false;  ///< pixels: padding columns lie in CBUF, channels are folded into the kernel
  /// A 1x1 convolution without stride or padding sees pixels, not rows: width is 1, height the
  /// number of pixels, and a tile of n rows is one line of n pixels.
  bool flat = false;
  bool part_of_lines =
      false;  ///< some columns of a wider tensor: its lines do not follow each other
  std::optional<FusedPool> pool;  ///< tiles are bands of its rows
  uint32_t row_step = 1;          ///< only every so many rows of the tensor count as rows
  /// Of a part: the tensors' rows that are its row 0.
  uint32_t first_row = 0, first_out = 0;
  /// Lines of the tensor from the first to the last that a row has as channels.
  uint32_t row_lines = 1;
};

/// Output rows [out_y, out_y + out_rows) from input rows [in_y, in_y + in_rows).
struct ConvTile {
  uint32_t out_y = 0, out_rows = 0;
  uint32_t in_y = 0, in_rows = 0;
  uint32_t pad_top = 0, pad_bottom = 0;
  /// Of the fused pooling; its padding in rows of the convolution's output.
  uint32_t pool_y = 0, pool_rows = 0;
  uint32_t pool_pad_top = 0, pool_pad_bottom = 0;
};

struct ConvTiling {
  bool flat = false;
  uint32_t data_banks = 0, weight_banks = 0;
  bool weights_resident = false;  ///< all of them fit: later tiles use those of the first
  bool pool_apart = false;        ///< the geometry's pooling is not on the fly
  uint32_t y_extension = 1;       ///< image: rows joined in one step
  std::vector<ConvTile> tiles;
  double cycles = 0;  ///< the estimate that chose it
};

/// Rows (of the pooling, if there is one) that are shared out among tiles.
[[nodiscard]] uint32_t tile_units(const ConvGeometry& g);

/// The same convolution as a line of pixels, if it is one that can be.
[[nodiscard]] std::optional<ConvGeometry> flattened(const ConvGeometry& g);

/// CBUF entries of one input line.
[[nodiscard]] uint32_t entries_per_slice(const HwConfig& hw, const ConvGeometry& g);

/// CBUF entries of one input line of a tile, and of all of its lines.
[[nodiscard]] uint32_t tile_slice_entries(const HwConfig& hw, const ConvGeometry& g,
                                          const ConvTile& tile);
[[nodiscard]] uint64_t tile_entries(const HwConfig& hw, const ConvGeometry& g,
                                    const ConvTile& tile);

/// Bytes of one kernel and of all, without rounding.
[[nodiscard]] uint64_t kernel_bytes(const ConvGeometry& g);

/// Rows that the sequencer can join in one step of an image: 1, 2 or 4.
[[nodiscard]] uint32_t y_extension(const HwConfig& hw, const ConvGeometry& g);

/// The tile of the output's (the pooling's) rows [first, first + rows).
[[nodiscard]] ConvTile make_tile(const ConvGeometry& g, uint32_t first, uint32_t rows);

/// What the sequencer does for a tile.
[[nodiscard]] ConvWork tile_work(const HwConfig& hw, const ConvGeometry& g, const ConvTile& tile,
                                 uint32_t y_extension);

/// The tile's lines lie in `room` entries, its sizes in the registers, and its results where they
/// belong.
[[nodiscard]] bool tile_fits(const HwConfig& hw, const ConvGeometry& g, const ConvTile& tile,
                             uint64_t room);

/// Tiles of one unit up to all of them for which the buffer has room: the fewest tiles.
[[nodiscard]] std::vector<ConvTile> fewest_tiles(const HwConfig& hw, const ConvGeometry& g,
                                                 uint32_t data_banks);

/// Fewest banks in which the weights can stream.
[[nodiscard]] uint32_t smallest_weight_banks(const HwConfig& hw, const ConvGeometry& g);

/// The bank split and tiles with the lowest estimated cycles for this convolution alone.
/// Errors: schedule.cbuf, with what is needed and what there is.
Result<ConvTiling> tile_convolution(const HwConfig& hw, const ConvGeometry& g);

/// The convolution has a tiling on `hw`, as it is or flattened.
[[nodiscard]] bool fits_buffer(const HwConfig& hw, const ConvGeometry& g);

/// A band of output columns of a convolution.
struct ConvColumns {
  uint32_t out_x = 0, in_x = 0;
  ConvGeometry geometry;
};
/// The fewest bands of columns that fit the buffer one by one, where lines are too wide; empty if
/// there are none or none are needed.
[[nodiscard]] std::vector<ConvColumns> column_bands(const HwConfig& hw, const ConvGeometry& g);

}  // namespace dlavp::compiler
