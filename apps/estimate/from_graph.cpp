#include "apps/estimate/from_graph.hpp"

namespace dlavp::estimate {

namespace {

using compiler::ConvOp;
using compiler::Graph;
using compiler::Node;
using compiler::PoolOp;
using compiler::TensorId;

uint32_t size(int64_t value) { return static_cast<uint32_t>(value); }

/// The only node that reads `id`, or null.
const Node* only_reader(const Graph& graph, TensorId id) {
  if (graph.uses(id) != 1) return nullptr;
  for (const Node& node : graph.nodes)
    for (const TensorId input : node.inputs)
      if (input == id) return &node;
  return nullptr;
}

std::optional<SheetPool> pool_behind(const Graph& graph, const Node& conv) {
  const Node* reader = only_reader(graph, conv.output);
  const PoolOp* pool = reader ? reader->as<PoolOp>() : nullptr;
  if (!pool) return std::nullopt;
  const compiler::Window& w = pool->window;
  return SheetPool{w.kernel_h, w.kernel_w, w.stride_h, w.stride_w};
}

/// A convolution as large as its input is what the passes made of a fully connected layer.
bool fully_connected(const ConvOp& op, const compiler::Shape& in) {
  return !op.window.padded() && op.groups == 1 && op.window.kernel_h == in.h &&
         op.window.kernel_w == in.w;
}

SheetLayer layer_of(const Graph& graph, const Node& node, const ConvOp& op) {
  const compiler::Shape& in = graph.tensor(node.inputs[0]).shape;
  const compiler::Shape& weights = graph.tensor(node.inputs[1]).shape;
  SheetLayer l;
  l.name = node.name;
  if (op.residual) l.kind = LayerKind::kConvAdd;
  if (fully_connected(op, in)) l.kind = LayerKind::kFullyConnected;
  l.groups = op.groups;
  l.channels = size(in.c) / op.groups;
  l.height = size(in.h);
  l.width = size(in.w);
  l.kernels = size(weights.n) / op.groups;
  l.kernel_h = op.window.kernel_h;
  l.kernel_w = op.window.kernel_w;
  l.stride_h = op.window.stride_h;
  l.stride_w = op.window.stride_w;
  // The pages know padded and not padded; a kernel larger than its input is only padded.
  l.padded = op.window.padded() || in.h < l.kernel_h || in.w < l.kernel_w;
  l.pool = pool_behind(graph, node);
  return l;
}

}  // namespace

Result<SheetNetwork> from_graph(const Graph& graph, const std::string& place) {
  SheetNetwork net{.name = graph.name, .layers = {}, .rules = {}};
  for (const Node& node : graph.nodes)
    if (const ConvOp* op = node.as<ConvOp>()) net.layers.push_back(layer_of(graph, node, *op));
  if (net.layers.empty())
    return Error{"estimate.no_layer", place,
                 fmt::format("{} nodes and no convolution or fully connected layer: there is "
                             "nothing to estimate",
                             graph.nodes.size())};
  return net;
}

}  // namespace dlavp::estimate
