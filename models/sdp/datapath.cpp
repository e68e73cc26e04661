// One atom enters at a time, as the slowest enabled stage lets it; every stage behind is a plain
// pipeline, so an atom's result has a fixed distance from its entry. An atom whose operand comes
// late counts as entered so much later; those behind it fill the stages in front.
#include "models/sdp/datapath.hpp"

#include <algorithm>

namespace dlavp::sdp {

SdpTiming::SdpTiming(const TimingParams& p) {
  const auto cycles = [&](const char* name) {
    return static_cast<sim::Cycle>(p.get(std::string("sdp.") + name));
  };
  const auto count = [&](const char* name) {
    return static_cast<uint32_t>(p.get(std::string("sdp.") + name));
  };
  enable_to_load = cycles("enable_to_load");
  done_to_load = cycles("done_to_load");
  load_to_request = cycles("load_to_request");
  load_to_data = cycles("load_to_data");
  load_to_command = cycles("load_to_command");
  converter = cycles("converter");
  output_register = cycles("output_register");
  x_alu = cycles("x_alu");
  x_mul = cycles("x_mul");
  x_tail = cycles("x_tail");
  y_mul = cycles("y_mul");
  y_alu = cycles("y_alu");
  y_lut = cycles("y_lut");
  y_cvt = cycles("y_cvt");
  y_cvt_bypass = cycles("y_cvt_bypass");
  input = cycles("input");
  conv_bubble = cycles("conv_bubble");
  pdp_lead = cycles("pdp_lead");
  done = cycles("done");
  interrupt = cycles("interrupt");
  rdma_done = cycles("rdma_done");
  output_atoms = count("output_atoms");
  main_requests = count("main_requests");
  main_request_stages = count("main_request_stages");
  operand_request_stages = count("operand_request_stages");
  pdp_atoms = count("pdp_atoms");
  pdp_data = cycles("pdp_data");
  pdp_credit = cycles("pdp_credit");
  latency_fifo = cycles("latency_fifo");
}

namespace {

// Each register between entry and PDP holds a piece, and one more while the word that it cannot
// hand on travels to the register in front: a cycle a register.
void reach_pdp(const SdpTiming& t, AtomCost& cost) {
  cost.pdp_lead = t.pdp_lead + cost.pieces - 1;
  const sim::Cycle registers = cost.latency - cost.pdp_lead + t.pdp_data;
  cost.pdp_atoms = static_cast<uint32_t>(2 * registers / cost.pieces);
  cost.pdp_wait = registers + cost.pieces - 2 * registers % cost.pieces;
}

}  // namespace

AtomCost atom_cost(const SdpOp& op, const HwConfig& hw, const SdpTiming& t) {
  const uint32_t throughput[kStages] = {hw.sdp_bs_throughput, hw.sdp_bn_throughput,
                                        hw.sdp_ew_throughput};
  const uint32_t widest = std::max({throughput[kX1], throughput[kX2], throughput[kY]});
  const sim::Cycle pieces = hw.memory_atomic_size / widest;  // parts of an atom, one a cycle
  AtomCost cost;
  cost.pieces = cost.period = pieces;
  sim::Cycle before = t.input;
  for (unsigned s = 0; s < kStages; ++s) {
    const StageOp& stage = op.stage[s];
    if (!stage.enabled) continue;
    const bool y = s == kY;
    const sim::Cycle first =
        y ? (stage.mul.enabled ? t.y_mul : 0) : (stage.alu.enabled ? t.x_alu : 0);
    const sim::Cycle second =
        y ? (stage.alu.enabled ? t.y_alu : 0) : (stage.mul.enabled ? t.x_mul : 0);
    const sim::Cycle tail = y ? (stage.lut ? t.y_lut : 0) : t.x_tail;
    // Atom and operand both pass a register that splits them before they meet in the stage; the
    // second half is the first half's time later.
    const auto slack = [&](const Unary& half, sim::Cycle offset) {
      const sim::Cycle converter = !y ? 0 : half.cvt.bypass ? t.y_cvt_bypass : t.y_cvt;
      return static_cast<int64_t>(before + offset) - static_cast<int64_t>(converter);
    };
    const sim::Cycle stage_pieces = hw.memory_atomic_size / throughput[s];
    AtomCost::Meeting& meeting = cost.meeting[s];
    const int64_t alu = slack(stage.alu, y ? first : 0), mul = slack(stage.mul, y ? 0 : first);
    const bool has_alu = stage.alu.enabled && stage.alu.from_memory;
    const bool has_mul = stage.mul.enabled && stage.mul.from_memory;
    meeting.slack = {has_alu ? alu : mul, has_mul ? mul : alu};
    meeting.pieces = stage_pieces;
    meeting.registers = before + (has_mul && !y ? first : 0);
    meeting.atoms_before = static_cast<uint32_t>(meeting.registers / pieces);
    const sim::Cycle slower = std::max(stage_pieces, cost.period) - cost.period;
    if (y && slower != 0) {
      const auto fill = [&](sim::Cycle from) {
        const sim::Cycle registers = before + 1 - from;  // one puts Y's pieces together
        return AtomCost::Fill{static_cast<uint32_t>(registers / pieces),
                              registers + (pieces - registers % pieces) * stage_pieces / pieces};
      };
      cost.slow = true;
      cost.entry_fill = fill(0);
      for (const unsigned x : {kX1, kX2}) cost.meeting[x].fill = fill(cost.meeting[x].registers);
    }
    cost.period += slower;
    cost.stage_period[s] = cost.period;
    before += 2 + first + second + tail + slower;
  }
  cost.latency = before + t.converter + (pieces - 1) + t.output_register;
  reach_pdp(t, cost);
  cost.entry = cost.slow ? pieces : cost.period;
  if (op.flying) {
    cost.period = std::max(cost.period, pieces + t.conv_bubble);
    cost.entry = std::max(cost.entry, pieces + t.conv_bubble);
  }
  return cost;
}

Datapath::Datapath(const UnitContext& context, const SdpTiming& timing, const Streams& streams,
                   sim::Stream& from_conv, sim::Stream& to_pdp, std::function<void()> done,
                   std::function<void()> acknowledged)
    : context_(context),
      timing_(timing),
      streams_(streams),
      from_conv_(from_conv),
      to_pdp_(to_pdp),
      done_(std::move(done)),
      enter_event_([this] { enter(); }),
      drain_event_([this] { drain(); }),
      done_event_([this] {
        active_ = false;
        done_();
      }) {
  from_conv_.on_data([this] { kick(); });
  to_pdp_.on_space([this] { pdp_took(); });
  from_conv_.on_flow([this] {
    if (waits_for_flow_) run_whole();
  });
  const auto more = [this] {
    if (active_ && stalled_) drain();
  };
  for (mcif::MemoryInterface* memory : {context.mcif, context.cvif})
    if (memory) memory->write_port(mcif::WriteClient::kSdp).set_handlers(more, more, acknowledged);
}

void Datapath::start(const SdpOp& op, const std::array<bool, kStages>& operands, sim::Cycle begun,
                     sim::Cycle load) {
  DLAVP_CHECK(!active_, "datapath started while busy with group {}", op_.group);
  op_ = op;
  operands_ = operands;
  cost_ = atom_cost(op, context_.hw, timing_);
  active_ = true;
  const uint32_t surfaces =
      (op.size.channels + context_.hw.memory_atomic_size - 1) / context_.hw.memory_atomic_size;
  to_enter_ = to_leave_ = op.size.pixels() * surfaces;
  next_entry_ = load + timing_.load_to_data;
  cycles_.start(begun, context_.activity(ActivityUnit::kSdp));
  cycles_.advance(sim::Cause::kData, load);  // for what its read DMA is to fetch
  cycles_.advance(sim::Cause::kPipeline, next_entry_);
  output_holds_ = false;
  entered_ = taken_ = 0;
  out_ = 0;
  met_ = {};
  meets_ = operands;
  meets_[kY] |= cost_.slow;
  any_meeting_ = false;
  for (unsigned s = 0; s < kStages; ++s) {
    any_meeting_ |= meets_[s];
    if (operands[s]) streams_[s]->set_use(cost_.meeting[s].slack, cost_.meeting[s].pieces);
  }
  in_flight_.clear();
  // On the way to PDP pdp_room_time() is the limit.
  in_flight_limit_ = op.to_pdp ? kTaken
                               : timing_.output_atoms +
                                     static_cast<uint32_t>(cost_.latency / cost_.period) +
                                     cost_.entry_fill.atoms;
  command_next_ = true;
  next_word_ = load + timing_.load_to_command;
  count_lines(surfaces);
  stalled_ = false;
  stall_cycles_ = write_beats_ = 0;
  if (op.writes_memory()) context_.events.schedule(drain_event_, next_word_);
  kick();
}

// The lines that the write DMA writes, one command each.
void Datapath::count_lines(uint32_t surfaces) {
  const bool packed = packed_1x1(op_.size);
  line_atoms_ = packed ? surfaces : op_.size.width;
  lines_ = packed ? 1 : op_.size.height;
  lines_left_ = packed ? 1 : uint64_t{op_.size.height} * surfaces;
  line_ = surface_ = 0;
}

sim::Cycle Datapath::entry_time() const {
  if (!active_ || to_enter_ == 0 || inside() >= in_flight_limit_) return sim::kNever;
  sim::Cycle at = next_entry_;
  if (any_meeting_) {
    const sim::Cycle room = room_time();
    if (room == sim::kNever) return room;
    at = std::max(at, room);
  }
  const sim::Cycle room = pdp_room_time();
  if (room == sim::kNever) return room;
  at = std::max(at, room);
  if (op_.flying) {
    if (from_conv_.available() == 0) return sim::kNever;
  } else {
    const sim::Cycle ready = streams_[kStages]->head_ready();
    if (ready == sim::kNever) return ready;
    at = std::max(at, ready);
  }
  return std::max(at, context_.events.now());
}

// The stages in front of a meeting take a few atoms while the one there waits.
sim::Cycle Datapath::room_time() const {
  sim::Cycle room = cost_.slow ? fill_time(cost_.entry_fill, entered_) : 0;
  for (unsigned s = 0; s < kStages && room != sim::kNever; ++s) {
    if (!operands_[s]) continue;
    const uint64_t before = cost_.meeting[s].atoms_before;
    if (entered_ <= before) continue;
    const uint64_t atom = entered_ - 1 - before;
    if (met_[s] <= atom) return sim::kNever;
    room = std::max(room, met_at_[s][atom % kRing] + (before + 1) * cost_.pieces);
  }
  return room;
}

// When the registers that fill up in front of a slower Y have room for `atom`.
sim::Cycle Datapath::fill_time(const AtomCost::Fill& fill, uint64_t atom) const {
  if (atom <= fill.atoms) return 0;
  const uint64_t taken = atom - 1 - fill.atoms;
  return met_[kY] <= taken ? sim::kNever : met_at_[kY][taken % kRing] + fill.wait;
}

// When PDP's takings so far have made room for the next atom in the registers on the way.
sim::Cycle Datapath::pdp_room_time() const {
  if (!op_.to_pdp || entered_ <= cost_.pdp_atoms) return 0;
  const uint64_t needed = entered_ - cost_.pdp_atoms;
  return taken_ < needed ? sim::kNever : taken_at_[(needed - 1) % kTaken] + cost_.pdp_wait;
}

bool Datapath::held_by_output() const {
  return inside() >= in_flight_limit_ || pdp_room_time() > next_entry_;
}

void Datapath::kick() {
  if (!active_) return;
  if (any_meeting_) meet();
  if (enter_event_.pending()) return;
  const sim::Cycle at = entry_time();
  if (at > next_entry_ && to_enter_ != 0) output_holds_ = held_by_output();
  if (at != sim::kNever) context_.events.schedule(enter_event_, at);
}

void Datapath::enter() {
  const sim::Cycle now = context_.events.now();
  if (entry_time() != now) return kick();
  cycles_.advance(output_holds_ ? sim::Cause::kDownstream : sim::Cause::kData, now);
  next_entry_ = now + cost_.entry;
  cycles_.advance(sim::Cause::kBusy, next_entry_);
  output_holds_ = false;
  if (to_enter_ == 1) stalls_at_last_ = stall_cycles_;
  --to_enter_;
  entered_at_[entered_++ % kRing] = now;
  if (!any_meeting_) put_out(now);
  if (op_.flying)
    from_conv_.pop(1);
  else
    streams_[kStages]->use(now);
  kick();
}

// Gives atoms that have entered their operands, as far as it is known when those come.
void Datapath::meet() {
  for (bool progress = true; progress;) {
    progress = false;
    const uint64_t* before = &entered_;
    const std::array<sim::Cycle, kRing>* before_at = &entered_at_;
    for (unsigned s = 0; s < kStages; ++s) {
      if (!meets_[s]) continue;
      progress |= meet_stage(s, *before, *before_at) && cost_.slow;
      before = &met_[s];
      before_at = &met_at_[s];
    }
    while (out_ < *before) put_out((*before_at)[out_ % kRing]);
  }
}

// The atoms that one stage takes of those that come from in front of it; true: some.
bool Datapath::meet_stage(unsigned s, uint64_t before,
                          const std::array<sim::Cycle, kRing>& before_at) {
  const uint64_t met = met_[s];
  while (met_[s] < before) {
    const uint64_t atom = met_[s];
    const sim::Cycle ready = operands_[s] ? streams_[s]->head_ready() : 0;
    const sim::Cycle room = cost_.slow && s != kY ? fill_time(cost_.meeting[s].fill, atom) : 0;
    if (ready == sim::kNever || room == sim::kNever) break;
    sim::Cycle at = std::max({before_at[atom % kRing], ready, room});
    if (atom > 0) at = std::max(at, met_at_[s][(atom - 1) % kRing] + cost_.stage_period[s]);
    met_at_[s][atom % kRing] = at;
    ++met_[s];
    if (operands_[s]) streams_[s]->use(at);
  }
  return met_[s] != met;
}

// The result of an atom that counts as entered at `at`.
void Datapath::put_out(sim::Cycle at) {
  ++out_;
  const sim::Cycle out = at + cost_.latency - (op_.to_pdp ? cost_.pdp_lead : 0);
  in_flight_.push_back(out);
  if (in_flight_.size() == 1 && !(op_.writes_memory() && command_next_))
    context_.events.schedule(drain_event_, std::max({out, next_word_, context_.events.now()}));
}

void Datapath::drain() {
  if (!active_ || to_leave_ == 0) return;
  const sim::Cycle now = context_.events.now();
  if (now < next_word_) return context_.events.schedule(drain_event_, next_word_);
  if (op_.writes_memory())
    write(now);
  else if (!in_flight_.empty() && in_flight_.front() <= now)
    pass_to_pdp(now);
  if (to_leave_ == 0 || stalled_) return;
  if (op_.writes_memory() && command_next_)
    context_.events.schedule(drain_event_, next_word_);
  else if (!in_flight_.empty())
    context_.events.schedule(drain_event_, std::max(in_flight_.front(), next_word_));
}

void Datapath::stall(bool waiting) {
  if (waiting == stalled_) return;
  if (stalled_) stall_cycles_ += context_.events.now() - stalled_since_;
  stalled_ = waiting;
  stalled_since_ = context_.events.now();
}

void Datapath::write(sim::Cycle now) {
  if (command_next_) {
    const bool ready = port().can_request();
    stall(!ready);
    if (!ready) return;
    const uint64_t address =
        op_.dst.address + surface_ * op_.dst.surface_stride + line_ * op_.dst.line_stride;
    port().request(address, line_atoms_, lines_left_ == 1);
    write_beats_ += bus_beats(context_.hw, op_.dst.ram, address, line_atoms_);
    command_next_ = false;
    line_left_ = line_atoms_;
    next_word_ = now + 1;
    return;
  }
  if (in_flight_.empty() || in_flight_.front() > now) return stall(false);
  const bool ready = port().data_space() != 0;
  stall(!ready);
  if (!ready) return;
  port().data(1);
  next_word_ = now + 1;
  const bool full = inside() >= in_flight_limit_;
  in_flight_.pop_front();
  --to_leave_;
  if (--line_left_ == 0) {
    command_next_ = true;
    --lines_left_;
    if (++line_ == lines_) {
      line_ = 0;
      ++surface_;
    }
  }
  if (to_leave_ == 0) return finish(now);
  if (full) kick();
}

void Datapath::pass_to_pdp(sim::Cycle now) {
  if (op_.to_pdp) {
    if (to_pdp_.space() == 0) return stall(true);
    stall(false);
    to_pdp_.push(1);
  }
  next_word_ = now + 1;
  const bool full = inside() >= in_flight_limit_;
  in_flight_.pop_front();
  if (--to_leave_ == 0) return finish(now + (op_.to_pdp ? cost_.pdp_lead : 0));
  if (full) kick();
}

// PDP's takings are seen as the stream's credits, which come pdp_credit cycles later.
void Datapath::pdp_took() {
  if (!active_ || !op_.to_pdp) return;
  const uint64_t passed = out_ - in_flight_.size();
  const uint64_t held = timing_.pdp_atoms - to_pdp_.space();  // may be of the operation before
  const uint64_t taken = passed > held ? passed - held : 0;
  while (taken_ < taken) taken_at_[taken_++ % kTaken] = context_.events.now() - timing_.pdp_credit;
  drain();
  kick();
}

void Datapath::finish(sim::Cycle last) {
  cycles_.advance(sim::Cause::kDownstream, last, stall_cycles_ - stalls_at_last_);
  cycles_.advance(sim::Cause::kPipeline, last + timing_.done);
  context_.events.schedule(done_event_, last + timing_.done);
}

}  // namespace dlavp::sdp
