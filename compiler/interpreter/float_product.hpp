// The inner product of the float interpreter's convolutions, for each instruction set. Every result
// is the sum of its products in order of their index, each rounded, so it does not depend on the
// instruction set.
#pragma once

#include <cstddef>

namespace dlavp::compiler {

inline constexpr size_t kPanelColumns = 128;

/// out[k * out_step + n] += sum over i of weights[k * weight_step + i] * panel[i * kPanelColumns +
/// n] for k below `kernels`, n below `columns` (a multiple of 32, at most kPanelColumns).
struct FloatProduct {
  const float* weights;
  size_t weight_step;
  size_t kernels;
  const float* panel;
  size_t length;
  size_t columns;
  float* out;
  size_t out_step;
};

void accumulate(const FloatProduct& job);

/// The sum of a[i] * b[i] in 16 partial sums.
[[nodiscard]] float dot_float(const float* a, const float* b, size_t length);

}  // namespace dlavp::compiler
