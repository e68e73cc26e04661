// Whole transfers through a memory interface: their cycles against the path's stages, what bounds
// their rate, and that one that is untimed only counts.
#include <catch2/catch.hpp>

#include "models/mcif/latency_fifo.hpp"
#include "models/mcif/mcif.hpp"
#include "models/mcif/memory_timing.hpp"
#include "registers.hpp"

using namespace dlavp;
using namespace dlavp::mcif;

namespace {

struct Bench {
  explicit Bench(sim::Cycle latency, RunMode mode = {TimingMode::kFast, true})
      : memory(latency), mcif(hw, hw.primary_memif, timing, regs::kMcif, events, memory, mode) {}
  HwConfig hw = *load_hw_config("nv_small");
  TimingParams timing = *TimingParams::load(hw);
  sim::EventQueue events;
  FixedLatencyMemory memory;
  Mcif mcif;
};

// Three request registers, arbiter in and out, command; then five registers back.
constexpr sim::Cycle kThere = 6, kBack = 5;

}  // namespace

TEST_CASE("whole transfer: a read comes after its path and the latency, a beat a cycle") {
  Bench b(20);
  ReadPort& port = b.mcif.read_port(ReadClient::kCdmaDat);
  const Transfer one = port.read_whole(100, 0x1000, 1, 0);
  CHECK(one.first == 100 + kThere + 20 + kBack);
  CHECK(one.last == one.first);
  const Transfer many = port.read_whole(200, 0x1000, 50, 0);
  CHECK(many.first == 200 + kThere + 20 + kBack);
  CHECK(many.last == many.first + 49);
  CHECK(port.beats() == 51);
  CHECK_FALSE(b.mcif.idle());
  b.events.run_until(many.last);
  CHECK(b.mcif.idle());
  CHECK(port.read_whole(1000, 0, 0, 0).last == 1000);
}

TEST_CASE("whole transfer: of two the second one begins in its turn and ends behind the first") {
  Bench b(20);
  const Transfer data = b.mcif.read_port(ReadClient::kCdmaDat).read_whole(0, 0x1000, 30, 0);
  const Transfer weights = b.mcif.read_port(ReadClient::kCdmaWt).read_whole(0, 0x8000, 10, 0);
  CHECK(weights.first == data.first);
  CHECK(weights.last == data.last + 10);
}

TEST_CASE("whole transfer: a latency FIFO's depth arrives in each round trip") {
  constexpr sim::Cycle kHold = 4;
  Bench b(90);
  ReadPort& port = b.mcif.read_port(ReadClient::kSdp);
  const uint32_t depth = latency_fifo_depth(b.hw, ReadClient::kSdp);
  REQUIRE(depth > 0);
  CHECK(port.depth() == depth);
  const Transfer read = port.read_whole(0, 0x1000, 10 * depth, kHold);
  // From the splitter, behind three of the stages, and back to it.
  const auto round_trip = kThere - 3 + 90 + kBack + kHold +
                          static_cast<sim::Cycle>(b.timing.get("mcif.read_credit_return"));
  CHECK(read.last == read.first + 9 * round_trip + depth - 1);
  CHECK(port.least_cycles(10 * depth, kHold) == read.last - read.first);
  CHECK(port.least_cycles(depth, kHold) == depth - 1);
}

// The same requests played: the closed form is the cycle in which the last beat comes.
TEST_CASE("whole transfer: a client that takes beats at once gets the last as if played") {
  for (const sim::Cycle latency : {3, 20, 90, 400}) {
    CAPTURE(latency);
    Bench whole(latency), played(latency);
    ReadPort& port = played.mcif.read_port(ReadClient::kPdp);
    constexpr uint32_t kLines = 13, kLineAtoms = 5;
    uint32_t asked = 0, taken = 0;
    sim::Cycle last = 0;
    const auto ask = [&] {
      for (; asked < kLines && port.can_request(); ++asked) port.request(asked * 0x400, kLineAtoms);
    };
    port.set_handlers(ask, [&] {
      taken += port.available();
      port.pop(port.available());
      last = played.events.now();
    });
    ask();
    while (played.events.run_next()) {
    }
    REQUIRE(taken == kLines * kLineAtoms);
    const Transfer read =
        whole.mcif.read_port(ReadClient::kPdp).read_whole(0, 0, kLines * kLineAtoms, 0);
    CHECK(read.last == last);
  }
}

TEST_CASE("whole transfer: a write is acknowledged behind its last result") {
  Bench b(20);
  WritePort& port = b.mcif.write_port(WriteClient::kSdp);
  std::vector<sim::Cycle> acks;
  port.set_handlers(nullptr, nullptr, [&] { acks.push_back(b.events.now()); });
  // Seven stages there, four back.
  CHECK(port.write_whole(100, 300, 0x1000, 16) == 300 + 7 + 20 + 4);
  // Acknowledges stay in order.
  CHECK(port.write_whole(110, 120, 0x2000, 1) == 331);
  b.events.run_until(1000);
  CHECK(acks == std::vector<sim::Cycle>{331, 331});
  CHECK(port.beats() == 17);
  CHECK(b.mcif.idle());
}

TEST_CASE("whole transfer: without timing beats are counted and no time passes") {
  Bench b(20, {TimingMode::kNone, true});
  const Transfer read = b.mcif.read_port(ReadClient::kPdp).read_whole(50, 0x1000, 100, 0);
  CHECK(read.first == 50);
  CHECK(read.last == 50);
  CHECK(b.mcif.read_beats() == 100);
  CHECK(b.mcif.write_port(WriteClient::kPdp).write_whole(50, 60, 0x1000, 5) == 64);
  CHECK(b.memory.read_beats() + b.memory.write_beats() == 0);
}
