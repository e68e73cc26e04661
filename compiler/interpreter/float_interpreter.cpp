// Floating-point reference of every operator, plain loops.
#include "compiler/interpreter/float_interpreter.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/interpreter/columns.hpp"

namespace dlavp::compiler {
namespace {

struct Evaluate {
  const Graph& g;
  const Node& node;
  FloatValues& values;

  [[nodiscard]] const std::vector<float>& in(size_t i) const {
    const TensorId id = node.inputs[i];
    return g.tensor(id).constant ? g.tensor(id).values : values[id];
  }
  [[nodiscard]] const Shape& shape(size_t i) const { return g.tensor(node.inputs[i]).shape; }
  [[nodiscard]] const Shape& out_shape() const { return g.tensor(node.output).shape; }
  [[nodiscard]] std::vector<float>& out() const { return values[node.output]; }

  void relu_if(bool on, float most) const {
    if (on) {
      for (float& v : out()) v = std::min(std::max(v, 0.0F), most);
    }
  }

  /// Adds weight x input row to an output row; columns outside the input count as zero.
  static void add_row(double* to, const float* from, float weight, const Window& w, int64_t s,
                      int64_t in_w, int64_t out_w) {
    const Columns c = columns_inside(w, s, in_w, out_w);
    const double factor{weight};
    if (w.stride_w == 1) {  // without a stride the compiler can use vectors
      for (int64_t x = c.begin; x < c.end; ++x) to[x] += factor * double{from[x + c.offset]};
    } else {
      for (int64_t x = c.begin; x < c.end; ++x)
        to[x] += factor * double{from[x * w.stride_w + c.offset]};
    }
  }

  void operator()(const ConvOp& op) const {
    const Shape& x = shape(0);
    const Shape& o = out_shape();
    const Window& w = op.window;
    const int64_t in_channels = x.c / op.groups;
    const int64_t kernels = o.c / op.groups;
    std::vector<double> plane(static_cast<size_t>(o.h * o.w));
    for (int64_t k = 0; k < o.c; ++k) {
      std::fill(plane.begin(), plane.end(), double{in(2)[static_cast<size_t>(k)]});
      for (int64_t c = 0; c < in_channels; ++c) {
        const float* image = in(0).data() + (k / kernels * in_channels + c) * x.h * x.w;
        const float* kernel = in(1).data() + (k * in_channels + c) * w.kernel_h * w.kernel_w;
        for (int64_t y = 0; y < o.h; ++y) {
          for (int64_t r = 0; r < w.kernel_h; ++r) {
            const int64_t iy = y * w.stride_h + r * w.dilation_h - w.pad_top;
            if (iy < 0 || iy >= x.h) continue;
            for (int64_t s = 0; s < w.kernel_w; ++s) {
              add_row(plane.data() + y * o.w, image + iy * x.w, kernel[r * w.kernel_w + s], w, s,
                      x.w, o.w);
            }
          }
        }
      }
      std::copy(plane.begin(), plane.end(), out().begin() + k * o.h * o.w);
    }
    if (op.residual) {
      for (size_t i = 0; i < out().size(); ++i) out()[i] += in(3)[i];
    }
    relu_if(op.relu, op.relu_max);
  }
  void operator()(const GemmOp&) const {
    const size_t c = in(0).size();
    for (size_t k = 0; k < out().size(); ++k) {
      double sum = in(2)[k];
      for (size_t i = 0; i < c; ++i) sum += double{in(1)[k * c + i]} * double{in(0)[i]};
      out()[k] = static_cast<float>(sum);
    }
  }
  void operator()(const BatchNormOp& op) const {
    const size_t plane = in(0).size() / in(1).size();
    for (size_t i = 0; i < out().size(); ++i) {
      const size_t c = i / plane;
      const double normal =
          (double{in(0)[i]} - in(3)[c]) / std::sqrt(double{in(4)[c]} + op.epsilon);
      out()[i] = static_cast<float>(normal * in(1)[c] + in(2)[c]);
    }
  }
  void operator()(const ScaleOp& op) const {
    const size_t plane = in(0).size() / in(1).size();
    for (size_t i = 0; i < out().size(); ++i)
      out()[i] = in(0)[i] * in(1)[i / plane] + in(2)[i / plane];
    relu_if(op.relu, op.relu_max);
  }
  void operator()(const ReluOp& op) const {
    out() = in(0);
    relu_if(true, op.max);
  }
  void operator()(const AddOp& op) const {
    for (size_t i = 0; i < out().size(); ++i) out()[i] = in(0)[i] + in(1)[i];
    relu_if(op.relu, op.relu_max);
  }
  [[nodiscard]] float pool_at(const PoolOp& op, const float* image, const Shape& x, int64_t y,
                              int64_t col) const {
    const Window& w = op.window;
    double sum = 0;
    float largest = -std::numeric_limits<float>::infinity();
    int64_t count = 0;
    for (int64_t r = 0; r < w.kernel_h; ++r) {
      for (int64_t s = 0; s < w.kernel_w; ++s) {
        const int64_t iy = y * w.stride_h + r - w.pad_top;
        const int64_t ix = col * w.stride_w + s - w.pad_left;
        if (iy < 0 || iy >= x.h || ix < 0 || ix >= x.w) continue;
        const float v = image[iy * x.w + ix];
        sum += double{v};
        largest = std::max(largest, v);
        ++count;
      }
    }
    if (op.kind == PoolKind::kMax) return largest;
    return static_cast<float>(
        sum / static_cast<double>(op.count_include_pad ? int64_t{w.kernel_h} * w.kernel_w : count));
  }
  void operator()(const PoolOp& op) const {
    const Shape& x = shape(0);
    const Shape& o = out_shape();
    size_t i = 0;
    for (int64_t c = 0; c < o.c; ++c) {
      const float* image = in(0).data() + c * x.h * x.w;
      for (int64_t y = 0; y < o.h; ++y) {
        for (int64_t col = 0; col < o.w; ++col) out()[i++] = pool_at(op, image, x, y, col);
      }
    }
  }
  void operator()(const FlattenOp&) const { out() = in(0); }
  void operator()(const IdentityOp&) const { out() = in(0); }
  void operator()(const SoftmaxOp&) const {
    const float largest = *std::max_element(in(0).begin(), in(0).end());
    double sum = 0;
    for (float v : in(0)) sum += std::exp(double{v} - double{largest});
    for (size_t i = 0; i < out().size(); ++i) {
      out()[i] = static_cast<float>(std::exp(double{in(0)[i]} - double{largest}) / sum);
    }
  }
};

}  // namespace

FloatValues interpret_float(const Graph& graph, const std::vector<std::vector<float>>& inputs) {
  DLAVP_CHECK(inputs.size() == graph.inputs.size(), "{} inputs, graph has {}", inputs.size(),
              graph.inputs.size());
  FloatValues values(graph.tensors.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& t = graph.tensor(graph.inputs[i]);
    DLAVP_CHECK(inputs[i].size() == static_cast<size_t>(t.shape.elements()),
                "input {}: {} values, shape {}", t.name, inputs[i].size(), t.shape.text());
    values[graph.inputs[i]] = inputs[i];
  }
  for (const Node& node : graph.nodes) {
    values[node.output].assign(static_cast<size_t>(graph.tensor(node.output).shape.elements()),
                               0.0F);
    std::visit(Evaluate{graph, node, values}, node.op);
  }
  return values;
}

}  // namespace dlavp::compiler
