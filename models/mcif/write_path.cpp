#include "models/mcif/write_path.hpp"

#include <algorithm>
#include <bit>

namespace dlavp::mcif {

using sim::Cycle;
using sim::kNever;

namespace {

// The arbiter's inputs in the hardware's order.
constexpr std::array<WriteClient, kWriteClients> kArbiterOrder = {
    WriteClient::kSdp, WriteClient::kPdp, WriteClient::kCdp, WriteClient::kRubik,
    WriteClient::kBdma};

}  // namespace

WriteChannel::WriteChannel(WritePath& path, sim::EventQueue& events, const McifTiming& timing,
                           const BusShape& bus)
    : path_(path),
      events_(events),
      timing_(timing),
      bus_(bus),
      slots_(std::max(timing.write_word_slots, 1 + bus.burst_atoms())),
      space_event_([this] {
        if (refused_request_ && can_request() && on_ready_) on_ready_();
        if (refused_data_ && data_space() > 0 && on_space_) on_space_();
      }),
      ack_event_([this] {
        acks_.pop();
        if (!acks_.empty()) events_.schedule(ack_event_, acks_.front());
        if (on_ack_) on_ack_();
      }),
      idle_event_([this] {
        // Later responses moved the end on while this was pending.
        responding_ = events_.now() < responding_until_;
        if (responding_) events_.schedule(idle_event_, responding_until_);
      }) {}

void WriteChannel::set_handlers(std::function<void()> on_ready, std::function<void()> on_space,
                                std::function<void()> on_ack) {
  on_ready_ = std::move(on_ready);
  on_space_ = std::move(on_space);
  on_ack_ = std::move(on_ack);
}

// Words that the registers between client and splitter can still take.
uint32_t WriteChannel::free_words() const {
  const Cycle now = events_.now();
  while (!released_.empty() && released_.front().first <= now) {
    releasing_ -= released_.front().count;
    released_.pop();
  }
  const uint32_t used = words_waiting_ + releasing_;
  return used >= slots_ ? 0 : slots_ - used;
}

void WriteChannel::release(Cycle at, uint32_t words) {
  words_waiting_ -= words;
  releasing_ += words;
  released_.push({at + timing_.write_slot_release, words});
  if (refused_request_ || refused_data_)
    events_.schedule(space_event_, std::max(released_.front().first, events_.now()));
}

bool WriteChannel::can_request() const {
  const bool ready = announced_ == 0 && next_word_ <= events_.now() && free_words() > 0;
  refused_request_ = !ready;
  if (!ready && announced_ == 0) {
    if (next_word_ > events_.now())
      events_.schedule(space_event_, next_word_);
    else if (!released_.empty())
      events_.schedule(space_event_, released_.front().first);
  }
  return ready;
}

void WriteChannel::request(uint64_t address, uint32_t atoms, bool ack) {
  DLAVP_CHECK(can_request(), "write request of {} atoms at {:#x} while not ready", atoms, address);
  DLAVP_CHECK(atoms > 0 && address % bus_.atom_bytes == 0, "write request of {} atoms at {:#x}",
              atoms, address);
  const Cycle word = events_.now();
  next_word_ = word + 1;
  announced_ = atoms;
  ++words_waiting_;
  beats_ += bus_.beats(address, atoms);
  commands_.push({address, atoms, ack, word + timing_.write_request});
  if (commands_.size() == 1) release(command_taken(), 1);
}

// The splitter's command register is apart from its data FIFO: the oldest command makes room in the
// registers in front of both when the one before it is done. One ready less is registered there.
Cycle WriteChannel::command_taken() const {
  return commands_.empty() ? kNever : std::max(commands_.front().at_splitter - 1, last_data_) - 1;
}

uint32_t WriteChannel::data_space() const {
  const uint32_t space = std::min(announced_, free_words());
  refused_data_ = space == 0;
  if (space == 0 && announced_ != 0 && !released_.empty())
    events_.schedule(space_event_, released_.front().first);
  return space;
}

void WriteChannel::data(uint32_t atoms) {
  DLAVP_CHECK(atoms > 0 && atoms <= data_space(), "write data of {} atoms, space for {}", atoms,
              data_space());
  const Cycle word = std::max(next_word_, events_.now());
  next_word_ = word + atoms;
  announced_ -= atoms;
  words_waiting_ += atoms;
  words_.push({word + timing_.write_request, atoms});
  if (announced_ == 0 && refused_request_) events_.schedule(space_event_, next_word_);
  prepare();
}

// Brings the next transaction through the splitter once all of its words have been handed over.
void WriteChannel::prepare() {
  if (visible_ != kNever || commands_.empty()) return;
  const Command& head = commands_.front();
  next_atoms_ = bus_.first_atoms(head.address, head.atoms);
  uint32_t there = 0;
  for (size_t i = 0; i < words_.size() && there < next_atoms_; ++i) there += words_.at(i).count;
  if (there < next_atoms_) return;
  next_beats_ = bus_.beats(head.address, next_atoms_);
  Cycle taken = std::max({head.at_splitter, last_data_ + 1, popped_});
  for (uint32_t left = next_atoms_; left > 0;) {
    Words& run = words_.front();
    const uint32_t n = std::min(left, run.count);
    taken = std::max(taken + 1, run.first) + n - 1;
    run.first += n;
    run.count -= n;
    if (run.count == 0) words_.pop();
    left -= n;
  }
  last_data_ = taken;
  visible_ = taken + timing_.write_arbiter_input;
  path_.visible_clients_ |= 1u << input_;
  path_.wake(visible_);
}

void WriteChannel::granted(Cycle passed) {
  visible_ = kNever;
  path_.visible_clients_ &= ~(1u << input_);
  // The command leaves its register with the last beat, one cycle before that passes on.
  popped_ = passed + next_beats_ - 1 - timing_.write_arbiter_output;
  Command& head = commands_.front();
  head.address += uint64_t{next_atoms_} * bus_.atom_bytes;
  head.atoms -= next_atoms_;
  if (head.atoms == 0) {
    commands_.pop();
    const Cycle command = command_taken();
    if (command < last_data_) release(command, 1);
    release(last_data_, next_atoms_);
    if (command >= last_data_ && command != kNever) release(command, 1);
  } else {
    release(last_data_, next_atoms_);
  }
  prepare();
}

void WriteChannel::respond(Cycle response, bool ack) {
  responding_ = true;
  responding_until_ = response;
  events_.schedule(idle_event_, response);
  if (!ack) return;
  acks_.push(response + timing_.write_response);
  events_.schedule(ack_event_, acks_.front());
}

WritePath::WritePath(sim::EventQueue& events, const McifTiming& timing, const BusShape& bus,
                     MemoryTiming& memory)
    : events_(events), timing_(timing), bus_(bus), memory_(memory), grant_event_([this] {
        grant();
      }) {
  for (unsigned i = 0; i < kWriteClients; ++i) {
    channels_[i] = std::make_unique<WriteChannel>(*this, events, timing, bus);
    channels_[i]->client_ = i;
  }
  for (unsigned i = 0; i < kWriteClients; ++i) {
    ordered_[i] = &channel(kArbiterOrder[i]);
    ordered_[i]->input_ = i;
  }
}

void WritePath::set_weight(WriteClient client, uint8_t weight) {
  const auto* found = std::find(kArbiterOrder.begin(), kArbiterOrder.end(), client);
  arbiter_.set_weight(static_cast<unsigned>(found - kArbiterOrder.begin()), weight);
  if (channel(client).visible_ != kNever) wake(std::max(channel(client).visible_, events_.now()));
}

bool WritePath::idle() const {
  return std::all_of(channels_.begin(), channels_.end(), [](const auto& c) { return c->idle(); });
}

Cycle WritePath::pass(Cycle granted, uint32_t beats) {
  Cycle at = granted + timing_.write_arbiter_output;
  while (outstanding_ + beats > limit_) {
    if (responses_.empty()) return kNever;
    at = std::max(at, responses_.front().at + timing_.outstanding_return);
    outstanding_ -= responses_.front().beats;
    responses_.pop();
  }
  outstanding_ += beats;
  return at;
}

void WritePath::grant() {
  const Cycle now = events_.now();
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
  if (winner < 0) {
    if (next != kNever) wake(next);
    return;
  }
  WriteChannel& client = *ordered_[static_cast<unsigned>(winner)];
  const uint32_t beats = client.next_beats_;
  const WriteChannel::Command& head = client.commands_.front();
  const bool ack = head.ack && client.next_atoms_ == head.atoms;
  const uint64_t address = head.address;
  const Cycle at = pass(now, beats);
  if (at == kNever)
    return;  // the limit is shorter than a burst: the interface hangs, as in hardware
  next_grant_ = at + beats - 1;
  client.granted(at);
  const Cycle last = at + timing_.write_command + beats - 1;
  const Cycle response = memory_.write(last, address, beats, bus_.beat_bytes);
  if (activity_)
    activity_->add(static_cast<size_t>(kArbiterOrder[static_cast<unsigned>(winner)]),
                   at + timing_.write_command, last + 1);
  responses_.push({response, beats});
  client.respond(response, ack);
  if (client.visible_ != kNever) next = std::min(next, client.visible_);
  if ((requests & ~(1u << winner)) != 0) next = now + 1;
  if (next != kNever) wake(std::max(next, now + 1));
}

}  // namespace dlavp::mcif
