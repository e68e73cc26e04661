// CDMA, CSC, CMAC and CACC timed an operation at a time, in closed form: an event where a fetch,
// the steps or the delivery ends. An operation's input and first weights are fetched while the one
// before runs, as far as the buffer has room; steps end no earlier than the last weights and the
// consumer of the atoms permit.
#include <algorithm>

#include "models/conv/closed_form.hpp"
#include "models/conv/data_fetch.hpp"
#include "models/conv/sequencer.hpp"
#include "models/conv/weight_fetch.hpp"

namespace dlavp::conv {

using sim::Cycle;

namespace {
constexpr uint64_t kRequestAtoms = 8;  // one request a cycle
}

void DataFetch::start_whole(const CdmaOp& op) {
  whole_ = op;
  lines_left_ = op.height;
  whole_beats_ = 0;
  for (const auto walk = make_fetch_plan(op, context_.hw, timing_); walk->requests_left();) {
    const FetchRequest r = walk->next_request();
    if (!r.padding) whole_beats_ += port_->beats_of(r.address, r.atoms);
  }
  next_lines_ = context_.events.now() + plan_->first_request();
  fetch_what_fits();
}

// Lines go into the buffer as far as there is room; release() comes back for the others.
void DataFetch::fetch_what_fits() {
  if (lines_left_ == 0) return;
  const uint64_t room = data_entries_ - std::min<uint64_t>(stored_entries_, data_entries_);
  const auto lines = static_cast<uint32_t>(
      std::min<uint64_t>(lines_left_, room / std::max(1u, entries_per_line_)));
  waits_for_room_ = lines < lines_left_;
  if (lines == 0) return;
  const LineFetch part = line_fetch(whole_, context_.hw, lines);
  const Cycle at = std::max(next_lines_, context_.events.now());
  const auto beats_until = [&](uint64_t line) { return whole_beats_ * line / whole_.height; };
  const uint32_t before = whole_.height - lines_left_;
  const mcif::Transfer transfer = port_->read_whole(
      at, whole_.planes[0].address, beats_until(before + lines) - beats_until(before), 0);
  requested_atoms_ += part.atoms;
  // Atoms that come in turn with others' beats come every other cycle, which is as fast as they can
  // be taken or slower.
  const uint64_t turns = std::min(transfer.turns, part.atoms);
  const Cycle slower = 2 * turns - std::min(2 * turns, turns * part.cycles / part.atoms);
  end_ = context_.mode.timed() ? std::max(transfer.last, transfer.first + part.cycles + slower) : at;
  stored_entries_ += uint64_t{lines} * entries_per_line_;
  lines_left_ -= lines;
  next_lines_ = at + (part.atoms + kRequestAtoms - 1) / kRequestAtoms;
  visible_.send(end_ + plan_->update(), lines);
  if (lines_left_ == 0) context_.events.schedule(done_event_, end_ + plan_->done());
}

void WeightFetch::start_whole() {
  left_atoms_ = total_atoms_;
  next_atoms_ = context_.events.now() + timing_.weight_request;
  const uint64_t data = op_.cbuf.data_reuse ? 0 : line_fetch(op_, context_.hw, op_.height).atoms;
  fetch_what_fits(std::max<uint64_t>(1, data));
}

// The next `atoms` of the operation's.
mcif::Transfer WeightFetch::read_next(uint64_t atoms) {
  const uint64_t before = total_atoms_ - left_atoms_;
  const auto beats_until = [&](uint64_t n) { return port_->beats_of(op_.weight_address, n); };
  return port_->read_whole(std::max(next_atoms_, context_.events.now()),
                           op_.weight_address + before * context_.hw.memory_atomic_size,
                           beats_until(before + atoms) - beats_until(before), 0);
}

// The first group of kernels must be there whole before CSC can start; the others follow as the
// banks permit, and are taken for present: steps_begin() says when they are. At most `most` atoms
// are asked for, and a group.
void WeightFetch::fetch_what_fits(uint64_t most) {
  if (left_atoms_ == 0) return;
  const bool first = left_atoms_ == total_atoms_;
  const uint64_t room = capacity_atoms_ - std::min(held_atoms_, capacity_atoms_);
  const uint32_t atom = context_.hw.memory_atomic_size;
  const uint64_t group = std::min(total_atoms_, (group_end_bytes(0) + atom - 1) / atom);
  const uint64_t atoms = std::min({left_atoms_, room, std::max(most, first ? group : 0)});
  waits_for_room_ = room < left_atoms_;
  if (atoms == 0 || (first && atoms < group)) return;
  const Cycle at = std::max(next_atoms_, context_.events.now());
  const mcif::Transfer transfer = read_next(atoms);
  held_atoms_ += atoms;
  left_atoms_ -= atoms;
  next_atoms_ = at + (atoms + kRequestAtoms - 1) / kRequestAtoms;
  end_ = transfer.last;
  if (first) {
    flight_ = transfer.first - at;
    const Cycle behind = (transfer.last - transfer.first) * (atoms - group) / atoms;
    visible_.send(transfer.last - behind + timing_.weight_update, op_.kernels);
  }
  if (left_atoms_ != 0) return;
  active_ = false;
  context_.events.schedule(done_event_, end_ + timing_.weight_done);
}

Cycle WeightFetch::steps_begin() {
  if (left_atoms_ == 0) return end_;
  return end_ = read_next(left_atoms_).last;
}

// The last weights come when the banks have room for them: as many groups ahead of the steps as
// the banks hold.
void WeightFetch::steps_planned(Cycle group, Cycle end) {
  if (left_atoms_ == 0) return;
  held_atoms_ += left_atoms_;
  left_atoms_ = 0;
  const uint64_t group_atoms = std::max<uint64_t>(1, total_atoms_ / groups_);
  const Cycle ahead = capacity_atoms_ / group_atoms * group;
  active_ = false;
  context_.events.schedule(done_event_,
                           std::max(end_, end - std::min(ahead, end)) + timing_.weight_done);
}

void Sequencer::run_whole(Cycle first_step) {
  const sim::Stream::Pace pace = output_.pace();
  StepTimes times = step_times(op_, hw_, pace.atom);
  if (!context_.mode.timed()) times.group = times.first_stripe = 0;
  const Cycle weights = callbacks_.steps_begin();
  if (const uint64_t atoms = atoms_in_the_way(op_, hw_);
      atoms != 0 && !op_.cbuf.weight_reuse && context_.mode.timed())
    times.gap =
        callbacks_.refill(atoms) + timing_.weight_release + timing_.package + hw_.mac_atomic_k_size;
  if (!op_.cbuf.keep_weights) kernels_ -= op_.kernels;
  const Cycle own = first_step + times.all();
  const Cycle fed = times.groups > 1 ? std::max(own, weights + times.group) : own;
  const Cycle end = std::max(fed, steps_end(times, first_step, pace, delivery_atoms(hw_)));
  callbacks_.steps_planned(times.group + times.gap, end);
  cycles_.advance(sim::Cause::kBusy, own);
  cycles_.advance(sim::Cause::kWeights, fed);
  cycles_.advance(sim::Cause::kDownstream, end);
  stalls_["weights"] += fed - own;
  stalls_["output"] += end - fed;
  const Cycle last =
      end + cacc_timing_.first_atom + times.last_length * (std::max<Cycle>(pace.atom, 1) - 1);
  output_.push_flow(
      {first_step + times.first_stripe + cacc_timing_.first_atom + cacc_timing_.stream,
       last + cacc_timing_.stream});
  if (!op_.cbuf.keep_weights) {
    const uint64_t bytes = op_.kernels * op_.bytes_per_kernel();
    weights_.send(end + timing_.weight_release,
                  (bytes + hw_.cbuf_bank_width - 1) / hw_.cbuf_bank_width);
  }
  active_ = false;
  context_.events.schedule(data_event_, end + timing_.data_release);
  context_.events.schedule(csc_event_, end + timing_.done);
  mac_done_.send(end + cacc_timing_.mac_done, 0);
  cacc_done_.send(end + cacc_timing_.done, 0);
  delivered_line_.send(last + cacc_timing_.credit + cacc_timing_.interrupt, 0);
}

}  // namespace dlavp::conv
