// Which output columns of a convolution read inside of the input row, for one kernel column.
#pragma once

#include <algorithm>
#include <cstdint>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

/// Output column x in [begin, end) reads input column x * stride + offset.
struct Columns {
  int64_t begin = 0, end = 0;
  int64_t offset = 0;
};

inline Columns columns_inside(const Window& w, int64_t kernel_column, int64_t in_w, int64_t out_w) {
  const int64_t stride = w.stride_w;
  const int64_t offset = kernel_column * w.dilation_w - int64_t{w.pad_left};
  const int64_t first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const int64_t end = in_w <= offset ? 0 : (in_w - offset + stride - 1) / stride;
  return {first, std::max(first, std::min(end, out_w)), offset};
}

}  // namespace dlavp::compiler
