// Views of the copies.
#include "compiler/schedule/repeat.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dlavp::compiler {
namespace {

constexpr uint32_t kLargestSide = 8192;  ///< of a cube

void set_bytes(View& v, uint32_t atom) {
  const uint64_t surfaces = (v.channels + atom - 1) / atom;
  v.bytes = (surfaces - 1) * v.surface_stride + uint64_t{v.height - 1} * v.line_stride +
            uint64_t{v.width} * atom;
}

}  // namespace

std::vector<RepeatedCopy> repeated_copies(const View& from, const View& to, const PointLayer& point,
                                          uint32_t atom) {
  const bool columns = point.repeat_w > 1;
  const uint32_t count = columns ? point.repeat_w : point.repeat_h;
  const uint32_t most = columns ? std::max(1U, kLargestSide / from.width) : from.height;
  const uint32_t step = columns ? atom : to.line_stride;
  std::vector<RepeatedCopy> out;
  for (uint32_t y = 0; y < from.height; y += most) {
    View src = from;
    src.offset += uint64_t{y} * from.line_stride;
    src.height = std::min(most, from.height - y);
    if (columns) {
      src.height *= from.width;
      src.width = 1;
      src.line_stride = atom;
    }
    set_bytes(src, atom);
    for (uint32_t i = 0; i < count; ++i) {
      View dst = to;
      dst.offset += uint64_t{y} * (columns ? 1 : count) * to.line_stride + uint64_t{i} * step;
      dst.width = src.width;
      dst.height = src.height;
      dst.line_stride = step * count;
      set_bytes(dst, atom);
      out.push_back({src, dst, fmt::format(".{}{}", columns ? "px" : "rows", y * count + i)});
    }
  }
  return out;
}

}  // namespace dlavp::compiler
