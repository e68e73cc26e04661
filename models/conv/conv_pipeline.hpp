// ConvPipeline: the convolution pipeline as a unit: register groups of CDMA, CSC, CMAC_A, CMAC_B
// and CACC, the order in which their operations start and end, and what links them (convolution
// buffer, reset of its banks, output to SDP). Hardware manual: "Convolution pipeline". Time is in
// DataFetch, WeightFetch and Sequencer, function in InputLines and convolve().
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "models/conv/cbuf.hpp"
#include "models/conv/conv_core.hpp"
#include "models/conv/data_fetch.hpp"
#include "models/conv/sequencer.hpp"
#include "models/conv/weight_fetch.hpp"
#include "models/nvdla/unit.hpp"

namespace dlavp::conv {

class ConvPipeline final : public Unit {
 public:
  explicit ConvPipeline(const UnitContext& context);

  /// To SDP: atoms of one output pixel's kernels, surface after surface, pixels in raster order.
  [[nodiscard]] Link<int32_t>& output() { return output_; }

  std::vector<regs::RegBlock*> reg_blocks() override {
    return {&cdma_, &csc_, &cmac_a_, &cmac_b_, &cacc_};
  }
  [[nodiscard]] bool idle() const override;

 private:
  enum class Phase : uint8_t { kIdle, kStarting, kWaitingForReset, kRunning };
  /// What is known of the n-th operation; operations of CDMA and CSC meet here.
  struct Operation {
    std::optional<CdmaOp> cdma;
    std::optional<CscOp> csc;
    OpRecord record;
    bool done = false;
    std::shared_ptr<LazyCube<int32_t>> cube;
    std::shared_ptr<uint32_t> saturated;  ///< set when the cube is computed
  };

  void watch(regs::RegBlock& unit, const uint64_t& completed);
  void start_units(bool cdma_was_busy, bool csc_was_busy);
  void refuse(const Diagnostics& errors);
  void start_cdma();
  void start_csc();
  void reset_buffer();
  void check_operation(uint64_t index);
  void run_both();
  void run_data();
  void run_weights();
  void cdma_side_done(IntrSource source, bool& finished);
  void cdma_done();
  void put_counters(unsigned group, bool count);
  bool begin_convolution();
  bool assemble(const CscOp& csc, ConvInputs& inputs);
  void release_kept(const CscOp& op);
  void data_read();
  void csc_done();
  void delivered();
  Operation& operation(uint64_t index);
  void forget_operations();

  UnitContext context_;
  CdmaTiming timing_;
  CscTiming csc_timing_;
  CaccTiming cacc_timing_;
  regs::RegBlock cdma_, csc_, cmac_a_, cmac_b_, cacc_;
  Link<int32_t> output_;
  Cbuf cbuf_;

  std::deque<Operation> operations_;  ///< from operation first_operation_ on
  uint64_t first_operation_ = 0;
  uint64_t cdma_count_ = 0, csc_count_ = 0, mac_count_ = 0, cacc_count_ = 0;  ///< completed

  bool refused_ = false;  ///< a program error: nothing starts any more
  Phase cdma_phase_ = Phase::kIdle, csc_phase_ = Phase::kIdle;
  sim::Cycle last_done_ = 0;                        ///< of the operation delivered last
  sim::Cycle cdma_at_ = 0, csc_at_ = 0;             ///< when they began to wait for the reset
  bool data_reset_ = false, weight_reset_ = false;  ///< whose banks CDMA changes
  bool data_finished_ = false, weights_finished_ = false;
  struct Last {                                   ///< of the unit's operation before
    uint32_t data_banks = 32, weight_banks = 32;  // as the hardware's registers reset
    bool kept_data = false, kept_weights = false, image = false;
  } last_cdma_, last_csc_;
  struct Kept {  ///< what CSC's last operation left in the buffer
    uint64_t lines = 0, entries = 0, kernels = 0, weight_bytes = 0;
  } kept_;

  MemoryClaims fetched_;  ///< of CDMA's operation

  DataFetch data_;
  WeightFetch weights_;
  Sequencer sequencer_;
  sim::Event cdma_event_, csc_event_, reset_event_, data_skip_event_, weight_skip_event_,
      switch_event_;
  DelayLine<std::pair<IntrSource, unsigned>> interrupts_;
};

}  // namespace dlavp::conv
