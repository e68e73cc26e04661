// Passes on operators that move elements: padding into the window after it, reorders merged,
// concatenations of concatenations flattened.
#include <algorithm>

#include "compiler/ir/view.hpp"
#include "compiler/passes/graph_index.hpp"
#include "compiler/passes/passes.hpp"

namespace dlavp::compiler {
namespace {

bool never_negative(GraphIndex& index, TensorId id) {
  const Node* n = index.producer(id);
  if (n == nullptr) return false;
  if (n->as<ReluOp>() != nullptr) return true;
  if (const auto* conv = n->as<ConvOp>()) return conv->relu;
  if (const auto* scale = n->as<ScaleOp>()) return scale->relu;
  if (const auto* add = n->as<AddOp>()) return add->relu;
  if (n->as<PoolOp>() != nullptr) return never_negative(index, n->inputs[0]);
  return false;
}

void widen(Window& w, const PadOp& pad) {
  w.pad_top += static_cast<uint32_t>(pad.before[2]);
  w.pad_bottom += static_cast<uint32_t>(pad.after[2]);
  w.pad_left += static_cast<uint32_t>(pad.before[3]);
  w.pad_right += static_cast<uint32_t>(pad.after[3]);
}

/// The reader of a Pad with the padding as its own, if it computes the same.
std::optional<Operator> with_padding(GraphIndex& index, const Node& reader, const Node& padding) {
  const PadOp& pad = *padding.as<PadOp>();
  const bool space = pad.mode == PadMode::kConstant && pad.before[1] == 0 && pad.after[1] == 0;
  if (!space) return std::nullopt;
  if (const auto* conv = reader.as<ConvOp>()) {
    if (pad.value != 0 || reader.inputs[0] != padding.output) return std::nullopt;
    ConvOp out = *conv;
    widen(out.window, pad);
    return out;
  }
  const auto* pool = reader.as<PoolOp>();
  if (pool == nullptr) return std::nullopt;
  PoolOp out = *pool;
  widen(out.window, pad);
  if (pool->kind == PoolKind::kMax) {
    // Its own padding never wins; zeros do not either where nothing is below zero.
    const bool never_wins = pad.value <= -1e30F;
    const bool ties = pad.value == 0 && never_negative(index, padding.inputs[0]);
    return never_wins || ties ? std::optional<Operator>(out) : std::nullopt;
  }
  // An average counts the zeros that the Pad brought; its own padding must be counted too, and
  // what rounding up appended stays uncounted at the end.
  if (pad.value != 0) return std::nullopt;
  const Window& w = pool->window;
  const bool own_counted = pool->count_include_pad || (w.pad_top == 0 && w.pad_left == 0 &&
                                                       w.pad_bottom == pool->uncounted_bottom &&
                                                       w.pad_right == pool->uncounted_right);
  if (!own_counted) return std::nullopt;
  out.count_include_pad = true;
  return out;
}

/// A Flatten or Reorder as a Reorder.
std::optional<ReorderOp> as_reorder(const Graph& graph, const Node& node) {
  if (const auto* op = node.as<ReorderOp>()) return *op;
  if (node.as<FlattenOp>() == nullptr) return std::nullopt;
  const Shape& s = graph.tensor(node.output).shape;
  return ReorderOp{{s.elements()}, {0}, s};
}

ModelView view_of(const ReorderOp& op) {
  Placement all;
  for (size_t i = 0; i < op.dims.size(); ++i) all[0].push_back(i);
  const ModelView in = placed_view(0, op.dims, all);
  return transposed(in, {op.perm.begin(), op.perm.end()});
}

/// `second` after `first` as one, if the dimensions of one divide those of the other.
std::optional<ReorderOp> composed(const ReorderOp& first, const ReorderOp& second) {
  const auto middle = reshaped(view_of(first), second.dims);
  if (!middle) return std::nullopt;
  const ModelView out = transposed(*middle, {second.perm.begin(), second.perm.end()});
  Placement all;
  for (size_t i = 0; i < out.rank(); ++i) all[0].push_back(i);
  const Shape flat{1, out.elements(), 1, 1};
  ReorderOp op = reorder_to(out, flat, all).value_or(ReorderOp{{out.elements()}, {0}, flat});
  op.shape = second.shape;
  return op;
}

bool keeps_order(const ReorderOp& op) { return std::is_sorted(op.perm.begin(), op.perm.end()); }

}  // namespace

size_t fold_pads(Graph& graph) {
  size_t applied = 0;
  GraphIndex index(graph);
  for (Node& node : graph.nodes) {
    for (;;) {
      if (node.as<ConvOp>() == nullptr && node.as<PoolOp>() == nullptr) break;
      const Node* padding = index.producer_as<PadOp>(node.inputs[0]);
      if (padding == nullptr) break;
      const auto op = with_padding(index, node, *padding);
      if (!op) break;
      Node changed{node.name, *op, node.inputs, node.output};
      changed.inputs[0] = padding->inputs[0];
      const auto shape = infer_shape(graph, changed);  // a pool may not have windows of padding
      if (!shape.ok() || *shape != graph.tensor(node.output).shape) break;
      index.set_inputs(node, changed.inputs);
      node.op = *op;
      ++applied;
    }
  }
  return applied + (applied != 0 ? remove_dead_nodes(graph) : 0);
}

size_t merge_reorders(Graph& graph) {
  size_t applied = 0;
  GraphIndex index(graph);
  for (Node& node : graph.nodes) {
    auto op = as_reorder(graph, node);
    if (!op) continue;
    bool changed = false;
    while (const Node* before = index.producer(node.inputs[0])) {
      const auto first = as_reorder(graph, *before);
      const auto both = first ? composed(*first, *op) : std::nullopt;
      if (!both) break;
      op = both;
      index.set_inputs(node, {before->inputs[0]});
      changed = true;
    }
    const Shape& in = graph.tensor(node.inputs[0]).shape;
    if (keeps_order(*op) && in == op->shape) {
      node.op = IdentityOp{};
    } else if (keeps_order(*op) && op->shape == Shape{1, op->shape.c, 1, 1}) {
      node.op = FlattenOp{};
    } else {
      node.op = *op;
    }
    applied += changed ? 1 : 0;
  }
  return applied + (applied != 0 ? remove_dead_nodes(graph) : 0);
}

size_t flatten_concats(Graph& graph) {
  size_t applied = 0;
  GraphIndex index(graph);
  for (Node& node : graph.nodes) {
    const auto* op = node.as<ConcatOp>();
    if (op == nullptr) continue;
    std::vector<TensorId> inputs;
    bool changed = false;
    for (TensorId id : node.inputs) {
      const Node* inner = index.producer_as<ConcatOp>(id);
      if (inner != nullptr && index.uses(id) == 1 && inner->as<ConcatOp>()->axis == op->axis &&
          !graph.tensor(id).prescribed) {
        inputs.insert(inputs.end(), inner->inputs.begin(), inner->inputs.end());
        changed = true;
      } else {
        inputs.push_back(id);
      }
    }
    if (!changed) continue;
    index.set_inputs(node, inputs);
    ++applied;
  }
  return applied + (applied != 0 ? remove_dead_nodes(graph) : 0);
}

}  // namespace dlavp::compiler
