// CDMA's data side in time.
#include "models/conv/data_fetch.hpp"

#include <algorithm>

namespace dlavp::conv {

using sim::Cycle;

namespace {
// Cycles from the request generator, where requests in flight are counted, to the port.
constexpr Cycle kGeneratorStages = 2;
}  // namespace

DataFetch::DataFetch(const UnitContext& context, const CdmaTiming& timing,
                     std::function<void(uint32_t)> on_lines, std::function<void()> on_done)
    : context_(context),
      timing_(timing),
      on_lines_(std::move(on_lines)),
      request_event_([this] { request(); }),
      done_event_(std::move(on_done)),
      stored_(context.events,
              [this](const uint32_t& lines) {
                const uint64_t entries = uint64_t{lines} * entries_per_line_;
                stored_entries_ += entries;
                flying_entries_ -= entries;
              }),
      visible_(context.events, [this](const uint32_t& lines) { on_lines_(lines); }) {}

void DataFetch::use_port(RamType ram) {
  port_ = &context_.interface(ram).read_port(mcif::ReadClient::kCdmaDat);
  port_->set_handlers(
      [this] {
        if (plan_) request();
      },
      nullptr);
  port_->set_beat_handler([this](const mcif::BeatRun& run) { arrive(run); });
}

void DataFetch::start(const CdmaOp& op) {
  use_port(op.data_ram);
  plan_ = make_fetch_plan(op, context_.hw, timing_);
  entries_per_line_ = op.cbuf.entries_per_slice;
  data_entries_ = op.cbuf.data_banks * context_.hw.cbuf_bank_depth;
  admitted_ = false;
  requested_groups_ = stored_groups_ = 0;
  requested_atoms_ = 0;
  blocked_ = sim::kNever;
  if (context_.mode.whole()) return start_whole(op);
  const Cycle first = context_.events.now() + plan_->first_request();
  context_.events.schedule(request_event_, first);
  next_accept_ = take_padding(first + 1);
}

void DataFetch::release(uint64_t entries) {
  stored_entries_ -= std::min(entries, stored_entries_);
  if (waits_for_room_) room_at_ = context_.events.now();
  if (context_.mode.whole()) return fetch_what_fits();
  if (plan_ && plan_->requests_left() && !admitted_) context_.events.schedule_in(request_event_, 1);
}

void DataFetch::request() {
  if (request_event_.pending() || !plan_->requests_left()) return;
  if (!admitted_) {
    const uint64_t entries = uint64_t{plan_->group_lines(requested_groups_)} * entries_per_line_;
    waits_for_room_ = stored_entries_ + flying_entries_ + entries > data_entries_;
    if (waits_for_room_) return;  // release() continues
    flying_entries_ += entries;
    admitted_ = true;
  }
  const Cycle now = context_.events.now();
  if (!plan_->next_request_is_padding() && !port_->can_request()) {
    stalls_.refused(now);
    return;  // on_ready continues
  }
  const FetchRequest r = plan_->next_request();
  if (!r.padding) {
    port_->request(r.address, r.atoms);
    requested_atoms_ += r.atoms;
    stalls_.requested(now);
    flights_.requested(now - kGeneratorStages, r.atoms);
  }
  if (r.ends_group) {
    admitted_ = false;
    ++requested_groups_;
  }
  if (plan_->requests_left()) context_.events.schedule_in(request_event_, r.gap);
}

void DataFetch::arrive(const mcif::BeatRun& run) {
  const uint32_t atoms = run.beats * run.atoms;
  for (uint32_t done = 0; done < atoms;) {
    const Cycle arrival = run.at + done / run.atoms;
    const uint32_t plain = std::min(plan_->plain_atoms(), atoms - done);
    if (plain > 0) accept_plain(arrival, plain);
    done += plain;
    if (plain == 0) accept(arrival), ++done;
  }
}

// When the next atom is taken, which arrives in a cycle to come.
Cycle DataFetch::accept_at(Cycle arrival) const {
  Cycle at = next_accept_ == blocked_ ? next_accept_ + 1 : next_accept_;
  at = std::max(at, arrival);
  return at == blocked_ ? at + 1 : at;
}

void DataFetch::accept(Cycle arrival) {
  const Cycle at = accept_at(arrival);
  flights_.taken(at, 1);
  take(at, plan_->next_atom());
  next_accept_ = take_padding(at + 1);
}

// Atoms that do nothing to the response side; those behind the first are there in time.
void DataFetch::accept_plain(Cycle arrival, uint32_t atoms) {
  plan_->skip_atoms(atoms);
  while (atoms > 0) {
    const Cycle at = accept_at(arrival);
    const bool pauses = blocked_ > at && blocked_ - at < atoms;
    const auto n = pauses ? static_cast<uint32_t>(blocked_ - at) : atoms;
    flights_.taken(at, n);
    next_accept_ = at + n;
    atoms -= n;
  }
}

// Padding from `at` on, an atom a cycle; returns the cycle behind it.
Cycle DataFetch::take_padding(Cycle at) {
  for (; plan_->next_is_padding(); ++at) take(at, plan_->next_atom());
  return at;
}

void DataFetch::take(Cycle at, const FetchAtom& atom) {
  if (atom.blocks && blocked_ != at + 1) blocked_ = at + 2;
  Cycle end = at;
  if (atom.pack > 0) end = packed_ = std::max(at + timing_.image_queue, packed_) + atom.pack;
  if (!atom.ends_group) return;
  const uint32_t lines = plan_->group_lines(stored_groups_++);
  stored_.send(end + timing_.release, lines);
  visible_.send(end + plan_->update(), lines);
  if (stored_groups_ == plan_->groups()) context_.events.schedule(done_event_, end + plan_->done());
}

}  // namespace dlavp::conv
