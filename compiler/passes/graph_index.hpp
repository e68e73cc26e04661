// Producers and readers of every tensor, so that a pass looks each up in constant time, and the
// nodes that a pass has replaced, removed at its end.
#pragma once

#include <algorithm>
#include <vector>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

class GraphIndex {
 public:
  explicit GraphIndex(Graph& graph) : graph_(graph) {
    producer_.resize(graph.tensors.size(), kNone);
    uses_.resize(graph.tensors.size());
    dead_.resize(graph.nodes.size());
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      producer_[graph.nodes[i].output] = i;
      for (TensorId id : graph.nodes[i].inputs) ++uses_[id];
    }
    for (TensorId id : graph.outputs) ++uses_[id];
  }

  /// The node that writes `id`, or null.
  [[nodiscard]] Node* producer(TensorId id) {
    return id < producer_.size() && producer_[id] != kNone ? &graph_.nodes[producer_[id]] : nullptr;
  }
  /// The node that writes `id` if it is a T, or null.
  template <typename T>
  [[nodiscard]] Node* producer_as(TensorId id) {
    Node* n = producer(id);
    return n != nullptr && n->as<T>() != nullptr ? n : nullptr;
  }
  /// How many node inputs and graph outputs read `id`.
  [[nodiscard]] size_t uses(TensorId id) const { return id < uses_.size() ? uses_[id] : 0; }
  /// Marks a node for removal; its inputs lose a reader each.
  void kill(const Node& node) {
    dead_[static_cast<size_t>(&node - graph_.nodes.data())] = true;
    for (TensorId id : node.inputs) drop(id);
  }
  [[nodiscard]] bool dead(size_t i) const { return dead_[i]; }
  /// Gives `node` other inputs.
  void set_inputs(Node& node, std::vector<TensorId> inputs) {
    for (TensorId id : node.inputs) drop(id);
    for (TensorId id : inputs) {
      if (id >= uses_.size()) uses_.resize(id + 1);
      ++uses_[id];
    }
    node.inputs = std::move(inputs);
  }
  /// `node` writes `output` from now on, whose producer it replaces.
  void set_output(Node& node, TensorId output) {
    producer_[node.output] = kNone;
    node.output = output;
    producer_[output] = static_cast<size_t>(&node - graph_.nodes.data());
  }
  /// Removes what was killed.
  void sweep() {
    size_t to = 0;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (dead_[i]) continue;
      if (to != i) graph_.nodes[to] = std::move(graph_.nodes[i]);
      ++to;
    }
    graph_.nodes.resize(to);
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;
  void drop(TensorId id) {
    if (id < uses_.size() && uses_[id] != 0) --uses_[id];
  }

  Graph& graph_;
  std::vector<size_t> producer_, uses_;
  std::vector<bool> dead_;
};

}  // namespace dlavp::compiler
