// A folder for the files of targets whose readers take paths; it goes when the process ends.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "models/common/check.hpp"

namespace dlavp::fuzz {

class TempFolder {
 public:
  TempFolder() : path_(std::filesystem::temp_directory_path() / "dlavp_fuzz_XXXXXX") {
    std::string name = path_.string();
    DLAVP_CHECK(mkdtemp(name.data()) != nullptr, "{}: cannot be made", name);
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path write(const std::string& name,
                                            std::span<const uint8_t> bytes) const {
    std::filesystem::path file = path_ / name;
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    DLAVP_CHECK(out.good(), "{}: cannot be written", file.string());
    return file;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace dlavp::fuzz
