// DRAM, bandwidth-limited memory and the core's cache: exact cycles of small scenarios, and long
// streams against what the data sheet allows.
#include "vp/memory/dram_timing.hpp"

#include <catch2/catch.hpp>

#include "models/common/tests/temp_file.hpp"
#include "models/mcif/memory_timing.hpp"
#include "vp/memory/bandwidth_memory.hpp"
#include "vp/memory/core_cache.hpp"

using namespace dlavp;
using namespace dlavp::vp;

namespace {

constexpr double kGigahertz = 1e9;
constexpr uint32_t kBurst = 64;

/// A DRAM whose clock is the port's, with figures that are easy to add up.
DramConfig simple() {
  DramConfig d;
  d.name = "simple";
  d.clock_hz = kGigahertz;
  d.banks = 8;
  d.row_bytes = 1024;
  d.read = 10;
  d.write = 8;
  d.column_same_group = d.column_other_group = 4;
  d.rcd = d.rp = 10;
  d.ras = 25;
  d.rrd_same_group = d.rrd_other_group = 5;
  d.faw = 30;
  d.wr = 12;
  d.wtr_same_group = d.wtr_other_group = 6;
  d.rtp = 6;
  d.rfc = 100;
  d.refi = 10000;
  d.request_ns = d.response_ns = 1;
  d.read_buffers = 1;
  d.write_queue = 1;
  return d;
}

/// Address of a row of a bank.
uint64_t row(uint64_t number, uint64_t bank = 0) { return (number * 8 + bank) * 1024; }

sim::Cycle first(DramTiming& dram, sim::Cycle at, uint64_t address) {
  return dram.read(at, address, 1, kBurst).first;
}

}  // namespace

TEST_CASE("dram: a closed row, an open row, another row") {
  DramTiming dram(simple(), kGigahertz);
  // To the queue 1, activate 10, read 10, four clocks of data, back 1.
  CHECK(first(dram, 0, row(0)) == 1 + 10 + 10 + 4 + 1);
  CHECK(first(dram, 100, row(0) + kBurst) == 100 + 1 + 10 + 4 + 1);
  CHECK(first(dram, 200, row(1)) == 200 + 1 + 10 + 10 + 10 + 4 + 1);
  CHECK(dram.statistics().empty == 1);
  CHECK(dram.statistics().hits == 1);
  CHECK(dram.statistics().conflicts == 1);
}

TEST_CASE("dram: a row may be closed ras after it was opened, and not a cycle earlier") {
  // Opened at 1: closed from 26 on, whoever arrives before waits for that.
  for (const auto& [at, expected] :
       std::vector<std::pair<sim::Cycle, sim::Cycle>>{{2, 61}, {24, 61}, {25, 61}, {26, 62}}) {
    DramTiming dram(simple(), kGigahertz);
    static_cast<void>(first(dram, 0, row(0)));
    INFO("arrives at " << at);
    CHECK(first(dram, at, row(1)) == expected);
  }
}

TEST_CASE("dram: activations keep their distance, and only four fit a window") {
  DramTiming dram(simple(), kGigahertz);
  // Activated at 1, 6, 11, 16 and, a window of 30 after the first, 31.
  const sim::Cycle expected[] = {26, 31, 36, 41, 56};
  for (unsigned bank = 0; bank < 5; ++bank) CHECK(first(dram, 0, row(0, bank)) == expected[bank]);
  DramConfig narrow = simple();
  narrow.faw = 20;
  DramTiming free(narrow, kGigahertz);
  for (unsigned bank = 0; bank < 4; ++bank) static_cast<void>(first(free, 0, row(0, bank)));
  CHECK(first(free, 0, row(0, 4)) == 46);
}

TEST_CASE("dram: the bus turns from writing to reading after wtr, and not a cycle earlier") {
  for (const auto& [at, expected] :
       std::vector<std::pair<sim::Cycle, sim::Cycle>>{{24, 44}, {27, 44}, {28, 44}, {29, 45}}) {
    DramTiming dram(simple(), kGigahertz);
    CHECK(dram.write(0, row(0), 1, kBurst) == 2);  // collected
    // The second finds the queue full: the first goes, its data end at 1 + 10 + 8 + 4 = 23.
    CHECK(dram.write(0, row(0, 1), 1, kBurst) == 24);
    CHECK(first(dram, at, row(0) + 2 * kBurst) == expected);
    CHECK(dram.statistics().turnarounds == 1);
  }
}

TEST_CASE("dram: collected writes merge, answer reads, and go while the bus idles") {
  DramConfig config = simple();
  config.write_queue = 4;
  DramTiming dram(config, kGigahertz);
  for (sim::Cycle at = 0; at < 8; ++at) CHECK(dram.write(at, at * 8, 1, 8) == at + 2);
  CHECK(dram.statistics().merged == 7);
  CHECK(dram.statistics().writes == 0);
  CHECK(dram.read(10, 0, 1, 8).first == 12);
  CHECK(dram.statistics().buffered == 1);
  static_cast<void>(first(dram, 1000, row(3)));
  CHECK(dram.statistics().writes == 1);
}

TEST_CASE("dram: a burst that was read is kept") {
  DramTiming dram(simple(), kGigahertz);
  CHECK(dram.read(0, 0, 1, 8).first == 26);
  CHECK(dram.read(50, 8, 1, 8).first == 52);
  CHECK(dram.statistics().reads == 1);
  CHECK(dram.write(60, 0, 1, 8) == 62);  // no longer what memory holds
  CHECK(dram.read(70, 8, 1, 8).first == 72);
}

