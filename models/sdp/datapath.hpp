// SDP's datapath and write DMA in time: when each data atom enters (input, operands and the
// stages' throughput permitting), when its result comes out, and how results go to memory (one
// command a line, then one atom a cycle) or to PDP. Counts and cycles only.
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "models/nvdla/unit_context.hpp"
#include "models/sdp/read_stream.hpp"
#include "models/sdp/sdp_op.hpp"

namespace dlavp::sdp {

/// Figures of configs/timing/sdp.yaml.
struct SdpTiming {
  sim::Cycle enable_to_load, done_to_load, load_to_request, load_to_data, load_to_command;
  sim::Cycle converter, output_register, x_alu, x_mul, x_tail, y_mul, y_alu, y_lut, y_cvt,
      y_cvt_bypass;
  sim::Cycle input, conv_bubble, pdp_lead, done, interrupt, rdma_done;
  uint32_t output_atoms, main_requests, main_request_stages, operand_request_stages, pdp_atoms;
  sim::Cycle pdp_data, pdp_credit, latency_fifo;
  explicit SdpTiming(const TimingParams& params);
};

/// What an operation costs a data atom.
struct AtomCost {
  sim::Cycle period = 1;  ///< between two atoms, in the long run
  sim::Cycle entry = 1;   ///< between two atoms that enter while there is room behind
  std::array<sim::Cycle, kStages> stage_period{};  ///< between two atoms in a stage
  sim::Cycle pieces = 1;                           ///< parts in which an atom passes, one a cycle
  bool slow = false;  ///< Y takes longer for an atom than the stages in front of it
  /// Registers that fill up in front of a slower Y: an atom comes `wait` cycles after Y took the
  /// one `atoms` + 1 before it, all counted as times of entry.
  struct Fill {
    uint32_t atoms = 0;
    sim::Cycle wait = 0;
  };
  Fill entry_fill;  ///< from the entry on
  /// PDP gets the first piece of an atom this long before the write DMA gets the atom.
  sim::Cycle pdp_lead = 0;
  sim::Cycle latency = 0;  ///< from entry to the write DMA's output
  /// Results that PDP has not taken yet fill the registers in front of it: an atom enters
  /// `pdp_wait` cycles after PDP took the atom `pdp_atoms` + 1 before it.
  uint32_t pdp_atoms = 0;
  sim::Cycle pdp_wait = 0;
  /// Where an atom meets its operand.
  struct Meeting {
    std::array<int64_t, 2> slack{};  ///< ALU, multiplier: how much later than the atom it may come
    sim::Cycle pieces = 1;           ///< cycles in which it is used
    sim::Cycle registers = 0;        ///< between entry and here
    uint32_t atoms_before = 0;       ///< whole atoms that fit there
    Fill fill;                       ///< from here on
  };
  std::array<Meeting, kStages> meeting;
};
[[nodiscard]] AtomCost atom_cost(const SdpOp& op, const HwConfig& hw, const SdpTiming& timing);

/// What SDP's read DMA fetches for an operation timed as a whole.
struct WholeReads {
  mcif::Transfer ahead;   ///< what is asked for at once
  sim::Cycle cycles = 0;  ///< from the first to the last of all, at least
  /// Asks for the rest, from a cycle on; says when the last of it is there. Null: there is none.
  std::function<sim::Cycle(sim::Cycle at)> rest;
};

class Datapath {
 public:
  using Streams = std::array<ReadStream*, kStages + 1>;  ///< X1, X2, Y, input cube

  Datapath(const UnitContext& context, const SdpTiming& timing, const Streams& streams,
           sim::Stream& from_conv, sim::Stream& to_pdp, std::function<void()> done,
           std::function<void()> acknowledged);

  /// Begins `op`, which was taken up at `begun`; its registers took effect at `load`. `operands`:
  /// which streams feed it.
  void start(const SdpOp& op, const std::array<bool, kStages>& operands, sim::Cycle begun,
             sim::Cycle load);
  /// The same for an operation timed as a whole: `reads` is what its read DMA fetches (null:
  /// nothing), `taken` is told when the last of it is used.
  void start_whole(const SdpOp& op, sim::Cycle begun, const WholeReads* reads,
                   std::function<void(sim::Cycle)> taken);
  [[nodiscard]] bool active() const { return active_; }
  /// Input, operand or output space may have come.
  void kick();

