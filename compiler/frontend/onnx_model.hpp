// An ONNX model as plain data: what protobuf decoded, with all constants in one of two forms.
// Keeps the protobuf headers inside one translation unit.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp::compiler {

struct OnnxTensor {
  std::string name;
  std::vector<int64_t> dims;
  bool integral = false;   ///< `ints` holds the values, else `floats`
  bool is_signed = false;  ///< of int8
  std::vector<float> floats;
  std::vector<int64_t> ints;
  /// Of a dequantised constant: its scales, one or one for each index of `scale_axis`.
  std::vector<double> scales;
  int64_t scale_axis = 0;
  std::string problem;  ///< why the values could not be read, empty if they could
};

enum class OnnxAttributeKind : uint8_t { kInt, kFloat, kString, kInts, kFloats, kOther };

struct OnnxAttribute {
  OnnxAttributeKind kind = OnnxAttributeKind::kOther;
  int64_t i = 0;
  float f = 0;
  std::string s;
  std::vector<int64_t> ints;
  std::vector<float> floats;
  OnnxTensor tensor;
};

struct OnnxNode {
  std::string name, op_type, domain;
  std::vector<std::string> inputs, outputs;
  std::map<std::string, OnnxAttribute> attributes;
};

/// A declared input or output; a dimension is a size or, if `size` is -1, a name.
struct OnnxValueInfo {
  struct Dimension {
    int64_t size = -1;
    std::string name;
  };
  std::string name;
  bool has_shape = false;
  std::vector<Dimension> dims;
};

struct OnnxModel {
  std::string graph_name;
  int64_t opset = 0;
  std::vector<OnnxValueInfo> inputs, outputs;
  std::map<std::string, OnnxTensor> initializers;
  std::vector<OnnxNode> nodes;
};

/// Decodes serialised bytes. Errors: onnx.parse (truncated or no protobuf), onnx.empty.
Result<OnnxModel> decode_onnx(const std::string& bytes, const std::string& place);

/// Reads and decodes a file. Errors: as above, and onnx.open.
Result<OnnxModel> read_onnx(const std::string& path);

}  // namespace dlavp::compiler
