// Reading the YAML of custom layers.
#include "compiler/custom/custom_layer.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "compiler/custom/custom_call.hpp"
#include "models/common/yaml_reader.hpp"
#include "sw/kit/core_layer.h"

namespace dlavp::compiler {
namespace {

namespace fs = std::filesystem;
using yaml::MapReader;
using yaml::Need;

constexpr int64_t kMostInputs = 32;

/// A scalar as it is written, whatever its type.
std::string scalar(MapReader& in, const std::string& key, Need need = Need::kRequired) {
  const YAML::Node node = in.node(key, need);
  if (!node || node.IsNull()) return "";
  if (node.IsScalar()) return node.Scalar();
  in.error("type", key, "expected an expression");
  return "";
}

ShapeRule read_shape(MapReader in) {
  ShapeRule out;
  out.channels = scalar(in, "channels");
  out.height = scalar(in, "height");
  out.width = scalar(in, "width");
  in.finish();
  return out;
}

void read_inputs(MapReader& in, CustomLayer& layer) {
  const YAML::Node node = in.node("inputs", Need::kOptional);
  if (!node || node.IsNull()) return;
  if (node.IsMap()) {
    if (auto map = in.map("inputs")) {
      layer.least_inputs =
          static_cast<int64_t>(map->unsigned_integer("least", Need::kRequired).value_or(1));
      layer.most_inputs =
          static_cast<int64_t>(map->unsigned_integer("most", Need::kRequired).value_or(1));
      map->finish();
    }
  } else if (const auto count = in.unsigned_integer("inputs")) {
    layer.least_inputs = layer.most_inputs = static_cast<int64_t>(*count);
  }
  if (layer.least_inputs < 1 || layer.most_inputs < layer.least_inputs ||
      layer.most_inputs > kMostInputs)
    in.error("range", "inputs",
             fmt::format("{} to {}, expected a range within 1 to {}", layer.least_inputs,
                         layer.most_inputs, kMostInputs));
}

std::vector<double> read_default(MapReader& in, const AttributeRule& rule) {
  const YAML::Node node = in.node("default", Need::kOptional);
  if (!node || node.IsNull()) return {};
  std::vector<double> out;
  const auto add = [&](const YAML::Node& value) {
    if (rule.type == AttributeType::kChoice) {
      const auto at = std::find(rule.choices.begin(), rule.choices.end(),
                                value.IsScalar() ? value.Scalar() : "");
      if (at == rule.choices.end())
        in.error("range", "default",
                 fmt::format("expected one of {}", fmt::join(rule.choices, ", ")));
      out.push_back(static_cast<double>(at - rule.choices.begin()));
      return;
    }
    double number = 0;
    if (!value.IsScalar() || !YAML::convert<double>::decode(value, number))
      in.error("type", "default", "expected a number");
    out.push_back(number);
  };
  if (node.IsSequence()) {
    for (const auto& value : node) add(value);
  } else {
    add(node);
  }
  return out;
}

AttributeRule read_attribute(MapReader in) {
  static const std::vector<std::pair<std::string, AttributeType>> kTypes{
      {"integer", AttributeType::kInteger},
      {"real", AttributeType::kReal},
      {"integers", AttributeType::kIntegers},
      {"reals", AttributeType::kReals},
      {"choice", AttributeType::kChoice}};
  AttributeRule out;
  out.name = in.text("name").value_or("");
  const std::string type = in.text("type", Need::kOptional).value_or("integer");
  bool known = false;
  for (const auto& [name, value] : kTypes) {
    if (name != type) continue;
    out.type = value;
    known = true;
  }
  if (!known)
    in.error("type", "type",
             fmt::format("'{}', expected integer, real, integers, reals or choice", type));
  if (out.type == AttributeType::kChoice) out.choices = in.texts("choices").value_or(out.choices);
  const YAML::Node given = in.node("default", Need::kOptional);
  out.optional = given && !given.IsNull();
  out.otherwise = read_default(in, out);
  in.finish();
  return out;
}

/// Names and syntax of a rule; what its values lead to is seen when shapes are known.
void check_rule(const MapReader& in, const CustomLayer& layer, const ShapeRule& rule,
                Diagnostics& errors) {
  std::map<std::string, int64_t> names;
  for (int64_t i = 0; i < layer.most_inputs; ++i)
    for (const char* side : {"c", "h", "w"}) names[fmt::format("{}{}", side, i)] = 1;
  for (const AttributeRule& a : layer.attributes)
    if (a.type == AttributeType::kInteger || a.type == AttributeType::kChoice) names[a.name] = 1;
  for (const std::string* text : {&rule.channels, &rule.height, &rule.width}) {
    const auto value = evaluate_expression(*text, names);
    if (!value.ok() && value.errors().has("custom.expression"))
      errors.add("custom.expression", in.place("shape"), value.errors().errors().front().message);
  }
}

void read_sources(MapReader& in, const fs::path& folder, CustomLayer& layer) {
  const YAML::Node node = in.node("source");
  std::vector<std::string> names;
  if (node && node.IsSequence())
    names = in.texts("source").value_or(names);
  else
    names = {in.text("source").value_or("")};
  for (const std::string& name : names) {
    const fs::path path = folder / name;
    std::error_code ignored;
    if (!name.empty() && !fs::is_regular_file(path, ignored))
      in.error("file", "source", fmt::format("there is no file {}", path.string()));
    layer.sources.files.push_back(path);
  }
}

Result<CustomLayer> read_layer(const fs::path& path) {
  const auto root = yaml::load_map(path, "custom");
  if (!root) return root.errors();
  Diagnostics errors;
  MapReader in(*root, path.string(), "custom", errors);
  CustomLayer layer;
  layer.place = path.string();
  layer.sources.name = in.text("name").value_or("");
  if (layer.sources.name.empty()) in.error("name", "name", "is empty");
  if (layer.sources.name.size() >= CORE_NAME_BYTES)
    in.error(
        "name", "name",
        fmt::format("'{}' is longer than {} characters", layer.sources.name, CORE_NAME_BYTES - 1));
  layer.onnx_type = layer.caffe_type = layer.sources.name;
  read_sources(in, path.parent_path(), layer);
  if (auto onnx = in.map("onnx", Need::kOptional)) {
    layer.onnx_type = onnx->text("type", Need::kOptional).value_or(layer.onnx_type);
    layer.onnx_domain = onnx->text("domain", Need::kOptional).value_or("");
    onnx->finish();
  }
  if (auto caffe = in.map("caffe", Need::kOptional)) {
    layer.caffe_type = caffe->text("type", Need::kOptional).value_or(layer.caffe_type);
    layer.caffe_parameters = caffe->text("parameters", Need::kOptional).value_or("");
    caffe->finish();
  }
  read_inputs(in, layer);
  for (MapReader& attribute : in.maps("attributes", Need::kOptional))
    layer.attributes.push_back(read_attribute(std::move(attribute)));
  std::set<std::string> names;
  for (const AttributeRule& attribute : layer.attributes)
    if (!names.insert(attribute.name).second)
      in.error("name", "attributes", fmt::format("'{}' is declared twice", attribute.name));
  const YAML::Node shape = in.node("shape");
  if (shape && shape.IsScalar() && shape.Scalar() == "same")
    layer.shape = {"c0", "h0", "w0"};
  else if (auto map = in.map("shape"))
    layer.shape = read_shape(std::move(*map));
  for (MapReader& constant : in.maps("constants", Need::kOptional))
    layer.constants.push_back(read_shape(std::move(constant)));
  in.finish();
  if (errors.empty()) {
    check_rule(in, layer, layer.shape, errors);
    for (const ShapeRule& rule : layer.constants) check_rule(in, layer, rule, errors);
  }
  if (!errors.empty()) return errors;
  return layer;
}

std::vector<fs::path> files_of(const std::string& path, Diagnostics& errors) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return {path};
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(path, ignored))
    if (entry.path().extension() == ".yaml") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  if (out.empty()) errors.add("custom.file", path, "holds no .yaml file of a custom layer");
  return out;
}

}  // namespace

