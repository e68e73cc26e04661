// Makes one random graph: draws, and a rule for each kind of node. Internal to random_graph.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "compiler/tests/random_graph.hpp"

namespace dlavp::compiler::testing {

constexpr int64_t kMostElements = 6000;  ///< of a tensor
constexpr int64_t kMostSide = 40;

/// Makes one graph. Each rule adds a node (or a few) that reads `x`, or gives up if x does not fit.
class Maker {
 public:
  explicit Maker(uint32_t seed) : random_(seed) { graph_.name = "random"; }
  Graph make();

 private:
  using Rule = bool (Maker::*)(TensorId x);
  struct Weighted {
    uint32_t weight;
    Rule rule;
  };
  static const std::vector<Weighted>& rules();

  bool conv(TensorId x);
  bool depthwise(TensorId x);
  bool conv_transpose(TensorId x);
  bool gemm(TensorId x);
  bool batch_norm(TensorId x);
  bool scale(TensorId x);
  bool relu(TensorId x);
  bool prelu(TensorId x);
  bool unary(TensorId x);
  bool bounded_unary(TensorId x);
  bool gated_unary(TensorId x);
  bool add(TensorId x);
  bool residual(TensorId x);
  bool binary(TensorId x);
  bool binary_constant(TensorId x);
  bool pool(TensorId x);
  bool global_pool(TensorId x);
  bool flatten(TensorId x);
  bool transpose(TensorId x);
  bool shuffle(TensorId x);
  bool concat(TensorId x);
  bool slice(TensorId x);
  bool split(TensorId x);
  bool pad(TensorId x);
  bool resize(TensorId x);
  bool reduce(TensorId x);
  bool squeeze_excite(TensorId x);
  bool layer_norm(TensorId x);
  bool lrn(TensorId x);
  bool softmax(TensorId x);
  bool arg_max(TensorId x);
  bool identity(TensorId x);

  // Draws.
  uint32_t pick(uint32_t low, uint32_t high) {
    return low + static_cast<uint32_t>(random_() % (high - low + 1));
  }
  int64_t size(int64_t low, int64_t high) {
    return pick(static_cast<uint32_t>(low), static_cast<uint32_t>(high));
  }
  bool chance(uint32_t percent) { return pick(1, 100) <= percent; }
  float real(float low, float high) {
    return low + (high - low) * static_cast<float>(random_() >> 8) / static_cast<float>(1U << 24);
  }
  template <typename T>
  T one_of(std::initializer_list<T> items) {
    return items.begin()[pick(0, static_cast<uint32_t>(items.size() - 1))];
  }

  [[nodiscard]] const Shape& shape(TensorId id) const { return graph_.tensor(id).shape; }
  TensorId constant(Shape s, float low, float high);
  TensorId vector(int64_t c, float low, float high) { return constant({1, c, 1, 1}, low, high); }
  /// Adds a node if its inputs fit; nothing is left of it otherwise.
  std::optional<TensorId> emit(Operator op, std::vector<TensorId> inputs);
  bool done(Operator op, std::vector<TensorId> inputs) {
    return emit(std::move(op), std::move(inputs)).has_value();
  }
  TensorId some_value();
  /// Another value that `fits`, if there is one.
  std::optional<TensorId> other(TensorId x, const std::function<bool(const Shape&)>& fits);
  Window window(const Shape& in, uint32_t most_kernel, uint32_t most_dilation);
  void finish();

  std::mt19937 random_;
  Graph graph_;
  std::vector<TensorId> values_;  ///< what a node may read, oldest first
};

}  // namespace dlavp::compiler::testing
