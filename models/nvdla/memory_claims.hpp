// What units tell of the memory that their operations in flight read and write, so that an
// observer can compare it (hazards.hpp). Costs a test of a pointer where nobody watches. Hardware
// manual: "Programming": ordering operations is software's duty. Convolution buffer banks are not
// part of it: the pipeline itself keeps them in order.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "models/common/footprint.hpp"

namespace dlavp {

struct MemoryUse {
  std::string unit;  ///< "SDP"
  unsigned group = 0;
  std::string what;  ///< "input cube"
  bool write = false;
  Footprint where;
};

class MemoryWatcher {
 public:
  virtual ~MemoryWatcher() = default;
  /// A number for an operation; its own uses are not compared with each other.
  virtual uint64_t new_operation() = 0;
  virtual uint64_t begin(uint64_t operation, const MemoryUse& use) = 0;
  virtual void end(uint64_t claim) = 0;
};

/// Uses that begin when they are added and end with clear() or the object. Does nothing without a
/// watcher.
class MemoryClaims {
 public:
  MemoryClaims() = default;
  explicit MemoryClaims(MemoryWatcher* watcher)
      : watcher_(watcher), operation_(watcher ? watcher->new_operation() : 0) {}
  MemoryClaims(MemoryClaims&& other) noexcept { *this = std::move(other); }
  MemoryClaims& operator=(MemoryClaims&& other) noexcept {
    clear();
    watcher_ = other.watcher_;
    operation_ = other.operation_;
    claims_ = std::exchange(other.claims_, {});
    return *this;
  }
  ~MemoryClaims() { clear(); }

  [[nodiscard]] bool watched() const { return watcher_ != nullptr; }
  /// An empty set of the same operation.
  [[nodiscard]] MemoryClaims sibling() const {
    MemoryClaims out;
    out.watcher_ = watcher_;
    out.operation_ = operation_;
    return out;
  }
  void add(const MemoryUse& use) {
    if (watcher_ && !use.where.empty()) claims_.push_back(watcher_->begin(operation_, use));
  }
  void clear() {
    for (const uint64_t claim : claims_) watcher_->end(claim);
    claims_.clear();
  }

 private:
  MemoryWatcher* watcher_ = nullptr;
  uint64_t operation_ = 0;
  std::vector<uint64_t> claims_;
};

}  // namespace dlavp
