// Width splitting of pooling: the PDP keeps partial results of one line part in its line buffer.
#pragma once

#include "compiler/schedule/hw_program.hpp"
#include "models/common/hw_config.hpp"

namespace dlavp::compiler {

/// Largest output width that the line buffer holds for this window: it keeps 128 atoms, shared by
/// as many output lines as overlap (rounded up to a power of two).
[[nodiscard]] uint32_t largest_pool_width(const Window& window);

/// The parts of a pooling with `out_w` columns; `in_w` is the width that is really read.
/// Errors: schedule.pool, too many parts.
Result<PoolSplit> split_pool(const Window& window, uint32_t in_w, uint32_t out_w);

}  // namespace dlavp::compiler
