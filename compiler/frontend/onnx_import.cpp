// ONNX import: the driver, values and attributes. Operator handlers are in onnx_operators.cpp.
#include "compiler/frontend/onnx_import.hpp"

#include <limits>

#include "compiler/frontend/importer.hpp"

namespace dlavp::compiler {
namespace {

constexpr int64_t kFirstOpset = 7;
constexpr int64_t kLastOpset = 17;
constexpr int64_t kLargestAttribute = 1 << 20;

}  // namespace

void Importer::fail(const OnnxNode& node, const std::string& id, const std::string& message) const {
  throw Failure{
      {id, fmt::format("node '{}' ({}; inputs {})", node.name, node.op_type, inputs_text(node)),
       message}};
}

std::string Importer::inputs_text(const OnnxNode& node) const {
  std::string out;
  for (const std::string& name : node.inputs) {
    if (!out.empty()) out += ", ";
    out += name.empty() ? "-" : name;
    if (auto it = activations_.find(name); it != activations_.end()) {
      out += " " + graph_.tensor(it->second.id).shape.text();
    } else if (const OnnxTensor* c = constant_or_null(name)) {
      out += fmt::format(" [{}]", fmt::join(c->dims, "x"));
    }
  }
  return out.empty() ? "none" : out;
}

bool Importer::has_input(const OnnxNode& node, size_t i) const {
  return i < node.inputs.size() && !node.inputs[i].empty();
}

const OnnxTensor* Importer::constant_or_null(const std::string& name) const {
  if (auto it = constants_.find(name); it != constants_.end()) return &it->second;
  if (auto it = model_.initializers.find(name); it != model_.initializers.end()) return &it->second;
  return nullptr;
}

Importer::Activation Importer::activation(const OnnxNode& node, size_t i) const {
  if (!has_input(node, i)) fail(node, "onnx.missing", fmt::format("input {} is missing", i));
  auto it = activations_.find(node.inputs[i]);
  if (it != activations_.end()) return it->second;
  if (constant_or_null(node.inputs[i]) != nullptr) {
    fail(node, "onnx.constant_input",
         fmt::format("input '{}' is a constant; an activation is expected here", node.inputs[i]));
  }
  fail(node, "onnx.missing",
       fmt::format("input '{}' is neither produced nor an initializer", node.inputs[i]));
}

const OnnxTensor& Importer::constant(const OnnxNode& node, size_t i) const {
  if (!has_input(node, i)) fail(node, "onnx.missing", fmt::format("input {} is missing", i));
  const OnnxTensor* c = constant_or_null(node.inputs[i]);
  if (c == nullptr) {
    if (activations_.contains(node.inputs[i])) {
      fail(node, "onnx.not_constant",
           fmt::format("input '{}' is computed; it must be an initializer", node.inputs[i]));
    }
    fail(node, "onnx.missing", fmt::format("initializer '{}' is missing", node.inputs[i]));
  }
  if (!c->problem.empty()) {
    fail(node, "onnx.initializer", fmt::format("initializer '{}': {}", node.inputs[i], c->problem));
  }
  return *c;
}

std::vector<float> Importer::floats(const OnnxNode& node, size_t i) const {
  const OnnxTensor& c = constant(node, i);
  if (!c.integral) return c.floats;
  return {c.ints.begin(), c.ints.end()};
}

TensorId Importer::add_vector(const OnnxNode& node, const char* what, std::vector<float> values) {
  const auto size = static_cast<int64_t>(values.size());
  std::string name = node.name + "." + what;
  while (graph_.find(name)) name += "'";
  return graph_.add_constant(name, {1, size, 1, 1}, std::move(values));
}

Importer::Activation Importer::emit(const OnnxNode& node, Operator op, std::vector<TensorId> inputs,
                                    size_t rank) {
  if (node.outputs.empty()) fail(node, "onnx.missing", "the node has no output");
  if (activations_.contains(node.outputs[0])) {
    fail(node, "onnx.duplicate", fmt::format("'{}' is produced twice", node.outputs[0]));
  }
  Node out{node.name, std::move(op), std::move(inputs), 0};
  auto shape = infer_shape(graph_, out);
  if (!shape.ok()) {
    const Error& e = shape.errors().errors().front();
    fail(node, e.id, e.message);
  }
  std::string name = node.outputs[0];
  while (graph_.find(name)) name += "'";
  out.output = graph_.add_tensor(name, shape.value());
  const Activation result{out.output, rank};
  graph_.nodes.push_back(std::move(out));
  activations_[node.outputs[0]] = result;
  return result;
}

int64_t Importer::integer(const OnnxNode& node, const std::string& name, int64_t otherwise) const {
  auto it = node.attributes.find(name);
  return it == node.attributes.end() ? otherwise : it->second.i;
}

float Importer::real(const OnnxNode& node, const std::string& name, float otherwise) const {
  auto it = node.attributes.find(name);
  return it == node.attributes.end() ? otherwise : it->second.f;
}

std::vector<int64_t> Importer::integers(const OnnxNode& node, const std::string& name,
                                        std::vector<int64_t> otherwise) const {
  auto it = node.attributes.find(name);
  if (it == node.attributes.end() || it->second.ints.empty()) return otherwise;
  if (!otherwise.empty() && it->second.ints.size() != otherwise.size()) {
    fail(node, "onnx.attribute",
         fmt::format("{} has {} values, expected {}", name, it->second.ints.size(),
                     otherwise.size()));
  }
  for (int64_t v : it->second.ints) {
    if (v < 0 || v > kLargestAttribute) {
      fail(node, "onnx.attribute",
           fmt::format("{} contains {}, expected 0 to {}", name, v, kLargestAttribute));
    }
  }
  return it->second.ints;
}

Window Importer::window(const OnnxNode& node, const Shape& in, std::vector<int64_t> kernel) const {
  const auto strides = integers(node, "strides", {1, 1});
  const auto dilations = integers(node, "dilations", {1, 1});
  kernel = integers(node, "kernel_shape", kernel.empty() ? std::vector<int64_t>{0, 0} : kernel);
  Window w;
  w.kernel_h = static_cast<uint32_t>(kernel[0]);
  w.kernel_w = static_cast<uint32_t>(kernel[1]);
  w.stride_h = static_cast<uint32_t>(strides[0]);
  w.stride_w = static_cast<uint32_t>(strides[1]);
  w.dilation_h = static_cast<uint32_t>(dilations[0]);
  w.dilation_w = static_cast<uint32_t>(dilations[1]);
  if (w.kernel_h == 0 || w.kernel_w == 0 || w.stride_h == 0 || w.stride_w == 0 ||
      w.dilation_h == 0 || w.dilation_w == 0) {
    fail(node, "onnx.attribute", fmt::format("window {} has a zero size", w.text()));
  }
  apply_padding(node, in, w);
  return w;
}

void Importer::apply_padding(const OnnxNode& node, const Shape& in, Window& w) const {
  auto it = node.attributes.find("auto_pad");
  const std::string mode =
      it == node.attributes.end() || it->second.s.empty() ? "NOTSET" : it->second.s;
  if (mode == "NOTSET") {
    const auto pads = integers(node, "pads", {0, 0, 0, 0});
    w.pad_top = static_cast<uint32_t>(pads[0]);
    w.pad_left = static_cast<uint32_t>(pads[1]);
    w.pad_bottom = static_cast<uint32_t>(pads[2]);
    w.pad_right = static_cast<uint32_t>(pads[3]);
  } else if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
    const auto split = [&](int64_t size, int64_t stride, int64_t extent, uint32_t& first,
                           uint32_t& last) {
      const int64_t out = (size + stride - 1) / stride;
      const auto total =
          static_cast<uint32_t>(std::max<int64_t>(0, (out - 1) * stride + extent - size));
      first = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
      last = total - first;
    };
    split(in.h, w.stride_h, w.extent_h(), w.pad_top, w.pad_bottom);
    split(in.w, w.stride_w, w.extent_w(), w.pad_left, w.pad_right);
  } else if (mode != "VALID") {
    fail(node, "onnx.attribute", fmt::format("auto_pad '{}' is unknown", mode));
  }
}

