#include "models/cdp/cdp.hpp"

#include <algorithm>

#include "models/cdp/cdp_core.hpp"
#include "models/common/footprint.hpp"
#include "registers.hpp"

namespace dlavp::cdp {

using sim::Cycle;

namespace {

namespace r = regs::cdp;

constexpr unsigned kPrimary = 0, kSecondary = 1;
constexpr uint32_t kNeighbourChannels = 4;  // the widest window reaches four channels ahead

mcif::LineReader::Config reader_config(const TimingParams& params) {
  return {static_cast<Cycle>(params.get("cdp.latency_fifo")),
          static_cast<uint32_t>(params.get("cdp.reorder_atoms")),
          static_cast<uint32_t>(params.get("cdp.read_blocks"))};
}

/// Blocks in the hardware's order: lines, tiles of a line, surfaces.
mcif::LineSource cube_blocks(const CubeRef& cube, const CubeSize& size, uint32_t surfaces,
                             uint32_t atom) {
  return [=, y = uint32_t{0}, x = uint32_t{0}, surface = uint32_t{0}](mcif::Line& line) mutable {
    if (y == size.height) return false;
    line.address = cube.address + uint64_t{surface} * cube.surface_stride +
                   uint64_t{y} * cube.line_stride + uint64_t{x} * atom;
    line.atoms = std::min(kBlockAtoms, size.width - x);
    if (++surface == surfaces) {
      surface = 0;
      x += kBlockAtoms;
      if (x >= size.width) {
        x = 0;
        ++y;
      }
    }
    line.last = y == size.height;
    return true;
  };
}

Diagnostics check_memory(const CdpOp& op, unsigned group, uint32_t atom,
                         const MemorySpaces& memory) {
  constexpr MappingErrors kErrors{"cdp.memory", "cdp.unsupported_size"};
  const std::string place = fmt::format("CDP group {}", group);
  Diagnostics errors;
  check_mapping(cube_footprint(op.src, op.size, op.surfaces, atom), memory, kErrors, place, "input",
                errors);
  if (errors.empty())
    check_mapping(cube_footprint(op.dst, op.size, op.surfaces, atom), memory, kErrors, place,
                  "output", errors);
  return errors;
}

}  // namespace

Cdp::Timing::Timing(const TimingParams& params) {
  const auto cycles = [&](const char* name) {
    return static_cast<Cycle>(params.get(std::string("cdp.") + name));
  };
  enable_to_request = cycles("enable_to_request");
  enable_to_core = cycles("enable_to_core");
  next_start = cycles("next_start");
  ack_to_interrupt = cycles("ack_to_interrupt");
  first_atom = cycles("first_atom");
  core_to_write = cycles("core_to_write");
  sum_stages = cycles("sum_stages");
  result_blocks = static_cast<size_t>(cycles("result_blocks"));
}

Cdp::Cdp(const UnitContext& context)
    : context_(context),
      timing_(context.timing),
      atom_cycles_(context.hw.memory_atomic_size / context.hw.cdp_throughput),
      neighbour_steps_((kNeighbourChannels + context.hw.cdp_throughput - 1) /
                       context.hw.cdp_throughput),
      regs_(regs::kCdp),
      rdma_regs_(regs::kCdpRdma),
      reader_(context.events, reader_config(context.timing)),
      writer_(context.events, mcif::LineWriter::Command::kWithResult),
      start_event_([this] { try_start(); }),
      core_event_([this] { core(); }),
      read_done_event_([this] { read_finished(); }),
      written_event_([this] { core_finished(); }),
      interrupt_event_([this] { complete(); }) {
  regs_.on_enable([this](unsigned group) { enabled(group, false); });
  rdma_regs_.on_enable([this](unsigned group) { enabled(group, true); });
  connect_lut();
  if (context.mcif) {
    reader_.connect(kPrimary, context.mcif->read_port(mcif::ReadClient::kCdp));
    writer_.connect(kPrimary, context.mcif->write_port(mcif::WriteClient::kCdp));
  }
  if (context.cvif) {
    reader_.connect(kSecondary, context.cvif->read_port(mcif::ReadClient::kCdp));
    writer_.connect(kSecondary, context.cvif->write_port(mcif::WriteClient::kCdp));
  }
  reader_.on_atom([this] { core(); });
  writer_.set_handlers([this] { core(); }, [this] { core_finished(); }, [this] { acknowledged(); });
}

// S_LUT_ACCESS_CFG sets table, direction and address; each access of S_LUT_ACCESS_DATA in that
// direction moves the address on, up to the table's last entry.
void Cdp::connect_lut() {
  const auto field = [this](const regs::Field& f) {
    return (regs_.peek(r::S_LUT_ACCESS_CFG, 0) & f.mask()) >> f.lsb;
  };
  const auto entry = [this, field]() -> int16_t* {
    const uint32_t address = field(r::S_LUT_ACCESS_CFG_LUT_ADDR);
    if (field(r::S_LUT_ACCESS_CFG_LUT_TABLE_ID) == r::S_LUT_ACCESS_CFG_LUT_TABLE_ID_LE)
      return address < kLeEntries ? &tables_.le[address] : nullptr;
    return address < kLoEntries ? &tables_.lo[address] : nullptr;
  };
  const auto advance = [this, field] {
    const uint32_t address = field(r::S_LUT_ACCESS_CFG_LUT_ADDR);
    const bool le = field(r::S_LUT_ACCESS_CFG_LUT_TABLE_ID) == r::S_LUT_ACCESS_CFG_LUT_TABLE_ID_LE;
    if (address == (le ? kLeEntries : kLoEntries) - 1) return;
    const uint32_t mask = r::S_LUT_ACCESS_CFG_LUT_ADDR.mask();
    regs_.poke(r::S_LUT_ACCESS_CFG, 0,
               (regs_.peek(r::S_LUT_ACCESS_CFG, 0) & ~mask) | ((address + 1) & mask));
  };
  regs_.on_write(r::S_LUT_ACCESS_DATA, [=](uint32_t value) {
    if (field(r::S_LUT_ACCESS_CFG_LUT_ACCESS_TYPE) != r::S_LUT_ACCESS_CFG_LUT_ACCESS_TYPE_WRITE)
      return;
    if (int16_t* at = entry()) *at = static_cast<int16_t>(value);
    advance();
  });
  regs_.on_read(r::S_LUT_ACCESS_DATA, [=, this]() -> uint32_t {
    // The hardware answers an address behind the table with the first entry.
    const bool le = field(r::S_LUT_ACCESS_CFG_LUT_TABLE_ID) == r::S_LUT_ACCESS_CFG_LUT_TABLE_ID_LE;
    const int16_t* at = entry();
    const int16_t value = at ? *at : le ? tables_.le[0] : tables_.lo[0];
    if (field(r::S_LUT_ACCESS_CFG_LUT_ACCESS_TYPE) == r::S_LUT_ACCESS_CFG_LUT_ACCESS_TYPE_READ)
      advance();
    return static_cast<uint16_t>(value);
  });
}

bool Cdp::idle() const {
  return jobs_.empty() && waiting_ack_.empty() && !regs_.enabled(0) && !regs_.enabled(1) &&
         !rdma_regs_.enabled(0) && !rdma_regs_.enabled(1);
}

void Cdp::enabled(unsigned group, bool rdma) {
  (rdma ? rdma_enabled_at_ : enabled_at_)[group] = context_.events.now();
  try_start();
}

// Starts the next group in turn when both of its halves are enabled. While the core works on one
// operation, the read DMA may fetch for the next.
void Cdp::try_start() {
  const unsigned group = next_group_;
  if (refused_ || jobs_.size() >= 2 || !regs_.enabled(group) || !rdma_regs_.enabled(group)) return;
  if (!jobs_.empty() && !jobs_.back()->read_done) return;
  const Result<CdpOp> op = decode(regs_.view(group), rdma_regs_.view(group), tables_, context_.hw);
  if (!op) return refuse(op.errors());
  if (const Diagnostics errors = check_memory(*op, group, atom(), context_.memory); !errors.empty())
    return refuse(errors);
  auto job = std::make_unique<Job>(*op, group);
  if (context_.mode.function &&
      !load_input(job->op, atom(), context_.memory.of(job->op.src.ram), job->in))
    return refuse(
        Diagnostics({"cdp.memory", fmt::format("CDP group {}", group),
                     fmt::format("input at {:#x} is not in memory", job->op.src.address)}));
  job->record.unit = "CDP";
  job->record.group = group;
  job->record.enabled = std::max(enabled_at_[group], rdma_enabled_at_[group]);
  job->record.started = context_.events.now();
  job->record.summary = job->op.summary();
  job->record.cycles.start(job->record.started, context_.activity(ActivityUnit::kCdp));
  job->blocks = cube_blocks(job->op.src, job->op.size, job->op.surfaces, atom());
  const Cycle request = std::max(rdma_enabled_at_[group] + timing_.enable_to_request, read_free_);
  const unsigned port = port_of(job->op.src.ram);
  if (context_.mode.whole())
    job->transfer = reader_.read_whole(port, std::max(request, context_.events.now()), job->blocks);
  else
    reader_.start(port, request, job->blocks);
  job->more = job->blocks(job->block);
  job->reads = MemoryClaims(context_.watcher());
  if (job->reads.watched())
    job->reads.add({"CDP", group, "input", false,
                    cube_footprint(job->op.src, job->op.size, job->op.surfaces, atom())});
  jobs_.push_back(std::move(job));
  next_group_ ^= 1;
  if (jobs_.size() == 1) start_core();
}

unsigned Cdp::port_of(RamType ram) { return ram == RamType::kMc ? kPrimary : kSecondary; }

mcif::LineSource Cdp::output_blocks(const CdpOp& op) const {
  return cube_blocks(op.dst, op.size, op.surfaces, atom());
}

void Cdp::start_core() {
  Job& job = *jobs_.front();
  const Cycle at = std::max(
      {enabled_at_[job.group] + timing_.enable_to_core, core_free_, context_.events.now()});
  step_free_ = at;
  job.record.cycles.advance(sim::Cause::kPipeline, at);
  job.writes = job.reads.sibling();
  if (job.writes.watched())
    job.writes.add({"CDP", job.group, "output", true,
                    cube_footprint(job.op.dst, job.op.size, job.op.surfaces, atom())});
  if (context_.mode.whole()) return run_whole(job, at);
  writer_.start(port_of(job.op.dst.ram), at, output_blocks(job.op));
  context_.events.schedule(core_event_, at);
}

// Takes atoms for the next block and passes it once it is complete.
void Cdp::core() {
  if (jobs_.empty() || refused_) return;
  Job& job = *jobs_.front();
  while (job.more && writer_.pending() <= timing_.result_blocks * kBlockAtoms) {
    while (job.taken < job.block.atoms && reader_.has_atom()) {
      const bool first = job.previous_atoms == 0;
      const Cycle ready = reader_.ready_at() + (first ? timing_.first_atom : 0);
      // The atoms' first channel steps follow one a cycle.
      const Cycle start = std::max({step_free_, job.block_start, ready - job.taken});
      job.block_start = start;
      ++job.taken;
      reader_.take(std::max(start + uint64_t{atom_cycles_ - 1} * job.block.atoms + job.taken - 1,
                            context_.events.now()));
    }
    if (job.taken < job.block.atoms) return;
    pass_block(job);
    // The read DMA is done when the core has taken the last channel step.
    if (reader_.idle() && !job.more)
      context_.events.schedule(read_done_event_, std::max(job.steps_end, context_.events.now()));
  }
  if (job.more) job.output_holds = true;
}

void Cdp::pass_block(Job& job) {
  const Cycle start = job.block_start;
  const uint32_t atoms = job.block.atoms, before = job.previous_atoms;
  const bool bypass = job.op.sqsum_bypass;
  // While the results of a wider block leave, each channel step lasts as long as that block.
  const uint32_t step = bypass ? atoms : std::max(atoms, before);
  job.record.cycles.advance(job.output_holds ? sim::Cause::kDownstream : sim::Cause::kData, start);
  job.output_holds = false;
  job.stalls_at_last = writer_.stall_cycles();
  if (!bypass && before != 0)
    finish_block(start + uint64_t{neighbour_steps_ - 1} * step + before - 1, before, false);
  const uint32_t long_steps = bypass ? 0 : std::min(neighbour_steps_, atom_cycles_);
  step_free_ = start + uint64_t{long_steps} * step + uint64_t{atom_cycles_ - long_steps} * atoms;
  job.steps_end = step_free_;
  if (bypass) finish_block(step_free_ - 1, atoms, true);
  job.previous_atoms = atoms;
  job.taken = 0;
  job.block_start = 0;
  job.more = job.blocks(job.block);
  if (!job.more && !bypass) {
    step_free_ += uint64_t{neighbour_steps_} * atoms;
    finish_block(step_free_ - 1, atoms, false);
  }
  job.record.cycles.advance(sim::Cause::kBusy, step_free_);
}

void Cdp::finish_block(Cycle last_beat, uint32_t atoms, bool bypass) {
  const Cycle ready = last_beat + timing_.core_to_write + (bypass ? 0 : timing_.sum_stages);
  for (uint32_t i = 0; i < atoms; ++i) writer_.push(ready);
}

void Cdp::read_finished() {
  Job& job = *jobs_.front();
  job.read_done = true;
  job.reads.clear();
  job.record.read_beats = reader_.beats();
  if (job.op.count_read_stalls) counted_read_stalls_ += reader_.stall_cycles();
  rdma_regs_.poke(regs::cdp_rdma::D_PERF_READ_STALL, job.group,
                  static_cast<uint32_t>(counted_read_stalls_));
  rdma_regs_.operation_done();
  read_free_ = context_.events.now() + timing_.next_start;
  context_.events.schedule_in(start_event_, 1);
}

void Cdp::core_finished() {
  std::unique_ptr<Job> job = std::move(jobs_.front());
  jobs_.pop_front();
  job->record.write_beats = writer_.beats();
  job->record.stalls["write"] = writer_.stall_cycles();
  job->record.cycles.advance(sim::Cause::kDownstream, context_.events.now(),
                             writer_.stall_cycles() - job->stalls_at_last);
  job->record.cycles.advance(sim::Cause::kPipeline, context_.events.now());
  if (job->op.count_write_stalls) counted_write_stalls_ += writer_.stall_cycles();
  regs_.poke(r::D_PERF_WRITE_STALL, job->group, static_cast<uint32_t>(counted_write_stalls_));
  regs_.operation_done();
  core_free_ = context_.events.now() + timing_.next_start;
  waiting_ack_.push_back(std::move(job));
  if (!jobs_.empty()) start_core();
  try_start();
}

void Cdp::acknowledged() {
  interrupts_.push_back(context_.events.now() + timing_.ack_to_interrupt);
  context_.events.schedule(interrupt_event_, interrupts_.front());
}

void Cdp::complete() {
  interrupts_.pop_front();
  if (!interrupts_.empty()) context_.events.schedule(interrupt_event_, interrupts_.front());
  const std::unique_ptr<Job> job = std::move(waiting_ack_.front());
  waiting_ack_.pop_front();
  if (context_.mode.function)
    if (const Diagnostics errors = compute(*job); !errors.empty()) return refuse(errors);
  job->record.done = context_.events.now();
  job->record.cycles.finish(sim::Cause::kAcknowledge, job->record.done);
  for (const auto* queue : {&waiting_ack_, &jobs_})
    for (const auto& later : *queue) later->record.cycles.hide(job->record.done);
  if (context_.observer) context_.observer->operation_done(job->record);
  if (context_.raise_interrupt) context_.raise_interrupt(IntrSource::kCdp, job->group);
}

// What the operation computes and counts; errors: it is refused.
Diagnostics Cdp::compute(const Job& job) {
  LutCounts counts;
  const AtomCube<int8_t> out = normalise(job.op, job.in, counts);
  if (!store_output(job.op, out, context_.memory.of(job.op.dst.ram)))
    return Diagnostics({"cdp.memory", fmt::format("CDP group {}", job.group),
                        fmt::format("output at {:#x} is not in memory", job.op.dst.address)});
  const auto count = [&](uint32_t offset, uint64_t value) {
    regs_.poke(offset, job.group, static_cast<uint32_t>(std::min<uint64_t>(value, ~uint32_t{0})));
  };
  count(r::D_PERF_LUT_UFLOW, counts.both_under);
  count(r::D_PERF_LUT_OFLOW, counts.both_over);
  count(r::D_PERF_LUT_HYBRID, counts.hybrid);
  count(r::D_PERF_LUT_LE_HIT, counts.le_only);
  count(r::D_PERF_LUT_LO_HIT, counts.lo_only);
  return {};
}

void Cdp::refuse(const Diagnostics& errors) {
  refused_ = true;
  if (context_.observer) context_.observer->program_error(errors);
}

}  // namespace dlavp::cdp
