// A whole file that the user named, in memory without a copy of it.
#pragma once

#include <string>
#include <string_view>

#include "models/common/result.hpp"

namespace dlavp {

class MappedFile {
 public:
  /// Maps `path`; what cannot be mapped (a pipe) is read. Errors: `id`, with the path and why it
  /// cannot be opened or read (folders included).
  static Result<MappedFile> open(const std::string& path, const std::string& id);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  [[nodiscard]] std::string_view bytes() const { return mapped_ ? view_ : std::string_view(read_); }

 private:
  MappedFile() = default;

  bool mapped_ = false;
  std::string_view view_;  ///< of the mapping
  std::string read_;
};

}  // namespace dlavp
