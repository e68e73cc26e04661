// Small networks and inputs that several tests use; seeded, the seed is the caller's to print.
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "compiler/ir/graph.hpp"
#include "compiler/quantise/calibrate.hpp"

namespace dlavp::compiler::testing {

class NetworkBuilder {
 public:
  explicit NetworkBuilder(uint32_t seed) : random_(seed) { graph_.name = "test"; }

  TensorId input(Shape shape) {
    const TensorId id = graph_.add_tensor("input", shape);
    graph_.inputs.push_back(id);
    return id;
  }
  TensorId conv(TensorId x, int64_t kernels, Window w, uint32_t groups = 1) {
    const Shape in = graph_.tensor(x).shape;
    const Shape weights{kernels, in.c / groups, w.kernel_h, w.kernel_w};
    const auto fan_in = static_cast<float>(weights.elements() / kernels);
    return add(ConvOp{w, groups, false, false}, {x, constant(weights, 1.7F / std::sqrt(fan_in)),
                                                 constant({1, kernels, 1, 1}, 0.2F)});
  }
  TensorId gemm(TensorId x, int64_t kernels) {
    const int64_t c = graph_.tensor(x).shape.elements();
    return add(GemmOp{}, {x, constant({kernels, c, 1, 1}, 1.7F / std::sqrt(static_cast<float>(c))),
                          constant({1, kernels, 1, 1}, 0.2F)});
  }
  TensorId scale(TensorId x) {
    const int64_t c = graph_.tensor(x).shape.c;
    return add(ScaleOp{}, {x, constant({1, c, 1, 1}, 1.5F), constant({1, c, 1, 1}, 0.5F)});
  }
  TensorId batch_norm(TensorId x) {
    const int64_t c = graph_.tensor(x).shape.c;
    const TensorId variance = constant({1, c, 1, 1}, 0.5F);
    for (float& v : graph_.tensor(variance).values) v = std::abs(v) + 0.5F;
    return add(BatchNormOp{}, {x, constant({1, c, 1, 1}, 1.0F), constant({1, c, 1, 1}, 0.3F),
                               constant({1, c, 1, 1}, 0.3F), variance});
  }
  TensorId relu(TensorId x) { return add(ReluOp{}, {x}); }
  TensorId prelu(TensorId x) {
    return add(PReluOp{}, {x, constant({1, graph_.tensor(x).shape.c, 1, 1}, 0.9F)});
  }
  TensorId sigmoid(TensorId x) { return add(UnaryOp{{{UnaryKind::kSigmoid}}}, {x}); }
  TensorId sum(TensorId a, TensorId b) { return add(AddOp{}, {a, b}); }
  TensorId concat(std::vector<TensorId> parts) { return add(ConcatOp{}, std::move(parts)); }
  TensorId pool(TensorId x, PoolKind kind, Window w) { return add(PoolOp{kind, w, true}, {x}); }
  TensorId flatten(TensorId x) { return add(FlattenOp{}, {x}); }
  TensorId softmax(TensorId x) { return add(SoftmaxOp{}, {x}); }

  TensorId add(Operator op, std::vector<TensorId> inputs) {
    Node n{"n" + std::to_string(graph_.nodes.size()), std::move(op), std::move(inputs), 0};
    const Result<Shape> shape = infer_shape(graph_, n);
    n.output = graph_.add_tensor("t" + std::to_string(graph_.tensors.size()), shape.value());
    graph_.nodes.push_back(n);
    return n.output;
  }

  Graph finish(TensorId output) {
    graph_.outputs = {output};
    return graph_;
  }
  Graph& graph() { return graph_; }
  uint32_t pick(uint32_t low, uint32_t high) {
    return low + static_cast<uint32_t>(random_() % (high - low + 1));
  }
  float value() { return static_cast<float>(random_() >> 8) / static_cast<float>(1U << 23) - 1.0F; }

  Samples samples(size_t count) {
    Samples out(count);
    for (auto& s : out) {
      for (TensorId id : graph_.inputs) {
        std::vector<float> v(static_cast<size_t>(graph_.tensor(id).shape.elements()));
        for (float& x : v) x = value();
        s.push_back(std::move(v));
      }
    }
    return out;
  }

 private:
  TensorId constant(Shape shape, float range) {
    std::vector<float> v(static_cast<size_t>(shape.elements()));
    for (float& x : v) x = value() * range;
    return graph_.add_constant("c" + std::to_string(graph_.tensors.size()), shape, std::move(v));
  }
  std::mt19937 random_;
  Graph graph_;
};

inline Window window(uint32_t kernel, uint32_t stride = 1, uint32_t pad = 0) {
  Window w;
  w.kernel_h = w.kernel_w = kernel;
  w.stride_h = w.stride_w = stride;
  w.pad_top = w.pad_bottom = w.pad_left = w.pad_right = pad;
  return w;
}

/// A random chain of supported operators with residual adds; odd channel counts, asymmetric
/// padding.
inline Graph random_network(NetworkBuilder& b) {
  TensorId x = b.input({1, b.pick(1, 20), b.pick(4, 14), b.pick(4, 14)});
  const uint32_t depth = b.pick(2, 6);
  for (uint32_t i = 0; i < depth; ++i) {
    const Shape s = b.graph().tensor(x).shape;
    const uint32_t kind = b.pick(0, 7);
    if (kind <= 3) {
      Window w = window(b.pick(1, 3), b.pick(1, 2), 0);
      w.pad_top = b.pick(0, w.kernel_h - 1);
      w.pad_bottom = b.pick(0, w.kernel_h - 1);
      w.pad_left = b.pick(0, w.kernel_w - 1);
      w.pad_right = b.pick(0, w.kernel_w - 1);
      const bool depthwise = kind == 3;
      if (s.h + w.pad_top + w.pad_bottom < w.kernel_h ||
          s.w + w.pad_left + w.pad_right < w.kernel_w)
        continue;
      x = b.conv(x, depthwise ? s.c : b.pick(1, 40), w, depthwise ? static_cast<uint32_t>(s.c) : 1);
      if (b.pick(0, 1) == 1) x = b.batch_norm(x);
      if (b.pick(0, 1) == 1) x = b.relu(x);
    } else if (kind == 4 && s.h >= 2 && s.w >= 2) {
      x = b.pool(x, b.pick(0, 1) == 1 ? PoolKind::kMax : PoolKind::kAverage,
                 window(2, b.pick(1, 2)));
    } else if (kind == 5) {
      const TensorId branch = b.conv(x, s.c, window(3, 1, 1));
      x = b.sum(branch, x);
      if (b.pick(0, 1) == 1) x = b.relu(x);
    } else if (kind == 6) {
      x = b.sum(x, b.relu(x));
    } else {
      x = b.scale(x);
    }
  }
  if (b.pick(0, 1) == 1) x = b.softmax(b.gemm(b.flatten(x), b.pick(2, 20)));
  return b.finish(x);
}

}  // namespace dlavp::compiler::testing
