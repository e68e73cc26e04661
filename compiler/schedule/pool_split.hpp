// Poolings as operations: parts for padding that does not count, bands of rows, and width splitting
// (the PDP keeps partial results of one line part in its line buffer).
#pragma once

#include "compiler/schedule/hw_program.hpp"
#include "models/common/hw_config.hpp"

namespace dlavp::compiler {

/// Outputs [first, first + count) along one axis whose windows hold `kernel` elements each, the
/// first of them `begin` elements into the input (below 0: in padding that counts).
struct PoolRun {
  uint32_t first = 0, count = 0;
  uint32_t kernel = 0;
  int64_t begin = 0;
};

/// Cuts an axis where windows reach over `before` or `after` uncounted elements of padding: each
/// run is a pooling of its own size.
struct PoolAxis {
  uint32_t size = 0, out = 0;
  uint32_t kernel = 1, stride = 1;
  uint32_t pad_before = 0, pad_after = 0;
  uint32_t before = 0, after = 0;
};
[[nodiscard]] std::vector<PoolRun> pool_runs(const PoolAxis& axis);

/// Largest output width that the line buffer holds for this window: it keeps 128 atoms, shared by
/// as many output lines as overlap (rounded up to a power of two).
[[nodiscard]] uint32_t largest_pool_width(const Window& window);

/// The parts of a pooling with `out_w` columns; `in_w` is the width that is really read.
/// Errors: schedule.pool, too many parts.
Result<PoolSplit> split_pool(const Window& window, uint32_t in_w, uint32_t out_w);

struct PoolPart {
  HwPdp op;
  std::string suffix;  ///< of the layer's name, empty if it is the only part
};
/// Where a pooling may be cut: nowhere, or where it is worth it.
struct PoolCuts {
  bool worth = true;
  std::vector<uint32_t> channels;  ///< at which another layer's results begin
};
/// The operations of a pooling from `src` to `dst`: one for each size that its windows have where
/// padding does not count; long ones in bands of rows and pieces of channels, so that the first can
/// start before all of the input is there. Errors: schedule.pool.
Result<std::vector<PoolPart>> pool_parts(const HwConfig& hw, const PoolLayer& pool, View src,
                                         const View& dst, const PoolCuts& cuts);

/// A pooling behind a convolution.
struct PoolWork {
  double cycles = 0;
  Window window;
  uint32_t in_rows = 1, out_rows = 1;
};
struct PoolingRest {
  double cycles = 0;
  uint32_t bands = 1;
};
/// What still runs of it when the convolution ends: that takes `before` cycles, `first` until its
/// first tile is done, and makes the share `last` of the rows at the end.
[[nodiscard]] PoolingRest rest_of_pooling(const PoolWork& work, double before, double first,
                                          double last, bool bands);

/// Into how many bands of rows an operation of so many cycles is worth cutting.
[[nodiscard]] uint32_t row_bands(uint64_t cycles, uint32_t rows);

}  // namespace dlavp::compiler
