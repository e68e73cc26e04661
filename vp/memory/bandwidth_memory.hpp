// BandwidthMemory: a fixed latency behind one bus of a given width that reads and writes share.
#pragma once

#include "models/mcif/dma_port.hpp"

namespace dlavp::vp {

/// Requests hold the bus in order of arrival; with a bus as wide as the port and no competition it
/// is FixedLatencyMemory.
class BandwidthMemory final : public mcif::MemoryTiming {
 public:
  BandwidthMemory(uint32_t latency, double bytes_per_cycle);
  Beats read(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes) override;
  sim::Cycle write(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes) override;

 private:
  /// Bytes are counted in fractions, of which a cycle moves a whole number.
  static constexpr uint64_t kFractions = 1024;
  [[nodiscard]] uint64_t hold(sim::Cycle at, uint64_t bytes);
  [[nodiscard]] sim::Cycle cycle_before(uint64_t position) const {
    return (position + rate_ - 1) / rate_ - 1;
  }

  const uint32_t latency_;
  const uint64_t rate_;       ///< fractions a cycle
  uint64_t bus_free_ = 0;     ///< in fractions
  sim::Cycle port_free_ = 0;  ///< of the read data, a beat a cycle
};

}  // namespace dlavp::vp
