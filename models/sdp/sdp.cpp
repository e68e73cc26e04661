// Register groups, pairing of the two halves, completion. The read DMA may be an operation ahead:
// its group changes when the datapath has taken its last item, SDP's when the last result is
// handed to the memory interface (not when it is acknowledged: that is the interrupt).
#include "models/sdp/sdp.hpp"

#include <algorithm>
#include <future>

#include "models/common/footprint.hpp"
#include "models/mcif/latency_fifo.hpp"
#include "registers.hpp"

namespace dlavp::sdp {

namespace {

namespace r = regs::sdp;
namespace rd = regs::sdp_rdma;

constexpr std::array kClients = {mcif::ReadClient::kSdpB, mcif::ReadClient::kSdpN,
                                 mcif::ReadClient::kSdpE, mcif::ReadClient::kSdp};
constexpr std::array kReadStallRegisters = {
    rd::D_PERF_BRDMA_READ_STALL, rd::D_PERF_NRDMA_READ_STALL, rd::D_PERF_ERDMA_READ_STALL,
    rd::D_PERF_MRDMA_READ_STALL};
constexpr std::array kStatusRegisters = {r::D_STATUS,
                                         r::D_STATUS_NAN_INPUT_NUM,
                                         r::D_STATUS_INF_INPUT_NUM,
                                         r::D_STATUS_NAN_OUTPUT_NUM,
                                         r::D_PERF_WDMA_WRITE_STALL,
                                         r::D_PERF_LUT_UFLOW,
                                         r::D_PERF_LUT_OFLOW,
                                         r::D_PERF_OUT_SATURATION,
                                         r::D_PERF_LUT_HYBRID,
                                         r::D_PERF_LUT_LE_HIT,
                                         r::D_PERF_LUT_LO_HIT};
constexpr uint32_t kLutAddressMask = 0x3ff;
constexpr const char* kStageNames[kStages] = {"X1", "X2", "Y"};

/// Counters stop at their maximum.
uint32_t counter(uint64_t value) {
  return static_cast<uint32_t>(std::min<uint64_t>(value, 0xffffffff));
}

StreamPlan plan_main(const RdmaOp& op, unsigned atom) {
  const uint32_t surfaces = (op.size.channels + atom - 1) / atom;
  if (packed_1x1(op.size)) return {op.src, surfaces, 1, 1, 1, 1};
  return {op.src, op.size.width, op.size.height, surfaces, 1, 1};
}

StreamPlan plan_operand(const RdmaOp& op, unsigned stage, unsigned atom) {
  const OperandRead& o = op.operand[stage];
  const uint32_t surfaces = (op.size.channels + atom - 1) / atom, per_atom = o.atoms_per_atom();
  const unsigned halves = o.alu && o.mul ? 2 : 1;
  if (!o.per_element) return {o.src, surfaces * per_atom, 1, 1, per_atom, op.size.pixels(), halves};
  if (packed_1x1(op.size)) return {o.src, surfaces * per_atom, 1, 1, per_atom, 1, halves};
  return {o.src, op.size.width * per_atom, op.size.height, surfaces, per_atom, 1, halves};
}

Footprint footprint(const StreamPlan& plan, unsigned atom) {
  return {plan.src.ram,         plan.src.address, uint64_t{plan.line_atoms} * atom, plan.lines,
          plan.src.line_stride, plan.surfaces,    plan.src.surface_stride};
}

Footprint footprint(const SdpOp& op, unsigned atom) {
  if (!op.writes_memory()) return {};
  return cube_footprint(op.dst, op.size, (op.size.channels + atom - 1) / atom, atom,
                        packed_1x1(op.size));
}

Diagnostics check_reads(const RdmaOp& op, unsigned atom, const MemorySpaces& memory) {
  constexpr MappingErrors kErrors{"sdp.unmapped_read", "sdp.unsupported_size"};
  const std::string place = fmt::format("SDP_RDMA group {}", op.group);
  Diagnostics errors;
  if (op.main)
    check_mapping(footprint(plan_main(op, atom), atom), memory, kErrors, place, "input cube",
                  errors);
  for (unsigned s = 0; s < kStages; ++s)
    if (op.operand[s].enabled)
      check_mapping(footprint(plan_operand(op, s, atom), atom), memory, kErrors, place,
                    fmt::format("{} operands", kStageNames[s]), errors);
  return errors;
}

Diagnostics check_writes(const SdpOp& op, unsigned atom, const MemorySpaces& memory) {
  Diagnostics errors;
  check_mapping(footprint(op, atom), memory, {"sdp.unmapped_write", "sdp.unsupported_size"},
                fmt::format("SDP group {}", op.group), "output cube", errors);
  return errors;
}

uint64_t plan_beats(const StreamPlan& plan, const HwConfig& hw) {
  uint64_t beats = 0;
  for (uint32_t s = 0; s < plan.surfaces; ++s)
    for (uint32_t y = 0; y < plan.lines; ++y)
      beats += bus_beats(hw, plan.src.ram,
                         plan.src.address + s * plan.src.surface_stride + y * plan.src.line_stride,
                         plan.line_atoms);
  return beats;
}

}  // namespace

/// One operation of the read DMA.
struct Sdp::ReadJob {
  RdmaOp op;
  uint64_t beats = 0;
  sim::Cycle enabled = 0, end = 0;
  WholeReads whole;     ///< of a whole operation
  MemoryClaims claims;  ///< until everything is read
};

/// One operation of SDP; computes its outcome once, beside the simulation or when first asked.
struct Sdp::Job {
  SdpOp op;
  std::shared_ptr<ReadJob> read;
  Inputs inputs;
  LutTables tables;
  unsigned atom = 0;
  std::shared_ptr<LazyCube<int32_t>> from_conv;  ///< once convolution has begun
  sim::Cycle enabled = 0, started = 0;
  std::shared_ptr<Outcome> outcome;
  Diagnostics errors;
  MemoryClaims claims;

