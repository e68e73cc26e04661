// SkidChain: a row of two-entry registers with a registered ready, in time only. Such a register
// says a cycle late whether its output was empty or taken; an item that comes right behind the one
// in front fills its second entry, a later one waits until the output has gone and then costs the
// stage a cycle. Times are worked out as soon as what they depend on is known.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "models/sim/event_queue.hpp"

namespace dlavp::mcif {

class SkidChain {
 public:
  static constexpr unsigned kStages = 3;

  /// True if the first register takes an item at `now`.
  [[nodiscard]] bool ready(sim::Cycle now) const {
    const sim::Cycle at = ready_at(now);
    return at == now;
  }
  /// The first cycle from `now` on in which it does; never: not known yet.
  [[nodiscard]] sim::Cycle ready_at(sim::Cycle now) const {
    const Stage& first = stages_[0];
    return pushed_ == 0 ? now : accepts(first, pushed_, departed(0), now);
  }
  /// An item comes at `now`; requires ready(now).
  void push(sim::Cycle now) {
    stages_[0].accept[pushed_++ % kRing] = now;
    ++stages_[0].accepted;
    advance();
  }
  /// When the oldest item that has not left is at the chain's output; never: not known yet.
  [[nodiscard]] sim::Cycle front() const {
    const Stage& last = stages_[kStages - 1];
    return last.shown > left_ ? last.valid[left_ % kRing] : sim::kNever;
  }
  /// That item leaves at `at`.
  void pop(sim::Cycle at) {
    left_at_[left_++ % kRing] = at;
    advance();
  }
  [[nodiscard]] bool empty() const { return pushed_ == left_; }

 private:
  static constexpr unsigned kRing = 16;  // more than the items of a full chain
  struct Stage {
    uint64_t accepted = 0, shown = 0;  ///< items with known times
    std::array<sim::Cycle, kRing> accept{}, valid{};
  };

  /// Items whose departure from stage `s` is known, and when `item` departed.
  [[nodiscard]] uint64_t departed(unsigned s) const {
    return s + 1 < kStages ? stages_[s + 1].accepted : left_;
  }
  [[nodiscard]] sim::Cycle departure(unsigned s, uint64_t item) const {
    return s + 1 < kStages ? stages_[s + 1].accept[item % kRing] : left_at_[item % kRing];
  }
  /// When a stage takes `item`, offered at `at`; never: not known yet.
  [[nodiscard]] sim::Cycle accepts(const Stage& stage, uint64_t item, uint64_t departed,
                                   sim::Cycle at) const {
    if (item == 0) return at;
    if (stage.shown < item) return sim::kNever;
    const sim::Cycle before = stage.valid[(item - 1) % kRing];
    if (at <= before) return before;
    if (departed < item) return sim::kNever;
    return std::max(at, departure(static_cast<unsigned>(&stage - stages_.data()), item - 1) + 1);
  }
  void advance();

  std::array<Stage, kStages> stages_;
  std::array<sim::Cycle, kRing> left_at_{};
  uint64_t pushed_ = 0, left_ = 0;
};

inline void SkidChain::advance() {
  for (bool progress = true; progress;) {
    progress = false;
    for (unsigned s = 0; s < kStages; ++s) {
      Stage& stage = stages_[s];
      if (s > 0 && stage.accepted < stages_[s - 1].shown) {
        const uint64_t item = stage.accepted;
        const sim::Cycle at = accepts(stage, item, departed(s), stages_[s - 1].valid[item % kRing]);
        if (at != sim::kNever) {
          stage.accept[item % kRing] = at;
          ++stage.accepted;
          progress = true;
        }
      }
      if (stage.shown < stage.accepted && departed(s) >= stage.shown) {
        const uint64_t item = stage.shown;
        sim::Cycle valid = stage.accept[item % kRing] + 1;
        if (item > 0) valid = std::max(valid, departure(s, item - 1) + 1);
        stage.valid[item % kRing] = valid;
        ++stage.shown;
        progress = true;
      }
    }
  }
}

}  // namespace dlavp::mcif