TEST_CASE("dram: a command that would cross a refresh waits for it") {
  DramTiming before(simple(), kGigahertz);
  CHECK(first(before, 9970, row(0)) == 9970 + 26);
  CHECK(before.statistics().refreshes == 0);
  DramTiming crossing(simple(), kGigahertz);
  // Its column command would be at 10001; refresh takes 100 from 10000 on.
  CHECK(first(crossing, 9990, row(0)) == 10000 + 100 + 10 + 10 + 4 + 1);
  CHECK(crossing.statistics().refreshes == 1);
}

TEST_CASE("dram: a stream runs at the pins' bandwidth, row misses alone at the row cycle") {
  constexpr uint64_t kBursts = 1000;
  DramTiming stream(simple(), kGigahertz);
  sim::Cycle last = 0;
  for (uint64_t i = 0; i < kBursts; ++i) last = stream.read(i, i * kBurst, 1, kBurst).last;
  CHECK(last == 26 + (kBursts - 1) * 4);
  DramTiming misses(simple(), kGigahertz);
  for (uint64_t i = 0; i < 100; ++i) last = misses.read(0, row(i), 1, kBurst).last;
  CHECK(last == 26 + 99 * (25 + 10));
}

TEST_CASE("dram: the shipped parts stream near their peak, and never above it") {
  for (const char* name : {"ddr3_1600", "ddr4_2400", "ddr4_3200", "lpddr4_3200"}) {
    const auto part = load_dram_config(name);
    REQUIRE(part.ok());
    CHECK(part->name == name);
    constexpr uint64_t kBytes = 4 << 20;
    DramTiming dram(*part, kGigahertz);
    sim::Cycle last = 0;
    for (uint64_t at = 0; at < kBytes; at += kBurst) {
      // As many in flight as hide the latency, no more: requests follow the data.
      const sim::Cycle asked = last > 200 ? last - 200 : 0;
      last = dram.read(asked, at, 1, kBurst).last;
    }
    const double bandwidth = kBytes / (static_cast<double>(last + 1) / kGigahertz);
    const double refresh = 1 - (part->rfc + part->rp + part->rcd) / part->refi;
    INFO(name << " " << bandwidth / part->peak_bandwidth());
    CHECK(bandwidth <= part->peak_bandwidth() * (1 - part->rfc / part->refi) * 1.001);
    CHECK(bandwidth >= part->peak_bandwidth() * refresh * 0.98);
  }
}

TEST_CASE("dram: each broken rule of a part is refused with its place") {
  const test::TempDir dir;
  std::ifstream shipped(std::filesystem::path(DLAVP_SOURCE_DIR) /
                        "configs/platform/memory/ddr3_1600.yaml");
  const std::string good{std::istreambuf_iterator<char>(shipped), {}};
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"power_of_two", "banks: 8,", "banks: 6,"},
      {"range", "read: 11", "read: 0"},
      {"range", "rcd: 13.75", "rcd: -1"},
      {"refresh", "refi: 7800", "refi: 200"},
      {"organisation", "bank_groups: 1", "bank_groups: 16"},
      {"missing", "burst_length: 8", ""},
      {"unknown_key", "rtp: 7.5", "rtp: 7.5, colour: 1"}};
  for (const auto& [id, from, to] : cases) {
    std::string text = good;
    const size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, std::string(from).size(), to);
    const auto part = load_dram_config(dir.write("part.yaml", text).string());
    INFO(id);
    REQUIRE_FALSE(part.ok());
    CHECK(part.errors().has(std::string("memory.") + id));
  }
  CHECK(load_dram_config("sdram_66").errors().has("memory.name"));
}

TEST_CASE("bandwidth: as wide as the port it is the fixed memory, narrower it is shared") {
  BandwidthMemory wide(32, 8);
  mcif::FixedLatencyMemory fixed(32);
  for (const sim::Cycle at : {0, 1, 2, 50, 51, 200}) {
    const auto a = wide.read(at, 0, 4, 8), b = fixed.read(at, 0, 4, 8);
    CHECK(a.first == b.first);
    CHECK(a.last == b.last);
  }
  CHECK(wide.write(1000, 0, 1, 8) == 1032);
  BandwidthMemory half(32, 4);
  const auto r = half.read(0, 0, 4, 8);
  CHECK(r.first == 33);  // two cycles a beat
  CHECK(r.last == 39);
  CHECK(half.write(36, 0, 1, 8) == 41 + 32);  // behind the read's data, which end with 39
  BandwidthMemory third(10, 8.0 / 3);
  sim::Cycle last = 0;
  for (unsigned i = 0; i < 300; ++i) last = third.read(0, 0, 1, 8).last;
  CHECK(last >= 10 + 900 - 2);
  CHECK(last <= 10 + 900);
}

TEST_CASE("core cache: misses fill lines, dirty ones are written back, the oldest goes") {
  CoreCache cache({.traffic = CoreTraffic::kCached, .bytes = 256, .line_bytes = 64, .ways = 2});
  CHECK(cache.access(0, false).fill == 0);
  CHECK(cache.access(63, true).hit);
  CHECK(cache.access(128, false).fill == 128);  // the other way of set 0
  CHECK(cache.access(8, false).hit);
  const auto third = cache.access(256, false);  // puts out 128, which is older and clean
  CHECK(third.fill == 256);
  CHECK_FALSE(third.write_back);
  CHECK(cache.access(384, false).write_back == 0);
  CHECK(cache.hits() == 2);
  CHECK(cache.misses() == 4);
}
