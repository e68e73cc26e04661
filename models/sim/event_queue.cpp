#include "models/sim/event_queue.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace dlavp::sim {

void EventQueue::refuse(Cycle at) const {
  internal_error(__FILE__, __LINE__, fmt::format("event scheduled at {}, now {}", at, now_));
}

// std::push_heap keeps the largest first: "later" makes the earliest event the front.
bool EventQueue::later(const Event* a, const Event* b) {
  return std::pair(a->when_, a->order_) > std::pair(b->when_, b->order_);
}

void EventQueue::put_far(Event& event) {
  event.order_ = order_++;
  far_.push_back(&event);
  std::push_heap(far_.begin(), far_.end(), later);
}

void EventQueue::cancel(Event& event) {
  if (!event.pending()) return;
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
  while (!far_.empty() && far_.front()->when_ - now_ < kSlots) {
    std::pop_heap(far_.begin(), far_.end(), later);
    link(*far_.back());
    far_.pop_back();
  }
}

Cycle EventQueue::next_in_wheel() const {
  const auto start = static_cast<unsigned>(now_ % kSlots), word = start / 64;
  const uint64_t here = occupied_[word] & (~uint64_t{0} << (start % 64));
  if (here != 0) return now_ + static_cast<unsigned>(std::countr_zero(here)) - start % 64;
  if (words_ == 0) return kNever;
  // The words behind this one, then those in front, then the slots of this one that came round.
  const uint32_t behind = words_ & (~uint32_t{1} << word);
  const auto found = static_cast<unsigned>(std::countr_zero(behind != 0 ? behind : words_));
  const unsigned slot = found * 64 + static_cast<unsigned>(std::countr_zero(occupied_[found]));
  return now_ + (slot + kSlots - start) % kSlots;
}

Cycle EventQueue::next() const {
  const Cycle wheel = next_in_wheel();
  return far_.empty() ? wheel : std::min(wheel, far_.front()->when_);
}

void EventQueue::run_cycle(Cycle cycle) {
  now_ = cycle;
  if (!far_.empty()) refill();
  Slot& slot = slots_[cycle % kSlots];
  while (Event* first = slot.first) {
    Event& event = *first;
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
