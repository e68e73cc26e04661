// The arrays of an .npz, for tests that have references in one.
#pragma once

#include <zlib.h>

#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "compiler/data/npy.hpp"
#include "models/common/read_file.hpp"

namespace dlavp::compiler::testing {

inline std::string inflated(std::string packed, size_t size) {
  std::string out(size, '\0');
  z_stream stream{};
  constexpr int kRaw = -15;
  REQUIRE(inflateInit2(&stream, kRaw) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  REQUIRE(code == Z_STREAM_END);
  return out;
}

/// The arrays of an .npz: a zip archive whose members are stored or deflated.
inline std::map<std::string, NpyArray> read_npz(const std::string& path) {
  const auto bytes = read_file(path, "npz.open");
  REQUIRE(bytes.ok());
  const std::string& z = *bytes;
  const auto number = [&](size_t at, size_t size) {
    uint64_t v = 0;
    for (size_t i = size; i-- > 0;) v = v << 8U | static_cast<unsigned char>(z.at(at + i));
    return v;
  };
  std::map<std::string, NpyArray> out;
  // The central directory's end record is the last 22 bytes of a file without a comment.
  REQUIRE(z.size() > 22);
  const size_t end = z.size() - 22;
  REQUIRE(number(end, 4) == 0x06054b50);
  size_t at = number(end + 16, 4);
  for (uint64_t i = 0; i < number(end + 10, 2); ++i) {
    const uint64_t method = number(at + 10, 2);
    const size_t packed = number(at + 20, 4);
    const size_t size = number(at + 24, 4);
    const size_t name_size = number(at + 28, 2);
    const size_t local = number(at + 42, 4);
    const std::string name = z.substr(at + 46, name_size);
    const size_t data = local + 30 + number(local + 26, 2) + number(local + 28, 2);
    std::string member = z.substr(data, packed);
    if (method != 0) {
      constexpr uint64_t kDeflated = 8;
      REQUIRE(method == kDeflated);
      member = inflated(z.substr(data, packed), size);
    }
    const auto array = decode_npy(member, name);
    if (!array.ok()) FAIL(array.errors().text());
    out[name.substr(0, name.size() - 4)] = *array;
    at += 46 + name_size + number(at + 30, 2) + number(at + 32, 2);
  }
  return out;
}

}  // namespace dlavp::compiler::testing
