// CDP timed an operation at a time, in closed form: its atoms' channel steps, no faster than its
// input comes and the words of its write DMA leave.
#include <algorithm>

#include "models/cdp/cdp.hpp"

namespace dlavp::cdp {

using sim::Cycle;

void Cdp::run_whole(Job& job, Cycle at) {
  const uint64_t atoms = job.op.size.pixels() * job.op.surfaces;
  const uint64_t blocks = (uint64_t{job.op.size.width} + kBlockAtoms - 1) / kBlockAtoms *
                          job.op.size.height * job.op.surfaces;
  const bool bypass = job.op.sqsum_bypass;
  const uint64_t tail =
      bypass ? 0 : uint64_t{neighbour_steps_} * std::min(kBlockAtoms, job.op.size.width);
  const Cycle now = context_.events.now();
  const bool timed = context_.mode.timed();
  const Cycle all = timed ? atoms * atom_cycles_ + tail : 0;
  const Cycle first = std::max(at, job.transfer.first + timing_.first_atom);
  // The last block's steps begin when all of it is there.
  const uint64_t last_block = (job.op.size.width - 1) % kBlockAtoms + 1;
  const Cycle left = timed ? last_block * atom_cycles_ + tail : 0;
  const Cycle last = std::max({first + all, job.transfer.last + left, now});
  job.record.cycles.advance(sim::Cause::kData, first);
  job.record.cycles.advance(sim::Cause::kBusy, first + all);
  job.record.cycles.advance(sim::Cause::kData, last);
  const Cycle latency = timing_.core_to_write + (bypass ? 0 : timing_.sum_stages);
  const Cycle out = std::max(first + latency, now);
  // A command a block, then its atoms.
  const Cycle end = std::max(last + latency, out + (timed ? atoms + blocks : 0));
  job.more = false;
  job.stalls_at_last = 0;
  writer_.write_whole(port_of(job.op.dst.ram), out, end, output_blocks(job.op));
  context_.events.schedule(read_done_event_, last);
  context_.events.schedule(written_event_, end);
}

}  // namespace dlavp::cdp
