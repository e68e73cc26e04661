// The rules of a well-formed graph. `verify` is run around every pass.
#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {
namespace {

/// Rules of one node, given what was defined before it.
void verify_node(const Graph& g, const Node& node, std::set<TensorId>& defined, Diagnostics& out) {
  const auto add = [&](const char* id, const std::string& message) {
    out.add(id, fmt::format("node '{}' ({})", node.name, operator_name(node.op)), message);
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
  if (node.inputs.size() < expected.least || node.inputs.size() > expected.most) {
    return out.append(infer_shape(g, node).errors());
  }
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Tensor& t = g.tensor(node.inputs[i]);
    const bool must_be = i >= expected.constants_from && i < expected.constants_to;
    if (must_be && !t.constant) {
      add("ir.not_constant", fmt::format("'{}' must be a constant", t.name));
    } else if (!must_be && t.constant && !expected.any) {
      add("ir.no_activation", fmt::format("'{}' must not be a constant", t.name));
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

/// Infinities and NaNs have all exponent bits set; counted without a branch, so that it costs no
/// more than reading the values.
bool all_finite(const std::vector<float>& values) {
  constexpr uint32_t kExponent = 0x7F800000;
  uint32_t bad = 0;
  for (float v : values) bad |= (std::bit_cast<uint32_t>(v) & kExponent) == kExponent ? 1U : 0U;
  return bad == 0;
}

void verify_tensor(const Tensor& t, bool values, Diagnostics& out) {
  const std::string place = fmt::format("tensor '{}'", t.name);
  if (t.shape.n < 1 || t.shape.c < 1 || t.shape.h < 1 || t.shape.w < 1) {
    out.add("ir.empty_shape", place, fmt::format("shape {}", t.shape.text()));
  }
  if (t.constant && t.values.size() != static_cast<size_t>(t.shape.elements())) {
    out.add("ir.constant_size", place,
            fmt::format("{} values, expected {} ({})", t.values.size(), t.shape.elements(),
                        t.shape.text()));
  }
  if (values && !all_finite(t.values)) {
    out.add("ir.not_finite", place,
            fmt::format("contains {}", *std::find_if(t.values.begin(), t.values.end(),
                                                     [](float v) { return !std::isfinite(v); })));
  }
  const auto positive = [](double v) { return v > 0 && std::isfinite(v); };
  for (const auto& q : {t.quantisation, t.prescribed}) {
    if (q && !positive(q->scale))
      out.add("ir.scale", place, fmt::format("scale {}, expected a positive number", q->scale));
    if (q && (q->zero_point < -128 || q->zero_point > 127))
      out.add("ir.zero_point", place, fmt::format("{}, expected -128 to 127", q->zero_point));
  }
  if (!std::all_of(t.kernel_scales.begin(), t.kernel_scales.end(), positive) ||
      (t.kernel_scales.size() > 1 &&
       t.kernel_scales.size() != static_cast<size_t>(std::max<int64_t>(t.shape.n, 0)))) {
    out.add("ir.scale", place,
            fmt::format("{} kernel scales for {}, all positive and one a kernel or one in all",
                        t.kernel_scales.size(), t.shape.text()));
  }
  if (t.type == ElementType::kInt8 && !t.quantisation) {
    out.add("ir.scale_missing", place, "int8 without a scale");
  }
}

}  // namespace

Diagnostics Graph::verify(bool values) const {
  Diagnostics out;
  std::set<std::string> names;
  for (const Tensor& t : tensors) {
    verify_tensor(t, values, out);
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
