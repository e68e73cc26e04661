// Counting of CDMA's read requests.
#include "models/conv/read_counters.hpp"

#include <algorithm>

#include "models/common/check.hpp"

namespace dlavp::conv {

namespace {
uint32_t saturated(uint64_t cycles) {
  return static_cast<uint32_t>(std::min<uint64_t>(cycles, UINT32_MAX));
}
}  // namespace

void StallCounter::requested(sim::Cycle now) {
  if (since_ != sim::kNever) cycles_ += now - since_;
  since_ = sim::kNever;
}

uint32_t StallCounter::cycles() const { return saturated(cycles_); }

void FlightCounter::requested(sim::Cycle now, uint32_t atoms) {
  settle(now);
  if (requests_ == 0) since_ = now;
  atoms_.push_back(atoms);
  if (requests_ != kLimit) ++requests_;
}

void FlightCounter::taken(sim::Cycle at, uint32_t atoms) {
  while (atoms > 0) {
    DLAVP_CHECK(!atoms_.empty(), "{} atoms that no request asked for, at cycle {}", atoms, at);
    const uint32_t n = std::min(atoms, atoms_.front());
    atoms -= n;
    at += n;
    if ((atoms_.front() -= n) > 0) return;
    atoms_.pop_front();
    answered_.push_back(at - 1);
  }
}

void FlightCounter::settle(sim::Cycle now) {
  for (; !answered_.empty() && answered_.front() <= now; answered_.pop_front())
    if (requests_ != kLimit && --requests_ == 0) cycles_ += answered_.front() - since_;
}

uint32_t FlightCounter::cycles(sim::Cycle now) const {
  FlightCounter settled = *this;
  settled.settle(now);
  return saturated(settled.cycles_ + (settled.requests_ > 0 ? now - settled.since_ : 0));
}

}  // namespace dlavp::conv
