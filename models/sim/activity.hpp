// Activity: how much of each of several series (causes, DMA clients) fell into each stretch of
// time. The stretches are as long as they must be for a bounded number of them to cover the run:
// when it outgrows them, neighbours are merged. For timelines; nothing depends on it.
#pragma once

#include <algorithm>
#include <vector>

#include "models/sim/event_queue.hpp"

namespace dlavp::sim {

class Activity {
 public:
  explicit Activity(size_t series) : counts_(series) {}

  /// Adds a cycle for every cycle of [from, until).
  void add(size_t series, Cycle from, Cycle until) {
    if (until <= from) return;
    while (until > stretch_ * kStretches) merge();
    std::vector<uint64_t>& counts = counts_[series];
    const size_t last = static_cast<size_t>((until - 1) / stretch_);
    if (counts.size() <= last) counts.resize(last + 1);
    for (size_t i = static_cast<size_t>(from / stretch_); i <= last; ++i)
      counts[i] += std::min(until, (i + 1) * stretch_) - std::max(from, i * stretch_);
  }

  /// Length of a stretch in cycles; stretch i is [i * stretch(), (i + 1) * stretch()).
  [[nodiscard]] Cycle stretch() const { return stretch_; }
  [[nodiscard]] size_t series() const { return counts_.size(); }
  /// Cycles in each stretch; those behind the last one are 0.
  [[nodiscard]] const std::vector<uint64_t>& counts(size_t series) const { return counts_[series]; }

 private:
  static constexpr Cycle kStretches = 2048;
  void merge() {
    for (std::vector<uint64_t>& counts : counts_) {
      for (size_t i = 0; i < counts.size(); i += 2)
        counts[i / 2] = counts[i] + (i + 1 < counts.size() ? counts[i + 1] : 0);
      counts.resize((counts.size() + 1) / 2);
    }
    stretch_ *= 2;
  }

  Cycle stretch_ = 64;
  std::vector<std::vector<uint64_t>> counts_;
};

}  // namespace dlavp::sim
