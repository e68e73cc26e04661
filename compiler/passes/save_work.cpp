// Rewrites that leave less to compute and keep the values of the graph's outputs: pixels that no
// reader looks at are not computed, and a sum of two 1x1 convolutions is one over both inputs.
#include <algorithm>

#include "compiler/passes/graph_index.hpp"
#include "compiler/passes/passes.hpp"

namespace dlavp::compiler {
namespace {

constexpr uint32_t kLargestStride = 8;  ///< of a convolution or pooling in hardware

struct Stride {
  uint32_t h = 1, w = 1;
  bool operator==(const Stride&) const = default;
};

bool one_pixel(const Window& w) { return w.kernel_h == 1 && w.kernel_w == 1 && !w.padded(); }

Window* window_of(Node& node) {
  if (auto* conv = node.as<ConvOp>()) return &conv->window;
  if (auto* pool = node.as<PoolOp>()) return &pool->window;
  return nullptr;
}

/// How `node` steps over its first input if it reads single pixels of it.
std::optional<Stride> sampling(Node& node, TensorId id) {
  const Window* w = window_of(node);
  if (w == nullptr || !one_pixel(*w) || node.inputs[0] != id ||
      std::count(node.inputs.begin(), node.inputs.end(), id) != 1)
    return std::nullopt;
  return Stride{w->stride_h, w->stride_w};
}

/// Nodes that read each tensor; an output of the graph has a null reader too.
std::vector<std::vector<Node*>> readers_of(Graph& graph) {
  std::vector<std::vector<Node*>> out(graph.tensors.size());
  for (Node& node : graph.nodes) {
    for (TensorId id : node.inputs) out[id].push_back(&node);
  }
  for (TensorId id : graph.outputs) out[id].push_back(nullptr);
  return out;
}

/// The one stride above 1 with which all readers step over `id`.
std::optional<Stride> common_stride(const std::vector<Node*>& readers, TensorId id) {
  std::optional<Stride> out;
  for (Node* reader : readers) {
    const auto stride = reader == nullptr ? std::nullopt : sampling(*reader, id);
    if (!stride || (out && *out != *stride)) return std::nullopt;
    out = stride;
  }
  return out == Stride{} ? std::nullopt : out;
}

/// Makes a residual's pixels those that the convolution still computes: a pooling of one pixel in
/// front of it, which may move on to the residual's producer.
Node sampled_residual(Graph& graph, Node& conv, const Stride& stride) {
  Node pool;
  pool.name = conv.name + ".residual";
  PoolOp op;
  op.window.stride_h = stride.h;
  op.window.stride_w = stride.w;
  pool.op = op;
  pool.inputs = {conv.inputs[3]};
  const Tensor from = graph.tensor(conv.inputs[3]);
  pool.output = graph.add_tensor(
      fresh_name(graph, from.name + ".sampled"),
      {1, from.shape.c, graph.tensor(conv.output).shape.h, graph.tensor(conv.output).shape.w});
  graph.tensor(pool.output).prescribed = from.prescribed;
  conv.inputs[3] = pool.output;
  return pool;
}

/// Moves a stride from all readers of a node's output into the node, for the first node where that
/// is possible.
bool move_one_stride(Graph& graph) {
  const auto readers = readers_of(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    Window* w = window_of(node);
    if (w == nullptr) continue;
    const auto stride = common_stride(readers[node.output], node.output);
    if (!stride || w->stride_h * stride->h > kLargestStride ||
        w->stride_w * stride->w > kLargestStride)
      continue;
    w->stride_h *= stride->h;
    w->stride_w *= stride->w;
    for (Node* reader : readers[node.output]) window_of(*reader)->stride_h = 1;
    for (Node* reader : readers[node.output]) window_of(*reader)->stride_w = 1;
    Shape& shape = graph.tensor(node.output).shape;
    shape = {shape.n, shape.c, (shape.h - 1) / stride->h + 1, (shape.w - 1) / stride->w + 1};
    const auto* conv = node.as<ConvOp>();
    if (conv != nullptr && conv->residual) {
      Node pool = sampled_residual(graph, node, *stride);
      graph.nodes.insert(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i), std::move(pool));
    }
    return true;
  }
  return false;
}

/// Its values lie alone in memory that a join could own.
bool joinable(Graph& graph, GraphIndex& index, TensorId id) {
  const Node* from = index.producer(id);
  const bool own_layer =
      from != nullptr && (from->as<ConvOp>() != nullptr || from->as<PoolOp>() != nullptr);
  const bool joined = std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& n) {
    return n.as<ConcatOp>() != nullptr && std::count(n.inputs.begin(), n.inputs.end(), id) != 0;
  });
  return own_layer && !joined && !graph.tensor(id).prescribed &&
         std::count(graph.outputs.begin(), graph.outputs.end(), id) == 0;
}

