// The compiler's typed graph: tensors with shape, element type and quantisation, nodes in
// topological order. Activations are NCHW with N = 1; a vector is 1 x C x 1 x 1.
// Leaves out control flow and dynamic shapes: the front end refuses them.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp::compiler {

using TensorId = uint32_t;

struct Shape {
  int64_t n = 1, c = 1, h = 1, w = 1;
  [[nodiscard]] int64_t elements() const { return n * c * h * w; }
  [[nodiscard]] std::string text() const;  ///< "1x16x8x8"
  bool operator==(const Shape&) const = default;
};

enum class ElementType : uint8_t { kFloat32, kInt8 };

struct Tensor {
  std::string name;
  Shape shape;
  ElementType type = ElementType::kFloat32;
  std::optional<double> scale;  ///< real value = scale x int8 value; set by quantisation
  bool constant = false;
  std::vector<float> values;  ///< of a constant, row major
};

/// A sliding window, all in elements; kernel sizes are those before dilation.
struct Window {
  uint32_t kernel_h = 1, kernel_w = 1;
  uint32_t stride_h = 1, stride_w = 1;
  uint32_t dilation_h = 1, dilation_w = 1;
  uint32_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  [[nodiscard]] int64_t extent_h() const { return int64_t{kernel_h - 1} * dilation_h + 1; }
  [[nodiscard]] int64_t extent_w() const { return int64_t{kernel_w - 1} * dilation_w + 1; }
  [[nodiscard]] int64_t out_h(int64_t h) const {
    return (h + pad_top + pad_bottom - extent_h()) / stride_h + 1;
  }
  [[nodiscard]] int64_t out_w(int64_t w) const {
    return (w + pad_left + pad_right - extent_w()) / stride_w + 1;
  }
  [[nodiscard]] bool padded() const { return pad_top + pad_bottom + pad_left + pad_right != 0; }
  [[nodiscard]] std::string text() const;
};

inline constexpr float kUnbounded = std::numeric_limits<float>::infinity();

/// Inputs x, weights (K x C/groups x R x S), bias (1 x K x 1 x 1) [, residual with the output's
/// shape].
struct ConvOp {
  Window window;
  uint32_t groups = 1;
  bool relu = false;      ///< applied last
  bool residual = false;  ///< the fourth input is added before `relu`
  float relu_max = kUnbounded;
};
/// Inputs x (any C x H x W, taken flat), weights (K x CHW x 1 x 1), bias (1 x K x 1 x 1).
struct GemmOp {};
/// Inputs x, gamma, beta, mean, variance (1 x C x 1 x 1 each).
struct BatchNormOp {
  float epsilon = 1e-5F;
};
/// Inputs x, factor, shift (1 x C x 1 x 1): x * factor + shift.
struct ScaleOp {
  bool relu = false;
  float relu_max = kUnbounded;
};
/// Values below 0 become 0, those above `max` become `max`. On the accelerator the upper bound is
/// the saturation of int8: calibration never sees more than `max`, so no scale reaches beyond it.
struct ReluOp {
  float max = kUnbounded;
};
struct AddOp {
  bool relu = false;
  float relu_max = kUnbounded;
};
enum class PoolKind : uint8_t { kMax, kAverage };
struct PoolOp {
  PoolKind kind = PoolKind::kMax;
  Window window;
  bool count_include_pad = false;
};
/// C x H x W to CHW x 1 x 1.
struct FlattenOp {};
/// Over the channels, H = W = 1.
struct SoftmaxOp {};
struct IdentityOp {};

using Operator = std::variant<ConvOp, GemmOp, BatchNormOp, ScaleOp, ReluOp, AddOp, PoolOp,
                              FlattenOp, SoftmaxOp, IdentityOp>;

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

[[nodiscard]] const char* operator_name(const Operator& op);

struct Graph {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;  ///< every tensor is produced before it is used
  std::vector<TensorId> inputs, outputs;

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

  /// All violated rules of the graph; empty means well formed.
  [[nodiscard]] Diagnostics verify() const;
  /// One line a node, with shapes and scales.
  [[nodiscard]] std::string text() const;
};

/// The output shape that `node`'s inputs and attributes give, or why there is none.
Result<Shape> infer_shape(const Graph& graph, const Node& node);

}  // namespace dlavp::compiler
