// The memory interface's pipeline delays, looked up once (configs/timing/mcif.yaml says what each
// is).
#pragma once

#include "models/common/timing_params.hpp"
#include "models/sim/event_queue.hpp"

namespace dlavp::mcif {

struct McifTiming {
  sim::Cycle read_arbiter_input, read_arbiter_output, read_command, read_response;
  sim::Cycle read_credit_return, outstanding_return;
  sim::Cycle write_request, write_arbiter_input, write_arbiter_output, write_command;
  sim::Cycle write_response, write_slot_release;
  uint32_t write_word_slots;

  explicit McifTiming(const TimingParams& params);
};

/// Sizes of one interface's bus.
struct BusShape {
  uint32_t atom_bytes;  ///< a memory atom
  uint32_t beat_bytes;  ///< a data beat
  uint32_t max_beats;   ///< of one transaction
  [[nodiscard]] uint32_t burst_bytes() const { return beat_bytes * max_beats; }
  /// Atoms of the first transaction of `atoms` from `address`: bursts never cross a burst boundary.
  [[nodiscard]] uint32_t first_atoms(uint64_t address, uint32_t atoms) const {
    const uint64_t room = (burst_bytes() - address % burst_bytes()) / atom_bytes;
    return room < atoms ? static_cast<uint32_t>(room) : atoms;
  }
  /// Data beats that `atoms` from `address` touch.
  [[nodiscard]] uint32_t beats(uint64_t address, uint32_t atoms) const {
    const uint64_t last = address + uint64_t{atoms} * atom_bytes - 1;
    return static_cast<uint32_t>(last / beat_bytes - address / beat_bytes + 1);
  }
};

}  // namespace dlavp::mcif
