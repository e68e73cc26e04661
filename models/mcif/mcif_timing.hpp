// The memory interface's pipeline delays, looked up once (configs/timing/mcif.yaml says what each
// is).
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "models/common/check.hpp"
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

/// Sizes of one interface's bus. Divisions are shifts: this is looked at for every transaction.
struct BusShape {
  uint32_t atom_bytes;  ///< a memory atom
  uint32_t beat_bytes;  ///< a data beat
  uint32_t max_beats;   ///< of one transaction

  BusShape(uint32_t atom, uint32_t beat, uint32_t beats)
      : atom_bytes(atom),
        beat_bytes(beat),
        max_beats(beats),
        atom_shift_(shift_of(atom)),
        beat_shift_(shift_of(beat)),
        burst_(beat * beats) {
    DLAVP_CHECK(std::has_single_bit(burst_), "bursts of {} bytes are no power of two", burst_);
  }

  /// Atoms of the first transaction of `atoms` from `address`: bursts never cross a burst boundary.
  [[nodiscard]] uint32_t first_atoms(uint64_t address, uint32_t atoms) const {
    const auto room = static_cast<uint32_t>((burst_ - (address & (burst_ - 1))) >> atom_shift_);
    return std::min(room, atoms);
  }
  /// Atoms of the longest transaction.
  [[nodiscard]] uint32_t burst_atoms() const { return burst_ >> atom_shift_; }
  /// Data beats that `atoms` from `address` touch.
  [[nodiscard]] uint32_t beats(uint64_t address, uint32_t atoms) const {
    return static_cast<uint32_t>(all_beats(address, atoms));
  }
  [[nodiscard]] uint64_t all_beats(uint64_t address, uint64_t atoms) const {
    if (atoms == 0) return 0;
    const uint64_t last = address + (atoms << atom_shift_) - 1;
    return (last >> beat_shift_) - (address >> beat_shift_) + 1;
  }
  /// Atoms from `address` to the end of its beat.
  [[nodiscard]] uint32_t beat_atoms(uint64_t address) const {
    return static_cast<uint32_t>((beat_bytes - (address & (beat_bytes - 1))) >> atom_shift_);
  }

 private:
  static unsigned shift_of(uint32_t bytes) {
    DLAVP_CHECK(std::has_single_bit(bytes), "{} bytes are no power of two", bytes);
    return static_cast<unsigned>(std::countr_zero(bytes));
  }
  unsigned atom_shift_, beat_shift_;
  uint32_t burst_;
};

}  // namespace dlavp::mcif
