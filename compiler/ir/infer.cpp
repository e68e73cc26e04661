// The output shape of each operator, or the rule that its inputs and attributes break.
#include <algorithm>

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

/// Whether every position of a window along one axis covers an element of the input.
bool covers(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t dilation,
            int64_t pad) {
  for (int64_t o = 0; o < out; ++o) {
    const int64_t start = o * stride - pad;
    const int64_t skipped = start < 0 ? (-start + dilation - 1) / dilation : 0;
    if (skipped >= kernel || start + skipped * dilation >= in) return false;
    if (start >= 0 && start + kernel * dilation <= in) {  // the windows inside need no look
      const int64_t last_inside = (in - kernel * dilation + pad) / stride;
      o = std::max(o, std::min(last_inside, out - 1));
    }
  }
  return true;
}

struct Inference {
  const Graph& g;
  const Node& node;

  [[nodiscard]] const Shape& in(size_t i) const { return g.tensor(node.inputs[i]).shape; }
  [[nodiscard]] Error fail(const char* id, const std::string& message) const {
    return wrong(node, id, message);
  }
  Result<Shape> vectors(size_t first, int64_t channels) const {
    const Shape expected{1, channels, 1, 1};
    for (size_t i = first; i < node.inputs.size(); ++i) {
      const Tensor& t = g.tensor(node.inputs[i]);
      if (t.shape != expected) {
        return fail("ir.vector_shape", fmt::format("'{}' is {}, expected {}", t.name,
                                                   t.shape.text(), expected.text()));
      }
    }
    return expected;
  }
  Result<Shape> channelwise() const {
    auto ok = vectors(1, in(0).c);
    return ok.ok() ? Result<Shape>(in(0)) : ok;
  }
  Result<Shape> axis_ok(uint32_t axis) const {
    if (axis < 1 || axis > 3) return fail("ir.axis", fmt::format("axis {}, expected 1 to 3", axis));
    return in(0);
  }

