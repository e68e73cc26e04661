#include "models/sim/event_queue.hpp"

#include <algorithm>
#include <bit>

namespace dlavp::sim {

namespace {

// std::push_heap keeps the largest first: "later" makes the earliest event the front.
constexpr auto kLater = [](const auto& a, const auto& b) { return a > b; };

}  // namespace

void EventQueue::link(Event& event) {
  Slot& slot = slots_[event.when_ % kSlots];
  event.next_ = nullptr;
  event.prev_ = slot.last;
  (slot.last ? slot.last->next_ : slot.first) = &event;
  slot.last = &event;
  occupied_[(event.when_ % kSlots) / 64] |= uint64_t{1} << (event.when_ % 64);
  ++wheel_count_;
}

void EventQueue::unlink(Event& event) {
  Slot& slot = slots_[event.when_ % kSlots];
  (event.prev_ ? event.prev_->next_ : slot.first) = event.next_;
  (event.next_ ? event.next_->prev_ : slot.last) = event.prev_;
  if (!slot.first) occupied_[(event.when_ % kSlots) / 64] &= ~(uint64_t{1} << (event.when_ % 64));
  --wheel_count_;
}

void EventQueue::schedule(Event& event, Cycle at) {
  DLAVP_CHECK(at >= now_ && at != kNever, "event scheduled at {}, now {}", at, now_);
  if (event.pending()) {
    if (event.when_ <= at) return;
    cancel(event);
  }
  event.when_ = at;
  event.order_ = order_++;
  if (at - now_ < kSlots) {
    link(event);
    return;
  }
  far_.push_back(&event);
  std::push_heap(far_.begin(), far_.end(), [](const Event* a, const Event* b) {
    return kLater(std::pair(a->when_, a->order_), std::pair(b->when_, b->order_));
  });
}

void EventQueue::cancel(Event& event) {
  if (!event.pending()) return;
  const auto later = [](const Event* a, const Event* b) {
    return kLater(std::pair(a->when_, a->order_), std::pair(b->when_, b->order_));
  };
  // refill() follows every step of the present, so this is what tells the wheel from the heap.
  if (event.when_ - now_ >= kSlots) {
    far_.erase(std::find(far_.begin(), far_.end(), &event));
    std::make_heap(far_.begin(), far_.end(), later);
  } else {
    unlink(event);
  }
  event.when_ = kNever;
}

// Moves events that the wheel's window now covers from the heap into the wheel.
void EventQueue::refill() {
  const auto later = [](const Event* a, const Event* b) {
    return kLater(std::pair(a->when_, a->order_), std::pair(b->when_, b->order_));
  };
  while (!far_.empty() && far_.front()->when_ - now_ < kSlots) {
    std::pop_heap(far_.begin(), far_.end(), later);
    link(*far_.back());
    far_.pop_back();
  }
}

Cycle EventQueue::next_in_wheel() const {
  if (wheel_count_ == 0) return kNever;
  constexpr unsigned kWords = kSlots / 64;
  const unsigned start = static_cast<unsigned>(now_ % kSlots);
  for (unsigned i = 0; i <= kWords; ++i) {
    const unsigned word = (start / 64 + i) % kWords;
    uint64_t bits = occupied_[word];
    if (i == 0) bits &= ~uint64_t{0} << (start % 64);
    if (i == kWords) bits &= (uint64_t{1} << (start % 64)) - 1;
    if (bits == 0) continue;
    const unsigned slot = word * 64 + static_cast<unsigned>(std::countr_zero(bits));
    return now_ + (slot + kSlots - start) % kSlots;
  }
  return kNever;
}

Cycle EventQueue::next() const {
  const Cycle wheel = next_in_wheel();
  return far_.empty() ? wheel : std::min(wheel, far_.front()->when_);
}

void EventQueue::run_cycle(Cycle cycle) {
  now_ = cycle;
  if (!far_.empty()) refill();
  Slot& slot = slots_[cycle % kSlots];
  while (slot.first) {
    Event& event = *slot.first;
    unlink(event);
    event.when_ = kNever;
    ++executed_;
    event.action_();
  }
}

bool EventQueue::run_next(Cycle limit) {
  const Cycle at = next();
  if (at > limit) return false;
  run_cycle(at);
  return true;
}

void EventQueue::run_until(Cycle limit) {
  DLAVP_CHECK(limit >= now_, "run until {}, now {}", limit, now_);
  for (Cycle at = next(); at <= limit; at = next()) {
    if (at == kNever) break;
    run_cycle(at);
  }
  now_ = limit;
  refill();
}

}  // namespace dlavp::sim