  [[nodiscard]] uint64_t write_stall_cycles() const { return stall_cycles_; }
  [[nodiscard]] uint64_t write_beats() const { return write_beats_; }
  /// Where the operation's cycles went so far.
  [[nodiscard]] sim::CycleAccount& cycles() { return cycles_; }

 private:
  static constexpr unsigned kRing = 64;    // more than the atoms that fit in front of a stage
  static constexpr unsigned kTaken = 256;  // more than the atoms that fit between entry and PDP
  [[nodiscard]] sim::Cycle entry_time() const;
  [[nodiscard]] sim::Cycle room_time() const;
  [[nodiscard]] sim::Cycle fill_time(const AtomCost::Fill& fill, uint64_t atom) const;
  /// Atoms between entry and write DMA.
  [[nodiscard]] uint64_t inside() const { return to_leave_ - to_enter_; }
  [[nodiscard]] sim::Cycle pdp_room_time() const;
  [[nodiscard]] bool held_by_output() const;
  void count_lines(uint32_t surfaces);
  void enter();
  void meet();
  bool meet_stage(unsigned s, uint64_t before, const std::array<sim::Cycle, kRing>& before_at);
  void put_out(sim::Cycle at);
  void drain();
  void write(sim::Cycle now);
  void pass_to_pdp(sim::Cycle now);
  void pdp_took();
  void finish(sim::Cycle last);
  void stall(bool waiting);
  // datapath_whole.cpp
  void run_whole();
  [[nodiscard]] sim::Cycle whole_cycles() const;
  [[nodiscard]] uint64_t whole_write_beats() const;
  [[nodiscard]] mcif::WritePort& port() {
    return context_.interface(op_.dst.ram).write_port(mcif::WriteClient::kSdp);
  }

  const UnitContext& context_;
  const SdpTiming& timing_;
  Streams streams_;
  sim::Stream& from_conv_;
  sim::Stream& to_pdp_;
  std::function<void()> done_;
  sim::Event enter_event_, drain_event_, done_event_;

  SdpOp op_;
  AtomCost cost_;
  std::array<bool, kStages> operands_{};
  /// Stages where an atom's time is decided: those with operands, and a slower Y.
  std::array<bool, kStages> meets_{};
  bool any_meeting_ = false, active_ = false;
  uint64_t to_enter_ = 0, to_leave_ = 0;
  sim::Cycle next_entry_ = 0;
  uint32_t in_flight_limit_ = 0;
  uint64_t entered_ = 0, out_ = 0;  ///< atoms into the datapath; with a known result time
  uint64_t taken_ = 0;              ///< out of the stream to PDP
  std::array<sim::Cycle, kTaken> taken_at_{};
  std::deque<sim::Cycle> in_flight_;  ///< when each result is at the write DMA
  // Atoms meet their operands stage by stage, each as late as if it had entered at `met_at_`.
  std::array<uint64_t, kStages> met_{};  ///< atoms that have their operands of the stage
  std::array<std::array<sim::Cycle, kRing>, kStages> met_at_{};
  std::array<sim::Cycle, kRing> entered_at_{};
  // Write DMA.
  bool command_next_ = true;
  sim::Cycle next_word_ = 0;
  uint64_t lines_left_ = 0;
  uint32_t line_atoms_ = 0, line_left_ = 0;
  uint32_t line_ = 0, surface_ = 0, lines_ = 0;
  bool stalled_ = false;
  sim::Cycle stalled_since_ = 0;
  uint64_t stall_cycles_ = 0, write_beats_ = 0;
  std::optional<WholeReads> reads_;  ///< of a whole operation
  std::function<void(sim::Cycle)> taken_whole_;
  bool waits_for_flow_ = false;
  sim::CycleAccount cycles_;
  bool output_holds_ = false;    ///< the next atom waits for what is behind it
  uint64_t stalls_at_last_ = 0;  ///< stall_cycles_ when the last atom entered
};

}  // namespace dlavp::sdp
