#include "vp/memory/bandwidth_memory.hpp"

#include <algorithm>
#include <cmath>

namespace dlavp::vp {

BandwidthMemory::BandwidthMemory(uint32_t latency, double bytes_per_cycle)
    : latency_(latency),
      rate_(std::max<uint64_t>(static_cast<uint64_t>(std::llround(bytes_per_cycle * kFractions)),
                               1)) {}

/// Takes the bus from `at` on; gives where on it the bytes begin.
uint64_t BandwidthMemory::hold(sim::Cycle at, uint64_t bytes) {
  const uint64_t start = std::max(at * rate_, bus_free_);
  bus_free_ = start + bytes * kFractions;
  return start;
}

mcif::MemoryTiming::Beats BandwidthMemory::read(sim::Cycle at, uint64_t /*address*/, uint32_t beats,
                                                uint32_t beat_bytes) {
  const uint64_t start = hold(at + latency_, uint64_t{beats} * beat_bytes);
  Beats out{};
  out.first = std::max(cycle_before(start + beat_bytes * kFractions), port_free_);
  out.last = std::max(cycle_before(bus_free_), out.first + beats - 1);
  port_free_ = out.last + 1;
  return out;
}

sim::Cycle BandwidthMemory::write(sim::Cycle at, uint64_t /*address*/, uint32_t beats,
                                  uint32_t beat_bytes) {
  // `at` is the last beat's; what came before it was already on its way.
  static_cast<void>(hold(at, uint64_t{beats} * beat_bytes));
  return std::max(cycle_before(bus_free_), at) + latency_;
}

}  // namespace dlavp::vp
