// The pass pipeline, and the passes that only tidy.
#include <algorithm>
#include <set>

#include "compiler/passes/passes.hpp"

namespace dlavp::compiler {

const std::vector<Pass>& standard_passes() {
  static const std::vector<Pass> passes = {
      {"remove identities", remove_identities},
      {"find layer norms", find_layer_norms},
      {"transposed convolution to convolution", lower_conv_transpose},
      {"reduction over space to pooling", reduce_to_pool},
      {"merge elementwise functions", merge_unary},
      {"elementwise function to scale or relu", simplify_unary},
      {"relu of what is not negative", drop_relus},
      {"flatten concatenations", flatten_concats},
      {"merge reorders", merge_reorders},
      {"remove identities", remove_identities},
      {"fold padding into windows", fold_pads},
      {"batch norm to scale", batch_norm_to_scale},
      {"fully connected to convolution", gemm_to_conv},
      {"fold scale into convolution before", fold_scale},
      {"fold scale into convolution after", fold_scale_forward},
      {"fuse add into convolution", fuse_add},
      {"fuse relu", fuse_relu},
      {"remove dead nodes", remove_dead_nodes},
      {"drop unused tensors", drop_unused_tensors},
  };
  return passes;
}

std::vector<Pass> unfused_passes() {
  std::vector<Pass> passes = standard_passes();
  std::erase_if(passes, [](const Pass& pass) {
    return pass.run == fold_scale || pass.run == fold_scale_forward || pass.run == fuse_add ||
           pass.run == fuse_relu;
  });
  return passes;
}

std::vector<PassStatistic> run_passes(Graph& graph, const std::vector<Pass>& passes) {
  const auto check = [&](const char* when, bool values) {
    const Diagnostics wrong = graph.verify(values);
    DLAVP_CHECK(wrong.empty(), "{}: {}", when, wrong.text());
  };
  check("before the passes", false);
  std::vector<PassStatistic> out;
  for (const Pass& pass : passes) {
    out.push_back({pass.name, pass.run(graph)});
    check(pass.name, &pass == &passes.back());
  }
  return out;
}

namespace {

bool keeps_values(const Graph& graph, const Node& node) {
  const Shape& in = graph.tensor(node.inputs[0]).shape;
  if (in != graph.tensor(node.output).shape) return false;
  if (node.as<IdentityOp>() != nullptr || node.as<FlattenOp>() != nullptr) return true;
  if (node.as<SliceOp>() != nullptr || node.as<ConcatOp>() != nullptr) return true;
  if (node.as<PadOp>() != nullptr) return true;
  if (const auto* pool = node.as<PoolOp>())
    return pool->window.kernel_h == 1 && pool->window.kernel_w == 1 && !pool->window.padded();
  if (const auto* resize = node.as<ResizeOp>()) return resize->scale_h == 1 && resize->scale_w == 1;
  const auto* reduce = node.as<ReduceOp>();
  return reduce != nullptr && reduce->kind != ReduceKind::kL2;
}

}  // namespace

size_t remove_identities(Graph& graph) {
  std::vector<TensorId> instead(graph.tensors.size());
  for (TensorId id = 0; id < instead.size(); ++id) instead[id] = id;
  std::set<TensorId> fixed_names(graph.inputs.begin(), graph.inputs.end());
  fixed_names.insert(graph.outputs.begin(), graph.outputs.end());
  const std::set<TensorId> outputs(graph.outputs.begin(), graph.outputs.end());
  std::vector<Node> kept;
  for (Node& node : graph.nodes) {
    for (TensorId& id : node.inputs) id = instead[id];
    const TensorId from = node.output;
    const TensorId to = node.inputs[0];
    Tensor& source = graph.tensor(to);
    const Tensor& result = graph.tensor(from);
    const bool rescales =
        source.prescribed && result.prescribed && *source.prescribed != *result.prescribed;
    if (rescales || source.constant || !keeps_values(graph, node)) {
      kept.push_back(std::move(node));
      continue;
    }
    if (result.prescribed) source.prescribed = result.prescribed;
    if (outputs.contains(from) && !fixed_names.contains(to)) {
      std::swap(graph.tensor(from).name, graph.tensor(to).name);
      fixed_names.insert(to);
    }
    instead[from] = to;
  }
  for (TensorId& id : graph.outputs) id = instead[id];
  const size_t applied = graph.nodes.size() - kept.size();
  graph.nodes = std::move(kept);
  return applied;
}

size_t remove_dead_nodes(Graph& graph) {
  std::set<TensorId> live(graph.outputs.begin(), graph.outputs.end());
  for (auto it = graph.nodes.rbegin(); it != graph.nodes.rend(); ++it) {
    if (live.contains(it->output)) live.insert(it->inputs.begin(), it->inputs.end());
  }
  const size_t before = graph.nodes.size();
  graph.remove_nodes([&](const Node& n) { return !live.contains(n.output); });
  return before - graph.nodes.size();
}

size_t drop_unused_tensors(Graph& graph) {
  std::vector<bool> used(graph.tensors.size());
  for (TensorId id : graph.inputs) used[id] = true;
  for (TensorId id : graph.outputs) used[id] = true;
  for (const Node& n : graph.nodes) {
    used[n.output] = true;
    for (TensorId id : n.inputs) used[id] = true;
  }
  std::vector<TensorId> renumbered(graph.tensors.size());
  std::vector<Tensor> kept;
  for (TensorId id = 0; id < graph.tensors.size(); ++id) {
    if (!used[id]) continue;
    renumbered[id] = static_cast<TensorId>(kept.size());
    kept.push_back(std::move(graph.tensors[id]));
  }
  const size_t dropped = graph.tensors.size() - kept.size();
  graph.tensors = std::move(kept);
  const auto renumber = [&](TensorId& id) { id = renumbered[id]; };
  for (TensorId& id : graph.inputs) renumber(id);
  for (TensorId& id : graph.outputs) renumber(id);
  for (Node& n : graph.nodes) {
    renumber(n.output);
    for (TensorId& id : n.inputs) renumber(id);
  }
  return dropped;
}

}  // namespace dlavp::compiler
