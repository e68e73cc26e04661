// Reading a whole file that the user named; what can go wrong is an error with the reason.
#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "models/common/result.hpp"

namespace dlavp {

/// `path`, open. Errors: `id`, with the path and why it cannot be (folders included).
inline Result<std::ifstream> open_file(const std::string& path, const std::string& id) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return Error{id, path, "is a folder, expected a file"};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{id, path, fmt::format("cannot be opened: {}", std::strerror(errno))};
  return file;
}

/// The bytes of `path`. Errors: `id`, with the path and why it cannot be read (folders included).
inline Result<std::string> read_file(const std::string& path, const std::string& id) {
  auto opened = open_file(path, id);
  if (!opened) return opened.errors();
  std::ifstream file = std::move(opened).value();
  constexpr std::size_t kChunk = 1 << 16;
  std::string bytes;
  std::error_code ignored;
  if (const auto size = std::filesystem::file_size(path, ignored); !ignored)
    bytes.reserve(static_cast<std::size_t>(size) + kChunk);
  do {
    const std::size_t have = bytes.size();
    bytes.resize(have + kChunk);
    file.read(bytes.data() + have, kChunk);
    bytes.resize(have + static_cast<std::size_t>(file.gcount()));
  } while (file);
  if (file.bad()) return Error{id, path, "cannot be read"};
  return bytes;
}

}  // namespace dlavp
