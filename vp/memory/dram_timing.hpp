// DramTiming: a simple DRAM in time: banks with one open row each, one data bus of a given width.
// Refresh, command bus and write-to-read turnaround are left out.
#pragma once

#include <vector>

#include "models/mcif/dma_port.hpp"
#include "vp/platform_config.hpp"

namespace dlavp::vp {

/// Requests are served in order. A request waits for its bank (row hit or miss), then for the data
/// bus, which moves `bytes_per_cycle`. Consecutive rows lie in consecutive banks.
class DramTiming final : public mcif::MemoryTiming {
 public:
  explicit DramTiming(const DramConfig& config) : config_(config), banks_(config.banks) {}
  Beats read(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes) override;
  sim::Cycle write(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes) override;

  [[nodiscard]] uint64_t row_hits() const { return hits_; }
  [[nodiscard]] uint64_t row_misses() const { return misses_; }

 private:
  struct Bank {
    uint64_t row = ~uint64_t{0};
    sim::Cycle free = 0;
  };
  Beats serve(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes);

  const DramConfig config_;
  std::vector<Bank> banks_;
  sim::Cycle bus_free_ = 0;
  uint64_t hits_ = 0, misses_ = 0;
};

}  // namespace dlavp::vp
