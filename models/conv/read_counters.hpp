// What CDMA's performance registers count: cycles in which a read request is offered and not taken
// (data and weights), and cycles in which requests are in flight (data only; the hardware has no
// such counter on the weight side, its register reads 0). Hardware manual: CDMA, D_PERF_*.
#pragma once

#include <cstdint>
#include <deque>

#include "models/sim/event_queue.hpp"

namespace dlavp::conv {

/// Cycles in which a request waits for the memory interface.
class StallCounter {
 public:
  void clear() { *this = StallCounter(); }
  /// A request is offered and cannot be taken; may be called again while it waits.
  void refused(sim::Cycle now) {
    if (since_ == sim::kNever) since_ = now;
  }
  void requested(sim::Cycle now);
  [[nodiscard]] uint32_t cycles() const;

 private:
  uint64_t cycles_ = 0;
  sim::Cycle since_ = sim::kNever;
};

/// Cycles in which at least one request has been taken and not fully answered.
class FlightCounter {
 public:
  void clear() { *this = FlightCounter(); }
  void requested(sim::Cycle now, uint32_t atoms);
  /// `atoms` of the oldest requests are taken out of the latency FIFO, one a cycle from `at` on,
  /// now or later.
  void taken(sim::Cycle at, uint32_t atoms);
  [[nodiscard]] uint32_t cycles(sim::Cycle now) const;

 private:
  void settle(sim::Cycle now);
  static constexpr uint32_t kLimit = 511;  ///< requests; there the hardware's count stays

  std::deque<uint32_t> atoms_;       ///< that each request still waits for
  std::deque<sim::Cycle> answered_;  ///< when requests were or will be, not yet counted
  uint32_t requests_ = 0;
  uint64_t cycles_ = 0;
  sim::Cycle since_ = 0;
};

}  // namespace dlavp::conv