  /// Begins to compute the outcome in `worker`, which result() then waits for. `self` is this job.
  void start(Worker& worker, std::shared_ptr<Job> self) {
    // The worker holds the job, not the task: what waits for the task would hold itself.
    const auto task = std::make_shared<std::packaged_task<void()>>([this] { run(); });
    started_beside = task->get_future();
    worker.run([task, job = std::move(self)] { (*task)(); });
  }

  Outcome& result() {
    if (started_beside.valid()) started_beside.get();
    if (!outcome) run();
    return *outcome;
  }

 private:
  std::future<void> started_beside;

  void run() {
    const AtomCube<int32_t>* cube = nullptr;
    if (op.flying) {
      DLAVP_CHECK(from_conv, "no convolution result for SDP group {}", op.group);
      cube = &from_conv->get();
      if (!(cube->size == op.size)) {
        errors.add("sdp.conv_mismatch", fmt::format("SDP group {}", op.group),
                   fmt::format("SDP cube {}x{}x{}, convolution gives {}x{}x{}", op.size.width,
                               op.size.height, op.size.channels, cube->size.width,
                               cube->size.height, cube->size.channels));
        outcome = std::make_shared<Outcome>();
        outcome->cube = AtomCube<int8_t>(op.size, atom);
        return;
      }
    }
    outcome = std::make_shared<Outcome>(
        compute(op, read ? &read->op : nullptr, inputs, cube, tables, atom));
    inputs = {};
    from_conv = nullptr;
  }
};

Sdp::Sdp(const UnitContext& context, Link<int32_t>& from_conv)
    : context_(context),
      timing_(context.timing),
      rdma_regs_(regs::kSdpRdma),
      sdp_regs_(regs::kSdp),
      from_conv_(from_conv),
      output_(context.events, timing_.pdp_atoms, timing_.pdp_data, timing_.pdp_credit),
      rdma_start_event_([this] { begin_rdma(); }),
      rdma_end_event_([this] { end_rdma(); }),
      sdp_start_event_([this] { begin_sdp(); }),
      interrupt_event_([this] { raise(); }) {
  Datapath::Streams streams{};
  for (unsigned i = 0; i < streams_.size(); ++i) {
    streams_[i] = make_stream(kClients[i]);
    streams[i] = streams_[i].get();
  }
  datapath_ = std::make_unique<Datapath>(
      context_, timing_, streams, from_conv_.atoms, output_.atoms, [this] { end_sdp(); },
      [this] { acknowledged(); });
  connect_lut();
  from_conv_.on_cube = [this] { compute_beside(); };
  rdma_regs_.on_enable([this](unsigned group) {
    rdma_enabled_[group] = context_.events.now();
    for (const uint32_t offset : kReadStallRegisters) rdma_regs_.poke(offset, group, 0);
    arm_rdma(0);
  });
  sdp_regs_.on_enable([this](unsigned group) {
    sdp_enabled_[group] = context_.events.now();
    for (const uint32_t offset : kStatusRegisters) sdp_regs_.poke(offset, group, 0);
    arm_sdp(0);
  });
}

Sdp::~Sdp() = default;

std::unique_ptr<ReadStream> Sdp::make_stream(mcif::ReadClient client) {
  mcif::ReadPort* cv = context_.cvif ? &context_.cvif->read_port(client) : nullptr;
  const uint32_t depth = mcif::latency_fifo_depth(context_.hw, client);
  const uint32_t queue = client == mcif::ReadClient::kSdp
                             ? std::max(timing_.main_requests, depth) + timing_.main_request_stages
                             : depth + timing_.operand_request_stages;
  return std::make_unique<ReadStream>(
      context_.events, context_.mcif->read_port(client), cv, queue, timing_.latency_fifo,
      [this] { datapath_->kick(); }, [this](sim::Cycle end) { stream_finished(end); });
}

// The address moves on with every access to the data register, whatever the direction.
void Sdp::connect_lut() {
  sdp_regs_.on_write(r::S_LUT_ACCESS_CFG, [this](uint32_t) {
    const regs::RegView view = sdp_regs_.view(0);
    lut_address_ = view.get(r::S_LUT_ACCESS_CFG_LUT_ADDR);
    lut_lo_ = view.get(r::S_LUT_ACCESS_CFG_LUT_TABLE_ID) == r::S_LUT_ACCESS_CFG_LUT_TABLE_ID_LO;
    lut_write_ =
        view.get(r::S_LUT_ACCESS_CFG_LUT_ACCESS_TYPE) == r::S_LUT_ACCESS_CFG_LUT_ACCESS_TYPE_WRITE;
  });
  const auto entry = [this]() -> int16_t* {
    const uint32_t at = lut_address_;
    lut_address_ = (lut_address_ + 1) & kLutAddressMask;
    if (lut_lo_) return at < kLoEntries ? &tables_.lo[at] : nullptr;
    return at < kLeEntries ? &tables_.le[at] : nullptr;
  };
  sdp_regs_.on_write(r::S_LUT_ACCESS_DATA, [this, entry](uint32_t value) {
    int16_t* e = entry();
    if (e && lut_write_) *e = static_cast<int16_t>(value);
  });
  sdp_regs_.on_read(r::S_LUT_ACCESS_DATA, [entry]() -> uint32_t {
    const int16_t* e = entry();
    return e ? static_cast<uint16_t>(*e) : 0;
  });
}

bool Sdp::idle() const {
  return !reading_ && !job_ && completions_.empty() && !rdma_regs_.enabled(0) &&
         !rdma_regs_.enabled(1) && !sdp_regs_.enabled(0) && !sdp_regs_.enabled(1);
}

void Sdp::arm_rdma(sim::Cycle earliest) {
  const unsigned group = rdma_regs_.consumer();
  if (halted_ || reading_ || rdma_start_event_.pending() || !rdma_regs_.enabled(group)) return;
  context_.events.schedule(rdma_start_event_,
                           std::max(earliest, rdma_enabled_[group] + timing_.enable_to_load));
}

void Sdp::arm_sdp(sim::Cycle earliest) {
  const unsigned group = sdp_regs_.consumer();
  if (halted_ || job_ || sdp_start_event_.pending() || !sdp_regs_.enabled(group)) return;
  context_.events.schedule(sdp_start_event_,
                           std::max(earliest, sdp_enabled_[group] + timing_.enable_to_load));
}

bool Sdp::refuse(const Diagnostics& errors) {
  if (errors.empty()) return false;
  halted_ = true;
  context_.observer->program_error(errors);
  return true;
}

void Sdp::begin_rdma() {
  if (halted_) return;
  const unsigned group = rdma_regs_.consumer();
  auto decoded = decode_rdma(rdma_regs_.view(group), context_.hw);
  if (!decoded) return void(refuse(decoded.errors()));
  if (refuse(check_reads(decoded.value(), context_.hw.memory_atomic_size, context_.memory))) return;
  reading_ = std::make_shared<ReadJob>();
  reading_->op = decoded.value();
  reading_->enabled = rdma_enabled_[group];
  const RdmaOp& op = reading_->op;
  const unsigned atom = context_.hw.memory_atomic_size;
  const sim::Cycle first = context_.events.now() + timing_.load_to_request;
  bool any = false;
  reading_->claims = MemoryClaims(context_.watcher());
  const auto start = [&](unsigned stream, const StreamPlan& plan) {
    if (reading_->claims.watched())
      reading_->claims.add({"SDP", group, stream == kStages ? "input cube" : "operands", false,
                            footprint(plan, atom)});
    const uint64_t beats = plan_beats(plan, context_.hw);
    reading_->beats += beats;
    if (context_.mode.whole())
      read_whole(stream, plan.src, first, beats);
    else
      streams_[stream]->start(plan, first);
    any = true;
  };
  if (op.main) start(kStages, plan_main(op, atom));
  for (unsigned s = 0; s < kStages; ++s)
    if (op.operand[s].enabled) start(s, plan_operand(op, s, atom));
  if (!any) return end_rdma();  // every client is disabled: done at once, nothing to join
  unjoined_.push_back(reading_);
  join();
}

// Operands of results on the fly fill their latency FIFO; the others are asked for as these are
// used, and hold up no other client before that.
void Sdp::read_whole(unsigned stream, const CubeRef& src, sim::Cycle first, uint64_t beats) {
  mcif::ReadPort& port = context_.interface(src.ram).read_port(kClients[stream]);
  const bool all = reading_->op.main || port.depth() == 0;
  const uint64_t ahead = all ? beats : std::min<uint64_t>(beats, port.depth());
  const sim::Cycle hold = timing_.latency_fifo;
  const mcif::Transfer transfer = port.read_whole(first, src.address, ahead, hold);
  WholeReads& whole = reading_->whole;
  whole.ahead.first = std::max(whole.ahead.first, transfer.first);
  whole.ahead.last = std::max(whole.ahead.last, transfer.last);
  whole.cycles = std::max({whole.cycles, port.least_cycles(beats, hold), reading_->beats});
  if (ahead == beats) return;
  const uint64_t behind = src.address + ahead * context_.hw.memory_atomic_size;
  whole.rest = [&port, behind, left = beats - ahead, hold,
                before = std::move(whole.rest)](sim::Cycle at) {
    const sim::Cycle last = port.read_whole(at, behind, left, hold).last;
    return before ? std::max(last, before(at)) : last;
  };
}

void Sdp::stream_finished(sim::Cycle end) {
  reading_->end = std::max(reading_->end, end);
  for (const auto& stream : streams_)
    if (stream->active()) return;
  context_.events.schedule(rdma_end_event_, reading_->end + timing_.rdma_done);
}

// An operand's counter keeps what it last counted while its stage or the counting is off; the
// input's is cleared by each operation.
void Sdp::end_rdma() {
  const RdmaOp& op = reading_->op;
  for (unsigned i = 0; i < streams_.size(); ++i) {
    const bool counts = op.count_dma_stalls && (i == kStages ? op.main : op.operand[i].enabled);
    if (counts || i == kStages)
      counted_read_stalls_[i] = counts ? counter(streams_[i]->stall_cycles()) : 0;
    rdma_regs_.poke(kReadStallRegisters[i], op.group, counted_read_stalls_[i]);
  }
  reading_->claims.clear();
  reading_ = nullptr;
  rdma_regs_.operation_done();
  arm_rdma(context_.events.now() + timing_.done_to_load);
}

void Sdp::begin_sdp() {
  if (halted_) return;
  const unsigned group = sdp_regs_.consumer();
  auto decoded = decode_sdp(sdp_regs_.view(group), context_.hw);
  if (!decoded) return void(refuse(decoded.errors()));
  if (refuse(check_writes(decoded.value(), context_.hw.memory_atomic_size, context_.memory)))
    return;
  job_ = std::make_shared<Job>();
  job_->op = decoded.value();
  job_->atom = context_.hw.memory_atomic_size;
  job_->enabled = sdp_enabled_[group];
  job_->started = context_.events.now();
  waiting_to_join_ = job_->op.needs_rdma();
  if (waiting_to_join_) return join();
  launch();
}

void Sdp::join() {
  if (!waiting_to_join_ || unjoined_.empty() || halted_) return;
  job_->read = unjoined_.front();
  unjoined_.pop_front();
  waiting_to_join_ = false;
  if (refuse(check_pair(job_->op, job_->read->op))) return;
  if (context_.mode.function) {
    auto inputs = capture(job_->read->op, context_.hw, context_.memory);
    if (!inputs) return void(refuse(inputs.errors()));
    job_->inputs = std::move(inputs).value();
  }
  job_->enabled = std::max(job_->enabled, job_->read->enabled);
  launch();
}

void Sdp::launch() {
  job_->claims = job_->read ? job_->read->claims.sibling() : MemoryClaims(context_.watcher());
  if (job_->claims.watched())
    job_->claims.add({"SDP", job_->op.group, "output cube", true, footprint(job_->op, job_->atom)});
  if (job_->op.stage[kY].enabled && job_->op.stage[kY].lut) job_->tables = tables_;
  std::array<bool, kStages> operands{};
  for (unsigned s = 0; s < kStages; ++s)
    operands[s] = job_->read && job_->read->op.operand[s].enabled;
  if (!context_.mode.function) job_->outcome = std::make_shared<Outcome>();
  if (job_->op.to_pdp)
    output_.push_cube(
        std::make_shared<LazyCube<int8_t>>([job = job_] { return job->result().cube; }));
  launched_ = true;
  compute_beside();
  if (context_.mode.whole())
    datapath_->start_whole(job_->op, job_->started, job_->read ? &job_->read->whole : nullptr,
                           [this](sim::Cycle end) { stream_finished(end); });
  else
    datapath_->start(job_->op, operands, job_->started, context_.events.now());
  datapath_->cycles().hide(last_done_);
}

// As soon as the operation at hand has its input, its outcome can be computed.
void Sdp::compute_beside() {
  if (!launched_ || (job_->op.flying && from_conv_.cubes.empty())) return;
  launched_ = false;
  if (job_->op.flying) job_->from_conv = from_conv_.cubes.front();
  if (context_.worker && context_.mode.function) job_->start(*context_.worker, job_);
}

void Sdp::post_status(const Job& job, const Outcome& outcome) {
  const unsigned group = job.op.group;
  const auto set = [&](uint32_t offset, bool counted, uint64_t value) {
    if (counted) sdp_regs_.poke(offset, group, counter(value));
  };
  set(r::D_STATUS, true, outcome.unequal ? 1 : 0);
  // These keep what they last counted, as the operands' read stalls do.
  if (job.op.count_dma_stalls) counted_write_stalls_ = datapath_->write_stall_cycles();
  if (job.op.count_saturation) counted_saturation_ = outcome.saturated;
  set(r::D_PERF_WDMA_WRITE_STALL, true, counted_write_stalls_);
  set(r::D_PERF_OUT_SATURATION, true, counted_saturation_);
  set(r::D_PERF_LUT_UFLOW, job.op.count_lut, outcome.lut.underflow);
  set(r::D_PERF_LUT_OFLOW, job.op.count_lut, outcome.lut.overflow);
  set(r::D_PERF_LUT_HYBRID, job.op.count_lut, outcome.lut.hybrid);
  set(r::D_PERF_LUT_LE_HIT, job.op.count_lut, outcome.lut.le_hit);
  set(r::D_PERF_LUT_LO_HIT, job.op.count_lut, outcome.lut.lo_hit);
}

void Sdp::end_sdp() {
  compute_beside();
  const std::shared_ptr<Job> job = std::move(job_);
  job_ = nullptr;
  const sim::Cycle now = context_.events.now();
  const Outcome& outcome = job->result();
  if (refuse(job->errors)) return;
  if (job->op.flying) from_conv_.cubes.pop_front();
  if (context_.mode.function && job->op.writes_memory() &&
      refuse(store(job->op, outcome.cube, context_.memory)))
    return;
  post_status(*job, outcome);
  Completion completion;
  OpRecord& record = completion.record;
  record.unit = "SDP";
  record.group = job->op.group;
  record.enabled = job->enabled;
  record.started = job->started;
  record.summary = job->op.summary();
  record.read_beats = job->read ? job->read->beats : 0;
  record.write_beats = datapath_->write_beats();
  record.stalls["write"] = datapath_->write_stall_cycles();
  record.cycles = datapath_->cycles();
  if (!job->op.writes_memory()) completion.at = now;
  completion.claims = std::move(job->claims);
  completions_.push_back(std::move(completion));
  sdp_regs_.operation_done();
  arm_sdp(now + timing_.done_to_load);
  raise();
}

void Sdp::acknowledged() {
  if (halted_) return;  // of the operation that was refused
  for (Completion& c : completions_) {
    if (c.at != sim::kNever) continue;
    c.at = context_.events.now() + timing_.interrupt;
    context_.events.schedule(interrupt_event_, c.at);
    return;
  }
  DLAVP_CHECK(false, "write acknowledge without an operation, {} waiting", completions_.size());
}

// Completions leave in order; one that only waits for its cycle holds those behind it.
void Sdp::raise() {
  const sim::Cycle now = context_.events.now();
  while (!completions_.empty() && completions_.front().at <= now) {
    OpRecord record = std::move(completions_.front().record);
    completions_.pop_front();
    record.done = now;
    record.cycles.finish(record.write_beats > 0 ? sim::Cause::kAcknowledge : sim::Cause::kOverlap,
                         now);
    for (Completion& later : completions_) later.record.cycles.hide(now);
    if (datapath_->active()) datapath_->cycles().hide(now);
    last_done_ = now;
    context_.raise_interrupt(IntrSource::kSdp, record.group);
    context_.observer->operation_done(record);
  }
  if (!completions_.empty() && completions_.front().at != sim::kNever)
    context_.events.schedule(interrupt_event_, completions_.front().at);
}

}  // namespace dlavp::sdp
