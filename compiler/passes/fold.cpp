// Passes that turn operators into convolutions and per-channel factors, and fold factors into
// weights.
#include <cmath>

#include "compiler/passes/passes.hpp"

namespace dlavp::compiler {
namespace {

/// Folds y = conv(x) * factor + shift into weights and bias of their own (the old ones may be
/// shared).
void fold_into(Graph& graph, Node& conv, const Node& scale) {
  Tensor weights = graph.tensor(conv.inputs[1]);
  Tensor bias = graph.tensor(conv.inputs[2]);
  const std::vector<float>& factor = graph.tensor(scale.inputs[1]).values;
  const std::vector<float>& shift = graph.tensor(scale.inputs[2]).values;
  const size_t per_kernel = weights.values.size() / factor.size();
  for (size_t k = 0; k < factor.size(); ++k) {
    for (size_t i = 0; i < per_kernel; ++i) weights.values[k * per_kernel + i] *= factor[k];
    bias.values[k] = bias.values[k] * factor[k] + shift[k];
  }
  conv.inputs[1] = graph.add_constant(fresh_name(graph, conv.name + ".folded_weights"),
                                      weights.shape, weights.values);
  conv.inputs[2] =
      graph.add_constant(fresh_name(graph, conv.name + ".folded_bias"), bias.shape, bias.values);
}

}  // namespace

size_t batch_norm_to_scale(Graph& graph) {
  size_t applied = 0;
  for (Node& node : graph.nodes) {
    const auto* bn = node.as<BatchNormOp>();
    if (bn == nullptr) continue;
    const auto values = [&](size_t i) -> const std::vector<float>& {
      return graph.tensor(node.inputs[i]).values;
    };
    std::vector<float> factor(values(1).size());
    std::vector<float> shift(factor.size());
    for (size_t c = 0; c < factor.size(); ++c) {
      const double f = double{values(1)[c]} / std::sqrt(double{values(4)[c]} + double{bn->epsilon});
      factor[c] = static_cast<float>(f);
      shift[c] = static_cast<float>(double{values(2)[c]} - double{values(3)[c]} * f);
    }
    const Shape shape = graph.tensor(node.inputs[1]).shape;
    const TensorId f =
        graph.add_constant(fresh_name(graph, node.name + ".factor"), shape, std::move(factor));
    const TensorId s =
        graph.add_constant(fresh_name(graph, node.name + ".shift"), shape, std::move(shift));
    node.inputs = {node.inputs[0], f, s};
    node.op = ScaleOp{};
    ++applied;
  }
  return applied;
}

size_t gemm_to_conv(Graph& graph) {
  size_t applied = 0;
  for (Node& node : graph.nodes) {
    if (node.as<GemmOp>() == nullptr) continue;
    // NCHW flattened is exactly the order of K x C x H x W weights, so the layout change is free.
    const auto before = graph.producer(node.inputs[0]);
    if (before && graph.nodes[*before].as<FlattenOp>() != nullptr) {
      node.inputs[0] = graph.nodes[*before].inputs[0];
    }
    const Shape in = graph.tensor(node.inputs[0]).shape;
    Tensor weights = graph.tensor(node.inputs[1]);
    weights.shape = {weights.shape.n, in.c, in.h, in.w};
    node.inputs[1] = graph.add_constant(fresh_name(graph, node.name + ".conv_weights"),
                                        weights.shape, std::move(weights.values));
    ConvOp op;
    op.window.kernel_h = static_cast<uint32_t>(in.h);
    op.window.kernel_w = static_cast<uint32_t>(in.w);
    node.op = op;
    ++applied;
  }
  return applied;
}

size_t fold_scale(Graph& graph) {
  size_t applied = 0;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& scale = graph.nodes[i];
    const auto* op = scale.as<ScaleOp>();
    if (op == nullptr || op->relu) continue;
    const auto before = graph.producer(scale.inputs[0]);
    if (!before || graph.uses(scale.inputs[0]) != 1) continue;
    Node& conv = graph.nodes[*before];
    const auto* conv_op = conv.as<ConvOp>();
    if (conv_op == nullptr || conv_op->relu || conv_op->residual) continue;
    fold_into(graph, conv, scale);
    conv.output = scale.output;
    ++applied;
    graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i));
    --i;
  }
  return applied;
}

}  // namespace dlavp::compiler
