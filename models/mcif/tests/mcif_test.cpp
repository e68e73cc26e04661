// Small scenarios with exact cycles, and totals against closed-form bounds. Expected cycles are
// sums of register stages: 6 from a request to the AXI address, 5 from the AXI data to the client.
#include "models/mcif/mcif.hpp"

#include <catch2/catch.hpp>
#include <memory>

#include "models/mcif/latency_fifo.hpp"
#include "models/mcif/memory_timing.hpp"
#include "registers.hpp"

using namespace dlavp;
using namespace dlavp::mcif;
using sim::Cycle;

namespace {

struct Bench {
  explicit Bench(const char* config, Cycle latency) : memory(latency) {
    const Result<HwConfig> loaded = load_hw_config(config);
    REQUIRE(loaded.ok());
    hw = *loaded;
    const Result<TimingParams> timing = TimingParams::load(hw);
    REQUIRE(timing.ok());
    unit = std::make_unique<Mcif>(hw, hw.primary_memif, *timing, regs::kMcif, events, memory);
  }
  HwConfig hw;
  sim::EventQueue events;
  FixedLatencyMemory memory;
  std::unique_ptr<Mcif> unit;
};

/// Streams `atoms` from one client, a line of `line` atoms a request, popping at once.
struct Reader {
  Reader(Bench& b, ReadClient client, uint32_t atoms, uint32_t line_atoms, uint64_t start = 0)
      : bench(b), port(b.unit->read_port(client)), left(atoms), line(line_atoms), address(start) {
    port.set_handlers([this] { ask(); },
                      [this] {
                        const uint32_t n = port.available();
                        port.pop(n);
                        got += n;
                        last = bench.events.now();
                      });
  }
  void ask() {
    while (left > 0 && port.can_request()) {
      const uint32_t n = std::min(left, line);
      port.request(address, n);
      address += uint64_t{n} * bench.hw.memory_atomic_size;
      left -= n;
    }
  }
  Bench& bench;
  ReadPort& port;
  uint32_t left, line, got = 0;
  uint64_t address;
  Cycle last = 0;
};

/// Writes `atoms` as one request as fast as the interface takes them.
struct Writer {
  Writer(Bench& b, WriteClient client, uint32_t atoms, uint64_t address = 0)
      : bench(b), port(b.unit->write_port(client)), left(atoms) {
    port.set_handlers([] {}, [this] { push(); }, [this] { acked = bench.events.now(); });
    port.request(address, atoms, true);
    push();
  }
  void push() {
    while (left > 0) {
      const uint32_t n = port.data_space();
      if (n == 0) return;
      port.data(n);
      left -= n;
    }
  }
  Bench& bench;
  WritePort& port;
  uint32_t left;
  Cycle acked = 0;
};

}  // namespace

TEST_CASE("mcif: a whole burst of wide beats always fits, its credits are beats") {
  // Beats of four atoms, bursts of four beats, latency FIFOs of four entries.
  const std::string own = DLAVP_SOURCE_DIR "/tests/reference/registers/configs/c32_k8.yaml";
  REQUIRE(latency_fifo_depth(*load_hw_config(own), ReadClient::kCdp) == 4);
  Bench whole(own.c_str(), 40), odd(own.c_str(), 40);
  Reader aligned(whole, ReadClient::kCdp, 64, 16), pieces(odd, ReadClient::kCdp, 60, 5, 8);
  aligned.ask();
  pieces.ask();
  whole.events.run_until(2000);
  odd.events.run_until(2000);
  REQUIRE(aligned.got == 64);
  REQUIRE(pieces.got == 60);
  REQUIRE(whole.unit->idle());
  REQUIRE(odd.unit->idle());
  Writer written(whole, WriteClient::kSdp, 64), parts(odd, WriteClient::kSdp, 37, 8);
  whole.events.run_until(4000);
  odd.events.run_until(4000);
  REQUIRE(written.acked != 0);
  REQUIRE(parts.acked != 0);
  // One burst at a time: each waits for the credits of the one before.
  REQUIRE(aligned.last > 4 * 40);
}

