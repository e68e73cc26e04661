#include "models/sim/event_queue.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <random>

using namespace dlavp::sim;

TEST_CASE("event queue: runs events in cycle order, then in scheduling order") {
  EventQueue queue;
  std::vector<int> seen;
  Event a([&] { seen.push_back(1); }), b([&] { seen.push_back(2); }), c([&] { seen.push_back(3); });
  queue.schedule(a, 5000);
  queue.schedule(b, 7);
  queue.schedule(c, 7);
  REQUIRE(queue.next() == 7);
  queue.run_until(6);
  REQUIRE(seen.empty());
  queue.run_until(4999);
  REQUIRE(seen == std::vector<int>{2, 3});
  queue.run_until(5000);
  REQUIRE(seen == std::vector<int>{2, 3, 1});
  REQUIRE(queue.next() == kNever);
}

TEST_CASE("event queue: the earlier time wins, and a cancelled event never runs") {
  EventQueue queue;
  int runs = 0;
  Event event([&] { ++runs; });
  queue.schedule(event, 4000);
  queue.schedule(event, 10);
  queue.schedule(event, 20);
  REQUIRE(event.when() == 10);
  queue.run_until(5000);
  REQUIRE(runs == 1);
  queue.schedule(event, 9000);
  queue.cancel(event);
  queue.run_until(10000);
  REQUIRE(runs == 1);
}

TEST_CASE("event queue: random schedules agree with a sorted list") {
  std::mt19937 random(7);
  EventQueue queue;
  struct Item {
    Cycle at;
    std::unique_ptr<Event> event;
  };
  std::vector<Item> items(500);
  std::vector<Cycle> seen, expected;
  for (Item& item : items) {
    item.event = std::make_unique<Event>([&] { seen.push_back(queue.now()); });
    item.at = random() % 5000;
    queue.schedule(*item.event, item.at);
    expected.push_back(item.at);
  }
  std::sort(expected.begin(), expected.end());
  while (queue.run_next()) {
  }
  REQUIRE(seen == expected);
}

TEST_CASE("event queue: events around the wheel and beyond it, scheduled while others run") {
  std::mt19937 random(11);
  EventQueue queue;
  std::vector<std::unique_ptr<Event>> events;
  std::vector<Cycle> due(40, kNever);
  uint64_t runs = 0, late = 0;
  for (size_t i = 0; i < due.size(); ++i)
    events.push_back(std::make_unique<Event>([&, i] {
      ++runs;
      if (due[i] != queue.now()) ++late;
      due[i] = kNever;
      if (runs > 20000) return;
      // Another one is put off or brought forward; this one comes back within or beyond the wheel.
      const size_t other = random() % due.size();
      if (random() % 4 == 0) {
        queue.cancel(*events[other]);
        due[other] = kNever;
      }
      for (const size_t next : {i, other}) {
        const Cycle at = queue.now() + 1 + random() % (random() % 2 == 0 ? 70 : 2100);
        queue.schedule(*events[next], at);
        due[next] = std::min(due[next], at);
      }
    }));
  queue.schedule(*events[0], due[0] = 3);
  while (queue.run_next()) {
  }
  REQUIRE(runs > 20000);
  REQUIRE(late == 0);
  REQUIRE(std::all_of(due.begin(), due.end(), [](Cycle at) { return at == kNever; }));
}
