// Cycles are computed as recurrences as soon as what they depend on is known: a group moves into
// the FIFOs when it is complete and the group two before it has left them, an item leaves its FIFO
// when the register behind has room. Only requests and arrivals are events.
#include "models/sdp/read_stream.hpp"

#include <algorithm>

namespace dlavp::sdp {

ReadStream::ReadStream(sim::EventQueue& events, mcif::ReadPort& mc, mcif::ReadPort* cv,
                       uint32_t requests, sim::Cycle fifo_latency, std::function<void()> changed,
                       std::function<void()> finished)
    : events_(events),
      ports_{cv, &mc},
      max_requests_(requests),
      fifo_latency_(fifo_latency),
      changed_(std::move(changed)),
      finished_(std::move(finished)),
      issue_event_([this] { issue(); }),
      collect_event_([this] { collect(); }) {
  for (mcif::ReadPort* port : ports_)
    if (port)
      port->set_handlers(
          [this, port] {
            if (port == port_ && waiting_) issue();
          },
          [this, port] {
            if (port == port_) arrived();
          });
}

void ReadStream::start(const StreamPlan& plan, sim::Cycle at) {
  DLAVP_CHECK(!active(), "stream started with {} uses left", uses_left_);
  port_ = ports_[static_cast<unsigned>(plan.src.ram)];
  DLAVP_CHECK(port_ != nullptr, "ram type {} has no port", static_cast<int>(plan.src.ram));
  plan_ = plan;
  line_ = surface_ = 0;
  requests_left_ = uint64_t{plan.lines} * plan.surfaces;
  requests_open_ = 0;
  waiting_ = false;
  stall_cycles_ = 0;
  atoms_left_ = plan.atoms();
  line_left_ = plan.line_atoms;
  fill_ = 0;
  groups_ = moved_ = items_ = out_ = used_ = 0;
  head_uses_ = plan.uses_per_item;
  uses_left_ = atoms_left_ / plan.atoms_per_item * plan.uses_per_item;
  events_.schedule(issue_event_, at);
}

void ReadStream::issue() {
  if (requests_left_ == 0) return;
  if (waiting_) {
    stall_cycles_ += events_.now() - waiting_since_;
    waiting_ = false;
  }
  if (requests_open_ >= max_requests_) return;  // collect() comes back here
  if (!port_->can_request()) {
    waiting_ = true;
    waiting_since_ = events_.now();
    return;
  }
  port_->request(
      plan_.src.address + surface_ * plan_.src.surface_stride + line_ * plan_.src.line_stride,
      plan_.line_atoms);
  ++requests_open_;
  if (++line_ == plan_.lines) {
    line_ = 0;
    ++surface_;
  }
  if (--requests_left_ != 0) events_.schedule_in(issue_event_, 1);
}

void ReadStream::arrived() {
  const uint32_t more = port_->available() - in_port_;
  if (more == 0) return;
  in_port_ += more;
  passing_.push_back({events_.now() + fifo_latency_, more});
  if (passing_.size() == 1 && visible_ == 0) events_.schedule(collect_event_, passing_.front().at);
}

void ReadStream::collect() {
  const sim::Cycle now = events_.now();
  for (; !passing_.empty() && passing_.front().at <= now; passing_.pop_front())
    visible_ += passing_.front().atoms;
  while (atoms_left_ != 0) {
    if (fill_ == 0 && groups_ != 0) {
      // The collecting register is free in the cycle in which the last group moves on.
      if (moved_ < groups_) return;
      const sim::Cycle free = group_move_[(groups_ - 1) % kRing];
      if (free > now) {
        if (in_port_ != 0) events_.schedule(collect_event_, free);
        return;
      }
    }
    const uint32_t want = std::min(kGroup - fill_, line_left_);
    const uint32_t got = std::min(want, visible_);
    if (got == 0) break;
    port_->pop(got);
    visible_ -= got;
    in_port_ -= got;
    atoms_left_ -= got;
    line_left_ -= got;
    fill_ += got;
    if (got < want) break;
    if (line_left_ == 0) {
      line_left_ = plan_.line_atoms;
      const bool blocked = requests_open_ == max_requests_;
      --requests_open_;
      if (blocked) events_.schedule_in(issue_event_, 1);
    }
    close_group(now + got - 1);
  }
  if (!passing_.empty()) events_.schedule(collect_event_, passing_.front().at);
}

void ReadStream::close_group(sim::Cycle last_pop) {
  items_ += fill_ / plan_.atoms_per_item;
  group_full_[groups_ % kRing] = last_pop + 1;
  group_end_[groups_ % kRing] = items_;
  ++groups_;
  fill_ = 0;
  resolve();
}

// The register behind the FIFOs shows a cycle late whether its output was empty or taken, so its
// second entry only fills in the cycle right behind that. Moves `at` to the first cycle from then
// on in which the register takes an item; false: that depends on a use to come.
bool ReadStream::register_takes(sim::Cycle& at) const {
  for (uint64_t item = out_ < kOutput ? 0 : out_ - kOutput; item < out_; ++item) {
    sim::Cycle shown = out_at_[item % kRing] + 1;
    if (item > 0) shown = std::max(shown, used_at_[(item - 1) % kRing] + 1);
    if (at <= shown) return true;
    if (item >= used_) return false;
    at = std::max(at, used_at_[item % kRing] + 1);
  }
  return true;
}

void ReadStream::resolve() {
  const uint64_t known = out_;
  for (bool progress = true; progress;) {
    progress = false;
    if (moved_ < groups_) {
      // All items of the group kLane before must have left their FIFOs.
      sim::Cycle move = group_full_[moved_ % kRing];
      bool ready = true;
      if (moved_ >= kLane) {
        const uint64_t end = group_end_[(moved_ - kLane) % kRing];
        ready = out_ >= end;
        if (ready) move = std::max(move, out_at_[(end - 1) % kRing]);
      }
      if (ready) {
        group_move_[moved_ % kRing] = move;
        ++moved_;
        progress = true;
      }
    }
    const uint64_t in_fifos = moved_ == 0 ? 0 : group_end_[(moved_ - 1) % kRing];
    if (out_ < in_fifos && out_ < used_ + kOutput) {
      uint64_t group = moved_ - 1;
      while (group > 0 && group_end_[(group - 1) % kRing] > out_) --group;
      sim::Cycle at = group_move_[group % kRing] + 1;
      if (out_ > 0) at = std::max(at, out_at_[(out_ - 1) % kRing] + 1);
      if (register_takes(at)) {
        out_at_[out_ % kRing] = at;
        ++out_;
        progress = true;
      }
    }
  }
  if (out_ != known && changed_) changed_();
}

sim::Cycle ReadStream::head_ready() const {
  return used_ < out_ ? out_at_[used_ % kRing] + 1 : sim::kNever;
}

void ReadStream::use() {
  DLAVP_CHECK(used_ < out_ && uses_left_ != 0, "use of item {}, {} there", used_, out_);
  --uses_left_;
  if (--head_uses_ != 0) return;
  head_uses_ = plan_.uses_per_item;
  used_at_[used_ % kRing] = events_.now();
  ++used_;
  if (uses_left_ == 0) return finished_();
  resolve();
  if (in_port_ != 0) collect();
}

}  // namespace dlavp::sdp
