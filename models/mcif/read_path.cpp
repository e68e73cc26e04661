#include "models/mcif/read_path.hpp"

#include <algorithm>
#include <bit>

namespace dlavp::mcif {

using sim::Cycle;
using sim::kNever;

namespace {

// The arbiter's inputs in the hardware's order.
constexpr std::array<ReadClient, kReadClients> kArbiterOrder = {
    ReadClient::kCdmaDat, ReadClient::kCdmaWt, ReadClient::kSdp, ReadClient::kSdpB,
    ReadClient::kSdpN,    ReadClient::kSdpE,   ReadClient::kPdp, ReadClient::kCdp,
    ReadClient::kRubik,   ReadClient::kBdma};

}  // namespace

ReadChannel::ReadChannel(ReadPath& path, sim::EventQueue& events, const McifTiming& timing,
                         const BusShape& bus, uint32_t depth)
    : path_(path),
      events_(events),
      timing_(timing),
      bus_(bus),
      depth_(depth),
      ready_event_([this] {
        if (can_request() && on_ready_) on_ready_();
      }),
      data_event_([this] { deliver(); }) {}

void ReadChannel::set_handlers(std::function<void()> on_ready, std::function<void()> on_data) {
  on_ready_ = std::move(on_ready);
  on_data_ = std::move(on_data);
}

void ReadChannel::set_beat_handler(std::function<void(const BeatRun& run)> on_beats) {
  DLAVP_CHECK(depth_ == 0, "beats told ahead to a client with {} credits", depth_);
  on_beats_ = std::move(on_beats);
}

bool ReadChannel::can_request() const {
  const Cycle now = events_.now();
  const Cycle at = request_cycle_ == now ? stages_.ready_at(now + 1) : stages_.ready_at(now);
  refused_ = at != now;
  if (refused_ && at != kNever) events_.schedule(ready_event_, at);
  return !refused_;
}

void ReadChannel::request(uint64_t address, uint32_t atoms) {
  DLAVP_CHECK(can_request(), "read request of {} atoms at {:#x} while not ready", atoms, address);
  DLAVP_CHECK(atoms > 0 && address % bus_.atom_bytes == 0, "read request of {} atoms at {:#x}",
              atoms, address);
  request_cycle_ = events_.now();
  stages_.push(events_.now());
  beats_ += bus_.beats(address, atoms);
  requests_.push({address, atoms});
  prepare();
}

// Brings the next transaction through the splitter if its credits are known.
void ReadChannel::prepare() {
  if (visible_ != kNever || requests_.empty()) return;
  const Request& head = requests_.front();
  const Cycle at_splitter = stages_.front();
  DLAVP_CHECK(at_splitter != kNever, "request at {:#x} not at the splitter", head.address);
  next_atoms_ = bus_.first_atoms(head.address, head.atoms);
  next_beats_ = bus_.beats(head.address, next_atoms_);
  Cycle split = std::max({at_splitter, split_ + 1, grant_2_ + 1});
  if (depth_ != 0) {
    while (used_ + next_beats_ > depth_ && !credits_.empty()) {
      used_ -= credits_.front().beats;
      split = std::max(split, credits_.front().at);
      credits_.pop();
    }
    if (used_ + next_beats_ > depth_) return;
    used_ += next_beats_;
  }
  split_ = split;
  visible_ = split + timing_.read_arbiter_input;
  path_.visible_clients_ |= 1u << input_;
  if (next_atoms_ == head.atoms) leave_stages();
  path_.wake(visible_);
}

// The request's last transaction leaves the splitter; when the first register is ready again may be
// known now.
void ReadChannel::leave_stages() {
  stages_.pop(split_);
  const Cycle ready = refused_ ? stages_.ready_at(events_.now()) : kNever;
  if (ready != kNever) events_.schedule(ready_event_, ready);
}

void ReadChannel::granted(Cycle now) {
  grant_2_ = grant_1_;
  grant_1_ = now;
  visible_ = kNever;
  path_.visible_clients_ &= ~(1u << input_);
  Request& head = requests_.front();
  head.address += uint64_t{next_atoms_} * bus_.atom_bytes;
  head.atoms -= next_atoms_;
  const bool over = head.atoms == 0;
  if (over) requests_.pop();
  if (over || depth_ != 0) return prepare();
  // The rest of a request that needs no credits is at the splitter already.
  path_.visible_clients_ |= 1u << input_;
  next_atoms_ = bus_.first_atoms(head.address, head.atoms);
  next_beats_ = bus_.beats(head.address, next_atoms_);
  split_ = std::max(split_, grant_2_) + 1;
  visible_ = split_ + timing_.read_arbiter_input;
  if (next_atoms_ == head.atoms) leave_stages();
}

// The transaction at the arbiter has passed; it is told or kept before granted() moves on.
void ReadChannel::arrive(const MemoryTiming::Beats& beats, Cycle response_delay) {
  if (on_beats_) {
    path_.told_clients_ |= 1u << input_;
    if (next_beats_ == 1) return tell(beats.first + response_delay, next_atoms_);
  }
  const Arrival arrival{beats.first + response_delay, beats.last + response_delay,
                        requests_.front().address, next_atoms_};
  if (on_beats_) return tell(arrival);
  arriving_.push(arrival);
  if (arriving_.size() == 1) events_.schedule(data_event_, arrival.next);
}

uint32_t ReadChannel::beat_atoms(const Arrival& arrival) const {
  return std::min(bus_.beat_atoms(arrival.address), arrival.atoms);
}

// Beats follow one a cycle; a memory that paused shows it in the last one.
void ReadChannel::next_beat(Arrival& arrival, uint32_t atoms) const {
  arrival.atoms -= atoms;
  arrival.address += uint64_t{atoms} * bus_.atom_bytes;
  const bool last_beat = arrival.atoms * bus_.atom_bytes <= bus_.beat_bytes;
  arrival.next = last_beat ? std::max(arrival.next + 1, arrival.last) : arrival.next + 1;
}

void ReadChannel::tell(const Arrival& arrival) {
  for (Arrival rest = arrival; rest.atoms != 0;) {
    const uint32_t atoms = beat_atoms(rest);
    tell(rest.next, atoms);
    next_beat(rest, atoms);
  }
}

void ReadChannel::deliver() {
  Arrival& arrival = arriving_.front();
  const uint32_t atoms = beat_atoms(arrival);
  available_ += atoms;
  if (depth_ != 0 && bus_.atom_bytes != bus_.beat_bytes) held_.push(atoms);
  if (arrival.atoms == atoms)
    arriving_.pop();
  else
    next_beat(arrival, atoms);
  if (!arriving_.empty())
    events_.schedule(data_event_, std::max(arriving_.front().next, events_.now() + 1));
  if (on_data_) on_data_();
}

void ReadChannel::pop(uint32_t atoms) {
  DLAVP_CHECK(atoms <= available_, "pop of {} atoms, {} there", atoms, available_);
  available_ -= atoms;
  if (depth_ == 0) return;
  const uint32_t beats = emptied(atoms);
  if (beats == 0) return;
  credits_.push({events_.now() + timing_.read_credit_return, beats});
  prepare();
}

// Beats whose last atom is among the next `atoms`: an entry of the latency FIFO holds a beat.
uint32_t ReadChannel::emptied(uint32_t atoms) {
  if (bus_.atom_bytes == bus_.beat_bytes) return atoms;
  uint32_t beats = 0;
  for (; atoms > 0 && held_.front() <= atoms; ++beats) {
    atoms -= held_.front();
    held_.pop();
  }
  if (atoms > 0) held_.front() -= atoms;
  return beats;
}

ReadPath::ReadPath(sim::EventQueue& events, const McifTiming& timing, const BusShape& bus,
                   MemoryTiming& memory, const std::array<uint32_t, kReadClients>& depths)
    : events_(events),
      timing_(timing),
      bus_(bus),
      memory_(memory),
      grant_event_([this] { grant(); }),
      horizon_(std::min<Cycle>(SkidChain::kStages, timing.read_credit_return) +
               timing.read_arbiter_input - 1) {
  for (unsigned i = 0; i < kReadClients; ++i) {
    channels_[i] = std::make_unique<ReadChannel>(*this, events, timing, bus, depths[i]);
    channels_[i]->client_ = i;
  }
  for (unsigned i = 0; i < kReadClients; ++i) {
    ordered_[i] = &channel(kArbiterOrder[i]);
    ordered_[i]->input_ = i;
  }
}

void ReadPath::set_weight(ReadClient client, uint8_t weight) {
  const auto* found = std::find(kArbiterOrder.begin(), kArbiterOrder.end(), client);
  arbiter_.set_weight(static_cast<unsigned>(found - kArbiterOrder.begin()), weight);
  if (channel(client).visible_ != kNever) wake(std::max(channel(client).visible_, events_.now()));
}

bool ReadPath::idle() const {
  return std::all_of(channels_.begin(), channels_.end(), [](const auto& c) { return c->idle(); });
}

// The cycle in which a transaction granted at `granted` passes the outstanding check; never, if
// the limit is below its own length.
Cycle ReadPath::pass(Cycle granted, uint32_t beats) {
  Cycle at = std::max(granted + timing_.read_arbiter_output, passed_1_ + 1);
  while (outstanding_ + beats > limit_) {
    if (returning_.empty()) return kNever;
    MemoryTiming::Beats& front = returning_.front();
    at = std::max(at, front.first + timing_.outstanding_return);
    --outstanding_;
    if (front.first >= front.last)
      returning_.pop();
    else
      ++front.first;
  }
  outstanding_ += beats;
  return at;
}

// What a client asks for or gives back from now on reaches the arbiter only behind the horizon, so
// the grants up to there are decided already.
void ReadPath::grant() {
  const Cycle end = events_.now() + horizon_;
  Cycle at = events_.now();
  granting_ = true;
  while (at <= end) at = grant_at(at, end);
  granting_ = false;
  if (at != kNever) events_.schedule(grant_event_, at);
  for (; told_clients_ != 0; told_clients_ &= told_clients_ - 1)
    ordered_[static_cast<unsigned>(std::countr_zero(told_clients_))]->tell_now();
}

// Decides cycle `now`, and the cycles behind it up to `end` in which one client alone is at the
// arbiter; returns the next cycle in which there is something to decide.
Cycle ReadPath::grant_at(Cycle now, Cycle end) {
  uint32_t requests = 0;
  Cycle next = kNever;
  for (uint32_t left = visible_clients_; left != 0; left &= left - 1) {
    const auto i = static_cast<unsigned>(std::countr_zero(left));
    const Cycle visible = ordered_[i]->visible_;
    if (visible <= now)
      requests |= 1u << i;
    else
      next = std::min(next, visible);
  }
  const int winner = arbiter_.grant(requests);
  if (winner < 0) return next;
  ReadChannel& client = *ordered_[static_cast<unsigned>(winner)];
  if (!grant_to(client, now)) return kNever;
  if ((requests & ~(1u << winner)) != 0) return std::max(now + 1, next_grant_);
  for (;;) {
    if (client.visible_ >= next) return next == kNever ? kNever : std::max(next, next_grant_);
    now = std::max(client.visible_, next_grant_);
    if (now > end || now >= next) return now;
    static_cast<void>(arbiter_.grant(1u << winner));
    if (!grant_to(client, now)) return kNever;
  }
}

// The client's next transaction passes the arbiter in cycle `now`. False: the limit of what is
// outstanding is shorter than a burst, and the interface hangs, as in hardware.
bool ReadPath::grant_to(ReadChannel& client, Cycle now) {
  const uint32_t beats = client.next_beats_;
  const uint64_t address = client.requests_.front().address;
  const Cycle before = passed_1_;
  const Cycle at = pass(now, beats);
  if (at == kNever) return false;
  passed_1_ = at;
  // Two transactions fit behind the arbiter: the next grant waits for the one before this to pass.
  next_grant_ = std::max(now + 1, before + 1);
  const MemoryTiming::Beats bus =
      memory_.read(at + timing_.read_command, address, beats, bus_.beat_bytes);
  if (activity_) activity_->add(client.client_, bus.first, bus.first + beats);
  returning_.push(bus);
  client.arrive(bus, timing_.read_response);
  client.granted(now);
  return true;
}

}  // namespace dlavp::mcif
