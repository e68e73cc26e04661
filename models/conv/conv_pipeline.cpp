// The convolution pipeline's register groups, operation order and buffer bookkeeping.
#include "models/conv/conv_pipeline.hpp"

#include <algorithm>

#include "registers.hpp"

namespace dlavp::conv {

using sim::Cycle;

ConvPipeline::ConvPipeline(const UnitContext& context)
    : context_(context),
      timing_(context.timing),
      csc_timing_(context.timing),
      cacc_timing_(context.timing),
      cdma_(regs::kCdma),
      csc_(regs::kCsc),
      cmac_a_(regs::kCmacA),
      cmac_b_(regs::kCmacB),
      cacc_(regs::kCacc),
      output_(context.events, delivery_atoms(context.hw), cacc_timing_.stream,
              cacc_timing_.credit + delivery_pieces(context.hw)),
      data_(
          context_, timing_, [this](uint32_t lines) { sequencer_.add_lines(lines); },
          [this] { cdma_side_done(IntrSource::kCdmaDat, data_finished_); }),
      weights_(
          context_, timing_, [this](uint32_t kernels) { sequencer_.add_kernels(kernels); },
          [this] { cdma_side_done(IntrSource::kCdmaWt, weights_finished_); }),
      sequencer_(context_, output_.atoms,
                 {[this] { return begin_convolution(); },
                  [this](uint64_t entries) { weights_.release(entries); }, [this] { data_read(); },
                  [this] { csc_done(); },
                  [this] {
                    cmac_a_.operation_done();
                    cmac_b_.operation_done();
                    ++mac_count_;
                    sequencer_.kick();
                  },
                  [this] {
                    cacc_.operation_done();
                    ++cacc_count_;
                    sequencer_.kick();
                  },
                  [this] { delivered(); }, [this] { return data_.room_at(); },
                  [this] { return weights_.room_at(); },
                  [this] { return csc_count_ == cdma_count_ ? weights_.steps_begin() : 0; },
                  [this](uint64_t atoms) { return weights_.refill(atoms); },
                  [this](Cycle group, Cycle end) {
                    if (csc_count_ == cdma_count_) weights_.steps_planned(group, end);
                  }}),
      cdma_event_([this] { start_cdma(); }),
      csc_event_([this] { start_csc(); }),
      reset_event_([this] { reset_buffer(); }),
      data_skip_event_([this] { cdma_side_done(IntrSource::kCdmaDat, data_finished_); }),
      weight_skip_event_([this] { cdma_side_done(IntrSource::kCdmaWt, weights_finished_); }),
      switch_event_([this] { cdma_done(); }),
      interrupts_(context.events, [this](const std::pair<IntrSource, unsigned>& i) {
        if (context_.raise_interrupt) context_.raise_interrupt(i.first, i.second);
      }) {
  watch(cdma_, cdma_count_);
  watch(csc_, csc_count_);
  watch(cmac_a_, mac_count_);
  watch(cmac_b_, mac_count_);
  watch(cacc_, cacc_count_);
  // Out of reset CDMA writes zeros into the whole buffer, half of it from each side.
  const uint64_t flush = uint64_t{context_.hw.cbuf_bank_number} * context_.hw.cbuf_bank_depth / 2;
  cdma_.on_read(regs::cdma::S_CBUF_FLUSH_STATUS,
                [this, flush] { return context_.events.now() >= flush ? 1u : 0u; });
}

void ConvPipeline::watch(regs::RegBlock& unit, const uint64_t& completed) {
  unit.on_enable([this, &unit, &completed](unsigned group) {
    Operation& op = operation(completed + (group == unit.consumer() ? 0 : 1));
    if (&unit == &cdma_) put_counters(group, false);
    op.record.enabled = std::max(op.record.enabled, context_.events.now());
    start_units(false, false);
  });
}

bool ConvPipeline::idle() const {
  const auto quiet = [](const regs::RegBlock& b) { return !b.enabled(0) && !b.enabled(1); };
  return quiet(cdma_) && quiet(csc_) && quiet(cmac_a_) && quiet(cmac_b_) && quiet(cacc_) &&
         operations_.empty();
}

ConvPipeline::Operation& ConvPipeline::operation(uint64_t index) {
  DLAVP_CHECK(index >= first_operation_, "operation {} is over, first is {}", index,
              first_operation_);
  while (index - first_operation_ >= operations_.size()) operations_.emplace_back();
  return operations_[index - first_operation_];
}

void ConvPipeline::forget_operations() {
  const uint64_t over = std::min({cdma_count_, csc_count_, mac_count_, cacc_count_});
  while (!operations_.empty() && operations_.front().done && first_operation_ < over) {
    operations_.pop_front();
    ++first_operation_;
  }
}

// A group just enabled starts when the write has reached the unit; one that was queued starts soon
// after the operation before it.
void ConvPipeline::start_units(bool cdma_was_busy, bool csc_was_busy) {
  if (refused_) return;
  if (cdma_phase_ == Phase::kIdle && cdma_.enabled(cdma_.consumer())) {
    cdma_phase_ = Phase::kStarting;
    context_.events.schedule_in(cdma_event_, cdma_was_busy ? timing_.next_start : timing_.op_start);
  }
  if (csc_phase_ == Phase::kIdle && csc_.enabled(csc_.consumer())) {
    csc_phase_ = Phase::kStarting;
    context_.events.schedule_in(csc_event_,
                                csc_was_busy ? csc_timing_.next_start : csc_timing_.op_start);
  }
  sequencer_.kick();
}

void ConvPipeline::refuse(const Diagnostics& errors) {
  refused_ = true;
  if (context_.observer) context_.observer->program_error(errors);
}

void ConvPipeline::check_operation(uint64_t index) {
  const Operation& op = operation(index);
  if (!op.cdma || !op.csc) return;
  Diagnostics errors = check_pair(*op.cdma, *op.csc);
  if (errors.empty() && csc_count_ == index) {
    // CSC is at this operation, so what the one before left is known.
    const bool moved = op.csc->cbuf.data_banks != last_csc_.data_banks;
    const uint64_t left = moved ? 0 : kept_.lines;
    const bool skipped = op.csc->cbuf.data_reuse && left > 0 && last_csc_.kept_data && !moved;
    const uint64_t there = left + (skipped ? 0 : op.cdma->height);
    if (there < op.csc->in_height && cbuf_.lines() < op.csc->in_height)
      errors.add("conv.in_height", "CDMA and CSC",
                 fmt::format("CSC reads {} lines, {} are left from before and CDMA fetches {}",
                             op.csc->in_height, left, skipped ? 0 : op.cdma->height));
  }
  if (!errors.empty()) refuse(errors);
}

void ConvPipeline::start_cdma() {
  Result<CdmaOp> decoded = decode_cdma(cdma_.view(cdma_.consumer()), context_.hw);
  if (!decoded.ok()) return refuse(decoded.errors());
  const CdmaOp& op = operation(cdma_count_).cdma.emplace(std::move(decoded).value());
  check_operation(cdma_count_);
  if (refused_) return;
  data_finished_ = weights_finished_ = false;
  fetched_ = MemoryClaims(context_.watcher());
  cdma_at_ = context_.events.now();
  data_reset_ = op.cbuf.data_banks != last_cdma_.data_banks;
  weight_reset_ = data_reset_ || op.cbuf.weight_banks != last_cdma_.weight_banks;
  if (!weight_reset_) {
    cdma_phase_ = Phase::kRunning;
    return run_both();
  }
  cdma_phase_ = Phase::kWaitingForReset;
  if (!data_reset_) run_data();
  if (csc_phase_ == Phase::kWaitingForReset)
    context_.events.schedule(reset_event_, std::max(cdma_at_ + timing_.reset_after_cdma,
                                                    csc_at_ + timing_.reset_after_csc));
}

void ConvPipeline::start_csc() {
  Result<CscOp> decoded = decode_csc(csc_.view(csc_.consumer()), context_.hw);
  if (!decoded.ok()) return refuse(decoded.errors());
  Operation& operation_now = operation(csc_count_);
  const CscOp& op = operation_now.csc.emplace(std::move(decoded).value());
  release_kept(op);
  check_operation(csc_count_);
  if (refused_) return;
  csc_at_ = operation_now.record.started = context_.events.now();
  if (op.cbuf.data_banks == last_csc_.data_banks &&
      op.cbuf.weight_banks == last_csc_.weight_banks) {
    csc_phase_ = Phase::kRunning;
    sequencer_.start(op, csc_at_, last_done_);
    return;
  }
  csc_phase_ = Phase::kWaitingForReset;
  if (cdma_phase_ == Phase::kWaitingForReset)
    context_.events.schedule(reset_event_, std::max(cdma_at_ + timing_.reset_after_cdma,
                                                    csc_at_ + timing_.reset_after_csc));
}

// Lines and kernels that the operation before kept and this one does not use.
void ConvPipeline::release_kept(const CscOp& op) {
  if (kept_.lines > 0 && (!op.cbuf.data_reuse || op.cbuf.image != last_csc_.image)) {
    cbuf_.release_lines(kept_.lines);
    sequencer_.release_lines(kept_.lines);
    data_.release(kept_.entries);
    kept_.lines = kept_.entries = 0;
  }
  if (last_csc_.kept_weights && !op.cbuf.weight_reuse) {
    cbuf_.release_weights(kept_.weight_bytes);
    sequencer_.release_kernels(kept_.kernels);
    weights_.release(kept_.weight_bytes / context_.hw.cbuf_bank_width);
  }
}

// CDMA and CSC have both seen that the banks change: the buffer is empty from here on.
void ConvPipeline::reset_buffer() {
  if (refused_) return;
  if (data_reset_) {
    cbuf_.clear_data();
    sequencer_.reset_lines();
    data_.reset();
    kept_.lines = kept_.entries = 0;
  }
  cbuf_.clear_weights();
  sequencer_.reset_kernels();
  weights_.reset();
  cdma_phase_ = csc_phase_ = Phase::kRunning;
  if (data_reset_)
    run_both();
  else
    run_weights();
  if (!refused_) sequencer_.start(*operation(csc_count_).csc, csc_at_, last_done_);
}

// Whole transfers do not take turns on the bus as requests do: as many weights go first as turns
// would let through beside the data.
void ConvPipeline::run_both() {
  const bool whole = context_.mode.whole();
  if (whole) run_weights();
  if (!refused_) run_data();
  if (whole)
    weights_.data_started();
  else
    run_weights();
}

void ConvPipeline::run_data() {
  const CdmaOp& op = *operation(cdma_count_).cdma;
  if (op.cbuf.data_reuse && last_cdma_.kept_data && last_cdma_.image == op.cbuf.image &&
      !data_reset_) {
    context_.events.schedule_in(data_skip_event_, 1);
    return;
  }
  auto lines =
      InputLines::capture(op, context_.memory.of(op.data_ram), context_.hw, context_.mode.function);
  if (!lines.ok()) return refuse(lines.errors());
  if (fetched_.watched())
    for (const Footprint& f : footprints(op, context_.hw.memory_atomic_size))
      fetched_.add({"CDMA", cdma_.consumer(), "input", false, f});
  cbuf_.add_lines(lines.value());
  data_.start(op);
}

void ConvPipeline::run_weights() {
  if (refused_) return;
  const CdmaOp& op = *operation(cdma_count_).cdma;
  if (op.cbuf.weight_reuse && last_cdma_.kept_weights && !weight_reset_) {
    context_.events.schedule_in(weight_skip_event_, 1);
    return;
  }
  Result<std::vector<int8_t>> bytes =
      capture_weights(op, context_.memory.of(op.weight_ram), context_.mode.function);
  if (!bytes.ok()) return refuse(bytes.errors());
  cbuf_.add_weights(std::move(bytes).value(), op.weight_bytes);
  fetched_.add({"CDMA", cdma_.consumer(), "weights", false,
                Footprint{op.weight_ram, op.weight_address, op.weight_bytes}});
  weights_.start(op);
}

void ConvPipeline::cdma_side_done(IntrSource source, bool& finished) {
  if (finished) return;
  finished = true;
  interrupts_.send(context_.events.now() + timing_.interrupt, {source, cdma_.consumer()});
  if (data_finished_ && weights_finished_)
    context_.events.schedule_in(switch_event_, timing_.switch_groups);
}

void ConvPipeline::cdma_done() {
  const CdmaOp& op = *operation(cdma_count_).cdma;
  last_cdma_ = {op.cbuf.data_banks, op.cbuf.weight_banks, op.cbuf.keep_data, op.cbuf.keep_weights,
                op.cbuf.image};
  const uint32_t beat = context_.hw.primary_memif.width_bytes();
  operation(cdma_count_).record.read_beats =
      (data_.requested_atoms() + weights_.total_atoms()) * context_.hw.memory_atomic_size / beat;
  put_counters(cdma_.consumer(), op.count_reads);
  data_.clear_counters();
  weights_.clear_counters();
  fetched_.clear();
  cdma_.operation_done();
  ++cdma_count_;
  cdma_phase_ = Phase::kIdle;
  forget_operations();
  start_units(true, false);
}

// The performance registers of a group: zeros from its enable on, counts when CDMA is done with it.
void ConvPipeline::put_counters(unsigned group, bool count) {
  namespace r = regs::cdma;
  cdma_.poke(r::D_PERF_DAT_READ_STALL, group, count ? data_.stall_cycles() : 0);
  cdma_.poke(r::D_PERF_DAT_READ_LATENCY, group, count ? data_.flight_cycles() : 0);
  cdma_.poke(r::D_PERF_WT_READ_STALL, group, count ? weights_.stall_cycles() : 0);
}

bool ConvPipeline::assemble(const CscOp& csc, ConvInputs& inputs) {
  const uint64_t bytes = csc.bytes_per_kernel() * csc.kernels;
  if (cbuf_.weight_bytes() < bytes) {
    refuse(Diagnostics({"conv.weight_bytes", "CSC",
                        fmt::format("{} kernels of {} bytes, the buffer has {} bytes", csc.kernels,
                                    csc.bytes_per_kernel(), cbuf_.weight_bytes())}));
    return false;
  }
  inputs.slices = cbuf_.first_lines(csc.in_height);
  const InputLines* checked = nullptr;
  for (const Slice& slice : inputs.slices) {
    if (slice.source.get() == checked) continue;
    checked = slice.source.get();
    const Diagnostics errors = check_lines(checked->op(), csc, context_.hw);
    if (errors.empty()) continue;
    refuse(errors);
    return false;
  }
  if (context_.mode.function) inputs.weights = cbuf_.first_weights(bytes);
  return true;
}

bool ConvPipeline::begin_convolution() {
  if (refused_) return false;
  const auto ready = [&](const regs::RegBlock& unit, uint64_t completed) {
    return completed == csc_count_ && unit.enabled(unit.consumer());
  };
  if (!ready(cmac_a_, mac_count_) || !ready(cmac_b_, mac_count_) || !ready(cacc_, cacc_count_))
    return false;
  Operation& op = operation(csc_count_);
  Diagnostics errors = check_cmac(cmac_a_.view(cmac_a_.consumer()));
  errors.append(check_cmac(cmac_b_.view(cmac_b_.consumer())));
  const Result<CaccOp> cacc = decode_cacc(cacc_.view(cacc_.consumer()), context_.hw);
  if (!cacc.ok()) errors.append(cacc.errors());
  auto inputs = std::make_shared<ConvInputs>();
  if (!errors.empty()) {
    refuse(errors);
    return false;
  }
  if (!assemble(*op.csc, *inputs)) return false;
  op.saturated = std::make_shared<uint32_t>(0);
  op.record.unit = "CONV";
  op.record.group = cacc_.consumer();
  op.cube = std::make_shared<LazyCube<int32_t>>(
      [inputs, csc = *op.csc, clip = *cacc, saturated = op.saturated, hw = context_.hw] {
        ConvResult result = convolve(*inputs, csc, clip, hw);
        *saturated = result.saturated;
        return std::move(result.cube);
      });
  if (context_.mode.function && context_.worker) op.cube->start(*context_.worker);
  output_.push_cube(op.cube);
  return true;
}

// CSC has read its last line: what it does not keep is free.
void ConvPipeline::data_read() {
  const CscOp& op = *operation(csc_count_).csc;
  if (op.cbuf.keep_data) return;
  cbuf_.release_lines(op.release_slices);
  sequencer_.release_lines(op.release_slices);
  data_.release(uint64_t{op.release_slices} * op.cbuf.entries_per_slice);
}

void ConvPipeline::csc_done() {
  const CscOp& op = *operation(csc_count_).csc;
  kept_.lines = op.cbuf.keep_data ? op.in_height : op.in_height - op.release_slices;
  kept_.entries = kept_.lines * op.cbuf.entries_per_slice;
  kept_.kernels = op.kernels;
  kept_.weight_bytes = op.weight_bytes;
  if (!op.cbuf.keep_weights) {
    const uint64_t entry = context_.hw.cbuf_bank_width;
    cbuf_.release_weights((op.bytes_per_kernel() * op.kernels + entry - 1) / entry * entry);
  }
  last_csc_ = {op.cbuf.data_banks, op.cbuf.weight_banks, op.cbuf.keep_data, op.cbuf.keep_weights,
               op.cbuf.image};
  operation(csc_count_).record.stalls = sequencer_.stalls();
  operation(csc_count_).record.cycles = sequencer_.cycles();
  csc_.operation_done();
  ++csc_count_;
  csc_phase_ = Phase::kIdle;
  forget_operations();
  start_units(false, true);
}

void ConvPipeline::delivered() {
  const auto it = std::find_if(operations_.begin(), operations_.end(),
                               [](const Operation& o) { return !o.done; });
  Operation& op = *it;
  const bool counts = context_.mode.function && !cannot_saturate(*op.csc);
  if (counts) static_cast<void>(op.cube->get());  // whoever computes it is done with `saturated`
  cacc_.poke(regs::cacc::D_OUT_SATURATION, op.record.group, counts ? *op.saturated : 0);
  op.record.done = context_.events.now();
  const bool csc_works = first_operation_ + static_cast<uint64_t>(it - operations_.begin()) ==
                         csc_count_;  // a short operation is delivered before CSC is done with it
  if (csc_works) op.record.cycles = sequencer_.cycles();
  op.record.cycles.finish(sim::Cause::kDownstream, op.record.done);
  for (Operation& next : operations_)
    if (!next.done && &next != &op) next.record.cycles.hide(op.record.done);
  if (!csc_works) sequencer_.cycles().hide(op.record.done);
  last_done_ = op.record.done;
  op.record.macs = op.csc->macs();
  op.record.summary =
      fmt::format("{}x{}x{} kernel {}x{} stride {}x{} out {}x{}x{}{}", op.csc->in_width,
                  op.csc->in_height, op.csc->kernel_channels, op.csc->kernel_width,
                  op.csc->kernel_height, op.csc->stride_x, op.csc->stride_y, op.csc->out_width,
                  op.csc->out_height, op.csc->kernels, op.csc->cbuf.image ? " image" : "");
  if (context_.raise_interrupt) context_.raise_interrupt(IntrSource::kCacc, op.record.group);
  if (context_.observer) context_.observer->operation_done(op.record);
  op.done = true;
  op.cube.reset();
  forget_operations();
}

}  // namespace dlavp::conv
