// Passes that express an operator by others: transposed convolution, reductions over space, layer
// normalisation written out as its steps.
#include <algorithm>

#include "compiler/passes/graph_index.hpp"
#include "compiler/passes/passes.hpp"

namespace dlavp::compiler {
namespace {

/// Weights C x K/g x R x S of a transposed convolution as K x C/g x R x S, turned by 180 degrees.
std::vector<float> turned_weights(const Tensor& w, int64_t groups) {
  const int64_t c = w.shape.n / groups;
  const int64_t k = w.shape.c;
  const int64_t taps = w.shape.h * w.shape.w;
  std::vector<float> out(w.values.size());
  for (int64_t g = 0; g < groups; ++g) {
    for (int64_t i = 0; i < c; ++i) {
      for (int64_t o = 0; o < k; ++o) {
        for (int64_t t = 0; t < taps; ++t) {
          out[static_cast<size_t>(((g * k + o) * c + i) * taps + t)] =
              w.values[static_cast<size_t>(((g * c + i) * k + o) * taps + taps - 1 - t)];
        }
      }
    }
  }
  return out;
}

Node add_before(Graph& graph, const Node& node, Operator op, TensorId input, const char* what) {
  Node out{node.name + what, std::move(op), {input}, 0};
  const auto shape = infer_shape(graph, out);
  DLAVP_CHECK(shape.ok(), "{}", shape.ok() ? "" : shape.errors().text());
  out.output = graph.add_tensor(fresh_name(graph, graph.tensor(node.output).name + what), *shape);
  return out;
}

/// The convolution, with what has to come before it appended to `before`.
void lower_conv_transpose_node(Graph& graph, Node& node, std::vector<Node>& before) {
  const ConvTransposeOp op = *node.as<ConvTransposeOp>();
  const Window& w = op.window;
  TensorId x = node.inputs[0];
  if (w.stride_h != 1 || w.stride_w != 1) {
    ResizeOp zeros;
    zeros.kind = ResizeKind::kZeroInsert;
    zeros.scale_h = w.stride_h;
    zeros.scale_w = w.stride_w;
    zeros.out_h = (graph.tensor(x).shape.h - 1) * w.stride_h + 1;
    zeros.out_w = (graph.tensor(x).shape.w - 1) * w.stride_w + 1;
    before.push_back(add_before(graph, node, zeros, x, ".zeros"));
    x = before.back().output;
  }
  const std::array<int64_t, 4> pads = {
      w.extent_h() - 1 - w.pad_top, w.extent_h() - 1 - w.pad_bottom + op.output_pad_h,
      w.extent_w() - 1 - w.pad_left, w.extent_w() - 1 - w.pad_right + op.output_pad_w};
  if (std::any_of(pads.begin(), pads.end(), [](int64_t p) { return p < 0; })) {
    SliceOp cut;
    cut.size = graph.tensor(x).shape;
    const auto off = [&](size_t i) { return std::max<int64_t>(0, -pads[i]); };
    cut.start = {0, 0, off(0), off(2)};
    cut.size.h -= off(0) + off(1);
    cut.size.w -= off(2) + off(3);
    before.push_back(add_before(graph, node, cut, x, ".cut"));
    x = before.back().output;
  }
  const auto pad = [&](size_t i) { return static_cast<uint32_t>(std::max<int64_t>(0, pads[i])); };
  ConvOp conv;
  conv.groups = op.groups;
  conv.window = w;
  conv.window.stride_h = conv.window.stride_w = 1;
  conv.window.pad_top = pad(0);
  conv.window.pad_bottom = pad(1);
  conv.window.pad_left = pad(2);
  conv.window.pad_right = pad(3);
  const Tensor& weights = graph.tensor(node.inputs[1]);
  const Shape shape{weights.shape.c * op.groups, weights.shape.n / op.groups, weights.shape.h,
                    weights.shape.w};
  const std::vector<double> scales =
      weights.kernel_scales.size() == 1 ? weights.kernel_scales : std::vector<double>{};
  const TensorId turned = graph.add_constant(fresh_name(graph, node.name + ".turned"), shape,
                                             turned_weights(weights, op.groups));
  graph.tensor(turned).kernel_scales = scales;
  node.inputs = {x, turned, node.inputs[2]};
  node.op = conv;
}

/// The epsilon of a chain of Unaries sqrt(x + epsilon) that ends at `id`, and where it starts.
std::optional<std::pair<double, TensorId>> root_of_sum(GraphIndex& index, TensorId id) {
  UnaryProgram program;
  for (Node* n = index.producer_as<UnaryOp>(id); n != nullptr && index.uses(id) == 1;
       n = index.producer_as<UnaryOp>(id)) {
    program = compose(n->as<UnaryOp>()->steps, program);
    id = n->inputs[0];
  }
  program = simplify(program);
  if (program.size() != 2 || program[0].kind != UnaryKind::kAffine || program[0].a != 1 ||
      program[0].b < 0)
    return std::nullopt;
  const bool root = program[1].kind == UnaryKind::kSqrt ||
                    (program[1].kind == UnaryKind::kPow && program[1].a == 0.5);
  if (!root) return std::nullopt;
  return std::pair{program[0].b, id};
}

bool is_square(GraphIndex& index, TensorId id, TensorId of) {
  const Node* n = index.producer(id);
  if (n == nullptr || n->inputs[0] != of) return false;
  if (const auto* u = n->as<UnaryOp>()) return u->steps == UnaryProgram{{UnaryKind::kPow, 2, 0}};
  const auto* b = n->as<BinaryOp>();
  return b != nullptr && b->kind == BinaryKind::kMul && n->inputs[1] == of;
}

bool same_axes(const ReduceOp& a, const ReduceOp& b) {
  return a.kind == ReduceKind::kMean && b.kind == ReduceKind::kMean && a.c == b.c && a.h == b.h &&
         a.w == b.w;
}

/// (x - mean) / sqrt(mean((x - mean)^2) + epsilon), if `node` is its division.
bool match_layer_norm(Graph& graph, GraphIndex& index, Node& node) {
  const auto* div = node.as<BinaryOp>();
  if (div == nullptr || div->kind != BinaryKind::kDiv || div->relu) return false;
  const auto root = root_of_sum(index, node.inputs[1]);
  if (!root) return false;
  const Node* variance = index.producer_as<ReduceOp>(root->second);
  const Node* difference = index.producer_as<BinaryOp>(node.inputs[0]);
  if (variance == nullptr || difference == nullptr) return false;
  const BinaryOp& sub = *difference->as<BinaryOp>();
  const TensorId x = difference->inputs[0];
  const Node* mean = index.producer_as<ReduceOp>(difference->inputs[1]);
  if (sub.kind != BinaryKind::kSub || sub.relu || mean == nullptr || mean->inputs[0] != x ||
      !same_axes(*mean->as<ReduceOp>(), *variance->as<ReduceOp>()) ||
      !is_square(index, variance->inputs[0], node.inputs[0]) ||
      graph.tensor(x).shape != graph.tensor(node.output).shape)
    return false;
  const ReduceOp axes = *mean->as<ReduceOp>();
  const int64_t c = graph.tensor(x).shape.c;
  const auto vector = [&](const char* what, float value) {
    return graph.add_constant(fresh_name(graph, node.name + what), {1, c, 1, 1},
                              std::vector<float>(static_cast<size_t>(c), value));
  };
  const TensorId gamma = vector(".gamma", 1);
  const TensorId beta = vector(".beta", 0);
  index.set_inputs(node, {x, gamma, beta});
  node.op = LayerNormOp{static_cast<float>(root->first), axes.c, axes.h, axes.w, 1};
  return true;
}

}  // namespace

size_t lower_conv_transpose(Graph& graph) {
  size_t applied = 0;
  std::vector<Node> nodes;
  for (Node& node : graph.nodes) {
    if (node.as<ConvTransposeOp>() != nullptr) {
      lower_conv_transpose_node(graph, node, nodes);
      ++applied;
    }
    nodes.push_back(std::move(node));
  }
  graph.nodes = std::move(nodes);
  return applied;
}

size_t reduce_to_pool(Graph& graph) {
  size_t applied = 0;
  for (Node& node : graph.nodes) {
    const auto* reduce = node.as<ReduceOp>();
    if (reduce == nullptr || reduce->c || (!reduce->h && !reduce->w)) continue;
    if (reduce->kind != ReduceKind::kMean && reduce->kind != ReduceKind::kMax) continue;
    const Shape& x = graph.tensor(node.inputs[0]).shape;
    PoolOp pool;
    pool.kind = reduce->kind == ReduceKind::kMean ? PoolKind::kAverage : PoolKind::kMax;
    if (reduce->h) pool.window.kernel_h = static_cast<uint32_t>(x.h);
    if (reduce->w) pool.window.kernel_w = static_cast<uint32_t>(x.w);
    node.op = pool;
    ++applied;
  }
  return applied;
}

size_t find_layer_norms(Graph& graph) {
  size_t applied = 0;
  GraphIndex index(graph);
  for (Node& node : graph.nodes) applied += match_layer_norm(graph, index, node) ? 1 : 0;
  return applied + (applied != 0 ? remove_dead_nodes(graph) : 0);
}

}  // namespace dlavp::compiler
