// Caffe layers of types that a user adds.
#include <charconv>

#include "compiler/frontend/caffe_layers.hpp"

namespace dlavp::compiler {
namespace {

template <typename T>
std::optional<T> parsed(const std::string& text) {
  T v{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return v;
}

/// The values of one field: whole numbers, numbers, or one text.
OnnxAttribute attribute_of(const std::vector<const TextField*>& fields) {
  OnnxAttribute out;
  out.kind = fields.size() == 1 ? OnnxAttributeKind::kInt : OnnxAttributeKind::kInts;
  for (const TextField* f : fields) {
    const bool flag = f->value == "true" || f->value == "false";
    const auto whole =
        flag ? std::optional<int64_t>(f->value == "true") : parsed<int64_t>(f->value);
    const auto real =
        whole ? std::optional<float>(static_cast<float>(*whole)) : parsed<float>(f->value);
    if (!real) {
      out.kind = fields.size() == 1 ? OnnxAttributeKind::kString : OnnxAttributeKind::kOther;
      out.s = f->value;
      return out;
    }
    if (!whole)
      out.kind = fields.size() == 1 ? OnnxAttributeKind::kFloat : OnnxAttributeKind::kFloats;
    out.i = whole.value_or(0);
    out.f = *real;
    out.ints.push_back(out.i);
    out.floats.push_back(*real);
  }
  return out;
}

}  // namespace

void CaffeLayers::custom(const CustomDefinition& definition) {
  OnnxNode n = node(type_, {}, result());
  n.domain = definition.onnx_domain;
  const TextMessage& given = parameters(definition.caffe_parameters.c_str());
  for (const TextField& f : given.fields)
    if (f.message.empty()) n.attributes[f.name] = attribute_of(given.all(f.name));
  std::vector<Shape> shapes;
  for (size_t i = 0; i < bottoms_.size(); ++i) {
    n.inputs.push_back(bottom(i));
    const std::vector<int64_t>& d = dims(i);
    const auto side = [&](size_t k) { return k < d.size() ? d[k] : int64_t{1}; };
    shapes.push_back({1, side(1), side(2), side(3)});
  }
  std::string unfit;
  const CustomAttributes attributes = custom_attributes(n, unfit);
  if (!unfit.empty()) fail("caffe.attribute", fmt::format("{} mixes numbers and text", unfit));
  if (definition.constants) {
    const auto constants = definition.constants(attributes, shapes);
    if (!constants) {
      const Error& e = constants.errors().errors().front();
      fail(e.id.c_str(), e.message);
    }
    for (size_t i = 0; i < constants->size(); ++i) {
      const Shape& s = (*constants)[i];
      const std::vector<int64_t> wanted{1, s.c, s.h, s.w};
      n.inputs.push_back(constant(wanted, weights(i, wanted, std::nullopt)));
    }
  }
  import(n);
  set_top(0, n.outputs[0]);
}

}  // namespace dlavp::compiler
