// The compiler's typed graph: tensors with shape, element type and quantisation, nodes in
// topological order. Activations are NCHW with N = 1; a vector is 1 x C x 1 x 1.
// Leaves out control flow and dynamic shapes: the front end refuses them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler/ir/operators.hpp"
#include "compiler/ir/tensor.hpp"
#include "models/common/result.hpp"

namespace dlavp::compiler {

struct Node {
  std::string name;
  Operator op;
  std::vector<TensorId> inputs;
  TensorId output = 0;

  template <typename T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&op);
  }
  template <typename T>
  [[nodiscard]] T* as() {
    return std::get_if<T>(&op);
  }
};

struct Graph {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;  ///< every tensor is produced before it is used
  std::vector<TensorId> inputs, outputs;
  /// What the user should know of how the model was read, one sentence each.
  std::vector<std::string> notes;

  TensorId add_tensor(std::string tensor_name, Shape shape);
  TensorId add_constant(std::string tensor_name, Shape shape, std::vector<float> values);
  [[nodiscard]] Tensor& tensor(TensorId id) { return tensors[id]; }
  [[nodiscard]] const Tensor& tensor(TensorId id) const { return tensors[id]; }
  [[nodiscard]] std::optional<TensorId> find(const std::string& tensor_name) const;

  /// Index of the node that writes `id`, or none (inputs, constants).
  [[nodiscard]] std::optional<size_t> producer(TensorId id) const;
  /// How many node inputs and graph outputs read `id`.
  [[nodiscard]] size_t uses(TensorId id) const;
  /// Every reader of `from`, graph outputs included, reads `to` instead.
  void replace_uses(TensorId from, TensorId to);
  /// Drops the nodes for which `dead` says so, keeping the order.
  void remove_nodes(const std::function<bool(const Node&)>& dead);

  /// All violated rules of the graph; empty means well formed. Without `values` the contents of
  /// constants are not looked at, which is most of the time it takes.
  [[nodiscard]] Diagnostics verify(bool values = true) const;
  /// One line a node, with shapes and scales.
  [[nodiscard]] std::string text() const;
};

/// The output shape that `node`'s inputs and attributes give, or why there is none.
Result<Shape> infer_shape(const Graph& graph, const Node& node);

/// How many inputs an operator takes, and which of them must be constants.
struct Arity {
  size_t least = 1, most = 1;
  size_t constants_from = 1, constants_to = 1;  ///< [from, to) are constants
  bool any = false;                             ///< the others may be constants too
};
[[nodiscard]] Arity arity(const Operator& op);
/// A tensor name of the graph's own that starts with `base`.
[[nodiscard]] std::string fresh_name(const Graph& graph, std::string base);

}  // namespace dlavp::compiler
