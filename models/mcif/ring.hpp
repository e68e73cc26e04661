// Ring: a growing FIFO on one allocation, for the queues of the memory interface that see every
// beat (std::deque allocates and frees blocks while it moves).
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace dlavp::mcif {

template <typename T>
class Ring {
 public:
  [[nodiscard]] bool empty() const { return head_ == tail_; }
  [[nodiscard]] size_t size() const { return tail_ - head_; }
  [[nodiscard]] T& front() { return slots_[head_ & mask_]; }
  [[nodiscard]] const T& front() const { return slots_[head_ & mask_]; }
  [[nodiscard]] const T& at(size_t i) const { return slots_[(head_ + i) & mask_]; }
  void push(T value) {
    if (size() > mask_) grow();
    slots_[tail_++ & mask_] = std::move(value);
  }
  void pop() { ++head_; }

 private:
  void grow() {
    std::vector<T> bigger(slots_.size() * 2);
    const size_t n = size();
    for (size_t i = 0; i < n; ++i) bigger[i] = std::move(slots_[(head_ + i) & mask_]);
    slots_ = std::move(bigger);
    mask_ = slots_.size() - 1;
    head_ = 0;
    tail_ = n;
  }
  static constexpr size_t kFirstSlots = 16;
  std::vector<T> slots_ = std::vector<T>(kFirstSlots);
  size_t mask_ = kFirstSlots - 1, head_ = 0, tail_ = 0;
};

}  // namespace dlavp::mcif