  Result<Shape> operator()(const ConvOp& op) const {
    const Shape& w = in(1);
    if (op.groups == 0 || in(0).c % op.groups != 0 || w.n % op.groups != 0) {
      return fail("ir.groups",
                  fmt::format("groups {} do not divide {} input and {} output channels", op.groups,
                              in(0).c, w.n));
    }
    if (w.c * op.groups != in(0).c || w.h != op.window.kernel_h || w.w != op.window.kernel_w) {
      return fail("ir.weight_shape",
                  fmt::format("weights {}, expected {}x{}x{}x{} (input {}, groups {})", w.text(),
                              w.n, in(0).c / op.groups, op.window.kernel_h, op.window.kernel_w,
                              in(0).text(), op.groups));
    }
    if (in(2) != Shape{1, w.n, 1, 1}) {
      return fail("ir.vector_shape", fmt::format("bias {}, expected 1x{}x1x1", in(2).text(), w.n));
    }
    auto out = window_shape(node, op.window, in(0), w.n);
    if (out.ok() && op.residual && in(3) != out.value()) {
      return fail("ir.residual_shape",
                  fmt::format("residual {}, expected {}", in(3).text(), out.value().text()));
    }
    return out;
  }
  Result<Shape> operator()(const ConvTransposeOp& op) const {
    const Shape& w = in(1);
    const Window& win = op.window;
    if (win.stride_h == 0 || win.stride_w == 0 || win.dilation_h == 0 || win.dilation_w == 0) {
      return fail("ir.window", fmt::format("window {} has a zero size", win.text()));
    }
    if (op.groups == 0 || in(0).c % op.groups != 0) {
      return fail("ir.groups",
                  fmt::format("groups {} do not divide {} input channels", op.groups, in(0).c));
    }
    if (w.n != in(0).c || w.h != win.kernel_h || w.w != win.kernel_w) {
      return fail("ir.weight_shape",
                  fmt::format("weights {}, expected {}x{}x{}x{} (input {}, groups {})", w.text(),
                              in(0).c, w.c, win.kernel_h, win.kernel_w, in(0).text(), op.groups));
    }
    if (op.output_pad_h >= std::max(win.stride_h, win.dilation_h) ||
        op.output_pad_w >= std::max(win.stride_w, win.dilation_w)) {
      return fail("ir.output_pad",
                  fmt::format("output padding {}x{} is not below stride or dilation of {}",
                              op.output_pad_h, op.output_pad_w, win.text()));
    }
    const Shape out{1, w.c * op.groups,
                    (in(0).h - 1) * win.stride_h + win.extent_h() + op.output_pad_h - win.pad_top -
                        win.pad_bottom,
                    (in(0).w - 1) * win.stride_w + win.extent_w() + op.output_pad_w - win.pad_left -
                        win.pad_right};
    if (out.h < 1 || out.w < 1) {
      return fail("ir.window", fmt::format("window {} of {} leaves an output of {}x{}", win.text(),
                                           in(0).text(), out.h, out.w));
    }
    auto ok = vectors(2, out.c);
    return ok.ok() ? Result<Shape>(out) : ok;
  }
  Result<Shape> operator()(const GemmOp&) const {
    const Shape& w = in(1);
    if (w != Shape{w.n, in(0).elements(), 1, 1}) {
      return fail("ir.weight_shape", fmt::format("weights {}, expected {}x{}x1x1 (input {})",
                                                 w.text(), w.n, in(0).elements(), in(0).text()));
    }
    return vectors(2, w.n);
  }
  Result<Shape> operator()(const BatchNormOp&) const { return channelwise(); }
  Result<Shape> operator()(const ScaleOp&) const { return channelwise(); }
  Result<Shape> operator()(const PReluOp&) const { return channelwise(); }
  Result<Shape> operator()(const ReluOp&) const { return in(0); }
  Result<Shape> operator()(const IdentityOp&) const { return in(0); }
  Result<Shape> operator()(const UnaryOp& op) const {
    const std::string problem = unary_problem(op.steps);
    if (!problem.empty()) return fail("ir.unary", problem);
    return in(0);
  }
  Result<Shape> operator()(const AddOp&) const {
    if (in(0) != in(1)) {
      return fail("ir.add_shape",
                  fmt::format("operands {} and {} differ", in(0).text(), in(1).text()));
    }
    return in(0);
  }
  Result<Shape> operator()(const BinaryOp&) const {
    std::array<int64_t, 4> out{};
    for (size_t i = 0; i < 4; ++i) {
      const int64_t a = in(0)[i];
      const int64_t b = in(1)[i];
      if (a != b && a != 1 && b != 1) {
        return fail("ir.broadcast", fmt::format("operands {} and {}: sizes must be equal or 1",
                                                in(0).text(), in(1).text()));
      }
      out[i] = std::max(a, b);
    }
    if (g.tensor(node.inputs[0]).constant && g.tensor(node.inputs[1]).constant)
      return fail("ir.no_activation", "both operands are constants");
    return Shape::of(out);
  }
  Result<Shape> operator()(const PoolOp& op) const {
    const Window& w = op.window;
    auto out = window_shape(node, w, in(0), in(0).c);
    if (!out.ok()) return out;
    if (!covers(in(0).h, out->h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top) ||
        !covers(in(0).w, out->w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left)) {
      return fail("ir.pool_pad", fmt::format("a window of {} lies in padding alone (input {})",
                                             w.text(), in(0).text()));
    }
    if (op.uncounted_bottom > w.pad_bottom || op.uncounted_right > w.pad_right) {
      return fail("ir.pool_pad", fmt::format("{} uncounted rows and {} columns of padding in {}",
                                             op.uncounted_bottom, op.uncounted_right, w.text()));
    }
    return out;
  }
  Result<Shape> operator()(const FlattenOp&) const { return Shape{1, in(0).elements(), 1, 1}; }
  Result<Shape> operator()(const ReorderOp& op) const {
    int64_t product = 1;
    std::vector<bool> seen(op.dims.size());
    for (int64_t d : op.dims) product *= std::max<int64_t>(d, 0);
    for (uint32_t p : op.perm) {
      if (p < seen.size()) seen[p] = true;
    }
    const bool permutation = op.perm.size() == op.dims.size() &&
                             std::all_of(seen.begin(), seen.end(), [](bool s) { return s; });
    if (!permutation || product != in(0).elements() || op.shape.elements() != product ||
        op.shape.n != 1) {
      return fail("ir.reorder",
                  fmt::format("{} as [{}] by ({}) to {}", in(0).text(), fmt::join(op.dims, "x"),
                              fmt::join(op.perm, ","), op.shape.text()));
    }
    return op.shape;
  }
  Result<Shape> operator()(const ConcatOp& op) const {
    auto ok = axis_ok(op.axis);
    if (!ok.ok()) return ok;
    std::array<int64_t, 4> out = {in(0).n, in(0).c, in(0).h, in(0).w};
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      for (size_t axis = 0; axis < 4; ++axis) {
        if (axis == op.axis) {
          out[axis] += in(i)[axis];
        } else if (in(i)[axis] != out[axis]) {
          return fail("ir.concat", fmt::format("{} and {} differ beside axis {}", in(0).text(),
                                               in(i).text(), op.axis));
        }
      }
    }
    return Shape::of(out);
  }
  Result<Shape> operator()(const SliceOp& op) const {
    for (size_t i = 0; i < 4; ++i) {
      const int64_t last = op.start[i] + (op.size[i] - 1) * op.step[i];
      if (op.step[i] < 1 || op.size[i] < 1 || op.start[i] < 0 || last >= in(0)[i]) {
        return fail("ir.slice", fmt::format("axis {}: {} elements from {} in steps of {}, of {}", i,
                                            op.size[i], op.start[i], op.step[i], in(0)[i]));
      }
    }
    return op.size;
  }
  Result<Shape> operator()(const PadOp& op) const {
    std::array<int64_t, 4> out{};
    for (size_t i = 0; i < 4; ++i) {
      const int64_t most = std::max(op.before[i], op.after[i]);
      if (op.before[i] < 0 || op.after[i] < 0 ||
          (op.mode == PadMode::kReflect && most >= in(0)[i])) {
        return fail("ir.pad", fmt::format("axis {}: {} before, {} after, of {}", i, op.before[i],
                                          op.after[i], in(0)[i]));
      }
      out[i] = in(0)[i] + op.before[i] + op.after[i];
    }
    if (out[0] != 1) return fail("ir.pad", "padding of the batch");
    return Shape::of(out);
  }
  Result<Shape> operator()(const ResizeOp& op) const {
    const Shape out{1, in(0).c, op.out_h, op.out_w};
    const bool zero = op.kind == ResizeKind::kZeroInsert;
    const bool inserts = zero && op.out_h == (in(0).h - 1) * static_cast<int64_t>(op.scale_h) + 1 &&
                         op.out_w == (in(0).w - 1) * static_cast<int64_t>(op.scale_w) + 1;
    if (op.out_h < 1 || op.out_w < 1 || !(op.scale_h > 0) || !(op.scale_w > 0) ||
        (zero && !inserts)) {
      return fail("ir.resize", fmt::format("{} by {}x{} to {}", in(0).text(), op.scale_h,
                                           op.scale_w, out.text()));
    }
    return out;
  }
  Result<Shape> operator()(const ReduceOp& op) const {
    const Shape& x = in(0);
    return Shape{1, op.c ? 1 : x.c, op.h ? 1 : x.h, op.w ? 1 : x.w};
  }
  Result<Shape> operator()(const LayerNormOp& op) const {
    if (!(op.c || op.h || op.w) || op.groups == 0 || in(0).c % op.groups != 0 ||
        (op.groups != 1 && !op.c)) {
      return fail("ir.groups", fmt::format("{} groups of {} channels, {}", op.groups, in(0).c,
                                           attributes_text(node.op)));
    }
    return channelwise();
  }
  Result<Shape> operator()(const LrnOp& op) const {
    if (op.size == 0 || (op.within && op.size % 2 == 0))
      return fail("ir.lrn", fmt::format("size {}", op.size));
    return in(0);
  }
  Result<Shape> operator()(const SoftmaxOp& op) const { return axis_ok(op.axis); }
  Result<Shape> operator()(const ArgMaxOp& op) const {
    auto out = axis_ok(op.axis);
    if (!out.ok()) return out;
    Shape s = in(0);
    (op.axis == 1 ? s.c : op.axis == 2 ? s.h : s.w) = 1;
    return s;
  }
  Result<Shape> operator()(const CustomOp& op) const {
    if (!op.definition || !op.definition->shape)
      return fail("ir.custom", "the operator has no shape rule");
    std::vector<Shape> shapes;
    for (TensorId id : node.inputs) shapes.push_back(g.tensor(id).shape);
    Result<Shape> out = op.definition->shape(op.attributes, shapes);
    if (out.ok()) return out;
    Diagnostics errors;
    for (const Error& e : out.errors().errors())
      errors.add(e.id, e.place.empty() ? wrong(node, e.id, "").place : e.place, e.message);
    return errors;
  }
};

