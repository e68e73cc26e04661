// CycleAccount: where the cycles of one operation went. Every cycle from its start on belongs to
// exactly one cause, so the parts always sum up to the operation's length.
#pragma once

#include <array>

#include "models/sim/activity.hpp"

namespace dlavp::sim {

enum class Cause : uint8_t {
  kBusy,         ///< the unit's slowest stage works
  kPipeline,     ///< its pipeline fills or empties, at a fixed length
  kData,         ///< input (from memory or the unit before) is not there
  kWeights,      ///< weights are not there
  kBuffer,       ///< no room in the convolution buffer for what is to be fetched
  kDownstream,   ///< results cannot leave
  kAcknowledge,  ///< memory has not acknowledged the last write
  kOverlap,      ///< hidden behind the unit's operation before this one
};
inline constexpr size_t kCauses = 8;
inline constexpr std::array<const char*, kCauses> kCauseNames = {
    "busy", "pipeline", "data", "weights", "buffer", "downstream", "acknowledge", "overlap"};

class CycleAccount {
 public:
  using Parts = std::array<uint64_t, kCauses>;

  /// The operation begins. `activity` (a series a cause) hears of every part; may be null.
  void start(Cycle at, Activity* activity = nullptr) {
    *this = {};
    started_ = cursor_ = at;
    activity_ = activity;
  }
  /// The cycles not accounted for yet, up to `until`, belong to `cause`.
  void advance(Cause cause, Cycle until) {
    if (until <= cursor_) return;
    parts_[static_cast<size_t>(cause)] += until - cursor_;
    if (activity_) activity_->add(static_cast<size_t>(cause), cursor_, until);
    cursor_ = until;
    last_ = cause;
  }
  /// At most `cycles` of those up to `until`.
  void advance(Cause cause, Cycle until, uint64_t cycles) {
    advance(cause, std::min(until, cursor_ + cycles));
  }
  /// The operation ends at `at`, after a wait for `cause`. What was accounted for beyond that (work
  /// on what no result needs) is taken back.
  void finish(Cause cause, Cycle at) {
    advance(cause, at);
    take_back(last_, at);
    for (size_t c = 0; c < kCauses; ++c) take_back(static_cast<Cause>(c), at);
  }
  /// The operation before this one ended at `at`: what went before it is hidden behind it.
  void hide(Cycle at) {
    if (at <= started_) return;
    const Cycle end = std::max(cursor_, at);
    parts_ = {};
    parts_[static_cast<size_t>(Cause::kOverlap)] = at - started_;
    parts_[static_cast<size_t>(last_)] += end - at;  // accounted for ahead of time
    cursor_ = end;
  }

  [[nodiscard]] Cycle started() const { return started_; }
  [[nodiscard]] Cycle cursor() const { return cursor_; }
  [[nodiscard]] uint64_t part(Cause cause) const { return parts_[static_cast<size_t>(cause)]; }
  [[nodiscard]] const Parts& parts() const { return parts_; }

 private:
  void take_back(Cause cause, Cycle at) {
    uint64_t& part = parts_[static_cast<size_t>(cause)];
    const uint64_t excess = cursor_ > at ? std::min(cursor_ - at, part) : 0;
    part -= excess;
    cursor_ -= excess;
  }

  Cycle started_ = 0, cursor_ = 0;
  Parts parts_{};
  Cause last_ = Cause::kBusy;
  Activity* activity_ = nullptr;
};

}  // namespace dlavp::sim
