// Sdp: the point-wise engine as a unit of the accelerator: two register blocks with their groups,
// the read DMA's streams, the datapath, interrupts and status registers. Hardware manual: "Single
// Data Point Processor", "SDP RDMA". An operation of the read DMA starts by itself and joins the
// next operation of SDP that reads memory; the function runs when SDP's operation completes.
#pragma once

#include <array>
#include <deque>
#include <memory>

#include "models/nvdla/unit.hpp"
#include "models/nvdla/unit_context.hpp"
#include "models/sdp/datapath.hpp"
#include "models/sdp/read_stream.hpp"
#include "models/sdp/sdp_core.hpp"
#include "models/sdp/sdp_op.hpp"

namespace dlavp::sdp {

class Sdp final : public Unit {
 public:
  Sdp(const UnitContext& context, Link<int32_t>& from_conv);
  ~Sdp() override;

  std::vector<regs::RegBlock*> reg_blocks() override { return {&rdma_regs_, &sdp_regs_}; }
  [[nodiscard]] bool idle() const override;
  /// To PDP, one atom a pixel of a surface.
  [[nodiscard]] Link<int8_t>& output() { return output_; }
  [[nodiscard]] const LutTables& tables() const { return tables_; }

 private:
  struct Job;
  struct ReadJob;
  struct Completion {
    sim::Cycle at = sim::kNever;  ///< of the interrupt; kNever: the acknowledge is not there
    OpRecord record;
    MemoryClaims claims;
  };

  void connect_lut();
  std::unique_ptr<ReadStream> make_stream(mcif::ReadClient client);
  /// Schedules the start of the consumer's group, if it is enabled and nothing runs.
  void arm_rdma(sim::Cycle earliest);
  void arm_sdp(sim::Cycle earliest);
  void begin_rdma();
  void begin_sdp();
  void read_whole(unsigned stream, const CubeRef& src, sim::Cycle first, uint64_t beats);
  void stream_finished(sim::Cycle end);
  void end_rdma();
  void join();
  void launch();
  void compute_beside();
  void end_sdp();
  void post_status(const Job& job, const Outcome& outcome);
  void acknowledged();
  void raise();
  bool refuse(const Diagnostics& errors);

  UnitContext context_;
  SdpTiming timing_;
  regs::RegBlock rdma_regs_, sdp_regs_;
  Link<int32_t>& from_conv_;
  Link<int8_t> output_;
  std::array<std::unique_ptr<ReadStream>, kStages + 1> streams_;
  /// What the counters behind the registers hold.
  std::array<uint32_t, kStages + 1> counted_read_stalls_{};
  uint64_t counted_write_stalls_ = 0, counted_saturation_ = 0;
  std::unique_ptr<Datapath> datapath_;

  LutTables tables_;
  uint32_t lut_address_ = 0;
  bool lut_lo_ = false, lut_write_ = false;

  sim::Cycle last_done_ = 0;  ///< of the operation completed last
  bool halted_ = false;
  std::array<sim::Cycle, 2> rdma_enabled_{}, sdp_enabled_{};
  std::shared_ptr<ReadJob> reading_;  ///< the read DMA's operation
  std::deque<std::shared_ptr<ReadJob>> unjoined_;
  std::shared_ptr<Job> job_;  ///< SDP's operation
  bool waiting_to_join_ = false;
  bool launched_ = false;  ///< the operation runs, and its input was not seen yet
  std::deque<Completion> completions_;
  sim::Event rdma_start_event_, rdma_end_event_, sdp_start_event_, interrupt_event_;
};

}  // namespace dlavp::sdp
