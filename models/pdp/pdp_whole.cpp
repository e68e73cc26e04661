// PDP timed an operation at a time, in closed form: as many positions as its schedule has, no
// faster than its input comes and the words of its write DMA leave.
#include <algorithm>

#include "models/pdp/pdp.hpp"

namespace dlavp::pdp {

using sim::Cycle;

void Pdp::start_whole(Job& job, Cycle at) {
  job.core_start = at;
  if (!job.op.on_the_fly) return run_whole(job);
  const Cycle all = context_.mode.timed() ? job.schedule.all_positions() * atom_cycles_ : 0;
  if (context_.mode.timed()) from_sdp_.atoms.set_pace({atom_cycles_, all});
  job.waits_for_flow = !from_sdp_.atoms.has_flow();
  if (!job.waits_for_flow) run_whole(job);
}

void Pdp::run_whole(Job& job) {
  job.waits_for_flow = false;
  sim::Stream::Flow flow{job.transfer.first, job.transfer.last};
  if (job.op.on_the_fly) {
    flow = from_sdp_.atoms.pop_flow();
    from_sdp_.atoms.set_pace({});
    job.from_sdp = from_sdp_.cubes.front();
    from_sdp_.cubes.pop_front();
    job.atoms_left = 0;
  }
  const uint64_t atoms = job.op.out.pixels() * job.op.surfaces;
  const uint64_t lines = uint64_t{job.op.out.height} * job.op.surfaces * job.op.bands.size();
  Cycle all = job.schedule.all_positions() * atom_cycles_;
  if (!context_.mode.timed()) all = 0;
  const Cycle now = context_.events.now();
  const Cycle first = std::max(job.core_start, flow.first + timing_.first_atom);
  const Cycle last = std::max({first + all, flow.last + atom_cycles_, now});
  sim::CycleAccount& cycles = job.record.cycles;
  cycles.advance(sim::Cause::kData, first);
  cycles.advance(sim::Cause::kBusy, first + all);
  cycles.advance(sim::Cause::kData, last);
  const Cycle latency = timing_.horizontal_to_vertical + timing_.vertical_to_write;
  // Results of the first window come when its last line has.
  const Cycle lead = all / std::max(1u, job.op.in.height) *
                     std::min(job.op.kernel_height - 1, job.op.in.height) / job.op.surfaces;
  const Cycle out = first + latency + lead;
  const Cycle words = context_.mode.timed() ? atoms + lines : 0;
  const Cycle end = std::max(last + latency, out + words);
  cycles.advance(sim::Cause::kPipeline, last + latency);
  cycles.advance(sim::Cause::kDownstream, end);
  writer_.write_whole(port_of(job.op.dst.ram), std::min(std::max(out, now), end), end,
                      output_lines(job.op));
  if (!job.op.on_the_fly)
    context_.events.schedule(read_done_event_, last + timing_.read_done_delay);
  context_.events.schedule(written_event_, end);
}

}  // namespace dlavp::pdp
