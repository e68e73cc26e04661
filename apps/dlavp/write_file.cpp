#include "apps/dlavp/write_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace dlavp::app {

namespace fs = std::filesystem;

Diagnostics check_target(const std::string& path, const std::string& id) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    return Diagnostics(Error{id, path, "is a folder, expected a file"});
  const fs::path folder = fs::path(path).parent_path();
  if (!folder.empty() && !fs::is_directory(folder, ignored))
    return Diagnostics(Error{id, path, fmt::format("there is no folder '{}'", folder.string())});
  return {};
}

Diagnostics write_file(const std::string& path, std::span<const char> bytes,
                       const std::string& id) {
  const fs::path part = path + fmt::format(".part{}", getpid());
  std::error_code failed;
  {
    std::ofstream file(part, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) {
      const std::string why = std::strerror(errno);
      fs::remove(part, failed);
      return Diagnostics(Error{id, path, fmt::format("cannot be written: {}", why)});
    }
  }
  fs::rename(part, path, failed);
  if (!failed) return {};
  const std::string why = failed.message();
  fs::remove(part, failed);
  return Diagnostics(Error{id, path, fmt::format("cannot be written: {}", why)});
}

}  // namespace dlavp::app
