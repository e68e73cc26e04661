// What the parts of the float interpreter share: one node, its operands and its result.
#pragma once

#include <algorithm>
#include <vector>

#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

struct FloatContext {
  const Graph& g;
  const Node& node;
  FloatValues& values;

  [[nodiscard]] const std::vector<float>& in(size_t i) const {
    const TensorId id = node.inputs[i];
    return g.tensor(id).constant ? g.tensor(id).values : values[id];
  }
  [[nodiscard]] const Shape& shape(size_t i) const { return g.tensor(node.inputs[i]).shape; }
  [[nodiscard]] const Shape& out_shape() const { return g.tensor(node.output).shape; }
  [[nodiscard]] std::vector<float>& out() const { return values[node.output]; }
  void relu_if(bool on, float most) const {
    if (!on) return;
    for (float& v : out()) v = std::min(std::max(v, 0.0F), most);
  }
};

// Each fills the context's output, which has its shape's size.
void float_conv(const FloatContext& f, const ConvOp& op);
void float_conv_transpose(const FloatContext& f, const ConvTransposeOp& op);
void float_gemm(const FloatContext& f);

void float_batch_norm(const FloatContext& f, const BatchNormOp& op);
void float_scale(const FloatContext& f, const ScaleOp& op);
void float_prelu(const FloatContext& f);
void float_unary(const FloatContext& f, const UnaryOp& op);
void float_binary(const FloatContext& f, const BinaryOp& op);

void float_pool(const FloatContext& f, const PoolOp& op);
void float_reduce(const FloatContext& f, const ReduceOp& op);
void float_layer_norm(const FloatContext& f, const LayerNormOp& op);
void float_lrn(const FloatContext& f, const LrnOp& op);
void float_softmax(const FloatContext& f, const SoftmaxOp& op);
void float_arg_max(const FloatContext& f, const ArgMaxOp& op);

void float_reorder(const FloatContext& f, const ReorderOp& op);
void float_concat(const FloatContext& f, const ConcatOp& op);
void float_slice(const FloatContext& f, const SliceOp& op);
void float_pad(const FloatContext& f, const PadOp& op);
void float_resize(const FloatContext& f, const ResizeOp& op);

}  // namespace dlavp::compiler