constexpr size_t kAny = 1 << 20;

}  // namespace

Arity arity(const Operator& op) {
  if (const auto* conv = std::get_if<ConvOp>(&op)) {
    const size_t n = conv->residual ? 4 : 3;
    return {n, n, 1, 3};
  }
  if (std::holds_alternative<ConvTransposeOp>(op)) return {3, 3, 1, 3};
  if (std::holds_alternative<GemmOp>(op)) return {3, 3, 1, 3};
  if (std::holds_alternative<BatchNormOp>(op)) return {5, 5, 1, 5};
  if (std::holds_alternative<ScaleOp>(op)) return {3, 3, 1, 3};
  if (std::holds_alternative<LayerNormOp>(op)) return {3, 3, 1, 3};
  if (std::holds_alternative<PReluOp>(op)) return {2, 2, 1, 2};
  if (std::holds_alternative<AddOp>(op)) return {2, 2, 2, 2};
  if (std::holds_alternative<BinaryOp>(op)) return {2, 2, 2, 2, true};
  if (std::holds_alternative<ConcatOp>(op)) return {1, kAny, kAny, kAny};
  if (std::holds_alternative<CustomOp>(op)) return {1, kAny, kAny, kAny, true};
  return {1, 1, 1, 1};
}

Result<Shape> infer_shape(const Graph& graph, const Node& node) {
  const Arity expected = arity(node.op);
  if (node.inputs.size() < expected.least || node.inputs.size() > expected.most) {
    return wrong(node, "ir.arity",
                 fmt::format("{} inputs, expected {}{}", node.inputs.size(), expected.least,
                             expected.least == expected.most ? "" : " or more"));
  }
  return std::visit(Inference{graph, node}, node.op);
}

}  // namespace dlavp::compiler
