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
  [[nodiscard]] T& front() { return slots_[head_ & mask()]; }
  [[nodiscard]] const T& front() const { return slots_[head_ & mask()]; }
  [[nodiscard]] const T& at(size_t i) const { return slots_[(head_ + i) & mask()]; }
  void push(T value) {
    if (size() == slots_.size()) grow();
    slots_[tail_++ & mask()] = std::move(value);
  }
  void pop() { ++head_; }

 private:
  [[nodiscard]] size_t mask() const { return slots_.size() - 1; }
  void grow() {
    std::vector<T> bigger(slots_.size() * 2);
    const size_t n = size();
    for (size_t i = 0; i < n; ++i) bigger[i] = std::move(slots_[(head_ + i) & mask()]);
    slots_ = std::move(bigger);
    head_ = 0;
    tail_ = n;
  }
  std::vector<T> slots_ = std::vector<T>(16);
  size_t head_ = 0, tail_ = 0;
};

}  // namespace dlavp::mcif
