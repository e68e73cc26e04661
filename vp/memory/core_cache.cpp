#include "vp/memory/core_cache.hpp"

#include <algorithm>

namespace dlavp::vp {

CoreCache::CoreCache(const CoreCacheConfig& config)
    : line_bytes_(config.line_bytes),
      ways_(config.ways),
      sets_(config.bytes / (config.line_bytes * config.ways)),
      lines_(size_t{sets_} * ways_) {}

CoreCache::Outcome CoreCache::access(uint64_t address, bool write) {
  const uint64_t number = address / line_bytes_;
  Line* set = &lines_[static_cast<size_t>(number % sets_) * ways_];
  Line* const end = set + ways_;
  ++time_;
  Line* line = std::find_if(set, end, [&](const Line& l) { return l.valid && l.number == number; });
  Outcome out;
  if (line == end) {
    out.hit = false;
    line = std::min_element(set, end, [](const Line& a, const Line& b) {
      return a.valid != b.valid ? !a.valid : a.used < b.used;
    });
    if (line->valid && line->dirty) out.write_back = line->number * line_bytes_;
    out.fill = number * line_bytes_;
    *line = {.valid = true, .dirty = false, .number = number, .used = 0};
  }
  ++(out.hit ? hits_ : misses_);
  line->used = time_;
  line->dirty |= write;
  return out;
}

}  // namespace dlavp::vp
