// Passes that turn operators into convolutions and per-channel factors, and fold factors into
// weights.
#include <algorithm>
#include <cmath>

#include "compiler/passes/graph_index.hpp"
#include "compiler/passes/passes.hpp"

namespace dlavp::compiler {
namespace {

/// Weights or bias of `node` as its own, so that they can be changed: others may share the tensor.
Tensor& own(Graph& graph, GraphIndex& index, Node& node, size_t input, const char* what) {
  const TensorId id = node.inputs[input];
  if (index.uses(id) == 1) return graph.tensor(id);
  Tensor copy = graph.tensor(id);
  const TensorId mine =
      graph.add_constant(fresh_name(graph, node.name + what), copy.shape, std::move(copy.values));
  graph.tensor(mine).kernel_scales = copy.kernel_scales;
  std::vector<TensorId> inputs = node.inputs;
  inputs[input] = mine;
  index.set_inputs(node, std::move(inputs));
  return graph.tensor(mine);
}

/// Folds y = conv(x) * factor + shift into weights and bias.
void fold_into(Graph& graph, GraphIndex& index, Node& conv, const Node& scale) {
  const std::vector<float> factor = graph.tensor(scale.inputs[1]).values;
  const std::vector<float> shift = graph.tensor(scale.inputs[2]).values;
  Tensor& weights = own(graph, index, conv, 1, ".folded_weights");
  const size_t per_kernel = weights.values.size() / factor.size();
  for (size_t k = 0; k < factor.size(); ++k) {
    float* kernel = weights.values.data() + k * per_kernel;
    for (size_t i = 0; i < per_kernel; ++i) kernel[i] *= factor[k];
  }
  std::vector<double>& scales = weights.kernel_scales;
  if (!scales.empty()) {
    if (scales.size() == 1) scales.assign(factor.size(), scales[0]);
    for (size_t k = 0; k < factor.size(); ++k) scales[k] *= std::abs(double{factor[k]});
    if (std::any_of(factor.begin(), factor.end(), [](float f) { return f == 0; })) scales.clear();
  }
  Tensor& bias = own(graph, index, conv, 2, ".folded_bias");
  for (size_t k = 0; k < factor.size(); ++k) bias.values[k] = bias.values[k] * factor[k] + shift[k];
}

/// Folds conv(x * factor + shift) into weights and bias. Precondition: without padding, or no
/// shift.
void fold_from(Graph& graph, GraphIndex& index, Node& conv, const Node& scale) {
  const std::vector<float> factor = graph.tensor(scale.inputs[1]).values;
  const std::vector<float> shift = graph.tensor(scale.inputs[2]).values;
  Tensor& weights = own(graph, index, conv, 1, ".folded_weights");
  const Shape s = weights.shape;
  weights.kernel_scales.clear();  // the factors differ within a kernel
  const int64_t kernels_per_group = s.n / conv.as<ConvOp>()->groups;
  const auto taps = static_cast<size_t>(s.h * s.w);
  std::vector<double> added(static_cast<size_t>(s.n));
  for (int64_t k = 0; k < s.n; ++k) {
    for (int64_t c = 0; c < s.c; ++c) {
      const auto from = static_cast<size_t>(k / kernels_per_group * s.c + c);
      float* tap = weights.values.data() + static_cast<size_t>(k * s.c + c) * taps;
      for (size_t i = 0; i < taps; ++i) {
        added[static_cast<size_t>(k)] += double{tap[i]} * double{shift[from]};
        tap[i] *= factor[from];
      }
    }
  }
  Tensor& bias = own(graph, index, conv, 2, ".folded_bias");
  for (size_t k = 0; k < added.size(); ++k)
    bias.values[k] = static_cast<float>(double{bias.values[k]} + added[k]);
}

bool takes_scale(const Graph& graph, const Node& reader, const Node& scale) {
  const auto* conv = reader.as<ConvOp>();
  if (conv == nullptr || reader.inputs[0] != scale.output ||
      (conv->residual && reader.inputs[3] == scale.output))
    return false;
  const std::vector<float>& shift = graph.tensor(scale.inputs[2]).values;
  return !conv->window.padded() ||
         std::all_of(shift.begin(), shift.end(), [](float s) { return s == 0; });
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
  GraphIndex index(graph);
  for (Node& node : graph.nodes) {
    if (node.as<GemmOp>() == nullptr) continue;
    // NCHW flattened is exactly the order of K x C x H x W weights, so the layout change is free.
    for (const Node* before = index.producer(node.inputs[0]); before != nullptr;
         before = index.producer(node.inputs[0])) {
      const auto* reorder = before->as<ReorderOp>();
      const bool ordered =
          reorder != nullptr && std::is_sorted(reorder->perm.begin(), reorder->perm.end());
      if (before->as<FlattenOp>() == nullptr && !ordered) break;
      index.set_inputs(node, {before->inputs[0], node.inputs[1], node.inputs[2]});
    }
    const Shape in = graph.tensor(node.inputs[0]).shape;
    Tensor& weights = own(graph, index, node, 1, ".conv_weights");
    weights.shape = {weights.shape.n, in.c, in.h, in.w};
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
  GraphIndex index(graph);
  for (Node& scale : graph.nodes) {
    const auto* op = scale.as<ScaleOp>();
    if (op == nullptr) continue;
    Node* before = index.producer(scale.inputs[0]);
    if (before == nullptr || index.uses(scale.inputs[0]) != 1) continue;
    if (auto* conv = before->as<ConvOp>()) {
      if (conv->relu || conv->residual) continue;
      conv->relu = op->relu;
      conv->relu_max = op->relu_max;
      fold_into(graph, index, *before, scale);
    } else if (auto* norm = before->as<LayerNormOp>(); norm != nullptr && !op->relu) {
      Tensor& gamma = own(graph, index, *before, 1, ".folded_gamma");
      const std::vector<float>& factor = graph.tensor(scale.inputs[1]).values;
      for (size_t c = 0; c < factor.size(); ++c) gamma.values[c] *= factor[c];
      Tensor& beta = own(graph, index, *before, 2, ".folded_beta");
      const std::vector<float>& f = graph.tensor(scale.inputs[1]).values;
      const std::vector<float>& shift = graph.tensor(scale.inputs[2]).values;
      for (size_t c = 0; c < f.size(); ++c) beta.values[c] = beta.values[c] * f[c] + shift[c];
    } else if (auto* first = before->as<ScaleOp>(); first != nullptr && !first->relu) {
      first->relu = op->relu;
      first->relu_max = op->relu_max;
      const std::vector<float> factor = graph.tensor(scale.inputs[1]).values;
      const std::vector<float> shift = graph.tensor(scale.inputs[2]).values;
      Tensor& f = own(graph, index, *before, 1, ".merged_factor");
      for (size_t c = 0; c < factor.size(); ++c) f.values[c] *= factor[c];
      Tensor& s = own(graph, index, *before, 2, ".merged_shift");
      for (size_t c = 0; c < factor.size(); ++c) s.values[c] = s.values[c] * factor[c] + shift[c];
    } else {
      continue;
    }
    const TensorId output = scale.output;
    index.kill(scale);
    index.set_output(*before, output);
    ++applied;
  }
  index.sweep();
  return applied;
}

size_t fold_scale_forward(Graph& graph) {
  size_t applied = 0;
  GraphIndex index(graph);
  std::vector<std::vector<size_t>> readers(graph.tensors.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (TensorId id : graph.nodes[i].inputs) readers[id].push_back(i);
  }
  for (Node& scale : graph.nodes) {
    const auto* op = scale.as<ScaleOp>();
    if (op == nullptr || op->relu) continue;
    const std::vector<size_t>& all = readers[scale.output];
    const bool output = index.uses(scale.output) != all.size();
    if (output || all.empty() || !std::all_of(all.begin(), all.end(), [&](size_t i) {
          return takes_scale(graph, graph.nodes[i], scale);
        }))
      continue;
    for (size_t i : all) {
      Node& conv = graph.nodes[i];
      fold_from(graph, index, conv, scale);
      std::vector<TensorId> inputs = conv.inputs;
      inputs[0] = scale.inputs[0];
      index.set_inputs(conv, std::move(inputs));
      readers[scale.inputs[0]].push_back(i);
    }
    index.kill(scale);
    ++applied;
  }
  index.sweep();
  return applied;
}

}  // namespace dlavp::compiler
