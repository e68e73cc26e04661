// The dot-product kernel, compiled once for each instruction set that Highway knows on this
// architecture and chosen at run time.
#include "models/conv/dot_product.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/conv/dot_product.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace dlavp::conv::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// One tile: four pixels against four kernels, sixteen accumulators.
void dot_tile(const DotJob& job, const int16_t* const pixels[kDotTile], const int16_t* weights,
              int32_t* out, size_t out_step) {
  const hn::CappedTag<int16_t, kDotLanes> d16;
  const hn::RepartitionToWide<decltype(d16)> d32;
  using V32 = hn::Vec<decltype(d32)>;
  const size_t lanes = hn::Lanes(d16), length = job.run_length,
               kernel_step = job.runs.size() * length;
  const V32 zero = hn::Zero(d32);
  V32 a00 = zero, a01 = zero, a02 = zero, a03 = zero, a10 = zero, a11 = zero, a12 = zero,
      a13 = zero;
  V32 a20 = zero, a21 = zero, a22 = zero, a23 = zero, a30 = zero, a31 = zero, a32 = zero,
      a33 = zero;
  // Some architectures put half of the products into a second sum; on x86 it stays zero.
  const auto add = [&](V32& sum, auto x, auto y) HWY_ATTR {
    V32 second = hn::Zero(d32);
    sum = hn::ReorderWidenMulAccumulate(d32, x, y, sum, second);
    sum = hn::Add(sum, second);
  };
  const int16_t* w = weights;
  for (const ptrdiff_t run : job.runs) {
    for (size_t i = 0; i < length; i += lanes, w += lanes) {
      const auto w0 = hn::LoadU(d16, w), w1 = hn::LoadU(d16, w + kernel_step),
                 w2 = hn::LoadU(d16, w + 2 * kernel_step), w3 = hn::LoadU(d16, w + 3 * kernel_step);
      const auto row = [&](size_t p, V32& s0, V32& s1, V32& s2, V32& s3) HWY_ATTR {
        const auto x = hn::LoadU(d16, pixels[p] + run + static_cast<ptrdiff_t>(i));
        add(s0, x, w0);
        add(s1, x, w1);
        add(s2, x, w2);
        add(s3, x, w3);
      };
      row(0, a00, a01, a02, a03);
      row(1, a10, a11, a12, a13);
      row(2, a20, a21, a22, a23);
      row(3, a30, a31, a32, a33);
    }
  }
  const auto sum = [&](V32 v) HWY_ATTR { return hn::GetLane(hn::SumOfLanes(d32, v)); };
  const int32_t sums[kDotTile][kDotTile] = {{sum(a00), sum(a01), sum(a02), sum(a03)},
                                            {sum(a10), sum(a11), sum(a12), sum(a13)},
                                            {sum(a20), sum(a21), sum(a22), sum(a23)},
                                            {sum(a30), sum(a31), sum(a32), sum(a33)}};
  for (size_t p = 0; p < kDotTile; ++p) std::copy_n(sums[p], kDotTile, out + p * out_step);
}

void dot_all(const DotJob& job, int32_t* out) {
  constexpr size_t kBlockBytes = 96 * 1024;  // weights that stay in the second-level cache
  const size_t kernel_step = job.runs.size() * job.run_length, pixels = job.pixels.size();
  const size_t block = std::max(kDotTile, kBlockBytes / (2 * kernel_step) / kDotTile * kDotTile);
  std::vector<int32_t> tail(kDotTile * job.kernels);
  for (size_t first = 0; first < job.kernels; first += block) {
    const size_t last = std::min(job.kernels, first + block);
    for (size_t p = 0; p < pixels; p += kDotTile) {
      const int16_t* window[kDotTile];
      for (size_t i = 0; i < kDotTile; ++i) window[i] = job.pixels[std::min(p + i, pixels - 1)];
      const bool whole = p + kDotTile <= pixels;
      int32_t* to = whole ? out + p * job.kernels : tail.data();
      for (size_t k = first; k < last; k += kDotTile)
        dot_tile(job, window, job.weights + k * kernel_step, to + k, job.kernels);
      for (size_t i = 0; !whole && p + i < pixels; ++i)
        std::copy_n(tail.data() + i * job.kernels + first, last - first,
                    out + (p + i) * job.kernels + first);
    }
  }
}

}  // namespace dlavp::conv::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dlavp::conv {

HWY_EXPORT(dot_all);

void dot_products(const DotJob& job, int32_t* out) { HWY_DYNAMIC_DISPATCH(dot_all)(job, out); }

}  // namespace dlavp::conv
#endif
