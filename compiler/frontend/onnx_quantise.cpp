// ONNX import of QuantizeLinear and DequantizeLinear on activations: a pair prescribes its scale
// and zero point. A lower bound of zero is kept as a Relu, because exporters drop the Relu before
// it.
#include <algorithm>
#include <cmath>

#include "compiler/frontend/importer.hpp"

namespace dlavp::compiler {

void Importer::add_quantise_handlers(HandlerMap& table) {
  table["QuantizeLinear"] = &Importer::quantize_linear;
  table["DequantizeLinear"] = &Importer::dequantize_linear;
}

namespace {

/// Smallest and largest value of the quantised type, from its zero point's tensor.
std::pair<int64_t, int64_t> limits(const OnnxTensor* zero_point) {
  const bool is_signed = zero_point != nullptr && zero_point->is_signed;
  return is_signed ? std::pair<int64_t, int64_t>{-128, 127} : std::pair<int64_t, int64_t>{0, 255};
}

}  // namespace

void Importer::quantize_linear(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  const double s = double{scalar(node, 1, "scale")};
  if (!(s > 0) || !std::isfinite(s)) fail(node, "onnx.quantise", fmt::format("scale {}", s));
  const OnnxTensor* zero = has_input(node, 2) ? &constant(node, 2) : nullptr;
  if (zero != nullptr && (!zero->integral || zero->ints.size() != 1)) {
    fail(node, "onnx.quantise",
         fmt::format("the zero point has {} values of an activation; one integer is supported",
                     zero->integral ? zero->ints.size() : zero->floats.size()));
  }
  const auto [first, last] = limits(zero);
  const int64_t z = zero == nullptr ? 0 : zero->ints[0];
  if (z < first || z > last) fail(node, "onnx.quantise", fmt::format("zero point {}", z));
  ModelView out = x;
  const bool input =
      std::find(graph_.inputs.begin(), graph_.inputs.end(), x.id) != graph_.inputs.end();
  const bool at_zero = z == first;
  const Node* producer =
      graph_.nodes.empty() || graph_.nodes.back().output != x.id ? nullptr : &graph_.nodes.back();
  const bool is_relu = producer != nullptr && producer->as<ReluOp>() != nullptr;
  if (at_zero && !input && !is_relu) out = with_id(out, emit(node, ReluOp{}, {x.id}, ".relu"));
  const Quantisation wanted{s, static_cast<int32_t>(z - first - 128)};
  if (const auto& before = graph_.tensor(out.id).prescribed; before && *before != wanted)
    out = with_id(out, emit(node, IdentityOp{}, {out.id}, ".requantised"));
  graph_.tensor(out.id).prescribed = wanted;
  define(node, Activation{out, Activation::Quantised{s, z}}, 0);
}

void Importer::dequantize_linear(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  if (!x.quantised) {
    fail(node, "onnx.quantise",
         fmt::format("input '{}' is neither a constant nor from a QuantizeLinear", node.inputs[0]));
  }
  const double s = double{scalar(node, 1, "scale")};
  int64_t z = 0;
  if (has_input(node, 2)) {
    const std::vector<int64_t> zero = ints(node, 2);
    if (zero.size() != 1) fail(node, "onnx.quantise", "more than one zero point of an activation");
    z = zero[0];
  }
  if (*x.quantised == Activation::Quantised{s, z}) return define(node, ModelView(x));
  // The same numbers read with another meaning.
  const double factor = s / x.quantised->scale;
  const double shift = s * static_cast<double>(x.quantised->zero_point - z);
  define(node, apply(node, x, {{UnaryKind::kAffine, factor, shift}}));
}

}  // namespace dlavp::compiler
