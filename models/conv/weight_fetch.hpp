// CDMA's weight side in time: one stream of requests, limited by the room in the weight banks plus
// what a small buffer in front of them takes, and kernel groups reported to CSC when their bytes
// are in the buffer. Hardware manual: "Convolution DMA"; rates as in the RTL.
#pragma once

#include <functional>

#include "models/conv/conv_op.hpp"
#include "models/conv/conv_timing.hpp"
#include "models/conv/delay_line.hpp"
#include "models/conv/read_counters.hpp"
#include "models/mcif/ring.hpp"
#include "models/nvdla/unit_context.hpp"

namespace dlavp::conv {

class WeightFetch {
 public:
  /// `on_kernels(kernels)`: CSC sees so many more kernels; `on_done`: the fetch is complete.
  WeightFetch(const UnitContext& context, const CdmaTiming& timing,
              std::function<void(uint32_t)> on_kernels, std::function<void()> on_done);

  void start(const CdmaOp& op);
  /// CSC gave back buffer entries.
  void release(uint64_t entries);
  /// The steps of the whole operation at hand begin, which makes room for what is left of it: when
  /// its last atom is there, as far as memory decides it.
  [[nodiscard]] sim::Cycle steps_begin();
  /// From a kernel group's release to the next one in CSC's sight, if it waited for that room: its
  /// `atoms` and their way.
  [[nodiscard]] sim::Cycle refill(uint64_t atoms) const {
    return timing_.release + flight_ + atoms + timing_.weight_update;
  }
  /// The data side was started: weights go on behind its requests.
  void data_started() { fetch_what_fits(); }
  /// Those steps take `group` cycles for each group of kernels and end at `end`.
  void steps_planned(sim::Cycle group, sim::Cycle end);
  void reset() { held_atoms_ = stored_atoms_ = 0; }
  /// Until when it last waited for room in the buffer.
  [[nodiscard]] sim::Cycle room_at() const {
    return waits_for_room_ ? context_.events.now() : room_at_;
  }
  [[nodiscard]] uint64_t total_atoms() const { return total_atoms_; }
  /// For the performance registers, of the operations since clear_counters().
  [[nodiscard]] uint32_t stall_cycles() const { return stalls_.cycles(); }
  void clear_counters() { stalls_.clear(); }

 private:
  void request();
  void arrive(const mcif::BeatRun& run);
  void accept();
  void take(sim::Cycle arrival, uint64_t atoms);
  void groups_arrived(sim::Cycle now);
  void start_whole();  // these three: whole_operation.cpp
  mcif::Transfer read_next(uint64_t atoms);
  void fetch_what_fits(uint64_t most = ~uint64_t{0});
  [[nodiscard]] uint64_t group_end_bytes(uint32_t group) const;
  [[nodiscard]] uint64_t group_end_atoms(uint32_t group) const;

  const UnitContext& context_;
  const CdmaTiming& timing_;
  std::function<void(uint32_t)> on_kernels_;
  mcif::ReadPort* port_ = nullptr;
  CdmaOp op_;
  uint64_t capacity_atoms_ = 0;  ///< of the weight banks
  uint64_t ahead_atoms_ = 0;     ///< that may be requested beyond it
  uint64_t total_atoms_ = 0, requested_atoms_ = 0, taken_atoms_ = 0;  ///< of the operation
  uint64_t held_atoms_ = 0;    ///< requested and not released, all operations
  uint64_t stored_atoms_ = 0;  ///< in the banks and not released
  uint32_t groups_ = 0, arrived_groups_ = 0;
  uint64_t update_atoms_ = 0;  ///< taken atoms with which the next group is complete
  sim::Cycle next_update_ = 0;
  StallCounter stalls_;
  uint64_t left_atoms_ = 0;              ///< of a whole operation: not asked for
  sim::Cycle flight_ = 0;                ///< from its request to its first atom
  sim::Cycle next_atoms_ = 0, end_ = 0;  ///< its next request, its last atom so far
  bool active_ = false, waits_for_room_ = false;
  sim::Cycle room_at_ = 0;
  struct Arrival {
    mcif::BeatRun run;
    uint64_t left = 0, taken = 0;  ///< of its atoms
  };
  mcif::Ring<Arrival> arrivals_;  ///< not taken whole
  sim::Cycle next_accept_ = 0;
  sim::Event request_event_, done_event_;
  DelayLine<uint32_t> visible_;
  DelayLine<uint64_t> released_;
};

}  // namespace dlavp::conv