void Importer::add_inputs() {
  for (const OnnxValueInfo& v : model_.inputs) {
    if (model_.initializers.contains(v.name))
      continue;  // a default value: IR version 3 lists weights here
    const std::string place = fmt::format("input '{}'", v.name);
    std::vector<int64_t> dims;
    for (size_t i = 0; i < v.dims.size(); ++i) {
      const auto& d = v.dims[i];
      if (d.size < 0) {
        throw Failure{
            {"onnx.dynamic_shape", place,
             fmt::format("dimension {} ('{}') is dynamic; export the model with a fixed size", i,
                         d.name.empty() ? "?" : d.name)}};
      }
      if (d.size == 0 || d.size > kLargestAttribute) {
        throw Failure{{"onnx.shape", place, fmt::format("dimension {} is {}", i, d.size)}};
      }
      dims.push_back(d.size);
    }
    if (dims.size() != 4 && dims.size() != 2) {
      throw Failure{{"onnx.shape", place,
                     fmt::format("{} dimensions, expected 4 (NCHW) or 2 (NC)", dims.size())}};
    }
    if (dims[0] != 1) {
      throw Failure{
          {"onnx.batch", place,
           fmt::format("batch {} is not supported; export the model with batch 1", dims[0])}};
    }
    const Shape shape =
        dims.size() == 4 ? Shape{1, dims[1], dims[2], dims[3]} : Shape{1, dims[1], 1, 1};
    const TensorId id = graph_.add_tensor(v.name, shape);
    graph_.inputs.push_back(id);
    activations_[v.name] = {id, dims.size()};
  }
  if (graph_.inputs.empty())
    throw Failure{{"onnx.no_input", model_.graph_name, "the graph has no input"}};
}

void Importer::add_outputs() {
  for (const OnnxValueInfo& v : model_.outputs) {
    auto it = activations_.find(v.name);
    if (it == activations_.end()) {
      throw Failure{{"onnx.missing", fmt::format("output '{}'", v.name), "no node produces it"}};
    }
    graph_.outputs.push_back(it->second.id);
  }
}

Result<Graph> Importer::run() {
  graph_.name = model_.graph_name.empty() ? "network" : model_.graph_name;
  try {
    if (model_.opset < kFirstOpset || model_.opset > kLastOpset) {
      throw Failure{
          {"onnx.opset", model_.graph_name,
           fmt::format("opset {}, supported are {} to {}", model_.opset, kFirstOpset, kLastOpset)}};
    }
    add_inputs();
    for (const OnnxNode& node : model_.nodes) import_node(node);
    add_outputs();
  } catch (const Failure& failure) {
    return failure.error;
  }
  Diagnostics wrong = graph_.verify();
  if (!wrong.empty()) return wrong;
  return std::move(graph_);
}

}  // namespace dlavp::compiler
