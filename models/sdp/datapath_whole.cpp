// SDP's datapath and write DMA timed an operation at a time, in closed form: its atoms pass no
// faster than its slowest stage, the words of its write DMA, its operands, the convolution in front
// and PDP behind let them.
#include <algorithm>

#include "models/sdp/datapath.hpp"

namespace dlavp::sdp {

using sim::Cycle;

// What bounds all atoms, each alone: entry, write words (a command a line, then its atoms), PDP.
Cycle Datapath::whole_cycles() const {
  if (!context_.mode.timed()) return 0;
  const Cycle entries = to_enter_ * cost_.period;
  const Cycle words = op_.writes_memory() ? to_enter_ + lines_left_ : 0;
  return std::max({entries, words, op_.to_pdp ? to_pdp_.pace().all : 0});
}

uint64_t Datapath::whole_write_beats() const {
  uint64_t beats = 0;
  for (uint64_t surface = 0; surface < lines_left_ / lines_; ++surface)
    for (uint64_t line = 0; line < lines_; ++line)
      beats +=
          bus_beats(context_.hw, op_.dst.ram,
                    op_.dst.address + surface * op_.dst.surface_stride + line * op_.dst.line_stride,
                    line_atoms_);
  return beats;
}

void Datapath::start_whole(const SdpOp& op, Cycle begun, const WholeReads* reads,
                           std::function<void(Cycle)> taken) {
  DLAVP_CHECK(!active_, "datapath started while busy with group {}", op_.group);
  op_ = op;
  cost_ = atom_cost(op, context_.hw, timing_);
  active_ = true;
  const uint32_t atom = context_.hw.memory_atomic_size;
  const uint32_t surfaces = (op.size.channels + atom - 1) / atom;
  to_enter_ = op.size.pixels() * surfaces;
  count_lines(surfaces);
  next_entry_ = context_.events.now() + timing_.load_to_data;
  stalled_ = false;
  stall_cycles_ = write_beats_ = stalls_at_last_ = 0;
  reads_ = reads ? std::optional(*reads) : std::nullopt;
  taken_whole_ = std::move(taken);
  cycles_.start(begun, context_.activity(ActivityUnit::kSdp));
  cycles_.advance(sim::Cause::kData, context_.events.now());
  cycles_.advance(sim::Cause::kPipeline, next_entry_);
  // Convolution waits for operands as well.
  const Cycle all = std::max(whole_cycles(), reads_ ? reads_->cycles : 0);
  if (op.flying && context_.mode.timed())
    from_conv_.set_pace({std::max(cost_.period, all / to_enter_), all});
  waits_for_flow_ = op.flying && !from_conv_.has_flow();
  if (!waits_for_flow_) run_whole();
}

void Datapath::run_whole() {
  waits_for_flow_ = false;
  sim::Stream::Flow flow{next_entry_, next_entry_};
  if (op_.flying) flow = from_conv_.pop_flow();
  if (reads_) {
    flow.first = std::max(flow.first, reads_->ahead.first);
    flow.last = std::max(flow.last, reads_->ahead.last);
    if (reads_->rest)
      flow.last = std::max(flow.last, reads_->rest(std::max(flow.first, context_.events.now())));
  }
  const Cycle first = std::max(flow.first, next_entry_);
  const Cycle own = first + whole_cycles();
  const Cycle last = std::max(flow.last, own);
  cycles_.advance(sim::Cause::kData, first);
  cycles_.advance(sim::Cause::kBusy, own);
  cycles_.advance(sim::Cause::kData, last);
  if (reads_) taken_whole_(std::max(last, context_.events.now()));
  from_conv_.set_pace({});
  if (op_.writes_memory()) {
    const Cycle now = context_.events.now();
    const Cycle out = std::max(last + cost_.latency, now);
    write_beats_ = whole_write_beats();
    static_cast<void>(port().write_whole(std::min(std::max(first + cost_.latency, now), out), out,
                                         op_.dst.address, write_beats_));
    return finish(out);
  }
  const Cycle lead = op_.to_pdp ? cost_.pdp_lead : 0;
  if (op_.to_pdp) to_pdp_.push_flow({first + cost_.latency - lead, last + cost_.latency - lead});
  finish(std::max(last + cost_.latency, context_.events.now()));
}

}  // namespace dlavp::sdp
