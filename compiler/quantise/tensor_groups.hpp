// Which tensors share one quantisation, which of them may have a zero point, and the changes to a
// graph that what is prescribed asks for. Internal to quantisation.
#pragma once

#include <optional>
#include <vector>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

/// Tensors that hold the same values in other places: one quantisation serves all. Two that model
/// or table prescribe stay two: a copy between them rescales.
class TensorGroups {
 public:
  explicit TensorGroups(const Graph& graph);
  /// The number of tensors.
  [[nodiscard]] size_t size() const { return parent_.size(); }
  /// The tensor that stands for the group of `id`.
  [[nodiscard]] TensorId of(TensorId id) const;
  [[nodiscard]] const std::optional<Quantisation>& prescribed(TensorId id) const {
    return prescribed_[of(id)];
  }
  /// What writes or reads a tensor of the group computes with int8 values whose zero is 0 only, or
  /// one is an output of the network.
  [[nodiscard]] bool symmetric(TensorId id) const { return symmetric_[of(id)]; }

 private:
  void join(TensorId a, TensorId b);
  std::vector<TensorId> parent_;
  std::vector<std::optional<Quantisation>> prescribed_;
  std::vector<bool> symmetric_;
};

/// Whether the layer of `node` takes input `i` with a zero point, and whether it gives one.
[[nodiscard]] bool takes_zero_point(const Graph& graph, const Node& node, size_t i);
[[nodiscard]] bool gives_zero_point(const Node& node);

/// Puts a copy between every tensor with a prescribed zero point and a node that takes or gives
/// none. Returns how many.
size_t copy_zero_points(Graph& graph);

/// Parts of a join that are written for it alone take its prescribed quantisation instead of their
/// own, so that it needs no copies. Returns how many.
size_t quantise_for_joins(Graph& graph);

}  // namespace dlavp::compiler
