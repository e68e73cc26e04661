// Graph editing.
#include "compiler/ir/graph.hpp"

#include <algorithm>

namespace dlavp::compiler {

TensorId Graph::add_tensor(std::string tensor_name, Shape shape) {
  Tensor t;
  t.name = std::move(tensor_name);
  t.shape = shape;
  tensors.push_back(std::move(t));
  return static_cast<TensorId>(tensors.size() - 1);
}

TensorId Graph::add_constant(std::string tensor_name, Shape shape, std::vector<float> values) {
  const TensorId id = add_tensor(std::move(tensor_name), shape);
  tensors[id].constant = true;
  tensors[id].values = std::move(values);
  return id;
}

std::optional<TensorId> Graph::find(const std::string& tensor_name) const {
  for (TensorId id = 0; id < tensors.size(); ++id) {
    if (tensors[id].name == tensor_name) return id;
  }
  return std::nullopt;
}

std::optional<size_t> Graph::producer(TensorId id) const {
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].output == id) return i;
  }
  return std::nullopt;
}

size_t Graph::uses(TensorId id) const {
  auto count = static_cast<size_t>(std::count(outputs.begin(), outputs.end(), id));
  for (const Node& n : nodes) {
    count += static_cast<size_t>(std::count(n.inputs.begin(), n.inputs.end(), id));
  }
  return count;
}

void Graph::replace_uses(TensorId from, TensorId to) {
  for (Node& n : nodes) std::replace(n.inputs.begin(), n.inputs.end(), from, to);
  std::replace(outputs.begin(), outputs.end(), from, to);
}

void Graph::remove_nodes(const std::function<bool(const Node&)>& dead) {
  nodes.erase(std::remove_if(nodes.begin(), nodes.end(), dead), nodes.end());
}

std::string fresh_name(const Graph& graph, std::string base) {
  while (graph.find(base)) base += "'";
  return base;
}

bool moves_values(const Operator& op) {
  return std::holds_alternative<PoolOp>(op) || std::holds_alternative<FlattenOp>(op) ||
         std::holds_alternative<ReorderOp>(op) || std::holds_alternative<SliceOp>(op) ||
         std::holds_alternative<ConcatOp>(op) || std::holds_alternative<ResizeOp>(op);
}

}  // namespace dlavp::compiler
