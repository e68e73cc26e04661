// Part widths, by the equations of the programming guide (planar data processing, split width).
#include "compiler/schedule/pool_split.hpp"

#include <algorithm>

namespace dlavp::compiler {
namespace {

constexpr uint32_t kLineBufferAtoms = 128;
constexpr uint32_t kMostParts = 64;

}  // namespace

uint32_t largest_pool_width(const Window& window) {
  const uint32_t lines = (window.kernel_h + window.stride_h - 1) / window.stride_h;
  uint32_t shares = 1;
  while (shares < lines) shares *= 2;
  return std::max(1U, kLineBufferAtoms / shares);
}

Result<PoolSplit> split_pool(const Window& window, uint32_t in_w, uint32_t out_w) {
  const uint32_t most = largest_pool_width(window);
  if (out_w <= most) return PoolSplit{};
  for (uint32_t parts = (out_w + most - 1) / most; parts <= kMostParts; ++parts) {
    const uint32_t even = (out_w + parts - 1) / parts;
    if (uint64_t{even} * (parts - 1) >= out_w) continue;
    PoolSplit out;
    out.parts = parts;
    out.first_out = even;
    out.mid_out = parts > 2 ? even : 0;
    out.last_out = out_w - even * (parts - 1);
    // A part reads on from where the one before stopped; the overlap is kept in the line buffer.
    out.first_in = (even - 1) * window.stride_w + window.kernel_w - window.pad_left;
    out.mid_in = out.mid_out * window.stride_w;
    const uint64_t before = uint64_t{out.first_in} + uint64_t{out.mid_in} * (parts - 2);
    if (before >= in_w) continue;  // the last part would read nothing new
    out.last_in = static_cast<uint32_t>(in_w - before);
    return out;
  }
  return Error{"schedule.pool", "",
               fmt::format("pooling {} to width {} needs parts of at most {} columns: {} parts, at "
                           "most {}",
                           window.text(), out_w, most, (out_w + most - 1) / most, kMostParts)};
}

}  // namespace dlavp::compiler
