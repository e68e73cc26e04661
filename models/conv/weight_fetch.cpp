// CDMA's weight side in time.
#include "models/conv/weight_fetch.hpp"

#include <algorithm>

namespace dlavp::conv {

using sim::Cycle;

namespace {
constexpr uint32_t kRequestAtoms = 8;
}

WeightFetch::WeightFetch(const UnitContext& context, const CdmaTiming& timing,
                         std::function<void(uint32_t)> on_kernels, std::function<void()> on_done)
    : context_(context),
      timing_(timing),
      on_kernels_(std::move(on_kernels)),
      request_event_([this] { request(); }),
      done_event_(std::move(on_done)),
      visible_(context.events, [this](const uint32_t& kernels) { on_kernels_(kernels); }),
      released_(context.events, [this](const uint64_t& atoms) {
        held_atoms_ -= std::min(atoms, held_atoms_);
        stored_atoms_ -= std::min(atoms, stored_atoms_);
        if (waits_for_room_) room_at_ = context_.events.now();
        if (!active_) return;
        if (context_.mode.whole()) return fetch_what_fits();
        request();
        accept();
      }) {}

void WeightFetch::start(const CdmaOp& op) {
  op_ = op;
  const uint32_t atom = context_.hw.memory_atomic_size;
  port_ = &context_.interface(op.weight_ram).read_port(mcif::ReadClient::kCdmaWt);
  port_->set_handlers([this] { request(); }, nullptr);
  port_->set_beat_handler([this](const mcif::BeatRun& run) { arrive(run); });
  capacity_atoms_ = op.cbuf.weight_banks * context_.hw.bank_bytes() / atom;
  ahead_atoms_ = uint64_t{kRequestAtoms} * atom / context_.hw.mac_atomic_c_size;
  total_atoms_ = op.weight_bytes / atom;
  requested_atoms_ = taken_atoms_ = 0;
  groups_ = (op.kernels + context_.hw.mac_atomic_k_size - 1) / context_.hw.mac_atomic_k_size;
  arrived_groups_ = 0;
  update_atoms_ = group_end_atoms(0);
  active_ = true;
  if (context_.mode.whole()) return start_whole();
  context_.events.schedule_in(request_event_, timing_.weight_request);
}

void WeightFetch::release(uint64_t entries) {
  released_.send(context_.events.now() + timing_.release,
                 entries * context_.hw.cbuf_bank_width / context_.hw.memory_atomic_size);
}

void WeightFetch::request() {
  if (!active_ || request_event_.pending() || requested_atoms_ == total_atoms_) return;
  const uint64_t address = op_.weight_address + requested_atoms_ * context_.hw.memory_atomic_size;
  const uint32_t limit =
      requested_atoms_ == 0
          ? kRequestAtoms - address / context_.hw.memory_atomic_size % kRequestAtoms
          : kRequestAtoms;
  const auto atoms =
      static_cast<uint32_t>(std::min<uint64_t>(limit, total_atoms_ - requested_atoms_));
  waits_for_room_ = held_atoms_ + atoms > capacity_atoms_ + ahead_atoms_;
  if (waits_for_room_) return;  // a release continues
  if (!port_->can_request()) {
    stalls_.refused(context_.events.now());
    return;  // the port's on_ready continues
  }
  stalls_.requested(context_.events.now());
  port_->request(address, atoms);
  requested_atoms_ += atoms;
  held_atoms_ += atoms;
  if (requested_atoms_ < total_atoms_) context_.events.schedule_in(request_event_, 1);
}

// While the banks have room, atoms need not wait in arrivals_.
void WeightFetch::arrive(const mcif::BeatRun& run) {
  arrivals_.push({run, uint64_t{run.beats} * run.atoms, 0});
  accept();
}

// Takes what has arrived or will, an atom a cycle, as far as the banks have room now.
void WeightFetch::accept() {
  while (!arrivals_.empty() && stored_atoms_ < capacity_atoms_) {
    Arrival& next = arrivals_.front();
    const uint64_t atoms = std::min(next.left, capacity_atoms_ - stored_atoms_);
    take(next.run.at + next.taken / next.run.atoms, atoms);
    next.taken += atoms;
    next.left -= atoms;
    if (next.left == 0) arrivals_.pop();
  }
}

// `atoms` of a run, the first of which arrives at `arrival`: the others are there in time.
void WeightFetch::take(Cycle arrival, uint64_t atoms) {
  Cycle at = std::max({arrival, next_accept_, context_.events.now()});
  next_accept_ = at + atoms;
  stored_atoms_ += atoms;
  while (atoms > 0) {
    const uint64_t n = std::min(atoms, update_atoms_ - taken_atoms_);
    taken_atoms_ += n;
    atoms -= n;
    at += n;
    if (taken_atoms_ == update_atoms_) groups_arrived(at - 1);
  }
}

uint64_t WeightFetch::group_end_bytes(uint32_t group) const {
  return group + 1 == groups_
             ? op_.weight_bytes
             : uint64_t{group + 1} * context_.hw.mac_atomic_k_size * op_.bytes_per_kernel;
}

// Entries count when they are complete.
uint64_t WeightFetch::group_end_atoms(uint32_t group) const {
  const uint64_t entry = context_.hw.cbuf_bank_width;
  return (group_end_bytes(group) + entry - 1) / entry * entry / context_.hw.memory_atomic_size;
}

void WeightFetch::groups_arrived(Cycle now) {
  while (arrived_groups_ < groups_ && taken_atoms_ >= update_atoms_) {
    const uint32_t k = context_.hw.mac_atomic_k_size;
    const uint32_t kernels = std::min(k, op_.kernels - arrived_groups_ * k);
    const Cycle at = std::max(now, next_update_);
    next_update_ = at + timing_.weight_update_gap;
    visible_.send(at + timing_.weight_update, kernels);
    if (++arrived_groups_ < groups_) {
      update_atoms_ = group_end_atoms(arrived_groups_);
      continue;
    }
    update_atoms_ = sim::kNever;
    active_ = false;
    context_.events.schedule(done_event_, at + timing_.weight_done);
  }
}

}  // namespace dlavp::conv
