// A convolution's parts in closed form, for timing whole operations: the fetch of its input, the
// stream of its weights, its steps. Pure functions of the operation and the configuration; how the
// parts of neighbouring operations overlap is decided where they start and end. Hardware manual:
// "Convolution pipeline".
#pragma once

#include "models/conv/conv_op.hpp"
#include "models/sim/event_queue.hpp"
#include "models/sim/stream.hpp"

namespace dlavp::conv {

/// Of `lines` input lines: memory atoms that are asked for, and cycles in which the response side
/// takes them when they come one a cycle.
struct LineFetch {
  uint64_t atoms = 0;
  sim::Cycle cycles = 0;
};
[[nodiscard]] LineFetch line_fetch(const CdmaOp& op, const HwConfig& hw, uint64_t lines);

struct StepTimes {
  uint32_t groups = 0;                         ///< of kernels
  sim::Cycle group = 0;                        ///< cycles of one
  sim::Cycle first_stripe = 0;                 ///< its steps before the one that gives atoms
  uint32_t first_length = 0, last_length = 0;  ///< atoms of the first and the last stripe
  uint64_t atoms = 0;                          ///< of all groups
  sim::Cycle gap = 0;                          ///< between two groups
  [[nodiscard]] sim::Cycle all() const { return groups * group + (groups - 1) * gap; }
};
/// With input and weights in the buffer, behind which one atom takes `atom_cycles` (0: as long as
/// SDP's widest stage lets it).
[[nodiscard]] StepTimes step_times(const CscOp& op, const HwConfig& hw, sim::Cycle atom_cycles);

/// Weight atoms of a group that cannot be fetched while the group before it is in the banks.
[[nodiscard]] uint64_t atoms_in_the_way(const CscOp& op, const HwConfig& hw);

/// The cycle in which the steps of `op` end that begin at `first`, when what is behind it takes
/// atoms at `pace`.
[[nodiscard]] sim::Cycle steps_end(const StepTimes& times, sim::Cycle first,
                                   const sim::Stream::Pace& pace, uint32_t credits);

}  // namespace dlavp::conv
