// Reading and writing of .npy.
#include "compiler/data/npy.hpp"

#include <cstring>
#include <regex>

#include "models/common/read_file.hpp"

namespace dlavp::compiler {
namespace {

constexpr size_t kMagicBytes = 8;  ///< "\x93NUMPY", major, minor
constexpr uint64_t kMostElements = uint64_t{1} << 31;

template <typename T>
void convert(const char* from, std::vector<float>& to) {
  for (size_t i = 0; i < to.size(); ++i) {
    T value{};
    std::memcpy(&value, from + i * sizeof(T), sizeof(T));
    to[i] = static_cast<float>(value);
  }
}

/// Size in bytes of the element type `code` ("f4", "u1", ...), 0 if it is unknown; converts if `to`
/// is large enough.
size_t convert_as(const std::string& code, const char* from, std::vector<float>& to) {
  if (code == "f4") return convert<float>(from, to), 4;
  if (code == "f8") return convert<double>(from, to), 8;
  if (code == "i1") return convert<int8_t>(from, to), 1;
  if (code == "i2") return convert<int16_t>(from, to), 2;
  if (code == "i4") return convert<int32_t>(from, to), 4;
  if (code == "i8") return convert<int64_t>(from, to), 8;
  if (code == "u1" || code == "b1") return convert<uint8_t>(from, to), 1;
  if (code == "u2") return convert<uint16_t>(from, to), 2;
  if (code == "u4") return convert<uint32_t>(from, to), 4;
  if (code == "u8") return convert<uint64_t>(from, to), 8;
  return 0;
}

}  // namespace

std::string NpyArray::shape_text() const { return fmt::format("{}", fmt::join(shape, "x")); }

Result<NpyArray> decode_npy(const std::string& bytes, const std::string& place) {
  const auto wrong = [&](const std::string& what) { return Error{"npy.format", place, what}; };
  if (bytes.size() < kMagicBytes + 4 || bytes.compare(0, 6, "\x93NUMPY") != 0)
    return wrong("not a .npy array");
  const bool wide = bytes[6] > 1;
  uint32_t header = 0;
  for (size_t i = 0; i < (wide ? 4U : 2U); ++i) {
    header |= uint32_t{static_cast<uint8_t>(bytes[kMagicBytes + i])} << (8 * i);
  }
  const size_t start = kMagicBytes + (wide ? 4 : 2);
  if (bytes.size() < start + header) return wrong("the header is truncated");
  const std::string text = bytes.substr(start, header);
  std::smatch type;
  std::smatch shape;
  static const std::regex kType("'descr':\\s*'([<|=])([a-z][0-9])'");
  static const std::regex kAnyType("'descr':\\s*([^,}]*)");
  static const std::regex kShape("'shape':\\s*\\(([0-9, ]*)\\)");
  if (text.find("'fortran_order': True") != std::string::npos)
    return wrong("Fortran order is not supported");
  if (!std::regex_search(text, shape, kShape)) return wrong("the header has no shape");
  if (!std::regex_search(text, type, kType)) {
    std::smatch any;
    const bool named = std::regex_search(text, any, kAnyType);
    return Error{"npy.type", place,
                 fmt::format("element type {}, expected a little-endian number such as '<f4'",
                             named ? any[1].str() : "not given")};
  }
  NpyArray out;
  uint64_t elements = 1;
  static const std::regex kNumber("[0-9]+");
  const std::string sizes = shape[1];
  for (std::sregex_iterator it(sizes.begin(), sizes.end(), kNumber); it != std::sregex_iterator();
       ++it) {
    if (it->length() > 10) return wrong("the shape is too large");
    out.shape.push_back(std::stoull(it->str()));
    if (out.shape.back() > kMostElements) return wrong("the shape is too large");
    elements *= out.shape.back();
    if (elements > kMostElements) return wrong("the shape is too large");
  }
  const std::string code = type[2];
  const size_t element = convert_as(code, nullptr, out.values);
  if (element == 0)
    return Error{"npy.type", place, fmt::format("element type {} is not supported", code)};
  if (bytes.size() - start - header < elements * element) {
    return wrong(fmt::format("{} bytes of data, {} expected for {}", bytes.size() - start - header,
                             elements * element, out.shape_text()));
  }
  out.values.resize(elements);
  convert_as(code, bytes.data() + start + header, out.values);
  return out;
}

Result<NpyArray> read_npy(const std::string& path) {
  const auto bytes = read_file(path, "npy.open");
  if (!bytes.ok()) return bytes.errors();
  return decode_npy(bytes.value(), path);
}

namespace {

std::string npy_header(const std::vector<size_t>& shape, const char* type) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': (", type);
  for (size_t s : shape) header += fmt::format("{}, ", s);
  header += "), }";
  constexpr size_t kBlock = 64;
  while ((kMagicBytes + 2 + header.size() + 1) % kBlock != 0) header += ' ';
  header += '\n';
  std::string out("\x93NUMPY\x01\x00", kMagicBytes);
  out += static_cast<char>(header.size() & 0xff);
  out += static_cast<char>(header.size() >> 8);
  return out + header;
}

}  // namespace

std::string encode_npy(const std::vector<size_t>& shape, const std::vector<int8_t>& values) {
  std::string out = npy_header(shape, "|i1");
  for (int8_t v : values) out += static_cast<char>(v);
  return out;
}

std::string encode_npy_floats(const std::vector<size_t>& shape, const std::vector<float>& values) {
  std::string out = npy_header(shape, "<f4");
  const size_t start = out.size();
  out.resize(start + values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(out.data() + start, values.data(), out.size() - start);
  return out;
}

}  // namespace dlavp::compiler