/// A convolution of single pixels whose weights may be joined with others'.
const ConvOp* plain_conv(const Graph& graph, const Node* node) {
  const auto* op = node == nullptr ? nullptr : node->as<ConvOp>();
  if (op == nullptr || op->groups != 1 || !one_pixel(op->window) || op->window.stride_h != 1 ||
      op->window.stride_w != 1 || !graph.tensor(node->inputs[1]).kernel_scales.empty())
    return nullptr;
  return op;
}

std::vector<float> joined_weights(const Tensor& a, const Tensor& b) {
  std::vector<float> out;
  out.reserve(a.values.size() + b.values.size());
  for (int64_t k = 0; k < a.shape.n; ++k) {
    for (const Tensor* t : {&a, &b})
      out.insert(out.end(), t->values.begin() + k * t->shape.c,
                 t->values.begin() + (k + 1) * t->shape.c);
  }
  return out;
}

/// Gives `sum`, which adds the result of `other`, the inputs and weights of both, and returns the
/// join of their inputs.
Node join_into(Graph& graph, Node& sum, const Node& other) {
  const Tensor& a = graph.tensor(other.inputs[0]);
  const Tensor& b = graph.tensor(sum.inputs[0]);
  Node join;
  join.name = sum.name + ".inputs";
  join.op = ConcatOp{1};
  join.inputs = {other.inputs[0], sum.inputs[0]};
  const Shape shape{1, a.shape.c + b.shape.c, a.shape.h, a.shape.w};
  std::vector<float> bias = graph.tensor(sum.inputs[2]).values;
  const std::vector<float>& more = graph.tensor(other.inputs[2]).values;
  for (size_t k = 0; k < bias.size(); ++k) bias[k] += more[k];
  const Tensor &wa = graph.tensor(other.inputs[1]), &wb = graph.tensor(sum.inputs[1]);
  const Shape weight_shape{wb.shape.n, shape.c, 1, 1}, bias_shape{1, wb.shape.n, 1, 1};
  std::vector<float> weights = joined_weights(wa, wb);
  join.output = graph.add_tensor(fresh_name(graph, sum.name + ".inputs"), shape);
  const TensorId w = graph.add_constant(fresh_name(graph, sum.name + ".joined_weights"),
                                        weight_shape, std::move(weights));
  const TensorId c =
      graph.add_constant(fresh_name(graph, sum.name + ".joined_bias"), bias_shape, std::move(bias));
  sum.inputs = {join.output, w, c};
  sum.as<ConvOp>()->residual = false;
  return join;
}

}  // namespace

size_t move_strides(Graph& graph) {
  size_t applied = 0;
  while (move_one_stride(graph)) ++applied;
  return applied + (applied != 0 ? remove_identities(graph) : 0);
}

size_t join_sums(Graph& graph) {
  size_t applied = 0;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    GraphIndex index(graph);
    Node& sum = graph.nodes[i];
    const ConvOp* op = plain_conv(graph, &sum);
    if (op == nullptr || !op->residual || index.uses(sum.inputs[3]) != 1 ||
        graph.tensor(sum.inputs[3]).prescribed)
      continue;
    const Node* other = index.producer(sum.inputs[3]);
    const ConvOp* projection = plain_conv(graph, other);
    if (projection == nullptr || projection->relu || projection->residual ||
        other->inputs[0] == sum.inputs[0] || !joinable(graph, index, other->inputs[0]) ||
        !joinable(graph, index, sum.inputs[0]))
      continue;
    const TensorId dead = sum.inputs[3];
    Node join = join_into(graph, sum, *other);
    graph.nodes.insert(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i), std::move(join));
    graph.remove_nodes([&](const Node& n) { return n.output == dead; });
    ++applied;
  }
  return applied;
}

}  // namespace dlavp::compiler
