// Cycles are computed as recurrences as soon as what they depend on is known. All registers are of
// one kind: two entries, and a ready that shows a cycle late whether the output was empty or taken.
// The second entry therefore only fills in the cycle right behind the first one; else the register
// is as good as one entry with a pause. Only requests and arrivals are events.
#include "models/sdp/read_stream.hpp"

#include <algorithm>

namespace dlavp::sdp {

namespace {

// `cycles` may be negative; no result is before cycle 0.
sim::Cycle later(sim::Cycle at, int64_t cycles) {
  return cycles < 0 && at < static_cast<sim::Cycle>(-cycles) ? 0
                                                             : at + static_cast<sim::Cycle>(cycles);
}

}  // namespace

ReadStream::ReadStream(sim::EventQueue& events, mcif::ReadPort& mc, mcif::ReadPort* cv,
                       uint32_t requests, sim::Cycle fifo_latency, std::function<void()> changed,
                       std::function<void(sim::Cycle)> finished)
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
  groups_ = moved_ = items_ = in_lanes_ = used_ = 0;
  lane_last_ = {};
  half_count_ = std::max(1u, plan.halves);
  for (Half& half : halves_) {
    half = Half{};
    half.left = plan.uses_per_item;
  }
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
  if (resolve() && changed_) changed_();
}

// The first cycle from `at` on in which the lane behind `item` takes another one; false: that
// depends on what is not known yet.
bool ReadStream::accepts(uint64_t item, sim::Cycle& at) const {
  for (unsigned h = 0; h < half_count_; ++h) {
    const sim::Cycle seen = halves_[h].seen_at[item % kRing];
    if (seen == sim::kNever) return false;
    if (at <= seen) {
      at = seen;
      continue;
    }
    const sim::Cycle pop = halves_[h].pop_at[item % kRing];
    if (pop == sim::kNever) return false;
    at = std::max(at, pop + 1);
  }
  return true;
}

// A group moves when all of its lanes take an item.
bool ReadStream::move_group() {
  if (moved_ == groups_) return false;
  const auto lanes = static_cast<unsigned>(group_end_[moved_ % kRing] - in_lanes_);
  sim::Cycle move = group_full_[moved_ % kRing];
  for (sim::Cycle before = sim::kNever; before != move;) {
    before = move;
    for (unsigned lane = 0; lane < lanes; ++lane)
      if (lane_last_[lane] != 0 && !accepts(lane_last_[lane] - 1, move)) return false;
  }
  group_move_[moved_ % kRing] = move;
  ++moved_;
  for (unsigned lane = 0; lane < lanes; ++lane, ++in_lanes_) {
    moved_at_[in_lanes_ % kRing] = move;
    before_[in_lanes_ % kRing] = lane_last_[lane];
    lane_last_[lane] = in_lanes_ + 1;
    for (Half& half : halves_) {
      half.seen_at[in_lanes_ % kRing] = half.pop_at[in_lanes_ % kRing] = sim::kNever;
      show(half, in_lanes_);
    }
  }
  return true;
}

// An item is at its lane's output a cycle after it came, or after the one in front of it left.
void ReadStream::show(Half& half, uint64_t item) {
  const uint64_t before = before_[item % kRing];
  sim::Cycle seen = moved_at_[item % kRing] + 1;
  if (before != 0) {
    const sim::Cycle pop = half.pop_at[(before - 1) % kRing];
    if (pop == sim::kNever) return;
    seen = std::max(seen, pop + 1);
  }
  half.seen_at[item % kRing] = seen;
}

// The next use leaves its lane (for good with the item's last use) for the last register.
bool ReadStream::pass(Half& half) {
  if (half.item == in_lanes_) return false;
  const uint64_t use = half.out;
  sim::Cycle at = half.seen_at[half.item % kRing];
  if (use > 0) {
    if (half.valid < use) return false;
    at = std::max(at, half.out_at + 1);
    const sim::Cycle valid = half.valid_at[(use - 1) % kRing];
    if (at > valid && half.taken < use) return false;
    at = at <= valid ? valid : std::max(at, half.taken_at[(use - 1) % kRing] + 1);
  }
  half.out_at = at;
  ++half.out;
  if (--half.left != 0) return true;
  half.left = plan_.uses_per_item;
  half.pop_at[half.item % kRing] = at;
  for (const uint64_t last : lane_last_)
    if (last != 0 && before_[(last - 1) % kRing] == half.item + 1) show(half, last - 1);
  ++half.item;
  return true;
}

