// Cdp: the cross-channel unit on the event queue, and its lookup table access registers. It works
// in blocks: up to eight neighbouring atoms of one surface, whose bytes pass the core channel step
// by channel step; a block's results leave when the next channels have passed. Hardware manual:
// "Cross Channel Data Processor".
#pragma once

#include <deque>
#include <memory>

#include "models/cdp/cdp_op.hpp"
#include "models/mcif/line_dma.hpp"
#include "models/nvdla/unit.hpp"
#include "models/nvdla/unit_context.hpp"

namespace dlavp::cdp {

inline constexpr uint32_t kBlockAtoms = 8;  ///< the hardware's tile of a line

class Cdp final : public Unit {
 public:
  explicit Cdp(const UnitContext& context);
  std::vector<regs::RegBlock*> reg_blocks() override { return {&regs_, &rdma_regs_}; }
  [[nodiscard]] bool idle() const override;

 private:
  struct Timing {
    sim::Cycle enable_to_request, enable_to_core, next_start, ack_to_interrupt;
    sim::Cycle first_atom, core_to_write, sum_stages;
    size_t result_blocks;
    explicit Timing(const TimingParams& params);
  };
  struct Job {
    Job(CdpOp decoded, unsigned of_group) : op(std::move(decoded)), group(of_group) {}
    const CdpOp op;
    const unsigned group;
    AtomCube<int8_t> in;
    mcif::LineSource blocks;
    mcif::Line block;             ///< the block whose atoms are being taken
    bool more = false;            ///< `block` is one
    uint32_t taken = 0;           ///< atoms of it
    sim::Cycle block_start = 0;   ///< as far as the taken atoms allow
    uint32_t previous_atoms = 0;  ///< of the block before, whose results are still inside
    sim::Cycle steps_end = 0;     ///< of the channel steps of the blocks so far, neighbours' apart
    bool read_done = false;
    OpRecord record;
    bool output_holds = false;    ///< the next block waits for results to leave
    uint64_t stalls_at_last = 0;  ///< of the writer, when the last block was passed
    MemoryClaims reads, writes;
    mcif::Transfer transfer;  ///< of the input, timed as a whole
  };

  void connect_lut();
  void enabled(unsigned group, bool rdma);
  void try_start();
  [[nodiscard]] mcif::LineSource output_blocks(const CdpOp& op) const;
  void start_core();
  void run_whole(Job& job, sim::Cycle at);  // cdp_whole.cpp
  void core();
  void pass_block(Job& job);
  void finish_block(sim::Cycle last_beat, uint32_t atoms, bool bypass);
  void read_finished();
  void core_finished();
  void acknowledged();
  void complete();
  [[nodiscard]] Diagnostics compute(const Job& job);
  void refuse(const Diagnostics& errors);
  [[nodiscard]] static unsigned port_of(RamType ram);
  [[nodiscard]] uint32_t atom() const { return context_.hw.memory_atomic_size; }

  const UnitContext context_;
  const Timing timing_;
  const uint32_t atom_cycles_;      ///< channel steps of an atom
  const uint32_t neighbour_steps_;  ///< channel steps that a result waits for its neighbours
  regs::RegBlock regs_, rdma_regs_;
  LutTables tables_;
  mcif::LineReader reader_;
  mcif::LineWriter writer_;
  std::array<sim::Cycle, 2> enabled_at_{}, rdma_enabled_at_{};
  unsigned next_group_ = 0;
  bool refused_ = false;
  std::deque<std::unique_ptr<Job>> jobs_;  ///< front: the core's; a second one may be reading ahead
  std::deque<std::unique_ptr<Job>> waiting_ack_;
  std::deque<sim::Cycle> interrupts_;
  sim::Cycle read_free_ = 0, core_free_ = 0;
  sim::Cycle step_free_ = 0;  ///< the core can take the next block
  /// Of all operations so far that counted: the hardware's counters are never cleared, as a clear
  /// is taken only in a cycle that stalls, and none comes in one.
  uint64_t counted_read_stalls_ = 0, counted_write_stalls_ = 0;
  sim::Event start_event_, core_event_, read_done_event_, written_event_, interrupt_event_;
};

}  // namespace dlavp::cdp
