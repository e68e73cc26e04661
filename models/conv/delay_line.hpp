// DelayLine: values that arrive somewhere some cycles after they were sent, in order.
#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "models/sim/event_queue.hpp"

namespace dlavp::conv {

template <typename T>
class DelayLine {
 public:
  DelayLine(sim::EventQueue& events, std::function<void(const T&)> arrived)
      : events_(events), arrived_(std::move(arrived)), event_([this] { deliver(); }) {}

  /// `value` arrives at `at`, but not before one sent earlier.
  void send(sim::Cycle at, T value) {
    if (!line_.empty()) at = std::max(at, line_.back().first);
    line_.emplace_back(at, std::move(value));
    events_.schedule(event_, line_.front().first);
  }
  [[nodiscard]] bool empty() const { return line_.empty(); }

 private:
  void deliver() {
    while (!line_.empty() && line_.front().first <= events_.now()) {
      const T value = std::move(line_.front().second);
      line_.pop_front();
      arrived_(value);
    }
    if (!line_.empty()) events_.schedule(event_, line_.front().first);
  }

  sim::EventQueue& events_;
  std::function<void(const T&)> arrived_;
  std::deque<std::pair<sim::Cycle, T>> line_;
  sim::Event event_;
};

}  // namespace dlavp::conv
