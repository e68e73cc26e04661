#include "models/pdp/pdp.hpp"

#include <algorithm>

#include "models/common/footprint.hpp"
#include "models/pdp/pdp_core.hpp"
#include "registers.hpp"

namespace dlavp::pdp {

using sim::Cycle;

namespace {

constexpr unsigned kPrimary = 0, kSecondary = 1;

mcif::LineReader::Config reader_config(const TimingParams& params) {
  return {static_cast<Cycle>(params.get("pdp.latency_fifo")),
          static_cast<uint32_t>(params.get("pdp.reorder_atoms")),
          static_cast<uint32_t>(params.get("pdp.read_lines"))};
}

/// Lines of a cube in the hardware's order: bands, surfaces, lines.
mcif::LineSource cube_lines(const std::vector<Band>& bands, bool input, const CubeRef& cube,
                            uint32_t surfaces, uint32_t height, uint32_t atom) {
  return [=, band = size_t{0}, surface = uint32_t{0},
          y = uint32_t{0}](mcif::Line& line) mutable -> bool {
    if (band == bands.size()) return false;
    const Band& b = bands[band];
    const uint32_t column = input ? b.in_first : b.out_first;
    line.address = cube.address + uint64_t{surface} * cube.surface_stride +
                   uint64_t{y} * cube.line_stride + uint64_t{column} * atom;
    line.atoms = input ? b.in_width : b.out_width;
    if (++y == height) {
      y = 0;
      if (++surface == surfaces) {
        surface = 0;
        ++band;
      }
    }
    line.last = band == bands.size();
    return true;
  };
}

Diagnostics check_memory(const PdpOp& op, unsigned group, uint32_t atom,
                         const MemorySpaces& memory) {
  constexpr MappingErrors kErrors{"pdp.memory", "pdp.unsupported_size"};
  const std::string place = fmt::format("PDP group {}", group);
  Diagnostics errors;
  check_mapping(cube_footprint(op.dst, op.out, op.surfaces, atom), memory, kErrors, place, "output",
                errors);
  if (!op.on_the_fly)
    check_mapping(cube_footprint(op.src, op.in, op.surfaces, atom), memory, kErrors, place, "input",
                  errors);
  return errors;
}

}  // namespace

Pdp::Timing::Timing(const TimingParams& params) {
  const auto cycles = [&](const char* name) {
    return static_cast<Cycle>(params.get(std::string("pdp.") + name));
  };
  enable_to_request = cycles("enable_to_request");
  enable_to_core = cycles("enable_to_core");
  next_start = cycles("next_start");
  done_delay = cycles("done_delay");
  ack_to_interrupt = cycles("ack_to_interrupt");
  first_atom = cycles("first_atom");
  horizontal_to_vertical = cycles("horizontal_to_vertical");
  vertical_to_write = cycles("vertical_to_write");
  single_column_pause = cycles("single_column_pause");
  on_the_fly_input = cycles("on_the_fly_input");
  read_done_delay = cycles("read_done_delay");
  read_done_to_done = cycles("read_done_to_done");
  done_to_late_interrupt = cycles("done_to_late_interrupt");
  result_atoms = static_cast<size_t>(cycles("result_atoms"));
}

Pdp::Job::Job(PdpOp decoded, unsigned of_group, unsigned of_rdma_group)
    : op(std::move(decoded)),
      group(of_group),
      rdma_group(of_rdma_group),
      schedule(op),
      atoms_left(uint64_t{op.in.width} * op.in.height * op.surfaces) {}

Pdp::Pdp(const UnitContext& context, Link<int8_t>& from_sdp)
    : context_(context),
      from_sdp_(from_sdp),
      timing_(context.timing),
      atom_cycles_(context.hw.memory_atomic_size / context.hw.pdp_throughput),
      regs_(regs::kPdp),
      rdma_regs_(regs::kPdpRdma),
      reader_(context.events, reader_config(context.timing)),
      writer_(context.events),
      start_event_([this] { try_start(); }),
      core_event_([this] { core(); }),
      read_done_event_([this] { read_finished(); }),
      core_done_event_([this] { core_finished(); }),
      written_event_([this] { written(); }),
      interrupt_event_([this] { complete(); }) {
  regs_.on_enable([this](unsigned group) { enabled(group, false); });
  rdma_regs_.on_enable([this](unsigned group) { enabled(group, true); });
  if (context.mcif) {
    reader_.connect(kPrimary, context.mcif->read_port(mcif::ReadClient::kPdp));
    writer_.connect(kPrimary, context.mcif->write_port(mcif::WriteClient::kPdp));
  }
  if (context.cvif) {
    reader_.connect(kSecondary, context.cvif->read_port(mcif::ReadClient::kPdp));
    writer_.connect(kSecondary, context.cvif->write_port(mcif::WriteClient::kPdp));
  }
  reader_.on_atom([this] { core(); });
  writer_.set_handlers([this] { core(); }, [this] { written(); }, [this] { acknowledged(); });
  from_sdp_.atoms.on_data([this] { core(); });
  from_sdp_.atoms.on_flow([this] {
    if (!jobs_.empty() && jobs_.front()->waits_for_flow) run_whole(*jobs_.front());
  });
}

bool Pdp::idle() const {
  return jobs_.empty() && waiting_ack_.empty() && !regs_.enabled(0) && !regs_.enabled(1) &&
         !rdma_regs_.enabled(0) && !rdma_regs_.enabled(1);
}

void Pdp::enabled(unsigned group, bool rdma) {
  (rdma ? rdma_enabled_at_ : enabled_at_)[group] = context_.events.now();
  try_start();
}

// Starts the next group in turn when all that it needs is enabled. While the core works on one
// operation, the read DMA may fetch for the next; of one on the fly it knows nothing.
void Pdp::try_start() {
  if (refused_) return;
  if (draining_ && context_.events.now() >= core_free_ &&
      (!jobs_.empty() || regs_.enabled(next_group_)))
    return refuse(unused_input(*draining_));
  if (jobs_.size() >= 2 || !regs_.enabled(next_group_)) return;
  if (!jobs_.empty() && !jobs_.back()->read_done && !jobs_.back()->op.on_the_fly) return;
  const regs::RegView pdp = regs_.view(next_group_), rdma = rdma_regs_.view(next_rdma_group_);
  const bool on_the_fly = pdp.get(regs::pdp::D_OPERATION_MODE_CFG_FLYING_MODE) ==
                          regs::pdp::D_OPERATION_MODE_CFG_FLYING_MODE_ON_FLYING;
  if (!on_the_fly && !rdma_regs_.enabled(next_rdma_group_)) return;
  if (on_the_fly && !jobs_.empty()) return;
  Result<PdpOp> op = decode(pdp, rdma, context_.hw);
  if (!op) return refuse(op.errors());
  if (const Diagnostics errors = check_memory(*op, next_group_, atom(), context_.memory);
      !errors.empty())
    return refuse(errors);
  auto job = std::make_shared<Job>(*op, next_group_, next_rdma_group_);
  if (context_.mode.function && !on_the_fly &&
      !load_input(job->op, atom(), context_.memory.of(job->op.src.ram), job->in))
    return refuse(
        Diagnostics({"pdp.memory", fmt::format("PDP group {}", next_group_),
                     fmt::format("input at {:#x} is not in memory", job->op.src.address)}));
  const Cycle enabled =
      std::max(enabled_at_[next_group_], on_the_fly ? 0 : rdma_enabled_at_[next_rdma_group_]);
  job->record.unit = "PDP";
  job->record.group = next_group_;
  job->record.enabled = enabled;
  job->record.started = context_.events.now();
  job->record.summary = job->op.summary();
  job->record.cycles.start(job->record.started, context_.activity(ActivityUnit::kPdp));
  job->reads = MemoryClaims(context_.watcher());
  if (job->reads.watched() && !on_the_fly)
    job->reads.add({"PDP", next_group_, "input", false,
                    cube_footprint(job->op.src, job->op.in, job->op.surfaces, atom())});
  jobs_.push_back(std::move(job));
  next_group_ ^= 1;
  if (!on_the_fly) next_rdma_group_ ^= 1;
  if (!on_the_fly)
    start_read(*jobs_.back(),
               std::max(rdma_enabled_at_[jobs_.back()->rdma_group] + timing_.enable_to_request,
                        read_free_));
  if (jobs_.size() == 1 && !draining_) start_core();
}

unsigned Pdp::port_of(RamType ram) { return ram == RamType::kMc ? kPrimary : kSecondary; }

void Pdp::start_read(Job& job, Cycle at) {
  const unsigned port = port_of(job.op.src.ram);
  const mcif::LineSource lines =
      cube_lines(job.op.bands, true, job.op.src, job.op.surfaces, job.op.in.height, atom());
  if (context_.mode.whole())
    job.transfer = reader_.read_whole(port, std::max(at, context_.events.now()), lines);
  else
    reader_.start(port, at, lines);
}

mcif::LineSource Pdp::output_lines(const PdpOp& op) const {
  return cube_lines(op.bands, false, op.dst, op.surfaces, op.out.height, atom());
}

void Pdp::start_core() {
  Job& job = *jobs_.front();
  job.core_started = true;
  job.writes = job.reads.sibling();
  if (job.writes.watched())
    job.writes.add({"PDP", job.group, "output", true,
                    cube_footprint(job.op.dst, job.op.out, job.op.surfaces, atom())});
  const Cycle at = std::max(enabled_at_[job.group] + timing_.enable_to_core, core_free_);
  horizontal_free_ = vertical_free_ = std::max(at, context_.events.now());
  job.record.cycles.advance(sim::Cause::kPipeline, horizontal_free_);
  if (context_.mode.whole()) return start_whole(job, horizontal_free_);
  writer_.start(port_of(job.op.dst.ram), at, output_lines(job.op));
  context_.events.schedule(core_event_, horizontal_free_);
}

// An atom for a position that may begin at `at`: taken, or false and `at` is when to come back
// (never: when one arrives).
bool Pdp::take_atom(Job& job, Cycle& at) {
  if (job.op.on_the_fly) {
    if (from_sdp_.atoms.available() == 0) {
      at = sim::kNever;
      return false;
    }
    if (at > context_.events.now()) return false;
    at = context_.events.now();
    if (!job.from_sdp && !from_sdp_.cubes.empty()) {
      job.from_sdp = from_sdp_.cubes.front();
      from_sdp_.cubes.pop_front();
    }
    from_sdp_.atoms.pop(1);
    --job.atoms_left;
    return true;
  }
  if (!reader_.has_atom()) {
    at = sim::kNever;
    return false;
  }
  at = std::max(at, reader_.ready_at() + (job.first_atom_taken ? 0 : timing_.first_atom));
  if (at > context_.events.now()) return false;
  job.first_atom_taken = true;
  reader_.take(at + atom_cycles_ - 1);
  // After a stall of the writer the stage catches up from cycles that are past.
  if (reader_.idle())
    context_.events.schedule(
        read_done_event_,
        std::max(context_.events.now(), at + atom_cycles_ - 1 + timing_.read_done_delay));
  return true;
}

// Takes what is left of an operation on the fly that is done: input that no window uses. The stages
// then work by the registers of the other group; with a line of one result (or never written)
// each atom is such a line and has its pause.
void Pdp::drain() {
  if (from_sdp_.atoms.available() == 0) return;
  if (horizontal_free_ > context_.events.now())
    return context_.events.schedule(core_event_, horizontal_free_);
  const bool one_column =
      regs_.view(draining_->group ^ 1).get(regs::pdp::D_DATA_CUBE_OUT_WIDTH_CUBE_OUT_WIDTH) == 0;
  from_sdp_.atoms.pop(1);
  horizontal_free_ =
      context_.events.now() + atom_cycles_ + (one_column ? timing_.single_column_pause : 0);
  if (--draining_->atoms_left > 0) return context_.events.schedule(core_event_, horizontal_free_);
  draining_.reset();
  core_free_ = horizontal_free_;
  if (!jobs_.empty()) start_core();
}

// Plays positions of the horizontal stage up to now.
void Pdp::core() {
  if (refused_) return;
  if (draining_) return drain();
  if (jobs_.empty()) return;
  Job& job = *jobs_.front();
  while (job.schedule.more() && writer_.pending() <= timing_.result_atoms) {
    Cycle at = horizontal_free_;
    // Only a position that takes an atom has to wait for its cycle; the schedule decides which.
    if (job.schedule.next_reads() && !take_atom(job, at)) {
      if (at != sim::kNever) context_.events.schedule(core_event_, at);
      return;
    }
    play(job, job.schedule.next(), std::max(at, horizontal_free_));
  }
  if (job.schedule.more()) job.output_holds = true;
}

void Pdp::play(Job& job, const Position& position, Cycle at) {
  sim::CycleAccount& cycles = job.record.cycles;
  cycles.advance(job.output_holds ? sim::Cause::kDownstream : sim::Cause::kData, at);
  job.output_holds = false;
  job.stalls_at_last = writer_.stall_cycles();
  horizontal_free_ = at + atom_cycles_;
  cycles.advance(sim::Cause::kBusy, horizontal_free_);
  if (!position.row_result) return;
  const Cycle latency =
      timing_.horizontal_to_vertical - (job.op.on_the_fly ? timing_.on_the_fly_input : 0);
  const auto result = [&](Cycle vertical) {
    writer_.push(vertical + atom_cycles_ - 1 + timing_.vertical_to_write);
  };
  const Cycle vertical = std::max(vertical_free_, at + latency);
  if (position.result) result(vertical);
  // A row result that the vertical stage cannot take yet holds up the positions behind it;
  // positions without one pass while the vertical stage flushes or pauses.
  horizontal_free_ = vertical - latency + atom_cycles_;
  cycles.advance(sim::Cause::kBusy, horizontal_free_);
  vertical_free_ =
      vertical + atom_cycles_ + (position.single_column ? timing_.single_column_pause : 0);
  for (uint32_t i = 0; i < position.flush_results; ++i) {
    result(vertical_free_);
    vertical_free_ += atom_cycles_;
  }
}

void Pdp::read_finished() {
  Job& job = *jobs_.front();
  job.read_done = true;
  job.reads.clear();
  job.record.read_beats = reader_.beats();
  if (job.op.count_read_stalls) counted_read_stalls_ += reader_.stall_cycles();
  rdma_regs_.poke(regs::pdp_rdma::D_PERF_READ_STALL, job.rdma_group,
                  static_cast<uint32_t>(counted_read_stalls_));
  rdma_regs_.operation_done();
  read_free_ = context_.events.now() + timing_.next_start;
  if (job.written) {
    job.ends_unused = job.op.unused_lines() > 0;
    context_.events.schedule_in(core_done_event_, timing_.read_done_to_done);
  }
  context_.events.schedule_in(start_event_, 1);
}

// From memory an operation is done when all is written and all was read, used or not.
void Pdp::written() {
  Job& job = *jobs_.front();
  job.written = true;
  if (job.op.on_the_fly || job.read_done)
    context_.events.schedule_in(core_done_event_, timing_.done_delay);
}

void Pdp::core_finished() {
  const std::shared_ptr<Job> job = std::move(jobs_.front());
  jobs_.pop_front();
  job->record.write_beats = writer_.beats();
  job->record.stalls["write"] = writer_.stall_cycles();
  job->record.cycles.advance(sim::Cause::kDownstream, context_.events.now(),
                             writer_.stall_cycles() - job->stalls_at_last);
  job->record.cycles.advance(sim::Cause::kPipeline, context_.events.now());
  if (job->op.count_write_stalls) counted_write_stalls_ += writer_.stall_cycles();
  regs_.poke(regs::pdp::D_PERF_WRITE_STALL, job->group,
             static_cast<uint32_t>(counted_write_stalls_));
  regs_.operation_done();
  core_free_ = context_.events.now() + timing_.next_start;
  const bool acknowledged = job->acknowledged;
  if (job->op.on_the_fly && job->atoms_left > 0) draining_ = job;
  waiting_ack_.push_back(job);
  if (acknowledged) interrupt_at(context_.events.now() + timing_.done_to_late_interrupt);
  // Row results of an unused line still leave the horizontal stage when a queued operation starts.
  if (!refused_ && job->ends_unused && (!jobs_.empty() || regs_.enabled(next_group_)))
    return refuse(unused_input(*job));
  if (draining_) {
    context_.events.schedule(start_event_, core_free_);
    drain();
  } else if (!jobs_.empty()) {
    start_core();
  }
  try_start();
}

// Acknowledges come in order: for the oldest done operation that waits for one, else for the
// core's.
void Pdp::acknowledged() {
  if (waiting_ack_.size() > interrupts_.size())
    interrupt_at(context_.events.now() + timing_.ack_to_interrupt);
  else
    jobs_.front()->acknowledged = true;
}

void Pdp::interrupt_at(Cycle at) {
  interrupts_.push_back(at);
  context_.events.schedule(interrupt_event_, interrupts_.front());
}

void Pdp::complete() {
  interrupts_.pop_front();
  if (!interrupts_.empty()) context_.events.schedule(interrupt_event_, interrupts_.front());
  const std::shared_ptr<Job> job = std::move(waiting_ack_.front());
  waiting_ack_.pop_front();
  if (context_.mode.function)
    if (const Diagnostics errors = compute(*job); !errors.empty()) return refuse(errors);
  job->record.done = context_.events.now();
  job->record.cycles.finish(sim::Cause::kAcknowledge, job->record.done);
  for (const auto* queue : {&waiting_ack_, &jobs_})
    for (const auto& later : *queue) later->record.cycles.hide(job->record.done);
  if (context_.observer) context_.observer->operation_done(job->record);
  if (context_.raise_interrupt) context_.raise_interrupt(IntrSource::kPdp, job->group);
}

// What the operation computes; errors: it is refused.
Diagnostics Pdp::compute(const Job& job) {
  // Atoms that an operation of SDP sent beyond what the one before took belong to no cube.
  if (job.op.on_the_fly && !job.from_sdp)
    return Diagnostics({"pdp.sdp_mismatch", fmt::format("PDP group {}", job.group),
                        "SDP's operation sends more atoms than the PDP operation before "
                        "takes, and no cube for this one"});
  const AtomCube<int8_t>& in = job.op.on_the_fly ? job.from_sdp->get() : job.in;
  const CubeSize& size = in.size;
  if (size.width != job.op.in.width || size.height != job.op.in.height ||
      in.surfaces() != job.op.surfaces)
    return Diagnostics(
        {"pdp.sdp_mismatch", fmt::format("PDP group {}", job.group),
         fmt::format("CUBE_IN {}x{} in {} atoms, SDP sends {}x{} in {}", job.op.in.width,
                     job.op.in.height, job.op.surfaces, size.width, size.height, in.surfaces())});
  const AtomCube<int8_t> out = pool(job.op, in);
  if (!store_output(job.op, out, context_.memory.of(job.op.dst.ram)))
    return Diagnostics({"pdp.memory", fmt::format("PDP group {}", job.group),
                        fmt::format("output at {:#x} is not in memory", job.op.dst.address)});
  return {};
}

// The hardware starts counting anew with the next operation and then takes what is left of this
// one's input for that operation's, or never asks for it.
Diagnostics Pdp::unused_input(const Job& job) const {
  const unsigned next = jobs_.empty() ? next_group_ : jobs_.front()->group;
  return Diagnostics(
      {"pdp.unused_input", fmt::format("PDP group {}", next),
       fmt::format("starts while input of group {} that no window uses (CUBE_IN {}x{}) is still "
                   "{}; enable it when {} is done",
                   job.group, job.op.in.width, job.op.in.height,
                   job.op.on_the_fly ? fmt::format("to come from SDP, {} atoms", job.atoms_left)
                                     : std::string("in the core"),
                   job.op.on_the_fly ? "SDP" : "PDP")});
}

void Pdp::refuse(const Diagnostics& errors) {
  refused_ = true;
  if (context_.observer) context_.observer->program_error(errors);
}

}  // namespace dlavp::pdp
