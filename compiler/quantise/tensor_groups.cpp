// Union of tensors over the nodes that keep values; the units' limits on zero points.
#include "compiler/quantise/tensor_groups.hpp"

#include <utility>

#include "compiler/passes/passes.hpp"

namespace dlavp::compiler {
namespace {

bool keeps_values(const Node& node) {
  const auto* reduce = node.as<ReduceOp>();
  return moves_values(node.op) || node.as<PadOp>() != nullptr ||
         (reduce != nullptr &&
          (reduce->kind == ReduceKind::kMax || reduce->kind == ReduceKind::kMin));
}

/// A product's second factor, which the SDP reads as it is stored.
size_t stored_factor(const Graph& graph, const Node& node) {
  const Tensor& first = graph.tensor(node.inputs[0]);
  return !first.constant && first.shape == graph.tensor(node.output).shape ? 1 : 0;
}

Node copy_of(const Graph& graph, TensorId from, TensorId to) {
  return {graph.tensor(to).name + ".requantised", IdentityOp{}, {from}, to};
}

}  // namespace

TensorGroups::TensorGroups(const Graph& graph)
    : parent_(graph.tensors.size()),
      prescribed_(graph.tensors.size()),
      symmetric_(graph.tensors.size()) {
  for (TensorId id = 0; id < parent_.size(); ++id) {
    parent_[id] = id;
    prescribed_[id] = graph.tensor(id).prescribed;
  }
  for (const Node& node : graph.nodes) {
    if (!keeps_values(node)) continue;
    for (TensorId id : node.inputs) {
      if (!graph.tensor(id).constant) join(id, node.output);
    }
  }
  for (TensorId id : graph.outputs) symmetric_[of(id)] = true;
  for (const Node& node : graph.nodes) {
    if (!gives_zero_point(node)) symmetric_[of(node.output)] = true;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!takes_zero_point(graph, node, i)) symmetric_[of(node.inputs[i])] = true;
    }
  }
}

TensorId TensorGroups::of(TensorId id) const {
  while (parent_[id] != id) id = parent_[id];
  return id;
}

void TensorGroups::join(TensorId a, TensorId b) {
  a = of(a);
  b = of(b);
  if (a == b || (prescribed_[a] && prescribed_[b] && *prescribed_[a] != *prescribed_[b])) return;
  if (prescribed_[b]) std::swap(a, b);
  parent_[b] = a;
}

bool takes_zero_point(const Graph& graph, const Node& node, size_t i) {
  if (const auto* reduce = node.as<ReduceOp>())
    return reduce->kind == ReduceKind::kMax || reduce->kind == ReduceKind::kMin;
  if (const auto* binary = node.as<BinaryOp>()) {
    if (binary->kind == BinaryKind::kMax || binary->kind == BinaryKind::kMin) return false;
    return binary->kind != BinaryKind::kMul || i != stored_factor(graph, node);
  }
  return node.as<LrnOp>() == nullptr && node.as<CustomOp>() == nullptr;
}

bool gives_zero_point(const Node& node) {
  const auto* reduce = node.as<ReduceOp>();
  const bool other_reduce =
      reduce != nullptr && reduce->kind != ReduceKind::kMax && reduce->kind != ReduceKind::kMin;
  return !other_reduce && node.as<LrnOp>() == nullptr && node.as<ArgMaxOp>() == nullptr &&
         node.as<CustomOp>() == nullptr;
}

size_t quantise_for_joins(Graph& graph) {
  size_t applied = 0;
  for (const Node& join : graph.nodes) {
    const auto& wanted = graph.tensor(join.output).prescribed;
    if (join.as<ConcatOp>() == nullptr || !wanted) continue;
    for (TensorId id : join.inputs) {
      Tensor& part = graph.tensor(id);
      const auto producer = graph.producer(id);
      const bool own = producer && graph.uses(id) == 1 && !keeps_values(graph.nodes[*producer]) &&
                       gives_zero_point(graph.nodes[*producer]);
      if (!own || !part.prescribed || *part.prescribed == *wanted) continue;
      part.prescribed = wanted;
      ++applied;
    }
  }
  return applied;
}

size_t copy_zero_points(Graph& graph) {
  const TensorGroups groups(graph);
  const auto has_zero_point = [&](TensorId id) {
    return groups.prescribed(id) && groups.prescribed(id)->zero_point != 0;
  };
  std::vector<Node> nodes = std::exchange(graph.nodes, {});
  size_t copies = 0;
  const auto symmetric = [&](TensorId id) {
    ++copies;
    const Tensor from = graph.tensor(id);
    const TensorId out = graph.add_tensor(fresh_name(graph, from.name + ".symmetric"), from.shape);
    const Quantisation q = *groups.prescribed(id);
    const double reach = std::max(-q.real(-128), q.real(127));  // it holds the same values
    graph.tensor(out).prescribed = Quantisation{reach / 127};
    return out;
  };
  for (Node& node : nodes) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const TensorId from = node.inputs[i];
      if (from >= groups.size() || !has_zero_point(from) || takes_zero_point(graph, node, i))
        continue;
      const TensorId to = symmetric(from);
      graph.nodes.push_back(copy_of(graph, from, to));
      for (TensorId& id : node.inputs) id = id == from ? to : id;
    }
    const TensorId to = node.output;
    if (!has_zero_point(to) || gives_zero_point(node)) {
      graph.nodes.push_back(std::move(node));
      continue;
    }
    node.output = symmetric(to);
    const TensorId from = node.output;
    graph.nodes.push_back(std::move(node));
    graph.nodes.push_back(copy_of(graph, from, to));
  }
  return copies;
}

}  // namespace dlavp::compiler
