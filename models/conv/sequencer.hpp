// CSC, CMAC and CACC in time. An operation is a sequence of kernel groups, each a sequence of
// stripes (output atoms computed together), each a number of steps (kernel position and channel
// block). Steps follow one another without gaps; what can wait is a group (for its kernels), and a
// stripe's last step (for room in CACC's delivery buffer). Hardware manual: "Convolution pipeline".
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "models/conv/conv_op.hpp"
#include "models/conv/conv_timing.hpp"
#include "models/conv/delay_line.hpp"
#include "models/nvdla/unit_context.hpp"

namespace dlavp::conv {

/// Output atoms that CACC can hold for delivery: CSC's credit.
[[nodiscard]] uint32_t delivery_atoms(const HwConfig& hw);

/// Cycles in which an atom passes from CACC to SDP: as wide as the widest of SDP's stages.
[[nodiscard]] uint32_t delivery_pieces(const HwConfig& hw);

/// Length of the stripe at output atom `done` of `atoms`.
[[nodiscard]] uint32_t stripe_length(const CscOp& op, const HwConfig& hw, uint64_t done,
                                     uint64_t atoms);

class Sequencer {
 public:
  struct Callbacks {
    std::function<bool()> begin;  ///< lines and first kernels are there; false: not now
    std::function<void(uint64_t entries)> weights_read;  ///< a group's buffer entries are free
    std::function<void()> data_read;                     ///< the last line was read
    std::function<void()> csc_done, mac_done, cacc_done;
    std::function<void()> delivered;  ///< the last atom went to SDP
    /// Until when CDMA's data, its weights last waited for room in the buffer.
    std::function<sim::Cycle()> data_room, weight_room;
    /// Whole operations: WeightFetch::steps_begin(), refill() and steps_planned() of CSC's
    /// operation.
    std::function<sim::Cycle()> steps_begin;
    std::function<sim::Cycle(uint64_t atoms)> refill;
    std::function<void(sim::Cycle group, sim::Cycle end)> steps_planned;
  };

  Sequencer(const UnitContext& context, sim::Stream& output, Callbacks callbacks);

  /// CSC is running `op` from now on; it began with it at `begun`, and the operation before it was
  /// delivered at `before` (0: it is not yet).
  void start(const CscOp& op, sim::Cycle begun, sim::Cycle before);
  void add_lines(uint32_t lines);
  void add_kernels(uint32_t kernels);
  void release_lines(uint64_t lines) { lines_ -= std::min<uint64_t>(lines, lines_); }
  void release_kernels(uint64_t kernels) { kernels_ -= std::min<uint64_t>(kernels, kernels_); }
  void reset_lines() { lines_ = 0; }
  void reset_kernels() { kernels_ = 0; }
  [[nodiscard]] uint64_t lines() const { return lines_; }
  /// Something `begin` may have refused for has changed.
  void kick() { try_group(); }
  /// Cycles lost by cause since the operation's start.
  [[nodiscard]] const std::map<std::string, uint64_t>& stalls() const { return stalls_; }
  /// Where the cycles of CSC's operation went so far.
  [[nodiscard]] sim::CycleAccount& cycles() { return cycles_; }

 private:
  [[nodiscard]] uint32_t group_kernels() const;
  [[nodiscard]] uint64_t stripe_atoms() const {
    return op_.cbuf.image ? op_.out_width : op_.out_pixels();
  }
  [[nodiscard]] sim::Cycle step_cycles(uint32_t length) const;
  void try_group();
  void account_wait(sim::Cycle first_step);
  void begin_stripe(sim::Cycle first_step);
  void run_whole(sim::Cycle first_step);  // whole_operation.cpp
  void issue();
  void finish(uint32_t length);
  void space_returned();
  void wait_for_space();

  const UnitContext& context_;
  const HwConfig& hw_;
  CscTiming timing_;
  CaccTiming cacc_timing_;
  sim::Stream& output_;
  Callbacks callbacks_;
  CscOp op_;
  bool active_ = false, begun_ = false, waiting_for_group_ = false, waiting_for_credit_ = false;
  uint64_t lines_ = 0, kernels_ = 0, kernels_needed_ = 0;
  sim::Cycle data_at_ = 0, kernels_at_ = 0;  ///< when the lines, the group's kernels were there
  sim::Cycle next_step_ = 0;
  sim::Cycle waiting_since_ = 0;
  uint32_t groups_ = 0, group_ = 0, line_ = 0, length_ = 0, steps_ = 0;
  uint64_t done_atoms_ = 0;
  uint64_t read_weight_bytes_ = 0;
  uint64_t issued_ = 0, pushed_ = 0;  ///< atoms of all operations: computed, handed to the stream
  std::deque<uint64_t> ends_;         ///< `issued_` at the end of each operation not yet delivered
  std::map<std::string, uint64_t> stalls_;
  sim::CycleAccount cycles_;
  sim::Event issue_event_, data_event_, csc_event_;
  DelayLine<uint32_t> atoms_;
  DelayLine<uint64_t> weights_;
  DelayLine<int> mac_done_, cacc_done_, delivered_line_;
};

}  // namespace dlavp::conv
