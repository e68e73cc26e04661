#include "vp/memory/dram_timing.hpp"

#include <algorithm>

namespace dlavp::vp {

mcif::MemoryTiming::Beats DramTiming::serve(sim::Cycle at, uint64_t address, uint32_t beats,
                                            uint32_t beat_bytes) {
  const uint64_t row = address / config_.row_bytes;
  Bank& bank = banks_[row % banks_.size()];
  const bool hit = bank.row == row;
  ++(hit ? hits_ : misses_);
  bank.row = row;
  // A hit is pipelined behind earlier ones; a miss occupies the bank while the row is exchanged.
  const sim::Cycle start = std::max(at, bank.free);
  const sim::Cycle ready = start + (hit ? config_.row_hit_cycles : config_.row_miss_cycles);
  if (!hit) bank.free = ready - config_.row_hit_cycles;
  const uint64_t bytes = uint64_t{beats} * beat_bytes;
  const sim::Cycle transfer =
      std::max<sim::Cycle>((bytes + config_.bytes_per_cycle - 1) / config_.bytes_per_cycle, 1);
  const sim::Cycle first = std::max(ready, bus_free_);
  bus_free_ = first + transfer;
  // The port moves at most one beat a cycle, whatever the DRAM's bus could.
  return {first, first + std::max<sim::Cycle>(transfer, beats) - 1};
}

mcif::MemoryTiming::Beats DramTiming::read(sim::Cycle at, uint64_t address, uint32_t beats,
                                           uint32_t beat_bytes) {
  return serve(at, address, beats, beat_bytes);
}

sim::Cycle DramTiming::write(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes) {
  return serve(at, address, beats, beat_bytes).last + config_.write_ack_cycles;
}

}  // namespace dlavp::vp
