// Pdp: the pooling unit on the event queue. It decodes an operation when its group becomes the
// consumer's, plays its time through the read DMA, the core's schedule and the write DMA, and
// writes its results just before its interrupt. Hardware manual: "Planar Data Processor".
#pragma once

#include <deque>
#include <memory>

#include "models/mcif/line_dma.hpp"
#include "models/nvdla/unit.hpp"
#include "models/nvdla/unit_context.hpp"
#include "models/pdp/pdp_op.hpp"
#include "models/pdp/pdp_schedule.hpp"

namespace dlavp::pdp {

class Pdp final : public Unit {
 public:
  Pdp(const UnitContext& context, Link<int8_t>& from_sdp);
  std::vector<regs::RegBlock*> reg_blocks() override { return {&regs_, &rdma_regs_}; }
  [[nodiscard]] bool idle() const override;

 private:
  struct Timing {
    sim::Cycle enable_to_request, enable_to_core, next_start, done_delay, ack_to_interrupt;
    sim::Cycle first_atom, horizontal_to_vertical, vertical_to_write, single_column_pause;
    sim::Cycle on_the_fly_input, read_done_delay, read_done_to_done, done_to_late_interrupt;
    size_t result_atoms;
    explicit Timing(const TimingParams& params);
  };
  struct Job {
    Job(PdpOp decoded, unsigned of_group, unsigned of_rdma_group);
    const PdpOp op;
    const unsigned group, rdma_group;
    PoolSchedule schedule;
    AtomCube<int8_t> in;
    std::shared_ptr<LazyCube<int8_t>> from_sdp;
    bool core_started = false, first_atom_taken = false, read_done = false;
    bool written = false, acknowledged = false;
    bool ends_unused = false;  ///< from memory: done by a line that no window uses
    uint64_t atoms_left;  ///< of the input, on the fly
    OpRecord record;
    bool output_holds = false;    ///< the next position waits for results to leave
    uint64_t stalls_at_last = 0;  ///< of the writer, when the last position was played
    MemoryClaims reads, writes;
    // Timed as a whole.
    mcif::Transfer transfer;  ///< of the input
    sim::Cycle core_start = 0;
    bool waits_for_flow = false;
  };

  void enabled(unsigned group, bool rdma);
  void try_start();
  void start_read(Job& job, sim::Cycle at);
  [[nodiscard]] mcif::LineSource output_lines(const PdpOp& op) const;
  void start_core();
  void start_whole(Job& job, sim::Cycle at);  // these two: pdp_whole.cpp
  void run_whole(Job& job);
  void core();
  [[nodiscard]] bool take_atom(Job& job, sim::Cycle& at);
  void play(Job& job, const Position& position, sim::Cycle at);
  void drain();
  void read_finished();
  void written();
  void core_finished();
  void acknowledged();
  void interrupt_at(sim::Cycle at);
  void complete();
  [[nodiscard]] static unsigned port_of(RamType ram);
  [[nodiscard]] Diagnostics compute(const Job& job);
  [[nodiscard]] Diagnostics unused_input(const Job& job) const;
  void refuse(const Diagnostics& errors);
  [[nodiscard]] uint32_t atom() const { return context_.hw.memory_atomic_size; }

  const UnitContext context_;
  Link<int8_t>& from_sdp_;
  const Timing timing_;
  const sim::Cycle atom_cycles_;  ///< a memory atom at PDP's throughput
  regs::RegBlock regs_, rdma_regs_;
  mcif::LineReader reader_;
  mcif::LineWriter writer_;
  std::array<sim::Cycle, 2> enabled_at_{}, rdma_enabled_at_{};
  /// The read DMA's groups go by themselves: an operation on the fly takes none.
  unsigned next_group_ = 0, next_rdma_group_ = 0;
  bool refused_ = false;
  std::deque<std::shared_ptr<Job>> jobs_;  ///< front: the core's; a second one may be reading ahead
  std::deque<std::shared_ptr<Job>> waiting_ack_;
  std::shared_ptr<Job> draining_;  ///< on the fly and done, with input still to come from SDP
  std::deque<sim::Cycle> interrupts_;
  sim::Cycle read_free_ = 0, core_free_ = 0;  ///< a following operation may start
  sim::Cycle horizontal_free_ = 0, vertical_free_ = 0;
  /// Of all operations so far that counted: the hardware's counters are never cleared, as a clear
  /// is taken only in a cycle that stalls, and none comes in one.
  uint64_t counted_read_stalls_ = 0, counted_write_stalls_ = 0;
  sim::Event start_event_, core_event_, read_done_event_, core_done_event_, written_event_,
      interrupt_event_;
};

}  // namespace dlavp::pdp
