#include "models/common/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "models/common/read_file.hpp"

namespace dlavp {

Result<MappedFile> MappedFile::open(const std::string& path, const std::string& id) {
  MappedFile out;
  std::error_code ignored;  // reading it says why
  const int file = std::filesystem::is_regular_file(path, ignored)
                       ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC)
                       : -1;
  struct stat about {};
  if (file >= 0 && fstat(file, &about) == 0 && about.st_size > 0) {
    const auto size = static_cast<size_t>(about.st_size);
    void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    out.mapped_ = data != MAP_FAILED;
    if (out.mapped_) out.view_ = {static_cast<const char*>(data), size};
  }
  if (file >= 0) close(file);
  if (out.mapped_) return out;
  auto bytes = read_file(path, id);
  if (!bytes) return bytes.errors();
  out.read_ = std::move(bytes).value();
  return out;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : mapped_(std::exchange(other.mapped_, false)),
      view_(other.view_),
      read_(std::move(other.read_)) {}

MappedFile::~MappedFile() {
  if (mapped_) munmap(const_cast<char*>(view_.data()), view_.size());
}

}  // namespace dlavp
