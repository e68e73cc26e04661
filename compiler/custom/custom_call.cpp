#include "compiler/custom/custom_call.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace dlavp::compiler {
namespace {

constexpr int64_t kLargestSide = 1 << 20;

/// The numbers that the model gives an attribute, or its default.
Result<std::vector<double>> given(const AttributeRule& rule, const CustomAttributes& attributes) {
  const std::string& name = rule.name;
  if (rule.type == AttributeType::kChoice) {
    const auto text = attributes.texts.find(name);
    const bool absent = text == attributes.texts.end() && !attributes.numbers.contains(name) &&
                        !attributes.lists.contains(name);
    if (absent && rule.optional) return rule.otherwise;
    const std::string value = text == attributes.texts.end() ? "" : text->second;
    const auto at = std::find(rule.choices.begin(), rule.choices.end(), value);
    if (at == rule.choices.end())
      return Error{
          "custom.attribute", "",
          fmt::format("{} '{}', expected one of {}", name, value, fmt::join(rule.choices, ", "))};
    return std::vector<double>{static_cast<double>(at - rule.choices.begin())};
  }
  if (const auto list = attributes.lists.find(name); list != attributes.lists.end())
    return list->second;
  if (const auto number = attributes.numbers.find(name); number != attributes.numbers.end())
    return std::vector<double>{number->second};
  if (const auto text = attributes.texts.find(name); text != attributes.texts.end())
    return Error{"custom.attribute", "",
                 fmt::format("{} '{}', expected a number", name, text->second)};
  if (rule.optional) return rule.otherwise;
  return Error{"custom.attribute", "", fmt::format("{} is missing and has no default", name)};
}

bool is_list(AttributeType type) {
  return type == AttributeType::kIntegers || type == AttributeType::kReals;
}

Diagnostics add_attribute(const AttributeRule& rule, const std::vector<double>& values,
                          CustomArguments& out) {
  const bool real = rule.type == AttributeType::kReal || rule.type == AttributeType::kReals;
  if (!is_list(rule.type) && values.size() != 1)
    return Diagnostics(
        Error{"custom.attribute", "",
              fmt::format("{} has {} values, expected 1", rule.name, values.size())});
  if (is_list(rule.type)) out.params.push_back(static_cast<int32_t>(values.size()));
  for (const double v : values) {
    if (real) {
      out.reals.push_back(v);
      continue;
    }
    if (std::trunc(v) != v || std::abs(v) > std::numeric_limits<int32_t>::max())
      return Diagnostics(
          Error{"custom.attribute", "",
                fmt::format("{} is {:g}, expected a whole number of 32 bits", rule.name, v)});
    out.params.push_back(static_cast<int32_t>(v));
  }
  return {};
}

void refuse_unknown(const CustomLayer& layer, const CustomAttributes& attributes,
                    Diagnostics& errors) {
  std::vector<std::string> known;
  for (const AttributeRule& rule : layer.attributes) known.push_back(rule.name);
  const auto look = [&](const auto& values) {
    for (const auto& [name, value] : values)
      if (std::find(known.begin(), known.end(), name) == known.end())
        errors.add("custom.attribute", "",
                   fmt::format("{} is not declared in {}; declared: {}", name, layer.place,
                               known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
  };
  look(attributes.numbers);
  look(attributes.lists);
  look(attributes.texts);
}

Result<Shape> shape_of(const CustomLayer& layer, const ShapeRule& rule,
                       const CustomAttributes& attributes, std::span<const Shape> inputs) {
  std::map<std::string, int64_t> names;
  for (size_t i = 0; i < inputs.size(); ++i) {
    names[fmt::format("c{}", i)] = inputs[i].c;
    names[fmt::format("h{}", i)] = inputs[i].h;
    names[fmt::format("w{}", i)] = inputs[i].w;
  }
  for (const AttributeRule& a : layer.attributes) {
    if (a.type != AttributeType::kInteger && a.type != AttributeType::kChoice) continue;
    const auto values = given(a, attributes);
    if (values.ok() && values->size() == 1) names[a.name] = static_cast<int64_t>(values->front());
  }
  int64_t sides[3] = {};
  const std::string* const texts[3] = {&rule.channels, &rule.height, &rule.width};
  for (size_t i = 0; i < 3; ++i) {
    const auto value = evaluate_expression(*texts[i], names);
    if (!value) return value.errors();
    if (*value < 1 || *value > kLargestSide)
      return Error{"custom.value", "",
                   fmt::format("'{}' is {}, expected 1 to {}", *texts[i], *value, kLargestSide)};
    sides[i] = *value;
  }
  return Shape{1, sides[0], sides[1], sides[2]};
}

/// Planes one after the other: the atom is one element.
CoreTensor planar(const Shape& shape, uint32_t element, double scale, const void* bytes) {
  CoreTensor t{};
  t.bytes = static_cast<uint8_t*>(const_cast<void*>(bytes));
  t.size[CORE_AXIS_C] = static_cast<uint32_t>(shape.c);
  t.size[CORE_AXIS_H] = static_cast<uint32_t>(shape.h);
  t.size[CORE_AXIS_W] = static_cast<uint32_t>(shape.w);
  t.element = t.atom = element;
  t.line_stride = t.size[CORE_AXIS_W] * element;
  t.surface_stride = t.size[CORE_AXIS_H] * t.line_stride;
  t.scale = scale;
  return t;
}

class Definition {
 public:
  Definition(CustomLayer layer, std::shared_ptr<const kit::HostLayer> host)
      : layer_(std::move(layer)), host_(std::move(host)) {}

  [[nodiscard]] Result<Shape> shape(const CustomAttributes& attributes,
                                    std::span<const Shape> inputs) const {
    const auto count = static_cast<int64_t>(inputs.size());
    if (count < layer_.least_inputs || count > layer_.most_inputs)
      return Error{"custom.inputs", "",
                   fmt::format("{} has {} inputs, expected {} to {}", layer_.sources.name, count,
                               layer_.least_inputs, layer_.most_inputs)};
    const auto arguments = custom_arguments(layer_, attributes);
    if (!arguments) return arguments.errors();
    const auto out = shape_of(layer_, layer_.shape, attributes, inputs);
    if (!out) return out;
    std::vector<CoreTensor> tensors;
    for (const Shape& s : inputs) tensors.push_back(planar(s, CORE_INT8, 1, nullptr));
    tensors.push_back(planar(*out, CORE_INT8, 1, nullptr));
    const std::string wrong = host_->check(tensors, {arguments->params, arguments->reals});
    if (!wrong.empty()) return Error{"custom.check", "", wrong};
    return out;
  }
  [[nodiscard]] Result<std::vector<Shape>> constants(const CustomAttributes& attributes,
                                                     std::span<const Shape> inputs) const {
    std::vector<Shape> out;
    for (const ShapeRule& rule : layer_.constants) {
      const auto shape = shape_of(layer_, rule, attributes, inputs);
      if (!shape) return shape.errors();
      out.push_back(*shape);
    }
    return out;
  }
  [[nodiscard]] CustomArguments arguments(const CustomAttributes& attributes) const {
    auto out = custom_arguments(layer_, attributes);
    DLAVP_CHECK(out.ok(), "{}: {}", layer_.sources.name, out.errors().text());
    return std::move(out).value();
  }
  void evaluate(const CustomAttributes& attributes, std::span<const CustomTensor> inputs,
                const Shape& shape, std::span<float> output) const {
    std::vector<std::vector<double>> reals;
    std::vector<CoreTensor> tensors;
    for (const CustomTensor& in : inputs) {
      reals.emplace_back(in.values.begin(), in.values.end());
      tensors.push_back(planar(in.shape, CORE_REAL, 1, reals.back().data()));
    }
    std::vector<double> out(output.size());
    tensors.push_back(planar(shape, CORE_REAL, 1, out.data()));
    const CustomArguments a = arguments(attributes);
    host_->run(tensors, {a.params, a.reals});
    std::transform(out.begin(), out.end(), output.begin(),
                   [](double v) { return static_cast<float>(v); });
  }
  void compute(const CustomAttributes& attributes, std::span<const CustomStored> inputs,
               const CustomStored& output, std::span<int8_t> values) const {
    std::vector<CoreTensor> tensors;
    for (const CustomStored& in : inputs)
      tensors.push_back(planar(in.shape, CORE_INT8, in.scale, in.values.data()));
    tensors.push_back(planar(output.shape, CORE_INT8, output.scale, values.data()));
    const CustomArguments a = arguments(attributes);
    host_->run(tensors, {a.params, a.reals});
  }

 private:
  CustomLayer layer_;
  std::shared_ptr<const kit::HostLayer> host_;
};

}  // namespace

Result<CustomArguments> custom_arguments(const CustomLayer& layer,
                                         const CustomAttributes& attributes) {
  CustomArguments out;
  Diagnostics errors;
  refuse_unknown(layer, attributes, errors);
  for (const AttributeRule& rule : layer.attributes) {
    const auto values = given(rule, attributes);
    errors.append(values.ok() ? add_attribute(rule, *values, out) : values.errors());
  }
  if (!errors.empty()) return errors;
  return out;
}

std::shared_ptr<const CustomDefinition> define_custom(const CustomLayer& layer,
                                                      std::shared_ptr<const kit::HostLayer> host) {
  const auto d = std::make_shared<const Definition>(layer, std::move(host));
  auto out = std::make_shared<CustomDefinition>();
  out->name = layer.sources.name;
  out->onnx_domain = layer.onnx_domain;
  out->caffe_parameters = layer.caffe_parameters;
  using Attributes = CustomAttributes;
  out->shape = [d](const Attributes& a, std::span<const Shape> in) { return d->shape(a, in); };
  out->constants = [d](const Attributes& a, std::span<const Shape> in) {
    return d->constants(a, in);
  };
  out->arguments = [d](const Attributes& a) { return d->arguments(a); };
  out->evaluate = [d](const Attributes& a, std::span<const CustomTensor> in, const Shape& s,
                      std::span<float> to) { d->evaluate(a, in, s, to); };
  out->compute = [d](const Attributes& a, std::span<const CustomStored> in, const CustomStored& o,
                     std::span<int8_t> to) { d->compute(a, in, o, to); };
  return out;
}

}  // namespace dlavp::compiler
