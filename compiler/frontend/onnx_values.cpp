// ONNX import: access to a node's inputs and attributes.
#include <algorithm>

#include "compiler/frontend/importer.hpp"

namespace dlavp::compiler {
namespace {

constexpr int64_t kLargestAttribute = 1 << 20;

}  // namespace

bool Importer::has_input(const OnnxNode& node, size_t i) {
  return i < node.inputs.size() && !node.inputs[i].empty();
}

bool Importer::is_constant(const OnnxNode& node, size_t i) const {
  return has_input(node, i) && constant_or_null(node.inputs[i]) != nullptr;
}

const OnnxTensor* Importer::constant_or_null(const std::string& name) const {
  if (auto it = constants_.find(name); it != constants_.end()) return &it->second;
  if (auto it = model_.initializers.find(name); it != model_.initializers.end()) return &it->second;
  return nullptr;
}

const Activation& Importer::activation(const OnnxNode& node, size_t i) const {
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

std::vector<float> Importer::take_floats(const OnnxNode& node, size_t i) {
  const OnnxTensor& c = constant(node, i);
  const std::string& name = node.inputs[i];
  const auto reads = reads_.find(name);
  if (c.integral || reads == reads_.end() || reads->second != 1) return floats(node, i);
  auto mine = constants_.find(name);
  OnnxTensor& last = mine != constants_.end() ? mine->second : model_.initializers.at(name);
  return std::move(last.floats);
}

std::vector<int64_t> Importer::ints(const OnnxNode& node, size_t i) const {
  const OnnxTensor& c = constant(node, i);
  if (!c.integral) {
    fail(node, "onnx.attribute",
         fmt::format("input '{}' holds floating-point numbers, expected integers", node.inputs[i]));
  }
  return c.ints;
}

float Importer::scalar(const OnnxNode& node, size_t i, const char* what) const {
  const std::vector<float> values = floats(node, i);
  if (values.size() != 1)
    fail(node, "onnx.shape", fmt::format("{} has {} values, expected 1", what, values.size()));
  return values[0];
}

const OnnxAttribute* Importer::attribute(const OnnxNode& node, const std::string& name) {
  auto it = node.attributes.find(name);
  return it == node.attributes.end() ? nullptr : &it->second;
}

int64_t Importer::integer(const OnnxNode& node, const std::string& name, int64_t otherwise) {
  const OnnxAttribute* a = attribute(node, name);
  return a == nullptr ? otherwise : a->i;
}

float Importer::real(const OnnxNode& node, const std::string& name, float otherwise) {
  const OnnxAttribute* a = attribute(node, name);
  return a == nullptr ? otherwise : a->f;
}

std::string Importer::text(const OnnxNode& node, const std::string& name,
                           const std::string& otherwise) {
  const OnnxAttribute* a = attribute(node, name);
  return a == nullptr || a->s.empty() ? otherwise : a->s;
}

std::vector<int64_t> Importer::integers(const OnnxNode& node, const std::string& name,
                                        std::vector<int64_t> otherwise) const {
  const OnnxAttribute* a = attribute(node, name);
  if (a == nullptr || a->ints.empty()) return otherwise;
  if (!otherwise.empty() && a->ints.size() != otherwise.size()) {
    fail(node, "onnx.attribute",
         fmt::format("{} has {} values, expected {}", name, a->ints.size(), otherwise.size()));
  }
  for (int64_t v : a->ints) {
    if (v < 0 || v > kLargestAttribute) {
      fail(node, "onnx.attribute",
           fmt::format("{} contains {}, expected 0 to {}", name, v, kLargestAttribute));
    }
  }
  return a->ints;
}

std::optional<std::vector<int64_t>> Importer::ints_or_attribute(const OnnxNode& node, size_t i,
                                                                const std::string& name) const {
  if (has_input(node, i)) return ints(node, i);
  const OnnxAttribute* a = attribute(node, name);
  if (a == nullptr) return std::nullopt;
  return a->ints;
}

size_t Importer::axis_of(const OnnxNode& node, int64_t axis, size_t rank) const {
  const auto n = static_cast<int64_t>(rank);
  if (axis < -n || axis >= n) {
    fail(node, "onnx.attribute", fmt::format("axis {} of a tensor with {} dimensions", axis, rank));
  }
  return static_cast<size_t>(axis < 0 ? axis + n : axis);
}

std::vector<size_t> Importer::axes_of(const OnnxNode& node, const std::vector<int64_t>& axes,
                                      size_t rank) const {
  std::vector<size_t> out;
  for (int64_t a : axes) {
    const size_t axis = axis_of(node, a, rank);
    if (std::find(out.begin(), out.end(), axis) != out.end())
      fail(node, "onnx.attribute", fmt::format("axis {} is given twice", axis));
    out.push_back(axis);
  }
  return out;
}

Window Importer::window(const OnnxNode& node, const Shape& in, size_t spatial,
                        std::vector<int64_t> kernel) const {
  const std::vector<int64_t> ones(spatial, 1);
  const auto two = [&](std::vector<int64_t> v) {
    if (spatial == 1) v.insert(v.begin(), 1);
    return v;
  };
  const auto strides = two(integers(node, "strides", ones));
  const auto dilations = two(integers(node, "dilations", ones));
  const std::vector<int64_t> none(spatial, 0);
  kernel = two(integers(node, "kernel_shape", kernel.empty() ? none : kernel));
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
  apply_padding(node, in, spatial, w);
  return w;
}

void Importer::apply_padding(const OnnxNode& node, const Shape& in, size_t spatial,
                             Window& w) const {
  const std::string mode = text(node, "auto_pad", "NOTSET");
  if (mode == "NOTSET") {
    auto pads = integers(node, "pads", std::vector<int64_t>(2 * spatial, 0));
    if (spatial == 1) pads = {0, pads[0], 0, pads[1]};
    w.pad_top = static_cast<uint32_t>(pads[0]);
    w.pad_left = static_cast<uint32_t>(pads[1]);
    w.pad_bottom = static_cast<uint32_t>(pads[2]);
    w.pad_right = static_cast<uint32_t>(pads[3]);
  } else if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
    const auto halves = [&](int64_t size, int64_t stride, int64_t extent, uint32_t& first,
                            uint32_t& last) {
      const int64_t out = (size + stride - 1) / stride;
      const auto total =
          static_cast<uint32_t>(std::max<int64_t>(0, (out - 1) * stride + extent - size));
      first = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
      last = total - first;
    };
    halves(in.h, w.stride_h, w.extent_h(), w.pad_top, w.pad_bottom);
    halves(in.w, w.stride_w, w.extent_w(), w.pad_left, w.pad_right);
  } else if (mode != "VALID") {
    fail(node, "onnx.attribute", fmt::format("auto_pad '{}' is unknown", mode));
  }
}

}  // namespace dlavp::compiler
