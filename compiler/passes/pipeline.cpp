// The pass pipeline, and the passes that only tidy.
#include <algorithm>
#include <set>

#include "compiler/passes/passes.hpp"

namespace dlavp::compiler {

const std::vector<Pass>& standard_passes() {
  static const std::vector<Pass> passes = {
      {"remove identities", remove_identities},
      {"batch norm to scale", batch_norm_to_scale},
      {"fully connected to convolution", gemm_to_conv},
      {"fold scale into convolution", fold_scale},
      {"fuse add into convolution", fuse_add},
      {"fuse relu", fuse_relu},
      {"remove dead nodes", remove_dead_nodes},
      {"drop unused tensors", drop_unused_tensors},
  };
  return passes;
}

std::vector<PassStatistic> run_passes(Graph& graph, const std::vector<Pass>& passes) {
  const auto check = [&](const char* when) {
    const Diagnostics wrong = graph.verify();
    DLAVP_CHECK(wrong.empty(), "{}: {}", when, wrong.text());
  };
  check("before the passes");
  std::vector<PassStatistic> out;
  for (const Pass& pass : passes) {
    out.push_back({pass.name, pass.run(graph)});
    check(pass.name);
  }
  return out;
}

size_t remove_identities(Graph& graph) {
  size_t applied = 0;
  std::set<TensorId> removed;
  for (Node& node : graph.nodes) {
    const bool flat = node.as<FlattenOp>() != nullptr &&
                      graph.tensor(node.inputs[0]).shape == graph.tensor(node.output).shape;
    if (node.as<IdentityOp>() == nullptr && !flat) continue;
    const TensorId from = node.output;
    const TensorId to = node.inputs[0];
    const bool is_output = std::count(graph.outputs.begin(), graph.outputs.end(), from) != 0;
    const bool fixed_name = std::count(graph.inputs.begin(), graph.inputs.end(), to) != 0 ||
                            std::count(graph.outputs.begin(), graph.outputs.end(), to) != 0;
    if (is_output && !fixed_name) std::swap(graph.tensor(from).name, graph.tensor(to).name);
    removed.insert(from);
    graph.replace_uses(from, to);
    ++applied;
  }
  graph.remove_nodes([&](const Node& n) { return removed.contains(n.output); });
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
