// The graph as text: one line a node.
#include <iterator>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {
namespace {

struct Attributes {
  static std::string relu(bool on, float max) {
    if (!on) return "";
    return max == kUnbounded ? " +relu" : fmt::format(" +relu{:g}", max);
  }
  std::string operator()(const ConvOp& op) const {
    std::string out = op.window.text();
    if (op.groups != 1) out += fmt::format(" groups {}", op.groups);
    if (op.residual) out += " +residual";
    return out + relu(op.relu, op.relu_max);
  }
  std::string operator()(const ConvTransposeOp& op) const {
    std::string out = op.window.text();
    if (op.groups != 1) out += fmt::format(" groups {}", op.groups);
    if (op.output_pad_h + op.output_pad_w != 0)
      out += fmt::format(" output pad {}x{}", op.output_pad_h, op.output_pad_w);
    return out;
  }
  std::string operator()(const PoolOp& op) const {
    std::string out = op.kind == PoolKind::kMax ? "max " : "average ";
    out += op.window.text();
    if (op.kind == PoolKind::kAverage && op.window.padded())
      out += op.count_include_pad ? " with padding" : " without padding";
    return out;
  }
  std::string operator()(const ScaleOp& op) const { return relu(op.relu, op.relu_max); }
  std::string operator()(const AddOp& op) const { return relu(op.relu, op.relu_max); }
  std::string operator()(const ReluOp& op) const {
    return op.max == kUnbounded ? "" : fmt::format("to {:g}", op.max);
  }
  std::string operator()(const BinaryOp& op) const {
    return binary_name(op.kind) + relu(op.relu, op.relu_max);
  }
  std::string operator()(const UnaryOp& op) const { return unary_text(op.steps); }
  std::string operator()(const ReorderOp& op) const {
    return fmt::format("[{}] by ({}) to {}", fmt::join(op.dims, "x"), fmt::join(op.perm, ","),
                       op.shape.text());
  }
  std::string operator()(const ConcatOp& op) const { return fmt::format("axis {}", op.axis); }
  std::string operator()(const SliceOp& op) const {
    return fmt::format("from {} step {}", fmt::join(op.start, ","), fmt::join(op.step, ","));
  }
  std::string operator()(const PadOp& op) const {
    static constexpr const char* kModes[] = {"constant", "reflect", "edge"};
    return fmt::format("{} before {} after {}{}", kModes[static_cast<size_t>(op.mode)],
                       fmt::join(op.before, ","), fmt::join(op.after, ","),
                       op.value == 0 ? "" : fmt::format(" value {:g}", op.value));
  }
  std::string operator()(const ResizeOp& op) const {
    static constexpr const char* kKinds[] = {"nearest", "linear", "zero insertion"};
    static constexpr const char* kModes[] = {"half pixel", "pytorch half pixel", "align corners",
                                             "asymmetric", "tf half pixel"};
    return fmt::format("{} {} by {:g}x{:g}", kKinds[static_cast<size_t>(op.kind)],
                       kModes[static_cast<size_t>(op.coordinates)], op.scale_h, op.scale_w);
  }
  std::string operator()(const ReduceOp& op) const {
    return fmt::format("{} over {}{}{}", reduce_name(op.kind), op.c ? "C" : "", op.h ? "H" : "",
                       op.w ? "W" : "");
  }
  std::string operator()(const LayerNormOp& op) const {
    return fmt::format("over {}{}{}{}", op.c ? "C" : "", op.h ? "H" : "", op.w ? "W" : "",
                       op.groups == 1 ? "" : fmt::format(" groups {}", op.groups));
  }
  std::string operator()(const LrnOp& op) const {
    return fmt::format("{} {} alpha {:g} beta {:g} k {:g}", op.within ? "within" : "across",
                       op.size, op.alpha, op.beta, op.k);
  }
  std::string operator()(const SoftmaxOp& op) const {
    return fmt::format("axis {}{}", op.axis, op.log ? " log" : "");
  }
  std::string operator()(const ArgMaxOp& op) const { return fmt::format("axis {}", op.axis); }
  std::string operator()(const CustomOp& op) const { return op.definition->name; }
  template <typename T>
  std::string operator()(const T&) const {
    return "";
  }
};

std::string describe(const Tensor& t) {
  std::string out = fmt::format("%{} {}", t.name, t.shape.text());
  if (t.quantisation) {
    out += " " + t.quantisation->text();
  } else if (t.prescribed) {
    out += " prescribed " + t.prescribed->text();
  }
  return out;
}

}  // namespace

std::string Quantisation::text() const {
  return fmt::format("scale {:.6g}", scale) +
         (zero_point == 0 ? "" : fmt::format(" zero {}", zero_point));
}

std::string Shape::text() const { return fmt::format("{}x{}x{}x{}", n, c, h, w); }

std::string Window::text() const {
  std::string out = fmt::format("{}x{}", kernel_h, kernel_w);
  if (stride_h != 1 || stride_w != 1) out += fmt::format(" stride {}x{}", stride_h, stride_w);
  if (dilation_h != 1 || dilation_w != 1) {
    out += fmt::format(" dilation {}x{}", dilation_h, dilation_w);
  }
  if (padded()) out += fmt::format(" pad {},{},{},{}", pad_top, pad_left, pad_bottom, pad_right);
  return out;
}

const char* operator_name(const Operator& op) {
  static constexpr const char* kNames[] = {
      "Conv",    "Gemm",     "BatchNorm",     "Scale",  "Relu",      "Add",    "Pool",    "Flatten",
      "Softmax", "Identity", "ConvTranspose", "PRelu",  "Unary",     "Binary", "Reorder", "Concat",
      "Slice",   "Pad",      "Resize",        "Reduce", "LayerNorm", "Lrn",    "ArgMax",  "Custom"};
  static_assert(std::size(kNames) == std::variant_size_v<Operator>);
  return kNames[op.index()];
}

const char* binary_name(BinaryKind kind) {
  static constexpr const char* kNames[] = {"add", "sub", "mul", "div", "max", "min", "pow"};
  return kNames[static_cast<size_t>(kind)];
}

const char* reduce_name(ReduceKind kind) {
  static constexpr const char* kNames[] = {"mean", "sum", "max", "min", "product", "l2"};
  return kNames[static_cast<size_t>(kind)];
}

std::string attributes_text(const Operator& op) {
  std::string out = std::visit(Attributes{}, op);
  if (!out.empty() && out.front() == ' ') out.erase(0, 1);
  return out;
}

std::string Graph::text() const {
  std::string out = fmt::format("graph {}\n", name);
  for (TensorId id : inputs) out += fmt::format("  input {}\n", describe(tensors[id]));
  for (const Node& n : nodes) {
    std::string arguments;
    for (TensorId id : n.inputs) {
      if (!arguments.empty()) arguments += ", ";
      arguments += (tensors[id].constant ? "@" : "%") + tensors[id].name;
    }
    const std::string extra = attributes_text(n.op);
    out += fmt::format("  {} = {}({}){}  # {}\n", describe(tensors[n.output]), operator_name(n.op),
                       arguments, extra.empty() ? "" : " " + extra, n.name);
  }
  for (TensorId id : outputs) out += fmt::format("  output %{}\n", tensors[id].name);
  return out;
}

}  // namespace dlavp::compiler
