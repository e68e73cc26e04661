// Elementwise functions: whatever is computed from one tensor alone becomes one program, and
// programs that the accelerator has a cheaper form for (a factor, a bounded Relu) become that.
#include "compiler/ir/unary.hpp"

#include <cmath>

#include "compiler/passes/graph_index.hpp"
#include "compiler/passes/passes.hpp"

namespace dlavp::compiler {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

UnaryStep clip_of(const ReluOp& relu) {
  const double max = relu.max == kUnbounded ? kInfinity : double{relu.max};
  return {UnaryKind::kClip, 0, max};
}

bool absorbs_relu(const Node* n) {
  return n != nullptr &&
         (n->as<ConvOp>() != nullptr || n->as<ScaleOp>() != nullptr || n->as<AddOp>() != nullptr ||
          n->as<BinaryOp>() != nullptr || n->as<BatchNormOp>() != nullptr ||
          n->as<GemmOp>() != nullptr || n->as<ConvTransposeOp>() != nullptr);
}

/// What a tensor is of another one: the function that the only-read Unary or Relu before it is.
struct Origin {
  TensorId root = 0;
  UnaryProgram program;
  Node* node = nullptr;  ///< null: the tensor itself
};

Origin origin(GraphIndex& index, TensorId id, size_t readers) {
  Node* n = index.producer(id);
  if (n == nullptr || index.uses(id) != readers) return {id, {}, nullptr};
  if (const auto* u = n->as<UnaryOp>()) return {n->inputs[0], u->steps, n};
  if (const auto* r = n->as<ReluOp>()) return {n->inputs[0], {clip_of(*r)}, n};
  return {id, {}, nullptr};
}

UnaryKind value_kind(BinaryKind kind) {
  static constexpr UnaryKind kKinds[] = {
      UnaryKind::kAddValue, UnaryKind::kSubValue, UnaryKind::kMulValue, UnaryKind::kDivValue,
      UnaryKind::kMaxValue, UnaryKind::kMinValue, UnaryKind::kPowValue};
  return kKinds[static_cast<size_t>(kind)];
}

/// a kind b, both functions of one tensor: one program.
bool merge_operands(GraphIndex& index, Node& node, BinaryKind kind, bool relu, float relu_max) {
  const bool same = node.inputs[0] == node.inputs[1];
  const Origin a = origin(index, node.inputs[0], same ? 2 : 1);
  const Origin b = origin(index, node.inputs[1], same ? 2 : 1);
  if (a.root != b.root) return false;
  // The accelerator adds and clips by itself; a table would be no gain.
  const auto clips = [](const UnaryProgram& p) {
    return p.empty() || (p.size() == 1 && p[0].kind == UnaryKind::kClip);
  };
  if (kind == BinaryKind::kAdd && clips(a.program) && clips(b.program)) return false;
  UnaryProgram program = combine(a.program, value_kind(kind), b.program);
  if (relu) program = compose(program, {clip_of(ReluOp{relu_max})});
  Node* first = a.node;
  Node* second = same ? nullptr : b.node;
  const TensorId root = a.root;
  index.set_inputs(node, {root});
  node.op = UnaryOp{simplify(std::move(program))};
  if (first != nullptr) index.kill(*first);
  if (second != nullptr) index.kill(*second);
  return true;
}

/// A Unary or Relu after a Unary (or a Relu that nothing before it takes): one program.
bool merge_chain(GraphIndex& index, Node& node) {
  Node* before = index.producer(node.inputs[0]);
  if (before == nullptr || index.uses(node.inputs[0]) != 1) return false;
  const auto* u = before->as<UnaryOp>();
  const auto* r = before->as<ReluOp>();
  if (r != nullptr && (absorbs_relu(index.producer(before->inputs[0])) || node.as<ReluOp>()))
    r = nullptr;
  if (u == nullptr && r == nullptr) return false;
  const UnaryProgram first = u != nullptr ? u->steps : UnaryProgram{clip_of(*r)};
  const UnaryProgram second = node.as<UnaryOp>() != nullptr
                                  ? node.as<UnaryOp>()->steps
                                  : UnaryProgram{clip_of(*node.as<ReluOp>())};
  node.op = UnaryOp{simplify(compose(first, second))};
  const TensorId root = before->inputs[0];
  index.set_inputs(node, {root});
  index.kill(*before);
  return true;
}

/// The channels' factors and shifts of a whole tensor's.
void to_scale(Graph& graph, Node& node, double a, double b, bool relu, double max) {
  const int64_t c = graph.tensor(node.inputs[0]).shape.c;
  const auto constant = [&](const char* what, double value) {
    return graph.add_constant(
        fresh_name(graph, node.name + what), {1, c, 1, 1},
        std::vector<float>(static_cast<size_t>(c), static_cast<float>(value)));
  };
  const TensorId factor = constant(".factor", a);
  const TensorId shift = constant(".shift", b);
  node.inputs = {node.inputs[0], factor, shift};
  node.op = ScaleOp{relu, max == kInfinity ? kUnbounded : static_cast<float>(max)};
}

bool small(double v) { return std::isfinite(v) && std::abs(v) < 1e30; }

}  // namespace

size_t merge_unary(Graph& graph) {
  size_t applied = 0;
  GraphIndex index(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    bool changed = false;
    if (const auto* binary = node.as<BinaryOp>()) {
      changed = merge_operands(index, node, binary->kind, binary->relu, binary->relu_max);
    } else if (const auto* add = node.as<AddOp>()) {
      changed = merge_operands(index, node, BinaryKind::kAdd, add->relu, add->relu_max);
    }
    if (node.as<UnaryOp>() != nullptr || node.as<ReluOp>() != nullptr) {
      while (merge_chain(index, node)) changed = true;
    }
    applied += changed ? 1 : 0;
  }
  index.sweep();
  return applied;
}

size_t simplify_unary(Graph& graph) {
  size_t applied = 0;
  for (Node& node : graph.nodes) {
    auto* op = node.as<UnaryOp>();
    if (op == nullptr) continue;
    op->steps = simplify(std::move(op->steps));
    const UnaryProgram p = op->steps;
    const auto is = [&](size_t i, UnaryKind kind) { return i < p.size() && p[i].kind == kind; };
    const bool affine = is(0, UnaryKind::kAffine) && small(p[0].a) && small(p[0].b);
    const auto bounded = [&](size_t i) {
      return is(i, UnaryKind::kClip) && p[i].a == 0 && p[i].b > 0;
    };
    if (p.empty()) {
      node.op = IdentityOp{};
    } else if (p.size() == 1 && affine) {
      to_scale(graph, node, p[0].a, p[0].b, false, kInfinity);
    } else if (p.size() == 1 && bounded(0)) {
      node.op = ReluOp{p[0].b == kInfinity ? kUnbounded : static_cast<float>(p[0].b)};
    } else if (p.size() == 2 && affine && bounded(1)) {
      to_scale(graph, node, p[0].a, p[0].b, true, p[1].b);
    } else if (p.size() == 1 && is(0, UnaryKind::kHardSigmoid)) {
      to_scale(graph, node, p[0].a, p[0].b, true, 1);
    } else {
      continue;
    }
    ++applied;
  }
  return applied;
}

}  // namespace dlavp::compiler
