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
        data_event_([this] { deliver(arriving_, available_, data_event_, on_data_); }),
        space_event_([this] { deliver(returning_, freed_, space_event_, on_space_); }) {}

  [[nodiscard]] uint32_t space() const { return capacity_ - (pushed_ - freed_); }
  [[nodiscard]] uint32_t available() const { return available_ - popped_; }

  void push(uint32_t atoms) {
    DLAVP_CHECK(atoms <= space(), "push of {} atoms, space for {}", atoms, space());
    pushed_ += atoms;
    send(arriving_, atoms, data_latency_, data_event_);
  }
  void pop(uint32_t atoms) {
    DLAVP_CHECK(atoms <= available(), "pop of {} atoms, {} there", atoms, available());
    popped_ += atoms;
    send(returning_, atoms, credit_latency_, space_event_);
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

 private:
  struct Parcel {
    Cycle at;
    uint32_t atoms;
  };
  void send(std::deque<Parcel>& line, uint32_t atoms, Cycle latency, Event& event) {
    line.push_back({events_.now() + latency, atoms});
    events_.schedule(event, line.front().at);
  }
  void deliver(std::deque<Parcel>& line, uint32_t& total, Event& event,
               const std::function<void()>& callback) {
    while (!line.empty() && line.front().at <= events_.now()) {
      total += line.front().atoms;
      line.pop_front();
    }
    if (!line.empty()) events_.schedule(event, line.front().at);
    if (callback) callback();
  }

  EventQueue& events_;
  uint32_t capacity_;
  Cycle data_latency_, credit_latency_;
  uint32_t pushed_ = 0, available_ = 0, popped_ = 0, freed_ = 0;  // running totals, modulo 2^32
  std::deque<Parcel> arriving_, returning_;
  Event data_event_, space_event_;
  std::function<void()> on_data_, on_space_, on_flow_;
  std::deque<Flow> flows_;
  Pace pace_;
};

}  // namespace dlavp::sim
