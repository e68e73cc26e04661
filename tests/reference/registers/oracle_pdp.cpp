// PDP for one operation from memory or SDP: maximum, minimum, average. Splitting the width changes
// nothing of it.
#include <algorithm>
#include <utility>
#include <vector>

#include "tests/reference/registers/program.hpp"

namespace dlavp::reference {

namespace {

namespace r = regs::pdp;
namespace rd = regs::pdp_rdma;

struct Window {
  int64_t width, height, stride_x, stride_y, left, top;
};

int64_t pad_value(const Program& p, int64_t missing) {
  const regs::Field values[7] = {
      r::D_POOLING_PADDING_VALUE_1_CFG_PAD_VALUE_1X, r::D_POOLING_PADDING_VALUE_2_CFG_PAD_VALUE_2X,
      r::D_POOLING_PADDING_VALUE_3_CFG_PAD_VALUE_3X, r::D_POOLING_PADDING_VALUE_4_CFG_PAD_VALUE_4X,
      r::D_POOLING_PADDING_VALUE_5_CFG_PAD_VALUE_5X, r::D_POOLING_PADDING_VALUE_6_CFG_PAD_VALUE_6X,
      r::D_POOLING_PADDING_VALUE_7_CFG_PAD_VALUE_7X};
  return missing == 0 ? 0 : p.pdp.get_signed(values[missing - 1]);
}

/// One output element; `element(x, y)` reads the input.
template <typename Read>
int64_t pool(const Program& p, const Window& w, int64_t ox, int64_t oy, int64_t in_width,
             int64_t in_height, const Read& element) {
  const uint32_t method = p.pdp.get(r::D_OPERATION_MODE_CFG_POOLING_METHOD);
  const int64_t x0 = ox * w.stride_x - w.left, y0 = oy * w.stride_y - w.top;
  int64_t sum = 0, best = 0, missing_rows = 0;
  bool any = false;
  for (int64_t y = y0; y < y0 + w.height; ++y) {
    if (y < 0 || y >= in_height) {
      ++missing_rows;
      continue;
    }
    for (int64_t x = x0; x < x0 + w.width; ++x) {
      if (x < 0 || x >= in_width) continue;
      const int64_t v = element(x, y);
      sum += v;
      best = !any ? v : method == 1 ? std::max(best, v) : std::min(best, v);
      any = true;
    }
    const int64_t missing_left = std::clamp<int64_t>(-x0, 0, w.width);
    const int64_t missing_right = std::clamp<int64_t>(x0 + w.width - in_width, 0, w.width);
    sum += pad_value(p, missing_left) + pad_value(p, missing_right);
  }
  if (method != 0) return best;
  sum += pad_value(p, missing_rows) * w.width;
  const int64_t by_width =
      divide(sum * p.pdp.get(r::D_RECIP_KERNEL_WIDTH_RECIP_KERNEL_WIDTH), 16, 64);
  return divide(by_width * p.pdp.get(r::D_RECIP_KERNEL_HEIGHT_RECIP_KERNEL_HEIGHT), 16, 64);
}

}  // namespace

std::vector<uint64_t> run_pdp(const Program& p, const Source& source) {
  const Window w{p.pdp.get(r::D_POOLING_KERNEL_CFG_KERNEL_WIDTH) + 1,
                 p.pdp.get(r::D_POOLING_KERNEL_CFG_KERNEL_HEIGHT) + 1,
                 p.pdp.get(r::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_WIDTH) + 1,
                 p.pdp.get(r::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_HEIGHT) + 1,
                 p.pdp.get(r::D_POOLING_PADDING_CFG_PAD_LEFT),
                 p.pdp.get(r::D_POOLING_PADDING_CFG_PAD_TOP)};
  const int64_t in_width = p.pdp.get(r::D_DATA_CUBE_IN_WIDTH_CUBE_IN_WIDTH) + 1;
  const int64_t in_height = p.pdp.get(r::D_DATA_CUBE_IN_HEIGHT_CUBE_IN_HEIGHT) + 1;
  const int64_t out_width = p.pdp.get(r::D_DATA_CUBE_OUT_WIDTH_CUBE_OUT_WIDTH) + 1;
  const int64_t out_height = p.pdp.get(r::D_DATA_CUBE_OUT_HEIGHT_CUBE_OUT_HEIGHT) + 1;
  const uint32_t channels = p.pdp.get(r::D_DATA_CUBE_IN_CHANNEL_CUBE_IN_CHANNEL) + 1;
  std::vector<std::pair<uint64_t, int64_t>> results;
  for (uint32_t s = 0; s * p.atom < channels; ++s)
    for (uint32_t lane = 0; lane < p.atom; ++lane) {
      const auto element = [&](int64_t x, int64_t y) -> int64_t {
        if (source) return source(static_cast<uint32_t>(x), static_cast<uint32_t>(y), s, lane);
        return load(
            *p.memory,
            p.pdp_rdma.get(rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW) +
                s * uint64_t{p.pdp_rdma.get(rd::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE)} +
                static_cast<uint64_t>(y) * p.pdp_rdma.get(rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE) +
                static_cast<uint64_t>(x) * p.atom + lane);
      };
      for (int64_t y = 0; y < out_height; ++y)
        for (int64_t x = 0; x < out_width; ++x)
          results.emplace_back(
              p.pdp.get(r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW) +
                  s * uint64_t{p.pdp.get(r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE)} +
                  static_cast<uint64_t>(y) * p.pdp.get(r::D_DST_LINE_STRIDE_DST_LINE_STRIDE) +
                  static_cast<uint64_t>(x) * p.atom + lane,
              pool(p, w, x, y, in_width, in_height, element));
    }
  std::vector<uint64_t> written;
  for (const auto& [address, value] : results) {
    store(*p.memory, address, value);
    written.push_back(address);
  }
  return written;
}

}  // namespace dlavp::reference
