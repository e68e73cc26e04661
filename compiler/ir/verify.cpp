// Shape inference and the rules of a well-formed graph. `verify` is run around every pass.
#include <cmath>
#include <set>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {
namespace {

Error wrong(const Node& node, const std::string& id, const std::string& message) {
  return {id, fmt::format("node '{}' ({})", node.name, operator_name(node.op)), message};
}

Result<Shape> window_shape(const Node& node, const Window& w, const Shape& in, int64_t channels) {
  const bool zero = w.kernel_h == 0 || w.kernel_w == 0 || w.stride_h == 0 || w.stride_w == 0 ||
                    w.dilation_h == 0 || w.dilation_w == 0;
  if (zero) return wrong(node, "ir.window", fmt::format("window {} has a zero size", w.text()));
  const int64_t padded_h = in.h + w.pad_top + w.pad_bottom;
  const int64_t padded_w = in.w + w.pad_left + w.pad_right;
  if (padded_h < w.extent_h() || padded_w < w.extent_w()) {
    return wrong(node, "ir.window",
                 fmt::format("window {} covers {}x{}, larger than the padded input {}x{}", w.text(),
                             w.extent_h(), w.extent_w(), padded_h, padded_w));
  }
  return Shape{1, channels, w.out_h(in.h), w.out_w(in.w)};
}

Result<Shape> vectors(const Graph& g, const Node& node, size_t first, int64_t channels) {
  const Shape expected{1, channels, 1, 1};
  for (size_t i = first; i < node.inputs.size(); ++i) {
    const Tensor& t = g.tensor(node.inputs[i]);
    if (t.shape != expected) {
      return wrong(node, "ir.vector_shape",
                   fmt::format("'{}' is {}, expected {}", t.name, t.shape.text(), expected.text()));
    }
  }
  return expected;
}

struct Inference {
  const Graph& g;
  const Node& node;

  [[nodiscard]] const Shape& in(size_t i) const { return g.tensor(node.inputs[i]).shape; }

