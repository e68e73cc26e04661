// A cycle-stamped event queue: the accelerator's units play their time on it without SystemC, so
// that timing is testable by itself and quick. The SystemC shell (models/nvdla) advances it to
// SystemC's time at every point where the outside can see or change something.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "models/common/check.hpp"

namespace dlavp::sim {

using Cycle = uint64_t;
inline constexpr Cycle kNever = ~Cycle{0};

/// A callback that can be pending at most once. Owned by its component, never moved while pending.
class Event {
 public:
  explicit Event(std::function<void()> action) : action_(std::move(action)) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  [[nodiscard]] bool pending() const { return when_ != kNever; }
  [[nodiscard]] Cycle when() const { return when_; }

 private:
  friend class EventQueue;
  std::function<void()> action_;
  Cycle when_ = kNever;
  uint64_t order_ = 0;  ///< in which it was scheduled, while it is beyond the wheel's window
  Event* next_ = nullptr;
  Event* prev_ = nullptr;
};

/// Events in cycle order; within a cycle in the order they were scheduled. A timing wheel for the
/// near future, a heap for the rest.
class EventQueue {
 public:
  [[nodiscard]] Cycle now() const { return now_; }

  /// Makes `event` run at `at` (>= now). If it is pending already the earlier time wins.
  void schedule(Event& event, Cycle at) {
    if (at < now_ || at == kNever) refuse(at);
    if (event.when_ <= at) return;
    if (event.pending()) cancel(event);
    event.when_ = at;
    if (at - now_ < kSlots)
      link(event);
    else
      put_far(event);
  }
  void schedule_in(Event& event, Cycle delay) { schedule(event, now_ + delay); }
  void cancel(Event& event);

  /// Cycle of the next pending event, kNever if there is none.
  [[nodiscard]] Cycle next() const;

  /// Runs every event up to and including cycle `limit`, then sets now() to `limit`.
  void run_until(Cycle limit);
  /// Runs every event of the next pending cycle, unless that is beyond `limit`; false if there is
  /// none.
  bool run_next(Cycle limit = kNever - 1);

  /// Events executed so far (for benchmarks).
  [[nodiscard]] uint64_t executed() const { return executed_; }

 private:
  static constexpr unsigned kSlots = 1024;
  struct Slot {
    Event* first = nullptr;
    Event* last = nullptr;
  };
  static constexpr unsigned kWords = kSlots / 64;
  void link(Event& event) {
    const unsigned slot_number = event.when_ % kSlots;
    Slot& slot = slots_[slot_number];
    event.next_ = nullptr;
    event.prev_ = slot.last;
    (slot.last ? slot.last->next_ : slot.first) = &event;
    slot.last = &event;
    occupied_[slot_number / 64] |= uint64_t{1} << (slot_number % 64);
    words_ |= 1u << (slot_number / 64);
  }
  void unlink(Event& event) {
    const unsigned slot_number = event.when_ % kSlots;
    Slot& slot = slots_[slot_number];
    (event.prev_ ? event.prev_->next_ : slot.first) = event.next_;
    (event.next_ ? event.next_->prev_ : slot.last) = event.prev_;
    if (slot.first) return;
    uint64_t& word = occupied_[slot_number / 64];
    word &= ~(uint64_t{1} << (slot_number % 64));
    if (word == 0) words_ &= ~(1u << (slot_number / 64));
  }
  [[noreturn]] void refuse(Cycle at) const;
  static bool later(const Event* a, const Event* b);
  void put_far(Event& event);
  void refill();
  void run_cycle(Cycle cycle);
  [[nodiscard]] Cycle next_in_wheel() const;

  Cycle now_ = 0;
  uint64_t order_ = 0;
  uint64_t executed_ = 0;
  std::array<Slot, kSlots> slots_;
  std::array<uint64_t, kWords> occupied_{};  ///< a bit for each slot that has events
  uint32_t words_ = 0;                       ///< a bit for each word of these that is not 0
  std::vector<Event*> far_;                  ///< heap by (when, order); beyond the wheel's window
};

}  // namespace dlavp::sim
