// How a model's tensor of any rank lies in one of the graph's C x H x W tensors. Each axis of the
// model's tensor is a list of factors (size and distance in the graph tensor's row-major order), so
// that transposing, reshaping, squeezing and channel shuffling cost nothing until an operator needs
// the elements in an order that the graph's tensor does not have.
#pragma once

#include <optional>
#include <vector>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

struct Factor {
  int64_t size = 1;
  int64_t stride = 1;
  bool operator==(const Factor&) const = default;
};

struct ModelView {
  TensorId id = 0;
  std::vector<int64_t> dims;              ///< in the model
  std::vector<std::vector<Factor>> axes;  ///< of each dimension, outermost first; none for size 1

  [[nodiscard]] size_t rank() const { return dims.size(); }
  [[nodiscard]] int64_t elements() const;
  [[nodiscard]] std::string text() const;  ///< "[1x3x8x8]"
};

/// Which of the model's axes make up C, H and W of a graph tensor, outermost first.
using Placement = std::array<std::vector<size_t>, 3>;

/// The view whose axes lie as `placement` says in a tensor of the shape that follows from it.
[[nodiscard]] ModelView placed_view(TensorId id, std::vector<int64_t> dims,
                                    const Placement& placement);
[[nodiscard]] Shape placed_shape(const std::vector<int64_t>& dims, const Placement& placement);

/// The placement without any wish: the axes above 1 as C, as C W or as C H W; of more than three
/// the first ones share C.
[[nodiscard]] Placement default_placement(const std::vector<int64_t>& dims);
/// `channel` alone as C, the other axes above 1 as H and W, sharing H if they are more.
[[nodiscard]] Placement channel_placement(const std::vector<int64_t>& dims, size_t channel);

/// Axis 1 to 3 of the graph's tensor that is exactly `axis` of the view; 0 if none is. An axis of
/// size 1 is none.
[[nodiscard]] uint32_t graph_axis(const ModelView& view, const Shape& shape, size_t axis);
/// Whether every axis above 1 is exactly the graph axis that `placement` puts it at.
[[nodiscard]] bool lies_as(const ModelView& view, const Shape& shape, const Placement& placement);
/// The placement that the view has already, if each of its axes is one of the graph's.
[[nodiscard]] std::optional<Placement> placement_of(const ModelView& view, const Shape& shape);

[[nodiscard]] ModelView transposed(const ModelView& view, const std::vector<size_t>& perm);
/// The same elements in row-major order with other dimensions; none if a factor would have to be
/// cut where it does not divide. Precondition: the element counts are equal.
[[nodiscard]] std::optional<ModelView> reshaped(const ModelView& view, std::vector<int64_t> dims);
/// The view of a tensor that differs in the size of the graph's axis `axis`, which is `model_axis`.
[[nodiscard]] ModelView resized_axis(const ModelView& view, const Shape& shape, TensorId id,
                                     uint32_t axis, size_t model_axis, int64_t size);

/// The reorder that brings `view` (of a tensor of `shape`) to `placement`; none if it lies so.
[[nodiscard]] std::optional<ReorderOp> reorder_to(const ModelView& view, const Shape& shape,
                                                  const Placement& placement);

}  // namespace dlavp::compiler
