// Operators that only the core computes.
#include "compiler/loadable/core_block.h"
#include "compiler/quantise/quantiser.hpp"

namespace dlavp::compiler {

void Quantiser::softmax(const Node& node, const SoftmaxOp& op) {
  CoreLayer layer;
  layer.kernel = CORE_SOFTMAX;
  layer.params = {static_cast<int32_t>(op.axis) - 1, op.log ? 1 : 0,
                  quantisation(node.output).zero_point};
  core(node, std::move(layer), "no unit computes sums of exponentials");
}

void Quantiser::reduce(const Node& node, const ReduceOp& op) {
  if (op.kind == ReduceKind::kMean && !op.c && op.h && op.w) {
    PoolOp mean;
    mean.kind = PoolKind::kAverage;
    mean.window.kernel_h = static_cast<uint32_t>(shape(node.inputs[0]).h);
    mean.window.kernel_w = static_cast<uint32_t>(shape(node.inputs[0]).w);
    const bool small = mean.window.kernel_h <= kLargestPool && mean.window.kernel_w <= kLargestPool;
    if (!placed_.contains(node.output) && hw_.pdp) {
      if (small) return pool(node, mean);
      if (pool_in_stages(node, mean)) return;
    }
  }
  static constexpr int32_t kKinds[] = {0, 0, 1, 2, 4, 3};
  const Shape& s = shape(node.inputs[0]);
  double factor = in_scale(node) / scale(node.output);
  if (op.kind == ReduceKind::kMean)
    factor /= static_cast<double>((op.c ? s.c : 1) * (op.h ? s.h : 1) * (op.w ? s.w : 1));
  if (op.kind == ReduceKind::kProd) factor = 1 / scale(node.output);
  CoreLayer layer;
  layer.kernel = CORE_REDUCE;
  layer.params = {kKinds[static_cast<size_t>(op.kind)],
                  (op.c ? 1 : 0) | (op.h ? 2 : 0) | (op.w ? 4 : 0)};
  layer.reals = {factor};
  constexpr const char* kReason = "no unit reduces these axes";
  const Quantisation kept = in_quantisation(node), wanted = quantisation(node.output);
  if (kept.zero_point == 0 && wanted.zero_point == 0) return core(node, std::move(layer), kReason);
  // A maximum or minimum of stored values; the others neither take nor give zero points.
  const TensorId between =
      new_tensor(graph_.tensor(node.output).name + ".reduced", shape(node.output), kept);
  layer.inputs = {in(node)};
  layer.reals = {1.0};
  layer.reason = kReason;
  emit(node.name + ".reduced", std::move(layer), between);
  emit(node, copy(node, between, wanted));
}

void Quantiser::layer_norm(const Node& node, const LayerNormOp& op) {
  CoreLayer layer;
  layer.kernel = CORE_NORMALISE;
  layer.inputs = {in(node)};
  layer.params = {(op.c ? 1 : 0) | (op.h ? 2 : 0) | (op.w ? 4 : 0),
                  static_cast<int32_t>(op.groups)};
  layer.reals = {double{op.epsilon}};
  const double zero = quantisation(node.output).real(0);  // what a stored 0 stands for
  for (size_t i = 1; i <= 2; ++i) {
    for (float v : graph_.tensor(node.inputs[i]).values)
      layer.reals.push_back(double{v} - (i == 2 ? zero : 0));
  }
  core(node, std::move(layer), "no unit computes mean and variance");
}

void Quantiser::arg_max(const Node& node, const ArgMaxOp& op) {
  CoreLayer layer;
  layer.kernel = CORE_ARGUMENT;
  layer.params = {static_cast<int32_t>(op.axis) - 1, op.last ? 1 : 0, op.smallest ? 1 : 0};
  if (uses_[node.output] != static_cast<size_t>(is_output(node.output) ? 1 : 0))
    fail(node, "its indices are an output of the network or unused: no layer takes them");
  own_[node.output] = {};
  out_.tensors[layer_tensor(node.output)].type = StoredType::kInt32;
  core(node, std::move(layer), "no unit compares along an axis");
}

void Quantiser::custom(const Node& node, const CustomOp& op) {
  CoreLayer layer;
  layer.kernel = CORE_CUSTOM;
  layer.custom = op.definition->name;
  if (layer.custom.size() >= CORE_NAME_BYTES)
    fail(node, fmt::format("the name '{}' is longer than {} characters", layer.custom,
                           CORE_NAME_BYTES - 1));
  if (!op.definition->arguments || !op.definition->compute)
    fail(node, fmt::format("'{}' has no function for the core", layer.custom));
  CustomArguments arguments = op.definition->arguments(op.attributes);
  layer.params = std::move(arguments.params);
  layer.reals = std::move(arguments.reals);
  layer.definition = op.definition;
  layer.attributes = op.attributes;
  core(node, std::move(layer), "a custom layer");
}

}  // namespace dlavp::compiler
