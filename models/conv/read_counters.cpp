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
  if (requests_ == 0) since_ = now;
  atoms_.push_back(atoms);
  if (requests_ != kLimit) ++requests_;
}

void FlightCounter::taken(sim::Cycle now) {
  DLAVP_CHECK(!atoms_.empty(), "an atom that no request asked for, at cycle {}", now);
  if (--atoms_.front() > 0) return;
  atoms_.pop_front();
  if (requests_ != kLimit && --requests_ == 0) cycles_ += now - since_;
}

uint32_t FlightCounter::cycles(sim::Cycle now) const {
  return saturated(cycles_ + (requests_ > 0 ? now - since_ : 0));
}

}  // namespace dlavp::conv
