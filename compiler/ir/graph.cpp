// Graph editing, printing.
#include "compiler/ir/graph.hpp"

#include <algorithm>

namespace dlavp::compiler {

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
  static constexpr const char* kNames[] = {"Conv", "Gemm", "BatchNorm", "Scale",   "Relu",
                                           "Add",  "Pool", "Flatten",   "Softmax", "Identity"};
  return kNames[op.index()];
}

TensorId Graph::add_tensor(std::string tensor_name, Shape shape) {
  Tensor t;
  t.name = std::move(tensor_name);
  t.shape = shape;
  tensors.push_back(std::move(t));
  return static_cast<TensorId>(tensors.size() - 1);
}

TensorId Graph::add_constant(std::string tensor_name, Shape shape, std::vector<float> values) {
  const TensorId id = add_tensor(std::move(tensor_name), shape);
  tensors[id].constant = true;
  tensors[id].values = std::move(values);
  return id;
}

std::optional<TensorId> Graph::find(const std::string& tensor_name) const {
  for (TensorId id = 0; id < tensors.size(); ++id) {
    if (tensors[id].name == tensor_name) return id;
  }
  return std::nullopt;
}

std::optional<size_t> Graph::producer(TensorId id) const {
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].output == id) return i;
  }
  return std::nullopt;
}

size_t Graph::uses(TensorId id) const {
  auto count = static_cast<size_t>(std::count(outputs.begin(), outputs.end(), id));
  for (const Node& n : nodes) {
    count += static_cast<size_t>(std::count(n.inputs.begin(), n.inputs.end(), id));
  }
  return count;
}

void Graph::replace_uses(TensorId from, TensorId to) {
  for (Node& n : nodes) std::replace(n.inputs.begin(), n.inputs.end(), from, to);
  std::replace(outputs.begin(), outputs.end(), from, to);
}

void Graph::remove_nodes(const std::function<bool(const Node&)>& dead) {
  nodes.erase(std::remove_if(nodes.begin(), nodes.end(), dead), nodes.end());
}

namespace {

std::string attributes(const Operator& op) {
  if (const auto* conv = std::get_if<ConvOp>(&op)) {
    std::string out = conv->window.text();
    if (conv->groups != 1) out += fmt::format(" groups {}", conv->groups);
    if (conv->residual) out += " +residual";
    if (conv->relu) out += " +relu";
    return out;
  }
  if (const auto* pool = std::get_if<PoolOp>(&op)) {
    return fmt::format("{} {}", pool->kind == PoolKind::kMax ? "max" : "average",
                       pool->window.text());
  }
  const auto* add = std::get_if<AddOp>(&op);
  const auto* scale = std::get_if<ScaleOp>(&op);
  return (add != nullptr && add->relu) || (scale != nullptr && scale->relu) ? "+relu" : "";
}

std::string describe(const Tensor& t) {
  std::string out = fmt::format("%{} {}", t.name, t.shape.text());
  if (t.scale) out += fmt::format(" scale {:.6g}", *t.scale);
  return out;
}

}  // namespace

std::string Graph::text() const {
  std::string out = fmt::format("graph {}\n", name);
  for (TensorId id : inputs) out += fmt::format("  input {}\n", describe(tensors[id]));
  for (const Node& n : nodes) {
    std::string arguments;
    for (TensorId id : n.inputs) {
      if (!arguments.empty()) arguments += ", ";
      arguments += (tensors[id].constant ? "@" : "%") + tensors[id].name;
    }
    const std::string extra = attributes(n.op);
    out += fmt::format("  {} = {}({}){}  # {}\n", describe(tensors[n.output]), operator_name(n.op),
                       arguments, extra.empty() ? "" : " " + extra, n.name);
  }
  for (TensorId id : outputs) out += fmt::format("  output %{}\n", tensors[id].name);
  return out;
}

}  // namespace dlavp::compiler
