// Floating-point meaning of the elementwise operators.
#include <cmath>

#include "compiler/interpreter/float_context.hpp"

namespace dlavp::compiler {
namespace {

/// Distance between neighbours along each axis, 0 along one that is repeated.
std::array<size_t, 4> strides_of(const Shape& s) {
  const auto size = [&](size_t axis) { return static_cast<size_t>(s[axis]); };
  std::array<size_t, 4> out = {size(1) * size(2) * size(3), size(2) * size(3), size(3), 1};
  for (size_t axis = 0; axis < 4; ++axis) {
    if (size(axis) == 1) out[axis] = 0;
  }
  return out;
}

template <typename Function>
void binary_rows(const FloatContext& f, Function function) {
  const Shape& o = f.out_shape();
  const auto a = strides_of(f.shape(0));
  const auto b = strides_of(f.shape(1));
  const auto size = [&](size_t axis) { return static_cast<size_t>(o[axis]); };
  float* to = f.out().data();
  for (size_t c = 0; c < size(1); ++c) {
    for (size_t y = 0; y < size(2); ++y) {
      const float* l = f.in(0).data() + c * a[1] + y * a[2];
      const float* r = f.in(1).data() + c * b[1] + y * b[2];
      for (size_t x = 0; x < size(3); ++x) to[x] = function(l[x * a[3]], r[x * b[3]]);
      to += size(3);
    }
  }
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
  const UnaryFunction function(op.steps);
  const float* x = f.in(0).data();
  float* to = f.out().data();
  for (size_t i = 0; i < f.out().size(); ++i) to[i] = static_cast<float>(function(double{x[i]}));
}

void float_binary(const FloatContext& f, const BinaryOp& op) {
  switch (op.kind) {
    case BinaryKind::kAdd:
      binary_rows(f, [](float a, float b) { return a + b; });
      break;
    case BinaryKind::kSub:
      binary_rows(f, [](float a, float b) { return a - b; });
      break;
    case BinaryKind::kMul:
      binary_rows(f, [](float a, float b) { return a * b; });
      break;
    case BinaryKind::kDiv:
      binary_rows(f, [](float a, float b) { return a / b; });
      break;
    case BinaryKind::kMax:
      binary_rows(f, [](float a, float b) { return std::max(a, b); });
      break;
    case BinaryKind::kMin:
      binary_rows(f, [](float a, float b) { return std::min(a, b); });
      break;
    case BinaryKind::kPow:
      binary_rows(
          f, [](float a, float b) { return static_cast<float>(std::pow(double{a}, double{b})); });
      break;
  }
  f.relu_if(op.relu, op.relu_max);
}

}  // namespace dlavp::compiler