  Result<Shape> operator()(const ConvOp& op) const {
    const Shape& w = in(1);
    if (op.groups == 0 || in(0).c % op.groups != 0 || w.n % op.groups != 0) {
      return wrong(node, "ir.groups",
                   fmt::format("groups {} do not divide {} input and {} output channels", op.groups,
                               in(0).c, w.n));
    }
    if (w.c * op.groups != in(0).c || w.h != op.window.kernel_h || w.w != op.window.kernel_w) {
      return wrong(node, "ir.weight_shape",
                   fmt::format("weights {}, expected {}x{}x{}x{} (input {}, groups {})", w.text(),
                               w.n, in(0).c / op.groups, op.window.kernel_h, op.window.kernel_w,
                               in(0).text(), op.groups));
    }
    if (in(2) != Shape{1, w.n, 1, 1}) {
      return wrong(node, "ir.vector_shape",
                   fmt::format("bias {}, expected 1x{}x1x1", in(2).text(), w.n));
    }
    auto out = window_shape(node, op.window, in(0), w.n);
    if (out.ok() && op.residual && in(3) != out.value()) {
      return wrong(node, "ir.residual_shape",
                   fmt::format("residual {}, expected {}", in(3).text(), out.value().text()));
    }
    return out;
  }
  Result<Shape> operator()(const GemmOp&) const {
    const Shape& w = in(1);
    if (w != Shape{w.n, in(0).elements(), 1, 1}) {
      return wrong(node, "ir.weight_shape",
                   fmt::format("weights {}, expected {}x{}x1x1 (input {})", w.text(), w.n,
                               in(0).elements(), in(0).text()));
    }
    return vectors(g, node, 2, w.n);
  }
  Result<Shape> channelwise() const {
    auto ok = vectors(g, node, 1, in(0).c);
    return ok.ok() ? Result<Shape>(in(0)) : ok;
  }
  Result<Shape> operator()(const BatchNormOp&) const { return channelwise(); }
  Result<Shape> operator()(const ScaleOp&) const { return channelwise(); }
  Result<Shape> operator()(const ReluOp&) const { return in(0); }
  Result<Shape> operator()(const AddOp&) const {
    if (in(0) != in(1)) {
      return wrong(node, "ir.add_shape",
                   fmt::format("operands {} and {} differ", in(0).text(), in(1).text()));
    }
    return in(0);
  }
  Result<Shape> operator()(const PoolOp& op) const {
    const Window& w = op.window;
    if (w.pad_top >= w.kernel_h || w.pad_bottom >= w.kernel_h || w.pad_left >= w.kernel_w ||
        w.pad_right >= w.kernel_w) {
      return wrong(node, "ir.pool_pad",
                   fmt::format("padding as large as the kernel in {}", w.text()));
    }
    return window_shape(node, op.window, in(0), in(0).c);
  }
  Result<Shape> operator()(const FlattenOp&) const { return Shape{1, in(0).elements(), 1, 1}; }
  Result<Shape> operator()(const SoftmaxOp&) const {
    if (in(0).h != 1 || in(0).w != 1) {
      return wrong(node, "ir.softmax_shape",
                   fmt::format("input {}, expected 1xCx1x1", in(0).text()));
    }
    return in(0);
  }
  Result<Shape> operator()(const IdentityOp&) const { return in(0); }
};

struct Arity {
  size_t inputs;
  size_t constants_from;  ///< inputs from this index on must be constants
};

Arity arity(const Operator& op) {
  if (const auto* conv = std::get_if<ConvOp>(&op)) return {conv->residual ? 4U : 3U, 1};
  if (std::holds_alternative<GemmOp>(op)) return {3, 1};
  if (std::holds_alternative<BatchNormOp>(op)) return {5, 1};
  if (std::holds_alternative<ScaleOp>(op)) return {3, 1};
  if (std::holds_alternative<AddOp>(op)) return {2, 2};
  return {1, 1};
}

/// Rules of one node, given what was defined before it.
void verify_node(const Graph& g, const Node& node, std::set<TensorId>& defined, Diagnostics& out) {
  const auto add = [&](const char* id, const std::string& message) {
    const Error e = wrong(node, id, message);
    out.add(e.id, e.place, e.message);
  };
  const Arity expected = arity(node.op);
  if (node.output >= g.tensors.size()) {
    return add("ir.tensor_id",
               fmt::format("output {} of {} tensors", node.output, g.tensors.size()));
  }
  for (TensorId id : node.inputs) {
    if (id >= g.tensors.size()) {
      return add("ir.tensor_id", fmt::format("input {} of {} tensors", id, g.tensors.size()));
    }
    if (!g.tensor(id).constant && !defined.contains(id)) {
      add("ir.use_before_definition", fmt::format("'{}' is not produced yet", g.tensor(id).name));
    }
  }
  if (node.inputs.size() != expected.inputs) {
    return add("ir.arity",
               fmt::format("{} inputs, expected {}", node.inputs.size(), expected.inputs));
  }
  for (size_t i = expected.constants_from; i < node.inputs.size(); ++i) {
    const auto* conv = node.as<ConvOp>();
    if (conv != nullptr && conv->residual && i == 3) continue;
    if (!g.tensor(node.inputs[i]).constant) {
      add("ir.not_constant", fmt::format("'{}' must be a constant", g.tensor(node.inputs[i]).name));
    }
  }
  if (g.tensor(node.output).constant || !defined.insert(node.output).second) {
    add("ir.two_producers", fmt::format("'{}' is already defined", g.tensor(node.output).name));
  }
  auto shape = infer_shape(g, node);
  if (!shape.ok()) return out.append(shape.errors());
  if (shape.value() != g.tensor(node.output).shape) {
    add("ir.shape", fmt::format("output {}, expected {}", g.tensor(node.output).shape.text(),
                                shape.value().text()));
  }
}

void verify_tensor(const Tensor& t, Diagnostics& out) {
  const std::string place = fmt::format("tensor '{}'", t.name);
  if (t.shape.n < 1 || t.shape.c < 1 || t.shape.h < 1 || t.shape.w < 1) {
    out.add("ir.empty_shape", place, fmt::format("shape {}", t.shape.text()));
  }
  if (t.constant && t.values.size() != static_cast<size_t>(t.shape.elements())) {
    out.add("ir.constant_size", place,
            fmt::format("{} values, expected {} ({})", t.values.size(), t.shape.elements(),
                        t.shape.text()));
  }
  for (float v : t.values) {
    if (!std::isfinite(v)) {
      out.add("ir.not_finite", place, fmt::format("contains {}", v));
      break;
    }
  }
  if (t.scale && !(*t.scale > 0 && std::isfinite(*t.scale))) {
    out.add("ir.scale", place, fmt::format("scale {}, expected a positive number", *t.scale));
  }
  if (t.type == ElementType::kInt8 && !t.scale) {
    out.add("ir.scale_missing", place, "int8 without a scale");
  }
}

}  // namespace

Result<Shape> infer_shape(const Graph& graph, const Node& node) {
  const size_t expected = arity(node.op).inputs;
  if (node.inputs.size() != expected) {
    return wrong(node, "ir.arity",
                 fmt::format("{} inputs, expected {}", node.inputs.size(), expected));
  }
  return std::visit(Inference{graph, node}, node.op);
}

Diagnostics Graph::verify() const {
  Diagnostics out;
  std::set<std::string> names;
  for (const Tensor& t : tensors) {
    verify_tensor(t, out);
    if (!names.insert(t.name).second)
      out.add("ir.duplicate_name", "", fmt::format("two tensors '{}'", t.name));
  }
  std::set<TensorId> defined;
  for (TensorId id : inputs) {
    if (id >= tensors.size()) {
      out.add("ir.tensor_id", name,
              fmt::format("graph input {} of {} tensors", id, tensors.size()));
      return out;
    }
    defined.insert(id);
  }
  for (const Node& n : nodes) verify_node(*this, n, defined, out);
  if (outputs.empty()) out.add("ir.no_output", name, "the graph has no output");
  for (TensorId id : outputs) {
    if (id >= tensors.size() || !defined.contains(id)) {
      out.add("ir.output_undefined", name, fmt::format("graph output {} is never produced", id));
    }
  }
  return out;
}

}  // namespace dlavp::compiler
