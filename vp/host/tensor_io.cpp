#include "vp/host/tensor_io.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "vp/host/npy.hpp"
#include "vp/host/picture.hpp"

namespace dlavp::vp {

namespace {

/// Real values in C, H, W order.
struct Values {
  uint32_t channels = 0, height = 0, width = 0;
  std::vector<float> data;
  bool pixels = false;  ///< 8-bit pixels, mean and scale still to be applied
  bool stored = false;  ///< values as they are to be stored
  [[nodiscard]] float at(uint32_t c, uint32_t y, uint32_t x) const {
    return data[(size_t{c} * height + y) * width + x];
  }
};

/// Channel (0 R or Y, 1 G or U, 2 B or V, 3 A) of each byte of a packed pixel, from the lowest
/// address.
std::array<uint32_t, 4> byte_order(uint32_t pixel_format) {
  switch (pixel_format) {
    case 13:
    case 17:
    case 26:
      return {2, 1, 0, 3};
    case 14:
    case 18:
    case 27:
      return {3, 0, 1, 2};
    case 15:
    case 19:
      return {3, 2, 1, 0};
    default:
      return {0, 1, 2, 3};
  }
}

bool packed_pixels(uint32_t format) {
  return (format >= 12 && format <= 19) || format == 26 || format == 27;
}

float channel_value(const Values& v, uint32_t c, uint32_t y, uint32_t x,
                    uint32_t network_channels) {
  if (c < v.channels) return v.at(c, y, x);
  // A grey picture for a colour network has its value in all three.
  return v.channels == 1 && c < 3 && network_channels != 1 ? v.at(0, y, x) : 0.0F;
}

uint8_t to_byte(float x) { return static_cast<uint8_t>(std::clamp(std::lround(x), -128L, 255L)); }

int8_t to_int8(float x) { return static_cast<int8_t>(std::clamp(std::lround(x), -128L, 127L)); }

void pack_image(const Values& v, const IoTensor& t, std::vector<uint8_t>& out) {
  const bool packed = packed_pixels(t.pixel_format);
  const auto order = byte_order(t.pixel_format);
  for (uint32_t y = 0; y < t.height; ++y)
    for (uint32_t x = 0; x < t.width; ++x)
      for (uint32_t b = 0; b < (packed ? 4U : 1U); ++b) {
        const size_t at = size_t{y} * t.line_bytes + (packed ? size_t{x} * 4 + b : x);
        const uint32_t c = packed ? order[b] : 0;
        float value = channel_value(v, c, y, x, t.network_channels);
        // Only what the network looks at has a real value; the rest of a pixel stays 0.
        const bool looked_at = c < std::max(t.network_channels, 1U);
        if (!v.stored && t.scale && looked_at)
          value = value / *t.scale + static_cast<float>(t.zero_point);
        if (at < out.size()) out[at] = to_byte(value);
      }
}

void pack_feature(const Values& v, const IoTensor& t, std::vector<uint8_t>& out) {
  const uint32_t atom = t.line_bytes / t.width;
  for (uint32_t c = 0; c < t.channels; ++c)
    for (uint32_t y = 0; y < t.height; ++y)
      for (uint32_t x = 0; x < t.width; ++x) {
        float value = channel_value(v, c, y, x, t.network_channels);
        if (v.pixels && !t.mean.empty()) value -= t.mean[std::min<size_t>(c, t.mean.size() - 1)];
        if (!v.stored && t.scale) value = value / *t.scale + static_cast<float>(t.zero_point);
        const size_t at = size_t{c / atom} * t.surface_bytes + size_t{y} * t.line_bytes +
                          size_t{x} * atom + c % atom;
        if (at < out.size()) out[at] = static_cast<uint8_t>(to_int8(value));
      }
}

Result<std::vector<uint8_t>> pack(const Values& v, const IoTensor& t, const std::string& file) {
  const auto wrong = [&](const std::string& message) { return Error{"run.input", file, message}; };
  if (!t.described)
    return wrong(
        fmt::format("input {} is not described in the loadable; give its {} bytes as a raw file",
                    t.name, t.bytes));
  if (v.width != t.width || v.height != t.height) {
    const uint32_t channels = t.network_channels != 0 ? t.network_channels : t.channels;
    const bool turned = v.channels == t.height && v.height == t.width && v.width == channels;
    return wrong(fmt::format("{} x {} pixels, input {} has {} x {}{}", v.width, v.height, t.name,
                             t.width, t.height,
                             turned ? "; the array is H x W x C, expected C x H x W: save "
                                      "array.transpose(2, 0, 1)"
                                    : ""));
  }
  if (v.channels > 1 && v.channels != t.channels && v.channels != t.network_channels &&
      !(v.pixels && v.channels <= 4))
    return wrong(fmt::format("{} channels, input {} has {}", v.channels, t.name, t.channels));
  if (t.feature && t.line_bytes < t.width)
    return wrong(
        fmt::format("input {}: line stride {} for {} pixels", t.name, t.line_bytes, t.width));
  if (!t.feature && t.pixel_format != 0 && !packed_pixels(t.pixel_format))
    return wrong(fmt::format("input {} has pixel format {}; give its {} bytes as a raw file",
                             t.name, t.pixel_format, t.bytes));
  std::vector<uint8_t> out(t.bytes);
  if (t.feature)
    pack_feature(v, t, out);
  else
    pack_image(v, t, out);
  return out;
}

Result<Values> from_npy(const std::filesystem::path& path, size_t item) {
  auto loaded = load_npy(path);
  if (!loaded) return loaded.errors();
  NpyArray array = std::move(loaded).value();
  auto& shape = array.shape;
  if (shape.size() == 4 && item < shape.front()) {
    const size_t size = array.values.size() / shape.front();
    const auto first = array.values.begin() + static_cast<std::ptrdiff_t>(item * size);
    array.values = {first, first + static_cast<std::ptrdiff_t>(size)};
    shape.erase(shape.begin());
  }
  while (shape.size() > 3 && shape.front() == 1) shape.erase(shape.begin());
  while (shape.size() < 3) shape.insert(shape.begin(), 1);
  if (shape.size() != 3)
    return Error{"run.input", path.string(),
                 fmt::format("an array of {} dimensions, expected C x H x W", shape.size())};
  Values v{static_cast<uint32_t>(shape[0]), static_cast<uint32_t>(shape[1]),
           static_cast<uint32_t>(shape[2]), std::move(array.values),
           array.type == NpyType::kUint8,   array.type == NpyType::kInt8};
  return v;
}

/// NVIDIA's dump of an int8 tensor: nine words, then the values in C, H, W order.
Result<Values> from_dimg(const std::vector<uint8_t>& bytes, const std::string& file) {
  uint32_t words[9];
  if (bytes.size() < sizeof words || std::memcmp(bytes.data(), "DIMG", 4) != 0)
    return Error{"run.input", file, "this is no .dimg file"};
  std::memcpy(words, bytes.data(), sizeof words);
  const uint64_t count = uint64_t{words[3]} * words[4] * words[5];
  if (words[3] > 8192 || words[4] > 8192 || words[5] > 8192 || count == 0 ||
      bytes.size() - sizeof words != count)
    return Error{"run.input", file,
                 fmt::format("{} bytes for {} x {} x {} int8 values", bytes.size() - sizeof words,
                             words[5], words[4], words[3])};
  Values v{words[5], words[4], words[3], {}, false, true};
  v.data.resize(count);
  for (size_t i = 0; i < count; ++i) v.data[i] = static_cast<int8_t>(bytes[sizeof words + i]);
  return v;
}

}  // namespace

size_t inputs_in(const std::filesystem::path& path) {
  if (path.extension() != ".npy") return 1;
  const auto array = load_npy(path);
  return array && array->shape.size() == 4 ? std::max<size_t>(array->shape.front(), 1) : 1;
}

Result<std::vector<uint8_t>> load_input(const std::filesystem::path& path, const IoTensor& t,
                                        size_t item) {
  const std::string file = path.string(), kind = path.extension().string();
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{"run.input", file, "cannot open this file"};
  if (kind == ".npy") {
    auto values = from_npy(path, item);
    if (!values) return values.errors();
    return pack(*values, t, file);
  }
  std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
  if (kind == ".dimg") {
    const auto values = from_dimg(bytes, file);
    if (!values) return values.errors();
    return pack(*values, t, file);
  }
  if (kind == ".raw" || kind == ".bin") {
    if (bytes.size() != t.bytes)
      return Error{"run.input", file,
                   fmt::format("{} bytes, input {} has {}", bytes.size(), t.name, t.bytes)};
    return bytes;
  }
  auto picture = decode_picture(bytes, file);
  if (!picture) return picture.errors();
  Values v{picture->channels, picture->height, picture->width, {}, true, false};
  v.data.resize(picture->pixels.size());
  for (uint32_t c = 0; c < v.channels; ++c)
    for (size_t p = 0; p < size_t{v.width} * v.height; ++p)
      v.data[size_t{c} * v.width * v.height + p] = picture->pixels[p * v.channels + c];
  return pack(v, t, file);
}

std::vector<uint8_t> pack_stored(const IoTensor& t, std::span<const uint8_t> values) {
  Values v{t.network_channels == 0 ? t.channels : t.network_channels,
           t.height,
           t.width,
           {},
           false,
           true};
  for (const uint8_t byte : values)
    v.data.push_back(t.feature ? static_cast<float>(static_cast<int8_t>(byte))
                               : static_cast<float>(byte));
  std::vector<uint8_t> out(t.bytes);
  if (t.feature)
    pack_feature(v, t, out);
  else
    pack_image(v, t, out);
  return out;
}

std::vector<int8_t> unpack_output(const IoTensor& t, std::span<const uint8_t> bytes) {
  if (!t.described || !t.feature || t.line_bytes < t.width) {
    std::vector<int8_t> all(bytes.size());
    std::memcpy(all.data(), bytes.data(), bytes.size());
    return all;
  }
  const uint32_t atom = t.line_bytes / t.width;
  std::vector<int8_t> out(size_t{t.channels} * t.height * t.width);
  size_t i = 0;
  for (uint32_t c = 0; c < t.channels; ++c)
    for (uint32_t y = 0; y < t.height; ++y)
      for (uint32_t x = 0; x < t.width; ++x, ++i) {
        const size_t at = size_t{c / atom} * t.surface_bytes + size_t{y} * t.line_bytes +
                          size_t{x} * atom + c % atom;
        if (at < bytes.size()) out[i] = static_cast<int8_t>(bytes[at]);
      }
  return out;
}

Diagnostics save_output(const std::filesystem::path& path, const IoTensor& t,
                        std::span<const uint8_t> bytes) {
  if (path.extension() == ".npy") {
    const auto values = unpack_output(t, bytes);
    std::vector<uint64_t> shape{values.size()};
    if (values.size() == uint64_t{t.channels} * t.height * t.width)
      shape = {t.channels, t.height, t.width};
    return save_npy(path, shape, values);
  }
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) return Diagnostics({"run.output", path.string(), "cannot write this file"});
  return {};
}

}  // namespace dlavp::vp
