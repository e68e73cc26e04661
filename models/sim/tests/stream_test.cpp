// Streams: when atoms and their space come, with every return told and with one asked for.
#include <catch2/catch.hpp>
#include <vector>

#include "models/sim/stream.hpp"

using namespace dlavp::sim;

namespace {

struct Bench {
  EventQueue events;
  Stream stream{events, 8, 3, 5};
  std::vector<Cycle> arrived, freed;
  Bench() {
    stream.on_data([this] { arrived.push_back(events.now()); });
    stream.on_space([this] { freed.push_back(events.now()); });
  }
  /// Pops one atom in each of `cycles`.
  void pop_at(const std::vector<Cycle>& cycles) {
    for (const Cycle cycle : cycles) {
      events.run_until(cycle);
      stream.pop(1);
    }
    events.run_until(1000);
  }
};

}  // namespace

TEST_CASE("stream: atoms come after the data's latency, their space after the credit's") {
  Bench b;
  b.stream.push(6);
  CHECK(b.stream.space() == 2);
  b.events.run_until(2);
  CHECK(b.stream.available() == 0);
  b.events.run_until(3);
  CHECK(b.stream.available() == 6);
  CHECK(b.arrived == std::vector<Cycle>{3});
  b.pop_at({10, 12, 12});
  CHECK(b.freed == std::vector<Cycle>{15, 17});
  CHECK(b.stream.space() == 5);
  CHECK(b.stream.freed() == 3);
}

TEST_CASE("stream: the producer is woken once, by the space that it asked for") {
  Bench b;
  b.stream.push(6);
  b.stream.wake_at(3);
  b.events.run_until(3);
  b.pop_at({10, 12, 12, 20});
  CHECK(b.freed == std::vector<Cycle>{17});
  CHECK(b.stream.space() == 6);
  // What has been popped but not come back when it is asked for.
  b.stream.pop(1);
  b.stream.wake_at(5);
  b.events.run_until(2000);
  CHECK(b.freed == std::vector<Cycle>{17, 1005});
  // What is free already is told at once.
  b.stream.wake_at(2);
  b.events.run_until(2001);
  CHECK(b.freed == std::vector<Cycle>{17, 1005, 2000});
}

TEST_CASE("stream: space counts from its cycle on though nobody was woken") {
  Bench b;
  b.stream.push(8);
  b.stream.wake_at(100);
  b.events.run_until(3);
  b.stream.pop(4);
  b.events.run_until(7);
  CHECK(b.stream.space() == 0);
  b.events.run_until(8);
  CHECK(b.stream.space() == 4);
  CHECK(b.freed.empty());
}

TEST_CASE("stream: asking for more than before puts the waking off") {
  Bench b;
  b.stream.push(8);
  b.stream.wake_at(1);
  b.events.run_until(3);
  b.stream.pop(1);
  b.events.run_until(5);
  b.stream.pop(1);
  b.stream.wake_at(2);
  b.events.run_until(100);
  CHECK(b.freed == std::vector<Cycle>{10});
}
