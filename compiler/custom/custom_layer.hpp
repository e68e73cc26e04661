// Layers that a user adds: a YAML file names the operator, its C source, its shape rule and its
// attributes (docs/custom_layers.md).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "compiler/ir/operators.hpp"
#include "sw/kit/kit.hpp"

namespace dlavp::compiler {

enum class AttributeType : uint8_t { kInteger, kReal, kIntegers, kReals, kChoice };

/// One attribute. Its values reach the C function in the order of declaration.
struct AttributeRule {
  std::string name;
  AttributeType type = AttributeType::kInteger;
  std::vector<std::string> choices;
  bool optional = false;
  std::vector<double> otherwise;  ///< the default's numbers; of a choice its index
};

/// Expressions over c0, h0, w0, c1, ... (the inputs' sizes) and the attributes that are integers.
struct ShapeRule {
  std::string channels, height, width;
};

struct CustomLayer {
  std::string place;  ///< its file
  kit::LayerSources sources;
  std::string onnx_type, onnx_domain;
  std::string caffe_type, caffe_parameters;
  int64_t least_inputs = 1, most_inputs = 1;
  ShapeRule shape;
  std::vector<ShapeRule> constants;  ///< behind the inputs of a Caffe layer
  std::vector<AttributeRule> attributes;
};

/// Reads each path: a YAML file, or a folder with some. All errors of all files: custom.file,
/// custom.syntax, custom.missing, custom.type, custom.unknown_key, custom.range, custom.name (too
/// long, twice), custom.expression.
Result<std::vector<CustomLayer>> read_custom_layers(const std::vector<std::string>& paths);

/// The sources of all of them, for the firmware.
[[nodiscard]] std::vector<kit::LayerSources> layer_sources(const std::vector<CustomLayer>& layers);

/// Operators for the front ends, by ONNX and by Caffe type. Each source is compiled for this
/// machine, so that interpreters compute with the layer's own code. Errors: those of
/// kit::HostLayer::load.
Result<CustomRegistry> custom_registry(const std::vector<CustomLayer>& layers);

}  // namespace dlavp::compiler
