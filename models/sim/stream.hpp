// Stream: a bounded FIFO of atoms between two units on the fly (CACC to SDP, SDP to PDP), in time
// only. The producer may push while there is space, the consumer pops what has arrived; both
// directions have a latency. Where operations are timed as a whole, a flow stands for all atoms of
// one, and the consumer says beforehand how fast it takes them.
#pragma once

#include <deque>
#include <functional>

#include "models/sim/event_queue.hpp"

namespace dlavp::sim {

class Stream {
 public:
  /// `capacity` atoms (credits); an atom pushed at t can be popped at t + data_latency; the space
  /// of one popped at t is free at t + credit_latency.
  Stream(EventQueue& events, uint32_t capacity, Cycle data_latency, Cycle credit_latency)
      : events_(events),
        capacity_(capacity),
        data_latency_(data_latency),
        credit_latency_(credit_latency),
        data_event_([this] { deliver_data(); }),
        space_event_([this] { deliver_space(); }) {}

  [[nodiscard]] uint32_t space() { return capacity_ - static_cast<uint32_t>(pushed_ - freed()); }
  [[nodiscard]] uint32_t available() const { return static_cast<uint32_t>(available_ - popped_); }

  void push(uint32_t atoms) {
    DLAVP_CHECK(atoms <= space(), "push of {} atoms, space for {}", atoms, space());
    pushed_ += atoms;
    send(arriving_, atoms, events_.now() + data_latency_);
    events_.schedule(data_event_, arriving_.front().at);
  }
  void pop(uint32_t atoms) {
    DLAVP_CHECK(atoms <= available(), "pop of {} atoms, {} there", atoms, available());
    popped_ += atoms;
    send(returning_, atoms, events_.now() + credit_latency_);
    if (popped_ >= wake_at_) events_.schedule(space_event_, time_of(wake_at_));
  }
  /// When the first and the last atom of a whole operation can be popped.
  struct Flow {
    Cycle first = 0, last = 0;
  };
  /// What the operation at the consumer needs for its atoms; zeros: there is none yet.
  struct Pace {
    Cycle atom = 0;  ///< one atom
    Cycle all = 0;   ///< all of them
  };
  void push_flow(Flow flow) {
    flows_.push_back(flow);
    if (on_flow_) on_flow_();
  }
  [[nodiscard]] bool has_flow() const { return !flows_.empty(); }
  Flow pop_flow() {
    DLAVP_CHECK(!flows_.empty(), "pop of a flow at {}, none there", events_.now());
    const Flow flow = flows_.front();
    flows_.pop_front();
    return flow;
  }
  void on_flow(std::function<void()> callback) { on_flow_ = std::move(callback); }
  void set_pace(Pace pace) { pace_ = pace; }
  [[nodiscard]] Pace pace() const { return pace_; }

  void on_data(std::function<void()> callback) { on_data_ = std::move(callback); }
  void on_space(std::function<void()> callback) { on_space_ = std::move(callback); }
  /// Instead of with all space that comes back, on_space is called when that of `total` atoms, of
  /// all that were ever popped, is free, once; what comes next is to be said again then.
  void wake_at(uint64_t total) {
    wake_at_ = total;
    settle(returning_, freed_);
    if (popped_ >= total) events_.schedule(space_event_, time_of(total));
  }
  /// Atoms of which the space is free again, of all that were ever popped.
  [[nodiscard]] uint64_t freed() {
    if (wake_at_ != 0) settle(returning_, freed_);
    return freed_;
  }

 private:
  struct Parcel {
    Cycle at;
    uint32_t atoms;
  };
  static void send(std::deque<Parcel>& line, uint32_t atoms, Cycle at) {
    if (!line.empty() && line.back().at == at)
      line.back().atoms += atoms;
    else
      line.push_back({at, atoms});
  }
  void settle(std::deque<Parcel>& line, uint64_t& total) {
    for (; !line.empty() && line.front().at <= events_.now(); line.pop_front())
      total += line.front().atoms;
  }
  /// When the space of `total` atoms is free; requires that they are popped.
  [[nodiscard]] Cycle time_of(uint64_t total) const {
    uint64_t freed = freed_;
    for (const Parcel& parcel : returning_)
      if ((freed += parcel.atoms) >= total) return parcel.at;
    return events_.now();
  }
  void deliver_data() {
    settle(arriving_, available_);
    if (!arriving_.empty()) events_.schedule(data_event_, arriving_.front().at);
    if (on_data_) on_data_();
  }
  void deliver_space() {
    settle(returning_, freed_);
    if (wake_at_ == 0) {
      if (!returning_.empty()) events_.schedule(space_event_, returning_.front().at);
    } else if (freed_ < wake_at_) {  // more was asked for since
      if (popped_ >= wake_at_) events_.schedule(space_event_, time_of(wake_at_));
      return;
    } else {
      wake_at_ = kNever;
    }
    if (on_space_) on_space_();
  }

  EventQueue& events_;
  uint32_t capacity_;
  Cycle data_latency_, credit_latency_;
  uint64_t pushed_ = 0, available_ = 0, popped_ = 0, freed_ = 0;  ///< running totals
  uint64_t wake_at_ = 0;  ///< freed atoms for which on_space is called; 0: for all
  std::deque<Parcel> arriving_, returning_;
  Event data_event_, space_event_;
  std::function<void()> on_data_, on_space_, on_flow_;
  std::deque<Flow> flows_;
  Pace pace_;
};

}  // namespace dlavp::sim
