// Protobuf to OnnxModel: the only file that includes ONNX's generated headers. Weights may be in
// files beside the model (ONNX's external data); names the element types it cannot convert.
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>

#include "compiler/frontend/onnx_model.hpp"
#include "models/common/mapped_file.hpp"

namespace dlavp::compiler {
namespace {

template <typename T>
std::vector<T> raw_values(const std::string& raw) {
  std::vector<T> out(raw.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), raw.data(), out.size() * sizeof(T));
  return out;
}

template <typename To, typename From>
void append(std::vector<To>& out, const From& values) {
  out.reserve(static_cast<size_t>(values.size()));
  for (const auto v : values) out.push_back(static_cast<To>(v));
}

/// Values of an element type that ONNX stores as `Raw` bytes or in the field `typed`.
template <typename Raw, typename To, typename Typed>
void take(std::vector<To>& out, const onnx::TensorProto& t, const Typed& typed) {
  if constexpr (std::is_same_v<Raw, To>) {
    if (t.has_raw_data()) {
      out = raw_values<Raw>(t.raw_data());
      return;
    }
  }
  if (t.has_raw_data()) {
    append(out, raw_values<Raw>(t.raw_data()));
  } else {
    append(out, typed);
  }
}

bool read_values(const onnx::TensorProto& t, OnnxTensor& out) {
  switch (t.data_type()) {
    case onnx::TensorProto::FLOAT:
      take<float>(out.floats, t, t.float_data());
      return true;
    case onnx::TensorProto::DOUBLE:
      take<double>(out.floats, t, t.double_data());
      return true;
    case onnx::TensorProto::INT64:
      take<int64_t>(out.ints, t, t.int64_data());
      break;
    case onnx::TensorProto::INT32:
      take<int32_t>(out.ints, t, t.int32_data());
      break;
    case onnx::TensorProto::INT8:
      take<int8_t>(out.ints, t, t.int32_data());
      out.is_signed = true;
      break;
    case onnx::TensorProto::UINT8:
      take<uint8_t>(out.ints, t, t.int32_data());
      break;
    case onnx::TensorProto::BOOL:
      take<uint8_t>(out.ints, t, t.int32_data());
      break;
    default:
      return false;
  }
  out.integral = true;
  return true;
}

/// A number of bytes that external data has as text.
std::optional<uint64_t> byte_count(const std::string& text) {
  uint64_t out = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (wrong != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

/// Puts a tensor's values, which are in a file of `folder`, into it. Returns what is wrong.
std::string load_external(onnx::TensorProto& t, const std::string& folder) {
  std::map<std::string, std::string> entries;
  for (const auto& e : t.external_data()) entries[e.key()] = e.value();
  const std::filesystem::path name(entries["location"]);
  const bool above = std::find(name.begin(), name.end(), "..") != name.end();
  if (name.empty() || name.is_absolute() || above)
    return fmt::format("its values are in '{}', which is no path below the model's folder",
                       name.string());
  const std::string path = (std::filesystem::path(folder) / name).string();
  std::error_code failed;
  const uint64_t size = std::filesystem::file_size(path, failed);
  std::ifstream file(path, std::ios::binary);
  if (failed || !file) return fmt::format("its values are in '{}', which cannot be read", path);
  const auto begin = entries.contains("offset") ? byte_count(entries["offset"]) : 0;
  const auto length = entries.contains("length") ? byte_count(entries["length"])
                                                 : size - std::min(size, begin.value_or(0));
  if (!begin || !length || *begin > size || *length > size - *begin)
    return fmt::format("its values are bytes '{}' and '{}' more of '{}', which has {}",
                       entries["offset"], entries["length"], path, size);
  std::string& raw = *t.mutable_raw_data();
  raw.resize(*length);
  file.seekg(static_cast<std::streamoff>(*begin));
  file.read(raw.data(), static_cast<std::streamsize>(*length));
  if (!file) return fmt::format("its values are in '{}', which cannot be read", path);
  t.clear_data_location();
  return {};
}

OnnxTensor convert(const onnx::TensorProto& t) {
  OnnxTensor out;
  out.name = t.name();
  constexpr int64_t kMostElements = int64_t{1} << 40;
  int64_t elements = 1;  // -1: no number of elements
  bool none = false;
  for (int64_t d : t.dims()) {
    out.dims.push_back(d);
    const bool bad = d < 0 || elements < 0 || (d != 0 && elements > kMostElements / d);
    elements = bad ? -1 : elements * std::max<int64_t>(d, 1);
    none = none || d == 0;
  }
  if (none && elements > 0) elements = 0;
  if (t.data_location() == onnx::TensorProto::EXTERNAL) {
    out.problem =
        "its values are in an external file, which only an initializer of a file can have";
  } else if (!read_values(t, out)) {
    out.problem = fmt::format(
        "element type {} is not supported (float, double, int8, uint8, int32, int64 are)",
        onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(t.data_type())));
  } else {
    const size_t count = out.integral ? out.ints.size() : out.floats.size();
    if (elements < 0) {
      out.problem =
          fmt::format("its shape has a negative size or more than {} elements", kMostElements);
    } else if (count != static_cast<size_t>(elements)) {
      out.problem = fmt::format("{} values, its shape says {}", count, elements);
    }
  }
  return out;
}

OnnxValueInfo convert(const onnx::ValueInfoProto& v) {
  OnnxValueInfo out;
  out.name = v.name();
  out.has_shape = v.type().tensor_type().has_shape();
  for (const auto& d : v.type().tensor_type().shape().dim()) {
    OnnxValueInfo::Dimension dim;
    if (d.has_dim_value()) {
      dim.size = d.dim_value();
    } else {
      dim.name = d.dim_param();
    }
    out.dims.push_back(dim);
  }
  return out;
}

OnnxAttributeKind kind_of(onnx::AttributeProto::AttributeType type) {
  switch (type) {
    case onnx::AttributeProto::INT:
      return OnnxAttributeKind::kInt;
    case onnx::AttributeProto::FLOAT:
      return OnnxAttributeKind::kFloat;
    case onnx::AttributeProto::STRING:
      return OnnxAttributeKind::kString;
    case onnx::AttributeProto::INTS:
      return OnnxAttributeKind::kInts;
    case onnx::AttributeProto::FLOATS:
      return OnnxAttributeKind::kFloats;
    default:
      return OnnxAttributeKind::kOther;
  }
}

OnnxNode convert(const onnx::NodeProto& n) {
  OnnxNode out;
  out.op_type = n.op_type();
  out.domain = n.domain();
  out.inputs.assign(n.input().begin(), n.input().end());
  out.outputs.assign(n.output().begin(), n.output().end());
  out.name = !n.name().empty() ? n.name() : n.output_size() > 0 ? n.output(0) : n.op_type();
  for (const onnx::AttributeProto& a : n.attribute()) {
    OnnxAttribute& to = out.attributes[a.name()];
    to.kind = kind_of(a.type());
    to.i = a.i();
    to.f = a.f();
    to.s = a.s();
    to.ints.assign(a.ints().begin(), a.ints().end());
    to.floats.assign(a.floats().begin(), a.floats().end());
    if (a.has_t()) to.tensor = convert(a.t());
  }
  return out;
}

Diagnostics parse(std::string_view bytes, const std::string& place, onnx::ModelProto& proto) {
  google::protobuf::SetLogHandler(nullptr);  // the error below says it with the file's name
  constexpr size_t kMost = std::numeric_limits<int>::max();
  if (bytes.size() > kMost) {
    return Diagnostics(Error{"onnx.parse", place,
                             fmt::format("{} bytes, and a protobuf file has at most {}: save the "
                                         "weights as external data",
                                         bytes.size(), kMost)});
  }
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Diagnostics(
        Error{"onnx.parse", place,
              fmt::format("not an ONNX model, or truncated ({} bytes read)", bytes.size())});
  }
  if (!proto.has_graph() || proto.graph().node_size() == 0) {
    return Diagnostics(
        Error{"onnx.empty", place, "no graph with nodes: not an ONNX model, or truncated"});
  }
  return {};
}

/// Weights are freed as they are taken over: a large network's are hundreds of megabytes.
OnnxModel convert(onnx::ModelProto& proto, const std::optional<std::string>& folder) {
  OnnxModel model;
  model.graph_name = proto.graph().name();
  for (const auto& set : proto.opset_import()) {
    if (set.domain().empty() || set.domain() == "ai.onnx") model.opset = set.version();
  }
  for (onnx::TensorProto& t : *proto.mutable_graph()->mutable_initializer()) {
    std::string problem;
    if (folder && t.data_location() == onnx::TensorProto::EXTERNAL)
      problem = load_external(t, *folder);
    OnnxTensor& made = model.initializers[t.name()] = convert(t);
    if (!problem.empty()) made.problem = problem;
    const std::unique_ptr<std::string> freed(t.release_raw_data());  // cleared, it keeps its memory
  }
  for (const auto& v : proto.graph().input()) model.inputs.push_back(convert(v));
  for (const auto& v : proto.graph().output()) model.outputs.push_back(convert(v));
  for (const auto& n : proto.graph().node()) model.nodes.push_back(convert(n));
  return model;
}

}  // namespace

Result<OnnxModel> decode_onnx(const std::string& bytes, const std::string& place) {
  onnx::ModelProto proto;
  if (Diagnostics wrong = parse(bytes, place, proto); !wrong.empty()) return wrong;
  return convert(proto, std::nullopt);
}

Result<OnnxModel> read_onnx(const std::string& path) {
  onnx::ModelProto proto;
  {
    const auto file = MappedFile::open(path, "onnx.open");
    if (!file) return file.errors();
    if (Diagnostics wrong = parse(file->bytes(), path, proto); !wrong.empty()) return wrong;
  }
  return convert(proto, std::filesystem::path(path).parent_path().string());
}

}  // namespace dlavp::compiler