Result<std::vector<CustomLayer>> read_custom_layers(const std::vector<std::string>& paths) {
  std::vector<CustomLayer> out;
  Diagnostics errors;
  std::map<std::string, std::string> places;
  for (const std::string& path : paths) {
    for (const fs::path& file : files_of(path, errors)) {
      auto layer = read_layer(file);
      if (!layer.ok()) {
        errors.append(layer.errors());
        continue;
      }
      const auto [at, fresh] = places.emplace(layer->sources.name, layer->place);
      if (fresh)
        out.push_back(std::move(layer).value());
      else
        errors.add("custom.name", file.string(),
                   fmt::format("'{}' is the name of {} too", at->first, at->second));
    }
  }
  if (!errors.empty()) return errors;
  return out;
}

std::vector<kit::LayerSources> layer_sources(const std::vector<CustomLayer>& layers) {
  std::vector<kit::LayerSources> out;
  for (const CustomLayer& layer : layers) out.push_back(layer.sources);
  return out;
}

Result<CustomRegistry> custom_registry(const std::vector<CustomLayer>& layers) {
  CustomRegistry out;
  Diagnostics errors;
  for (const CustomLayer& layer : layers) {
    const auto host = kit::HostLayer::load(layer.sources);
    if (!host) {
      errors.append(host.errors());
      continue;
    }
    const auto definition = define_custom(layer, *host);
    std::set<std::string> types{layer.onnx_type, layer.caffe_type};
    for (const std::string& type : types)
      if (!out.emplace(type, definition).second)
        errors.add("custom.name", layer.place,
                   fmt::format("another custom layer has the type '{}' too", type));
  }
  if (!errors.empty()) return errors;
  return out;
}

}  // namespace dlavp::compiler
