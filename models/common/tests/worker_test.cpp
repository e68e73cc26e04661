// The thread beside the simulation.
#include "models/common/worker.hpp"

#include <catch2/catch.hpp>
#include <future>

#include "models/common/cube.hpp"

using namespace dlavp;

TEST_CASE("worker: tasks run in order, in one other thread") {
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  std::promise<void> last;
  Worker worker;
  for (int i = 0; i < 100; ++i)
    worker.run([&, i] {
      order.push_back(i);
      threads.push_back(std::this_thread::get_id());
      if (i == 99) last.set_value();
    });
  last.get_future().wait();
  REQUIRE(order.size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(order[static_cast<size_t>(i)] == i);
  CHECK(threads.front() != std::this_thread::get_id());
  CHECK(threads.front() == threads.back());
}

TEST_CASE("worker: what was not begun when it ends is dropped") {
  std::promise<void> begun, go;
  int done = 0;
  {
    Worker worker;
    worker.run([&] {
      begun.set_value();
      go.get_future().wait();
      ++done;
    });
    begun.get_future().wait();
    std::thread ender([&] { go.set_value(); });
    ender.join();
  }
  CHECK(done == 1);
}

TEST_CASE("worker: a lazy cube started beside the simulation is the one computed when asked for") {
  const auto compute = [] {
    AtomCube<int8_t> cube({4, 3, 8}, 8);
    cube.at(1, 2, 3) = 42;
    return cube;
  };
  Worker worker;
  LazyCube<int8_t> early(compute), late(compute), failing([]() -> AtomCube<int8_t> {
    throw std::runtime_error("no cube");
  });
  early.start(worker);
  failing.start(worker);
  CHECK(early.get().values == late.get().values);
  CHECK_THROWS_AS(failing.get(), std::runtime_error);
}
