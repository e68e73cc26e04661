// Fusion into the SDP stages that follow a convolution: eltwise add, then ReLU; and ReLUs that do
// nothing.
#include <algorithm>

#include "compiler/passes/passes.hpp"

namespace dlavp::compiler {
namespace {

/// Position of the Conv that writes `id` and could add another operand, or none.
std::optional<size_t> addable_conv(const Graph& graph, TensorId id) {
  const auto at = graph.producer(id);
  if (!at || graph.uses(id) != 1) return std::nullopt;
  const auto* conv = graph.nodes[*at].as<ConvOp>();
  if (conv == nullptr || conv->relu || conv->residual) return std::nullopt;
  return at;
}

/// Makes `op` apply a Relu last; false if it cannot.
bool apply_relu(Operator& op, float max) {
  const auto set = [max](auto& to) {
    to.relu = true;
    to.relu_max = std::min(to.relu_max, max);
    return true;
  };
  if (auto* conv = std::get_if<ConvOp>(&op)) return set(*conv);
  if (auto* scale = std::get_if<ScaleOp>(&op)) return set(*scale);
  if (auto* add = std::get_if<AddOp>(&op)) return set(*add);
  if (auto* binary = std::get_if<BinaryOp>(&op)) return set(*binary);
  return false;
}

}  // namespace

size_t drop_relus(Graph& graph) {
  std::vector<bool> not_negative(graph.tensors.size());
  size_t applied = 0;
  for (Node& node : graph.nodes) {
    const bool inputs = std::all_of(node.inputs.begin(), node.inputs.end(),
                                    [&](TensorId id) { return not_negative[id]; });
    const auto* relu = node.as<ReluOp>();
    const auto* softmax = node.as<SoftmaxOp>();
    not_negative[node.output] = relu != nullptr || (softmax != nullptr && !softmax->log) ||
                                (moves_values(node.op) && inputs);
    if (relu == nullptr || relu->max != kUnbounded || !inputs) continue;
    node.op = IdentityOp{};
    ++applied;
  }
  return applied;
}

size_t fuse_add(Graph& graph) {
  size_t applied = 0;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node add = graph.nodes[i];
    if (add.as<AddOp>() == nullptr || add.inputs[0] == add.inputs[1]) continue;
    const auto left = addable_conv(graph, add.inputs[0]);
    const auto right = addable_conv(graph, add.inputs[1]);
    if (!left && !right) continue;
    const bool use_right = right && (!left || *right > *left);
    const size_t at = use_right ? *right : *left;
    Node conv = graph.nodes[at];
    conv.as<ConvOp>()->residual = true;
    conv.as<ConvOp>()->relu = add.as<AddOp>()->relu;
    conv.as<ConvOp>()->relu_max = add.as<AddOp>()->relu_max;
    conv.inputs.push_back(add.inputs[use_right ? 0 : 1]);
    conv.output = add.output;
    // It takes the Add's place in the order: the other operand may be produced after the Conv was.
    graph.nodes[i] = std::move(conv);
    graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(at));
    --i;
    ++applied;
  }
  return applied;
}

size_t fuse_relu(Graph& graph) {
  size_t applied = 0;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node relu = graph.nodes[i];
    if (relu.as<ReluOp>() == nullptr) continue;
    const auto before = graph.producer(relu.inputs[0]);
    if (!before || graph.uses(relu.inputs[0]) != 1) continue;
    if (!apply_relu(graph.nodes[*before].op, relu.as<ReluOp>()->max)) continue;
    // What the model quantised before the Relu lies on the same steps after it.
    Tensor& result = graph.tensor(relu.output);
    if (!result.prescribed) result.prescribed = graph.tensor(relu.inputs[0]).prescribed;
    graph.nodes[*before].output = relu.output;
    graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i));
    --i;
    ++applied;
  }
  return applied;
}

}  // namespace dlavp::compiler
