#include "models/mcif/line_dma.hpp"

#include <algorithm>

namespace dlavp::mcif {

using sim::Cycle;
using sim::kNever;

namespace {

/// Where an operation's lines begin, and their data beats.
struct Whole {
  uint64_t address = 0, beats = 0;
};

template <typename Port>
Whole whole(LineSource source, const Port& port) {
  Whole out;
  for (Line line; source(line);) {
    if (out.beats == 0) out.address = line.address;
    out.beats += port.beats_of(line.address, line.atoms);
  }
  return out;
}

}  // namespace

LineReader::LineReader(sim::EventQueue& events, const Config& config)
    : events_(events),
      config_(config),
      issue_event_([this] { issue(); }),
      move_event_([this] { move(); }) {}

void LineReader::connect(unsigned which, ReadPort& port) {
  ports_[which] = &port;
  port.set_handlers([this] { issue(); }, [this] { arrived(); });
}

void LineReader::start(unsigned which, Cycle at, LineSource source) {
  DLAVP_CHECK(!active_ && ports_[which] != nullptr, "read DMA {} busy or not connected", which);
  port_ = ports_[which];
  source_ = std::move(source);
  has_line_ = source_(line_);
  active_ = has_line_;
  stall_cycles_ = 0;
  beats_before_ = port_->beats();
  start_ = at;
  blocked_since_ = kNever;
  events_.schedule(issue_event_, std::max(at, events_.now()));
}

Transfer LineReader::read_whole(unsigned which, Cycle at, const LineSource& source) {
  DLAVP_CHECK(ports_[which] != nullptr, "read DMA {} not connected", which);
  port_ = ports_[which];
  stall_cycles_ = 0;
  beats_before_ = port_->beats();
  const auto [address, beats] = whole(source, *port_);
  const Transfer transfer = port_->read_whole(at, address, beats, config_.fifo_latency);
  return {transfer.first + config_.fifo_latency, transfer.last + config_.fifo_latency};
}

void LineReader::issue() {
  const Cycle now = events_.now();
  if (!has_line_ || now < start_) return;
  if (in_flight_.size() >= config_.max_lines) return;  // take() wakes
  if (!port_->can_request()) {                         // on_ready wakes
    if (blocked_since_ == kNever) blocked_since_ = now;
    return;
  }
  if (blocked_since_ != kNever) stall_cycles_ += now - blocked_since_;
  blocked_since_ = kNever;
  port_->request(line_.address, line_.atoms);
  in_flight_.push(line_.atoms);
  has_line_ = source_(line_);
  start_ = now + 1;
  if (has_line_) events_.schedule(issue_event_, now + 1);
}

void LineReader::arrived() {
  while (known_ < port_->available()) {
    arrivals_.push(events_.now() + config_.fifo_latency);
    ++known_;
  }
  events_.schedule(move_event_, std::max(arrivals_.front(), events_.now()));
}

// Moves atoms from the latency FIFO to the core's FIFO, one a cycle.
void LineReader::move() {
  const Cycle now = events_.now();
  while (!freed_.empty() && freed_.front() <= now) freed_.pop();
  if (arrivals_.empty()) return;
  if (moved_ == now || arrivals_.front() > now) {
    events_.schedule(move_event_, std::max(arrivals_.front(), now + 1));
    return;
  }
  if (ready_.size() + freed_.size() >= config_.fifo_atoms) {
    if (!freed_.empty()) events_.schedule(move_event_, freed_.front());
    return;  // else take() wakes
  }
  moved_ = now;
  arrivals_.pop();
  --known_;
  port_->pop(1);
  ready_.push(now + 1);
  if (!arrivals_.empty()) events_.schedule(move_event_, std::max(arrivals_.front(), now + 1));
  if (on_atom_) on_atom_();
}

void LineReader::take(Cycle free_at) {
  DLAVP_CHECK(!ready_.empty(), "no atom to take at {}", events_.now());
  ready_.pop();
  freed_.push(free_at);
  if (!arrivals_.empty()) events_.schedule(move_event_, std::max(freed_.front(), events_.now()));
  if (--in_flight_.front() == 0) {
    in_flight_.pop();
    if (has_line_) events_.schedule(issue_event_, std::max(start_, events_.now()));
  }
  active_ = has_line_ || !in_flight_.empty();
}

LineWriter::LineWriter(sim::EventQueue& events, Command command)
    : events_(events), command_(command), run_event_([this] { run(); }) {}

void LineWriter::connect(unsigned which, WritePort& port) {
  ports_[which] = &port;
  port.set_handlers([this] { run(); }, [this] { run(); },
                    [this] {
                      if (on_ack_) on_ack_();
                    });
}

void LineWriter::set_handlers(std::function<void()> on_space, std::function<void()> on_done,
                              std::function<void()> on_ack) {
  on_space_ = std::move(on_space);
  on_done_ = std::move(on_done);
  on_ack_ = std::move(on_ack);
}

void LineWriter::start(unsigned which, Cycle at, LineSource source) {
  DLAVP_CHECK(!active_ && ports_[which] != nullptr, "write DMA {} busy or not connected", which);
  port_ = ports_[which];
  source_ = std::move(source);
  has_line_ = source_(line_);
  active_ = true;
  announced_ = false;
  stall_cycles_ = 0;
  beats_before_ = port_->beats();
  next_word_ = at;
  blocked_since_ = kNever;
  events_.schedule(run_event_, std::max(at, events_.now()));
}

void LineWriter::write_whole(unsigned which, Cycle from, Cycle until, const LineSource& source) {
  DLAVP_CHECK(ports_[which] != nullptr, "write DMA {} not connected", which);
  port_ = ports_[which];
  stall_cycles_ = 0;
  beats_before_ = port_->beats();
  const auto [address, beats] = whole(source, *port_);
  static_cast<void>(port_->write_whole(from, until, address, beats));
}

void LineWriter::push(Cycle ready) {
  results_.push(ready);
  if ((announced_ || command_ == Command::kWithResult) && results_.size() == 1)
    events_.schedule(run_event_, std::max({ready, next_word_, events_.now()}));
}

// Hands over at most one word a cycle: a line's command, then its data.
void LineWriter::run() {
  const Cycle now = events_.now();
  if (!active_) return;
  if (now < next_word_) {
    events_.schedule(run_event_, next_word_);
    return;
  }
  const auto blocked = [&] {
    if (blocked_since_ == kNever) blocked_since_ = now;
  };
  if (!announced_) {
    if (!has_line_) return;
    if (command_ == Command::kWithResult) {
      if (results_.empty()) return;  // push() wakes
      if (results_.front() > now) {
        events_.schedule(run_event_, results_.front());
        return;
      }
    }
    if (!port_->can_request()) return blocked();
    port_->request(line_.address, line_.atoms, line_.last);
    announced_ = true;
    left_ = line_.atoms;
  } else {
    if (results_.empty()) return;
    if (results_.front() > now) {
      events_.schedule(run_event_, results_.front());
      return;
    }
    if (port_->data_space() == 0) return blocked();
    port_->data(1);
    results_.pop();
    if (--left_ == 0) announced_ = false;
  }
  if (blocked_since_ != kNever) stall_cycles_ += now - blocked_since_;
  blocked_since_ = kNever;
  next_word_ = now + 1;
  const bool finished = !announced_ && left_ == 0 && line_.last;
  if (!announced_ && !finished) has_line_ = source_(line_);
  if (finished) active_ = false;
  if (active_ && (!announced_ || !results_.empty())) events_.schedule(run_event_, next_word_);
  if (on_space_) on_space_();
  if (finished && on_done_) on_done_();
}

}  // namespace dlavp::mcif