// A use is at the last register's output a cycle after it came or after the one in front of it
// left, and in front of the stage when the one before it has gone, all pieces of it.
bool ReadStream::take(Half& half) {
  bool progress = false;
  if (half.valid < half.out && half.taken == half.valid) {
    sim::Cycle at = half.out_at + 1;
    if (half.valid > 0) at = std::max(at, half.taken_at[(half.valid - 1) % kRing] + 1);
    half.valid_at[half.valid++ % kRing] = at;
    progress = true;
  }
  if (half.taken < half.valid && half.taken + (plan_.halves == 0) <= used_) {
    sim::Cycle at = half.valid_at[half.taken % kRing];
    if (plan_.halves == 0)
      at = used_at_;
    else if (half.taken > 0)
      at = std::max(at, later(used_at_ + pieces_, half.slack));
    half.taken_at[half.taken++ % kRing] = at;
    progress = true;
  }
  return progress;
}

uint64_t ReadStream::known() const {
  if (plan_.halves == 0) return halves_[0].valid;
  return std::min(halves_[0].taken, halves_[half_count_ - 1].taken);
}

// Works out what can be; true if more of known() came.
bool ReadStream::resolve() {
  const uint64_t before = known();
  for (bool progress = true; progress;) {
    progress = move_group();
    for (unsigned h = 0; h < half_count_; ++h) {
      progress |= pass(halves_[h]);
      progress |= take(halves_[h]);
    }
  }
  return known() != before;
}

// In the middle of an item that many atoms use, all registers hold it and each use moves them on by
// one: what resolve() would find, at once.
bool ReadStream::step() {
  if (plan_.halves == 0 || plan_.uses_per_item == 1) return false;
  for (unsigned h = 0; h < half_count_; ++h) {
    const Half& half = halves_[h];
    const bool steady = half.taken == used_ && half.valid == used_ + 1 && half.out == used_ + 2;
    if (!steady || half.left < 2 || half.seen_at[half.item % kRing] > half.out_at) return false;
  }
  for (unsigned h = 0; h < half_count_; ++h) {
    Half& half = halves_[h];
    const sim::Cycle taken = later(used_at_ + pieces_, half.slack);
    half.taken_at[half.taken++ % kRing] = taken;
    half.valid_at[half.valid++ % kRing] = taken + 1;
    half.out_at = taken + 1;
    ++half.out;
    --half.left;
  }
  return true;
}

void ReadStream::set_use(const std::array<int64_t, 2>& slack, sim::Cycle pieces) {
  for (unsigned h = 0; h < halves_.size(); ++h) halves_[h].slack = slack[h];
  pieces_ = pieces;
}

sim::Cycle ReadStream::head_ready() const {
  sim::Cycle ready = 0;
  for (unsigned h = 0; h < half_count_; ++h) {
    const Half& half = halves_[h];
    if (plan_.halves == 0) return half.valid > used_ ? half.valid_at[used_ % kRing] : sim::kNever;
    if (half.taken <= used_) return sim::kNever;
    ready = std::max(ready, later(half.taken_at[used_ % kRing], -half.slack));
  }
  return ready;
}

void ReadStream::use(sim::Cycle at) {
  DLAVP_CHECK(head_ready() <= at && uses_left_ != 0, "use {} at {}, ready at {}", used_, at,
              head_ready());
  --uses_left_;
  ++used_;
  used_at_ = at;
  if (uses_left_ == 0) {
    sim::Cycle end = plan_.halves == 0 ? at : events_.now();
    for (unsigned h = 0; h < plan_.halves; ++h)
      end = std::max(end, halves_[h].taken_at[(used_ - 1) % kRing]);
    return finished_(end);
  }
  if (step()) return;
  resolve();
  if (in_port_ != 0) collect();
}

}  // namespace dlavp::sdp
