// Runs the nodes in order, each by its operator's function.
#include "compiler/interpreter/float_interpreter.hpp"

#include "compiler/interpreter/float_context.hpp"

namespace dlavp::compiler {
namespace {

struct Evaluate {
  FloatContext f;

  void operator()(const ConvOp& op) const { float_conv(f, op); }
  void operator()(const ConvTransposeOp& op) const { float_conv_transpose(f, op); }
  void operator()(const GemmOp&) const { float_gemm(f); }
  void operator()(const BatchNormOp& op) const { float_batch_norm(f, op); }
  void operator()(const ScaleOp& op) const { float_scale(f, op); }
  void operator()(const ReluOp& op) const {
    f.out() = f.in(0);
    f.relu_if(true, op.max);
  }
  void operator()(const PReluOp&) const { float_prelu(f); }
  void operator()(const UnaryOp& op) const { float_unary(f, op); }
  void operator()(const AddOp& op) const {
    const float* a = f.in(0).data();
    const float* b = f.in(1).data();
    float* to = f.out().data();
    for (size_t i = 0; i < f.out().size(); ++i) to[i] = a[i] + b[i];
    f.relu_if(op.relu, op.relu_max);
  }
  void operator()(const BinaryOp& op) const { float_binary(f, op); }
  void operator()(const PoolOp& op) const { float_pool(f, op); }
  void operator()(const FlattenOp&) const { f.out() = f.in(0); }
  void operator()(const IdentityOp&) const { f.out() = f.in(0); }
  void operator()(const ReorderOp& op) const { float_reorder(f, op); }
  void operator()(const ConcatOp& op) const { float_concat(f, op); }
  void operator()(const SliceOp& op) const { float_slice(f, op); }
  void operator()(const PadOp& op) const { float_pad(f, op); }
  void operator()(const ResizeOp& op) const { float_resize(f, op); }
  void operator()(const ReduceOp& op) const { float_reduce(f, op); }
  void operator()(const LayerNormOp& op) const { float_layer_norm(f, op); }
  void operator()(const LrnOp& op) const { float_lrn(f, op); }
  void operator()(const SoftmaxOp& op) const { float_softmax(f, op); }
  void operator()(const ArgMaxOp& op) const { float_arg_max(f, op); }
  void operator()(const CustomOp& op) const {
    std::vector<CustomTensor> inputs;
    for (size_t i = 0; i < f.node.inputs.size(); ++i) inputs.push_back({f.shape(i), f.in(i)});
    DLAVP_CHECK(op.definition->evaluate != nullptr, "operator {} has no float function",
                op.definition->name);
    op.definition->evaluate(op.attributes, inputs, f.out_shape(), f.out());
  }
};

}  // namespace

FloatValues interpret_float(const Graph& graph, const std::vector<std::vector<float>>& inputs) {
  DLAVP_CHECK(inputs.size() == graph.inputs.size(), "{} inputs, graph has {}", inputs.size(),
              graph.inputs.size());
  FloatValues values(graph.tensors.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& t = graph.tensor(graph.inputs[i]);
    DLAVP_CHECK(inputs[i].size() == static_cast<size_t>(t.shape.elements()),
                "input {}: {} values, shape {}", t.name, inputs[i].size(), t.shape.text());
    values[graph.inputs[i]] = inputs[i];
  }
  for (const Node& node : graph.nodes) {
    values[node.output].assign(static_cast<size_t>(graph.tensor(node.output).shape.elements()),
                               0.0F);
    std::visit(Evaluate{{graph, node, values}}, node.op);
  }
  return values;
}

}  // namespace dlavp::compiler
