#include "vp/host/npy.hpp"

#include <cstring>
#include <fstream>
#include <iterator>
#include <regex>

namespace dlavp::vp {

namespace {

constexpr size_t kLargest = size_t{1} << 28;  ///< elements; no input of this hardware is larger

}  // namespace

Result<NpyArray> load_npy(const std::filesystem::path& path) {
  const auto fail = [&](const char* id, const std::string& message) {
    return Error{id, path.string(), message};
  };
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail("npy.file", "cannot open this file");
  const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  if (bytes.size() < 12 || std::memcmp(bytes.data(), "\x93NUMPY", 6) != 0)
    return fail("npy.header", "this is no .npy file");
  const bool wide = bytes[6] >= 2;
  const size_t prefix = wide ? 12 : 10;
  uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data() + 8, wide ? 4 : 2);
  if (bytes.size() - prefix < header_bytes) return fail("npy.header", "the header is cut");
  const std::string header(bytes.data() + prefix, header_bytes);
  std::smatch match;
  if (!std::regex_search(header, match, std::regex("'descr': *'([^']*)'")))
    return fail("npy.header", "no 'descr'");
  const std::string type = match[1];
  NpyArray array;
  if (type == "|i1" || type == "<i1")
    array.type = NpyType::kInt8;
  else if (type == "|u1" || type == "<u1")
    array.type = NpyType::kUint8;
  else if (type != "<f4")
    return fail(
        "npy.type",
        fmt::format("type {}, expected |i1, |u1 or <f4; save array.astype('float32')", type));
  if (header.find("'fortran_order': False") == std::string::npos)
    return fail("npy.header", "not in C order");
  if (!std::regex_search(header, match, std::regex("'shape': *\\(([0-9, ]*)\\)")))
    return fail("npy.header", "no 'shape'");
  const std::string shape = match[1];
  const std::regex number("[0-9]{1,9}");
  size_t count = 1;
  for (std::sregex_iterator it(shape.begin(), shape.end(), number), end; it != end; ++it) {
    array.shape.push_back(std::stoull(it->str()));
    if (array.shape.back() == 0 || count > kLargest / array.shape.back())
      return fail("npy.size", fmt::format("shape ({})", shape));
    count *= array.shape.back();
  }
  const size_t element = array.type == NpyType::kFloat ? 4 : 1;
  const size_t start = prefix + header_bytes;
  if (bytes.size() - start != count * element)
    return fail("npy.size", fmt::format("{} bytes of data, the shape ({}) has {}",
                                        bytes.size() - start, shape, count * element));
  array.values.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const char* at = bytes.data() + start + i * element;
    if (array.type == NpyType::kFloat)
      std::memcpy(&array.values[i], at, 4);
    else
      array.values[i] = array.type == NpyType::kInt8
                            ? static_cast<float>(static_cast<int8_t>(*at))
                            : static_cast<float>(static_cast<uint8_t>(*at));
  }
  return array;
}

Diagnostics save_npy(const std::filesystem::path& path, const std::vector<uint64_t>& shape,
                     std::span<const int8_t> values) {
  std::string header = "{'descr': '|i1', 'fortran_order': False, 'shape': (";
  for (const uint64_t n : shape) header += std::to_string(n) + ", ";
  header += "), }";
  header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
  header += '\n';
  std::ofstream out(path, std::ios::binary);
  const auto size = static_cast<uint16_t>(header.size());
  out.write("\x93NUMPY\x01\x00", 8);
  out.put(static_cast<char>(size & 0xff)).put(static_cast<char>(size >> 8));
  out << header;
  out.write(reinterpret_cast<const char*>(values.data()),
            static_cast<std::streamsize>(values.size()));
  if (!out.flush()) return Diagnostics({"npy.file", path.string(), "cannot write this file"});
  return {};
}

}  // namespace dlavp::vp