// The same stream twice beside another client's: beats as they come, and told ahead.
TEST_CASE("mcif: beats told ahead come in the cycles in which they would arrive") {
  for (const char* config : {"nv_small", "nv_medium_1024_full", "nv_large"}) {
    CAPTURE(config);
    std::vector<std::pair<Cycle, uint32_t>> came, told;
    for (const bool ahead : {false, true}) {
      Bench b(config, 40);
      Reader other(b, ReadClient::kSdp, 90, 7, 0x100000);
      ReadPort& port = b.unit->read_port(ReadClient::kCdmaDat);
      uint32_t lines = 20;
      uint64_t address = 0;
      const auto ask = [&] {
        while (lines > 0 && port.can_request()) {
          port.request(address, 3 + lines % 4);
          address += 0x200 + 8 * b.hw.memory_atomic_size;
          --lines;
        }
      };
      uint32_t seen = 0;
      port.set_handlers(ask, [&] {
        if (port.available() > seen) came.emplace_back(b.events.now(), port.available() - seen);
        seen = port.available();
      });
      if (ahead)
        port.set_beat_handler([&](const BeatRun& run) {
          REQUIRE(run.at >= b.events.now());
          for (uint32_t i = 0; i < run.beats; ++i) told.emplace_back(run.at + i, run.atoms);
        });
      other.ask();
      ask();
      while (b.events.run_next()) {
      }
      REQUIRE(lines == 0);
    }
    REQUIRE(came.size() > 30);
    REQUIRE(came == told);
  }
}

TEST_CASE("mcif: a read comes back after six stages, the memory's latency and five stages") {
  Bench bench("nv_small", 20);
  ReadPort& port = bench.unit->read_port(ReadClient::kPdp);
  bench.events.run_until(10);
  REQUIRE(port.can_request());
  port.request(0x1000, 1);
  bench.events.run_until(10 + 6 + 20 + 5 - 1);
  REQUIRE(port.available() == 0);
  bench.events.run_until(10 + 6 + 20 + 5);
  REQUIRE(port.available() == 1);
  REQUIRE(bench.memory.read_beats() == 1);
}

TEST_CASE("mcif: one request is taken a cycle") {
  Bench bench("nv_small", 20);
  ReadPort& port = bench.unit->read_port(ReadClient::kSdp);
  port.request(0, 1);
  REQUIRE_FALSE(port.can_request());
  bench.events.run_until(1);
  REQUIRE(port.can_request());
}

TEST_CASE("mcif: without credits a stream runs at one beat a cycle") {
  Bench bench("nv_small", 20);
  Reader reader(bench, ReadClient::kCdmaDat, 64, 64);
  reader.ask();
  bench.events.run_until(200);
  REQUIRE(reader.got == 64);
  REQUIRE(reader.last == 6 + 20 + 5 + 63);
}

TEST_CASE("mcif: credits bound a stream to depth beats a round trip") {
  // The credit of an atom popped on arrival serves a request that is at the splitter three cycles
  // later: the loop is three stages to the bus, the latency, five stages back and three.
  const Cycle latency = 100, loop = 3 + latency + 5 + 3;
  Bench bench("nv_small", latency);
  Reader reader(bench, ReadClient::kPdp, 80, 80);
  reader.ask();
  bench.events.run_until(5000);
  REQUIRE(reader.got == 80);
  REQUIRE(reader.last == 6 + latency + 5 + 9 * loop + 7);
}

TEST_CASE("mcif: bursts split at burst boundaries") {
  Bench bench("nv_medium_512", 10);  // four beats of 16 bytes
  Reader reader(bench, ReadClient::kSdp, 9, 9, 16);
  reader.ask();
  bench.events.run_until(500);
  REQUIRE(reader.got == 9);
  // 3 + 4 + 2 beats on a bus of one beat a cycle: nothing is lost between the bursts.
  REQUIRE(reader.last == 6 + 10 + 5 + 8);
  REQUIRE(bench.unit->read_beats(ReadClient::kSdp) == 9);
}

TEST_CASE("mcif: the outstanding limit caps a stream at limit over latency") {
  Bench bench("nv_large", 600);
  Reader reader(bench, ReadClient::kCdmaDat, 2048, 2048);
  reader.ask();
  bench.events.run_until(100000);
  REQUIRE(reader.got == 2048);
  // 256 beats outstanding from the check in front of the bus until two cycles after the data.
  const Cycle loop = 1 + 600 + 2;
  REQUIRE(reader.last == 6 + 600 + 5 + 7 * loop + 255);
}

TEST_CASE("mcif: the outstanding register lowers the limit") {
  Bench bench("nv_large", 50);
  REQUIRE(bench.unit->reg_blocks()[0]->write(regs::mcif::CFG_OUTSTANDING_CNT, 0xff00));
  Reader reader(bench, ReadClient::kCdmaDat, 3, 3);
  reader.ask();
  bench.events.run_until(1000);
  REQUIRE(reader.got == 3);
  REQUIRE(reader.last == 6 + 50 + 5 + 2 * (1 + 50 + 2));
}

