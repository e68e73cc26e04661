// Tiles of four kernels against two vectors of columns. Compiled once for each instruction set that
// Highway knows on this architecture; products and sums stay separate roundings.
#include "compiler/interpreter/float_product.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compiler/interpreter/float_product.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace dlavp::compiler::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kMostLanes = 16;

/// Rows of 4 kernels, or of the 1 that is left.
template <size_t kRows>
void tile(const FloatProduct& job, size_t k, size_t n) {
  const hn::CappedTag<float, kMostLanes> d;
  using V = hn::Vec<decltype(d)>;
  const size_t lanes = hn::Lanes(d);
  const float* w = job.weights + k * job.weight_step;
  const float* p = job.panel + n;
  float* out = job.out + k * job.out_step + n;
  const size_t ws = job.weight_step;
  const size_t os = job.out_step;
  const size_t length = job.length;
  V a0 = hn::LoadU(d, out), a1 = hn::LoadU(d, out + lanes);
  if constexpr (kRows == 1) {
    for (size_t i = 0; i < length; ++i, p += kPanelColumns) {
      const V f = hn::Set(d, w[i]);
      a0 = hn::Add(a0, hn::Mul(f, hn::LoadU(d, p)));
      a1 = hn::Add(a1, hn::Mul(f, hn::LoadU(d, p + lanes)));
    }
  } else {
    V b0 = hn::LoadU(d, out + os), b1 = hn::LoadU(d, out + os + lanes);
    V c0 = hn::LoadU(d, out + 2 * os), c1 = hn::LoadU(d, out + 2 * os + lanes);
    V e0 = hn::LoadU(d, out + 3 * os), e1 = hn::LoadU(d, out + 3 * os + lanes);
    for (size_t i = 0; i < length; ++i, p += kPanelColumns) {
      const V x0 = hn::LoadU(d, p), x1 = hn::LoadU(d, p + lanes);
      const V f0 = hn::Set(d, w[i]);
      a0 = hn::Add(a0, hn::Mul(f0, x0));
      a1 = hn::Add(a1, hn::Mul(f0, x1));
      const V f1 = hn::Set(d, w[i + ws]);
      b0 = hn::Add(b0, hn::Mul(f1, x0));
      b1 = hn::Add(b1, hn::Mul(f1, x1));
      const V f2 = hn::Set(d, w[i + 2 * ws]);
      c0 = hn::Add(c0, hn::Mul(f2, x0));
      c1 = hn::Add(c1, hn::Mul(f2, x1));
      const V f3 = hn::Set(d, w[i + 3 * ws]);
      e0 = hn::Add(e0, hn::Mul(f3, x0));
      e1 = hn::Add(e1, hn::Mul(f3, x1));
    }
    hn::StoreU(b0, d, out + os), hn::StoreU(b1, d, out + os + lanes);
    hn::StoreU(c0, d, out + 2 * os), hn::StoreU(c1, d, out + 2 * os + lanes);
    hn::StoreU(e0, d, out + 3 * os), hn::StoreU(e1, d, out + 3 * os + lanes);
  }
  hn::StoreU(a0, d, out), hn::StoreU(a1, d, out + lanes);
}

void accumulate_all(const FloatProduct& job) {
  const hn::CappedTag<float, kMostLanes> d;
  const size_t step = 2 * hn::Lanes(d);
  size_t k = 0;
  for (; k + 4 <= job.kernels; k += 4) {
    for (size_t n = 0; n < job.columns; n += step) tile<4>(job, k, n);
  }
  for (; k < job.kernels; ++k) {
    for (size_t n = 0; n < job.columns; n += step) tile<1>(job, k, n);
  }
}

}  // namespace dlavp::compiler::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dlavp::compiler {

HWY_EXPORT(accumulate_all);

void accumulate(const FloatProduct& job) { HWY_DYNAMIC_DISPATCH(accumulate_all)(job); }

float dot_float(const float* a, const float* b, size_t length) {
  constexpr size_t kLanes = 16;
  float sums[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= length; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (size_t lane = 0; i < length; ++i, ++lane) sums[lane] += a[i] * b[i];
  for (size_t half = kLanes / 2; half != 0; half /= 2) {
    for (size_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  }
  return sums[0];
}

}  // namespace dlavp::compiler
#endif
