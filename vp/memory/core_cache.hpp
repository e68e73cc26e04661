// CoreCache: the tags of a core's data cache (set associative, write-back, least recently used),
// to know which of its accesses reach the memory. The bytes are elsewhere.
#pragma once

#include <optional>
#include <vector>

#include "vp/platform_config.hpp"

namespace dlavp::vp {

class CoreCache {
 public:
  explicit CoreCache(const CoreCacheConfig& config);

  struct Outcome {
    bool hit = true;
    std::optional<uint64_t> fill;        ///< address of the line to read
    std::optional<uint64_t> write_back;  ///< address of the line to write
  };
  /// An access within one line.
  Outcome access(uint64_t address, bool write);

  [[nodiscard]] uint64_t hits() const { return hits_; }
  [[nodiscard]] uint64_t misses() const { return misses_; }

 private:
  struct Line {
    bool valid = false, dirty = false;
    uint64_t number = 0;  ///< address / line bytes
    uint64_t used = 0;
  };
  const uint32_t line_bytes_, ways_, sets_;
  std::vector<Line> lines_;
  uint64_t time_ = 0, hits_ = 0, misses_ = 0;
};

}  // namespace dlavp::vp
