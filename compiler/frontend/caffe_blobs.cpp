// Protobuf's wire form, of which only the fields with weights are looked at: layers of both
// generations, their names and blobs.
#include "compiler/frontend/caffe_blobs.hpp"

#include <cstdint>
#include <cstring>

#include "models/common/read_file.hpp"

namespace dlavp::compiler {
namespace {

// Field numbers of Caffe's published schema.
constexpr uint32_t kNetLayers = 2;  ///< the older generation
constexpr uint32_t kNetLayer = 100;
constexpr uint32_t kLayerName = 1, kLayerBlobs = 7;
constexpr uint32_t kOldLayerName = 4, kOldLayerBlobs = 6;
constexpr uint32_t kBlobNum = 1, kBlobWidth = 4, kBlobData = 5, kBlobShape = 7, kBlobDoubleData = 8;
constexpr uint32_t kShapeDim = 1;
constexpr uint32_t kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

struct Failure {
  std::string message;
};

/// One field: its number, its wire type, and its number or bytes.
struct Field {
  uint32_t number = 0, type = 0;
  uint64_t value = 0;
  const char* data = nullptr;
  size_t size = 0;
};

class Wire {
 public:
  Wire(const char* data, size_t size) : at_(data), end_(data + size) {}
  bool next(Field& f) {
    if (at_ == end_) return false;
    const uint64_t key = varint();
    f = {static_cast<uint32_t>(key >> 3U), static_cast<uint32_t>(key & 7U), 0, nullptr, 0};
    if (f.number == 0) throw Failure{"a field without a number"};
    if (f.type == kVarint) {
      f.value = varint();
      return true;
    }
    f.size = f.type == kFixed64 ? 8 : f.type == kFixed32 ? 4 : 0;
    if (f.type == kBytes) f.size = static_cast<size_t>(varint());
    if (f.size == 0 && f.type != kBytes) throw Failure{fmt::format("wire type {}", f.type)};
    if (f.size > static_cast<size_t>(end_ - at_))
      throw Failure{fmt::format("{} bytes announced, {} are left", f.size, end_ - at_)};
    f.data = at_;
    at_ += f.size;
    return true;
  }
  uint64_t varint() {
    uint64_t out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) break;
      const auto byte = static_cast<unsigned char>(*at_++);
      out |= static_cast<uint64_t>(byte & 0x7fU) << shift;
      if ((byte & 0x80U) == 0) return out;
    }
    throw Failure{"truncated"};
  }
  [[nodiscard]] bool done() const { return at_ == end_; }

 private:
  const char* at_;
  const char* end_;
};

template <typename T>
void append(std::vector<float>& to, const Field& f) {
  const size_t n = f.size / sizeof(T);
  const size_t start = to.size();
  to.resize(start + n);
  for (size_t i = 0; i < n; ++i) {
    T v;
    std::memcpy(&v, f.data + i * sizeof(T), sizeof(T));
    to[start + i] = static_cast<float>(v);
  }
}

CaffeBlob blob(const Field& message, const std::string& layer) {
  CaffeBlob out;
  std::vector<int64_t> old_dims;
  Wire wire(message.data, message.size);
  for (Field f; wire.next(f);) {
    if (f.number >= kBlobNum && f.number <= kBlobWidth && f.type == kVarint) {
      old_dims.push_back(static_cast<int64_t>(f.value));
    } else if (f.number == kBlobData) {
      append<float>(out.values, f);
    } else if (f.number == kBlobDoubleData) {
      append<double>(out.values, f);
    } else if (f.number == kBlobShape) {
      Wire shape(f.data, f.size);
      for (Field d; shape.next(d);) {
        if (d.number != kShapeDim) continue;
        if (d.type == kVarint) out.dims.push_back(static_cast<int64_t>(d.value));
        if (d.type != kBytes) continue;
        for (Wire packed(d.data, d.size); !packed.done();)
          out.dims.push_back(static_cast<int64_t>(packed.varint()));
      }
    }
  }
  if (out.dims.empty()) out.dims = old_dims;
  int64_t elements = 1;
  for (int64_t d : out.dims) {
    if (d < 0 || d > int64_t{1} << 31 || elements > int64_t{1} << 31)
      throw Failure{fmt::format("layer '{}': a blob of [{}]", layer, fmt::join(out.dims, "x"))};
    elements *= d;
  }
  if (static_cast<size_t>(elements) != out.values.size()) {
    throw Failure{fmt::format("layer '{}': a blob of [{}] with {} values", layer,
                              fmt::join(out.dims, "x"), out.values.size())};
  }
  return out;
}

}  // namespace

Result<CaffeBlobs> decode_caffemodel(const std::string& bytes, const std::string& place) {
  CaffeBlobs out;
  size_t layers = 0;
  try {
    Wire net(bytes.data(), bytes.size());
    for (Field layer; net.next(layer);) {
      if ((layer.number != kNetLayer && layer.number != kNetLayers) || layer.type != kBytes)
        continue;
      const bool old = layer.number == kNetLayers;
      ++layers;
      std::string name;
      std::vector<Field> blobs;
      Wire wire(layer.data, layer.size);
      for (Field f; wire.next(f);) {
        if (f.number == (old ? kOldLayerName : kLayerName) && f.type == kBytes)
          name.assign(f.data, f.size);
        if (f.number == (old ? kOldLayerBlobs : kLayerBlobs) && f.type == kBytes)
          blobs.push_back(f);
      }
      for (const Field& f : blobs) out[name].push_back(blob(f, name));
    }
  } catch (const Failure& failure) {
    return Error{"caffe.weights", place,
                 fmt::format("not a caffemodel, or truncated: {}", failure.message)};
  }
  if (layers == 0) {
    return Error{"caffe.weights", place,
                 fmt::format("not a caffemodel: no layer in {} bytes", bytes.size())};
  }
  return out;
}

Result<CaffeBlobs> read_caffemodel(const std::string& path) {
  const auto bytes = read_file(path, "caffe.open");
  if (!bytes.ok()) return bytes.errors();
  return decode_caffemodel(*bytes, path);
}

}  // namespace dlavp::compiler
