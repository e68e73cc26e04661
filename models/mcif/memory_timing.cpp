#include "models/mcif/memory_timing.hpp"

#include <algorithm>

namespace dlavp::mcif {

MemoryTiming::Beats FixedLatencyMemory::read(sim::Cycle at, uint64_t /*address*/, uint32_t beats,
                                             uint32_t /*beat_bytes*/) {
  DLAVP_CHECK(beats > 0, "read of {} beats", beats);
  const sim::Cycle first = std::max(at + latency_, read_bus_free_);
  read_bus_free_ = first + beats;
  read_beats_ += beats;
  return {first, first + beats - 1};
}

sim::Cycle FixedLatencyMemory::write(sim::Cycle at, uint64_t /*address*/, uint32_t beats,
                                     uint32_t /*beat_bytes*/) {
  write_beats_ += beats;
  return at + latency_;
}

}  // namespace dlavp::mcif
