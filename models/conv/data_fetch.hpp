// CDMA's data side in time: requests as its plan says, back-pressure by free buffer entries, and
// the response side that takes an atom a cycle except where the shared buffer pauses. Hardware
// manual: "Convolution DMA"; rates as in the RTL.
#pragma once

#include <functional>
#include <memory>

#include "models/conv/conv_op.hpp"
#include "models/conv/conv_timing.hpp"
#include "models/conv/delay_line.hpp"
#include "models/conv/fetch_plan.hpp"
#include "models/conv/read_counters.hpp"
#include "models/nvdla/unit_context.hpp"

namespace dlavp::conv {

class DataFetch {
 public:
  /// `on_lines(lines)`: CSC sees so many more lines; `on_done`: the fetch is complete.
  DataFetch(const UnitContext& context, const CdmaTiming& timing,
            std::function<void(uint32_t)> on_lines, std::function<void()> on_done);

  /// The engine starts running now. One operation at a time.
  void start(const CdmaOp& op);
  /// CSC gave back buffer entries.
  void release(uint64_t entries);
  /// The banks were assigned anew: nothing is in the buffer.
  void reset() { stored_entries_ = 0; }
  /// Atoms requested by the operation so far.
  [[nodiscard]] uint64_t requested_atoms() const { return requested_atoms_; }
  /// Until when it last waited for room in the buffer.
  [[nodiscard]] sim::Cycle room_at() const {
    return waits_for_room_ ? context_.events.now() : room_at_;
  }
  /// For the performance registers, of the operations since clear_counters().
  [[nodiscard]] uint32_t stall_cycles() const { return stalls_.cycles(); }
  [[nodiscard]] uint32_t flight_cycles() const { return flights_.cycles(context_.events.now()); }
  void clear_counters() { stalls_.clear(), flights_.clear(); }

 private:
  void use_port(RamType ram);
  void request();
  void arrive(const mcif::BeatRun& run);
  [[nodiscard]] sim::Cycle accept_at(sim::Cycle arrival) const;
  void accept(sim::Cycle arrival);
  void accept_plain(sim::Cycle arrival, uint32_t atoms);
  void take(sim::Cycle at, const FetchAtom& atom);
  sim::Cycle take_padding(sim::Cycle at);
  // whole_operation.cpp
  void start_whole(const CdmaOp& op);
  void fetch_what_fits();

  const UnitContext& context_;
  const CdmaTiming& timing_;
  std::function<void(uint32_t)> on_lines_;
  mcif::ReadPort* port_ = nullptr;
  std::unique_ptr<FetchPlan> plan_;
  uint32_t entries_per_line_ = 0, data_entries_ = 0;  ///< of the operation; of its banks
  bool waits_for_room_ = false;
  sim::Cycle room_at_ = 0;
  bool admitted_ = false;  ///< the current line group has its room in the buffer
  uint32_t requested_groups_ = 0, stored_groups_ = 0;
  uint64_t stored_entries_ = 0;  ///< in the buffer and not released
  uint64_t flying_entries_ = 0;  ///< of line groups admitted and not stored
  uint64_t requested_atoms_ = 0;
  StallCounter stalls_;
  FlightCounter flights_;
  sim::Cycle blocked_ = sim::kNever;  ///< a cycle in which the response side takes nothing
  sim::Cycle next_accept_ = 0;
  sim::Cycle packed_ = 0;  ///< when the image bundles taken so far are packed
  sim::Event request_event_, done_event_;
  CdmaOp whole_;                         ///< the operation, when it is fetched as a whole
  uint32_t lines_left_ = 0;              ///< of it
  uint64_t whole_beats_ = 0;             ///< of it
  sim::Cycle next_lines_ = 0, end_ = 0;  ///< its next request, its last atom so far
  DelayLine<uint32_t> stored_, visible_;
};

}  // namespace dlavp::conv
