// Floating-point meaning of the elementwise operators.
#include <cmath>

#include "compiler/interpreter/float_context.hpp"

namespace dlavp::compiler {
namespace {

double binary(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::kAdd:
      return a + b;
    case BinaryKind::kSub:
      return a - b;
    case BinaryKind::kMul:
      return a * b;
    case BinaryKind::kDiv:
      return a / b;
    case BinaryKind::kMax:
      return std::max(a, b);
    case BinaryKind::kMin:
      return std::min(a, b);
    case BinaryKind::kPow:
      return std::pow(a, b);
  }
  return 0;
}

/// Distance between neighbours along each axis, 0 along one that is repeated.
std::array<size_t, 4> strides_of(const Shape& s) {
  const auto size = [&](size_t axis) { return static_cast<size_t>(s[axis]); };
  std::array<size_t, 4> out = {size(1) * size(2) * size(3), size(2) * size(3), size(3), 1};
  for (size_t axis = 0; axis < 4; ++axis) {
    if (size(axis) == 1) out[axis] = 0;
  }
  return out;
}

}  // namespace

void float_batch_norm(const FloatContext& f, const BatchNormOp& op) {
  const size_t plane = f.in(0).size() / f.in(1).size();
  for (size_t i = 0; i < f.out().size(); ++i) {
    const size_t c = i / plane;
    const double normal =
        (double{f.in(0)[i]} - f.in(3)[c]) / std::sqrt(double{f.in(4)[c]} + op.epsilon);
    f.out()[i] = static_cast<float>(normal * f.in(1)[c] + f.in(2)[c]);
  }
}

void float_scale(const FloatContext& f, const ScaleOp& op) {
  const size_t plane = f.in(0).size() / f.in(1).size();
  const float* x = f.in(0).data();
  float* to = f.out().data();
  for (size_t c = 0; c < f.in(1).size(); ++c) {
    const float factor = f.in(1)[c];
    const float shift = f.in(2)[c];
    for (size_t i = 0; i < plane; ++i) to[i] = x[i] * factor + shift;
    x += plane;
    to += plane;
  }
  f.relu_if(op.relu, op.relu_max);
}

void float_prelu(const FloatContext& f) {
  const size_t plane = f.in(0).size() / f.in(1).size();
  for (size_t i = 0; i < f.out().size(); ++i) {
    const float x = f.in(0)[i];
    f.out()[i] = x < 0 ? x * f.in(1)[i / plane] : x;
  }
}

void float_unary(const FloatContext& f, const UnaryOp& op) {
  for (size_t i = 0; i < f.out().size(); ++i)
    f.out()[i] = static_cast<float>(evaluate(op.steps, double{f.in(0)[i]}));
}

void float_binary(const FloatContext& f, const BinaryOp& op) {
  const Shape& o = f.out_shape();
  const auto a = strides_of(f.shape(0));
  const auto b = strides_of(f.shape(1));
  const auto size = [&](size_t axis) { return static_cast<size_t>(o[axis]); };
  const float* left = f.in(0).data();
  const float* right = f.in(1).data();
  float* to = f.out().data();
  for (size_t c = 0; c < size(1); ++c) {
    for (size_t y = 0; y < size(2); ++y) {
      const float* l = left + c * a[1] + y * a[2];
      const float* r = right + c * b[1] + y * b[2];
      for (size_t x = 0; x < size(3); ++x) {
        *to++ = static_cast<float>(binary(op.kind, double{l[x * a[3]]}, double{r[x * b[3]]}));
      }
    }
  }
  f.relu_if(op.relu, op.relu_max);
}

}  // namespace dlavp::compiler