TEST_CASE("mcif: equal weights share the bus equally, weights share it in proportion") {
  Bench bench("nv_large", 10);
  const uint32_t weight_of_data = GENERATE(1u, 3u);
  bench.unit->reg_blocks()[0]->write(regs::mcif::CFG_RD_WEIGHT_1,
                                     0x00010101 | weight_of_data << 24);
  Reader data(bench, ReadClient::kCdmaDat, 4000, 4000),
      weights(bench, ReadClient::kCdmaWt, 4000, 4000);
  data.ask();
  weights.ask();
  bench.events.run_until(6 + 10 + 5 + 999);
  REQUIRE(data.got + weights.got == 1000);
  REQUIRE(data.got == 1000 * weight_of_data / (weight_of_data + 1));
}

TEST_CASE("mcif: a client of weight zero waits until it gets one") {
  Bench bench("nv_small", 10);
  regs::RegBlock& registers = *bench.unit->reg_blocks()[0];
  registers.write(regs::mcif::CFG_RD_WEIGHT_0, 0x01000101);
  Reader reader(bench, ReadClient::kPdp, 1, 1);
  reader.ask();
  bench.events.run_until(1000);
  REQUIRE(reader.got == 0);
  registers.write(regs::mcif::CFG_RD_WEIGHT_0, 0x01010101);
  bench.events.run_until(1100);
  REQUIRE(reader.got == 1);
}

TEST_CASE(
    "mcif: a write of one atom is acknowledged eight stages, the latency and four stages later") {
  Bench bench("nv_small", 20);
  Writer writer(bench, WriteClient::kPdp, 1);
  bench.events.run_until(8 + 20 + 4 - 1);
  REQUIRE(writer.acked == 0);
  REQUIRE_FALSE(bench.unit->idle());
  bench.events.run_until(8 + 20 + 4);
  REQUIRE(writer.acked == 8 + 20 + 4);
  REQUIRE(bench.memory.write_beats() == 1);
  REQUIRE(bench.unit->idle());
}

TEST_CASE("mcif: one client's single-beat writes take two cycles each") {
  Bench bench("nv_large", 20);
  Writer writer(bench, WriteClient::kSdp, 100);
  bench.events.run_until(1000);
  REQUIRE(writer.left == 0);
  REQUIRE(writer.acked == 8 + 2 * 99 + 20 + 4);
}

TEST_CASE("mcif: write bursts alternate command and data, four beats in eight cycles") {
  Bench bench("nv_medium_1024_full", 20);
  Writer writer(bench, WriteClient::kSdp, 40);
  bench.events.run_until(1000);
  REQUIRE(writer.left == 0);
  REQUIRE(bench.unit->write_beats(WriteClient::kSdp) == 40);
  // First burst: its command is at the splitter in cycle 4, its data in 5 to 8; on the bus in 11
  // to 14.
  REQUIRE(writer.acked == 14 + 9 * 8 + 20 + 4);
}

TEST_CASE("mcif: two clients' writes interleave at one beat a cycle") {
  Bench bench("nv_large", 20);
  Writer sdp(bench, WriteClient::kSdp, 100), pdp(bench, WriteClient::kPdp, 100, 0x100000);
  bench.events.run_until(1000);
  REQUIRE(std::max(sdp.acked, pdp.acked) == 8 + 199 + 20 + 4);
}

TEST_CASE("mcif: the idle status follows traffic") {
  Bench bench("nv_small", 20);
  regs::RegBlock& registers = *bench.unit->reg_blocks()[0];
  REQUIRE(registers.read(regs::mcif::STATUS) == 0x100);
  Reader reader(bench, ReadClient::kCdp, 1, 1);
  reader.ask();
  REQUIRE(registers.read(regs::mcif::STATUS) == 0);
  bench.events.run_until(100);
  REQUIRE(registers.read(regs::mcif::STATUS) == 0x100);
}

TEST_CASE("mcif: costs at most three events a beat") {
  Bench bench("nv_small", 32);
  Reader reader(bench, ReadClient::kCdmaDat, 10000, 10000);
  reader.ask();
  bench.events.run_until(20000);
  REQUIRE(reader.got == 10000);
  REQUIRE(bench.events.executed() <= 3 * 10000);
}
