// FixedLatencyMemory: a memory port of constant latency that moves one beat a cycle. It is the
// memory against which the published RTL cycle counts were taken; banks, refresh and contention
// between ports belong to the platform's memories.
#pragma once

#include "models/mcif/dma_port.hpp"

namespace dlavp::mcif {

/// Read requests and write data are always accepted. The first beat of a read comes `latency`
/// cycles after its request at the earliest, beats leave in request order, at most one a cycle.
/// A write is answered `latency` cycles after its last beat.
class FixedLatencyMemory final : public MemoryTiming {
 public:
  explicit FixedLatencyMemory(sim::Cycle latency) : latency_(latency) {}
  Beats read(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes) override;
  sim::Cycle write(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes) override;

  [[nodiscard]] uint64_t read_beats() const { return read_beats_; }
  [[nodiscard]] uint64_t write_beats() const { return write_beats_; }

 private:
  sim::Cycle latency_;
  sim::Cycle read_bus_free_ = 0;
  uint64_t read_beats_ = 0, write_beats_ = 0;
};

}  // namespace dlavp::mcif
