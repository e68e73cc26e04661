// The unit with a memory interface and a fixed-latency memory: exact cycles of small operations
// (on the RTL a one-atom layer takes 93 cycles and twice the latency on nv_small, 91 on
// nv_small_256, 84 on nv_large, of which 6 lie between the unit's pulse and the interrupt line),
// table access, decode errors, bytes, both groups.
#include <catch2/catch.hpp>
#include <random>

#include "models/cdp/cdp.hpp"
#include "models/cdp/cdp_core.hpp"
#include "models/common/tests/bounded_memory.hpp"
#include "models/mcif/mcif.hpp"
#include "models/mcif/memory_timing.hpp"
#include "registers.hpp"

using namespace dlavp;
using namespace dlavp::cdp;
using sim::Cycle;
namespace r = regs::cdp;
namespace rd = regs::cdp_rdma;

namespace {

constexpr Cycle kPulseToLine = 6;
constexpr uint32_t kSrc = 0x1000, kDst = 0x100000;

void set(regs::RegBlock& block, const regs::Field& field, uint32_t value) {
  const uint32_t old = block.read(field.offset);
  block.write(field.offset, (old & ~field.mask()) | ((value << field.lsb) & field.mask()));
}

struct Bench final : Observer {
  Bench(const char* config, Cycle latency)
      : hw(*load_hw_config(config)),
        timing(*TimingParams::load(hw)),
        port(latency),
        mcif(hw, hw.primary_memif, timing, regs::kMcif, events, port),
        cdp({hw,
             timing,
             events,
             {&memory, &memory},
             &mcif,
             &mcif,
             [this](IntrSource source, unsigned group) {
               REQUIRE(source == IntrSource::kCdp);
               interrupts.emplace_back(events.now(), group);
             },
             this}) {}
  void operation_done(const OpRecord& record) override { records.push_back(record); }
  void program_error(const Diagnostics& found) override { errors.append(found); }

  regs::RegBlock& regs() { return *cdp.reg_blocks()[0]; }
  regs::RegBlock& rdma() { return *cdp.reg_blocks()[1]; }
  void program(uint32_t width, uint32_t height, uint32_t channels) {
    const uint32_t atom = hw.memory_atomic_size;
    set(rdma(), rd::D_DATA_CUBE_WIDTH_WIDTH, width - 1);
    set(rdma(), rd::D_DATA_CUBE_HEIGHT_HEIGHT, height - 1);
    set(rdma(), rd::D_DATA_CUBE_CHANNEL_CHANNEL, channels - 1);
    set(rdma(), rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW, kSrc);
    set(rdma(), rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE, width * atom);
    set(rdma(), rd::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE, width * height * atom);
    set(rdma(), rd::D_SRC_DMA_CFG_SRC_RAM_TYPE, 1);
    set(regs(), r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, kDst);
    set(regs(), r::D_DST_LINE_STRIDE_DST_LINE_STRIDE, width * atom);
    set(regs(), r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE, width * height * atom);
    set(regs(), r::D_DST_DMA_CFG_DST_RAM_TYPE, 1);
    set(regs(), r::D_DATA_FORMAT_INPUT_DATA_TYPE, 0);
  }
  void enable() {
    regs().write(r::D_OP_ENABLE, 1);
    rdma().write(rd::D_OP_ENABLE, 1);
  }
  std::string error() {
    enable();
    return errors.errors().size() == 1 ? errors.errors()[0].id : errors.text();
  }

  HwConfig hw;
  TimingParams timing;
  sim::EventQueue events;
  dlavp::test::BoundedMemory memory;
  mcif::FixedLatencyMemory port;
  mcif::Mcif mcif;
  Cdp cdp;
  std::vector<std::pair<Cycle, unsigned>> interrupts;
  std::vector<OpRecord> records;
  Diagnostics errors;
};

Cycle run_cycles(const char* config, Cycle latency, uint32_t width, uint32_t height,
                 uint32_t channels, bool bypass = false) {
  Bench bench(config, latency);
  bench.program(width, height, channels);
  set(bench.regs(), r::D_FUNC_BYPASS_SQSUM_BYPASS, bypass);
  bench.enable();
  bench.events.run_until(1000000);
  INFO(bench.errors.text());
  REQUIRE(bench.interrupts.size() == 1);
  REQUIRE(bench.cdp.idle());
  return bench.interrupts[0].first + kPulseToLine;
}

}  // namespace

TEST_CASE("cdp unit: a one-atom layer takes its fixed latency and twice the memory's") {
  for (Cycle latency : {Cycle{32}, Cycle{128}}) {
    REQUIRE(run_cycles("nv_small", latency, 1, 1, 1) == 93 + 2 * latency);
    REQUIRE(run_cycles("nv_small_256", latency, 1, 1, 1) == 91 + 2 * latency);
    // One cycle more than the RTL, whose larger layers agree to the cycle.
    REQUIRE(run_cycles("nv_large", latency, 1, 1, 1) == 84 + 2 * latency + 1);
  }
}

TEST_CASE("cdp unit: an atom takes the memory atom over the throughput") {
  // The last block of eight waits for four more channel steps and writes its atoms every second
  // cycle.
  REQUIRE(run_cycles("nv_small_256", 32, 8, 8, 32) == 91 + 64 + 255 * 8 + 7 * 4 + 7 * 2);
}

TEST_CASE("cdp unit: a narrower block behind a wider one waits for its results") {
  const Cycle plain = run_cycles("nv_small", 32, 8, 4, 8),
              uneven = run_cycles("nv_small", 32, 9, 4, 8);
  // Nine columns are eight and one: each line's second block takes an atom's cycles, and for four
  // channel steps seven more; at the end it waits until the eight atoms before it are written.
  REQUIRE(uneven - plain == 4 * (8 + 4 * 7) - 7 * 4 - 7 * 2 + 8);
}

TEST_CASE("cdp unit: bypassing the sum leaves out the neighbour buffer") {
  REQUIRE(run_cycles("nv_small", 32, 8, 8, 32) - run_cycles("nv_small", 32, 8, 8, 32, true) ==
          4 * 8 + 10);
}

TEST_CASE("cdp unit: table access moves on and stays at the last entry") {
  Bench bench("nv_small", 32);
  regs::RegBlock& regs = bench.regs();
  for (uint32_t table : {0u, 1u}) {
    const uint32_t entries = table == 0 ? 65 : 257;
    regs.write(r::S_LUT_ACCESS_CFG, table << 16 | 1u << 17);
    for (uint32_t i = 0; i < entries; ++i) regs.write(r::S_LUT_ACCESS_DATA, 0x8000 + i + table);
    REQUIRE((regs.read(r::S_LUT_ACCESS_CFG) & 0x3ff) == entries - 1);
    regs.write(r::S_LUT_ACCESS_CFG, table << 16);
    for (uint32_t i = 0; i < entries; ++i)
      REQUIRE(regs.read(r::S_LUT_ACCESS_DATA) == 0x8000 + i + table);
    REQUIRE(regs.read(r::S_LUT_ACCESS_DATA) == 0x8000 + entries - 1 + table);
    regs.write(r::S_LUT_ACCESS_DATA, 7);  // in read direction a write does nothing
    REQUIRE(regs.read(r::S_LUT_ACCESS_DATA) == 0x8000 + entries - 1 + table);
  }
}

TEST_CASE("cdp unit: names each illegal combination") {
  Bench bench("nv_small", 32);
  bench.program(8, 8, 8);
  SECTION("secondary memory") {
    set(bench.regs(), r::D_DST_DMA_CFG_DST_RAM_TYPE, 0);
    REQUIRE(bench.error() == "cdp.no_secondary_memory");
  }
  SECTION("alignment") {
    set(bench.rdma(), rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE, 12);
    REQUIRE(bench.error() == "cdp.alignment");
  }
  SECTION("size") {
    bench.program(8192, 8192, 8192);
    REQUIRE(bench.error() == "cdp.unsupported_size");
  }
  bench.events.run_until(10000);
  REQUIRE(bench.interrupts.empty());
}

TEST_CASE("cdp unit: nv_full runs int8 only") {
  Bench bench("nv_full", 32);
  bench.program(8, 8, 8);
  set(bench.regs(), r::D_DATA_FORMAT_INPUT_DATA_TYPE, 1);
  REQUIRE(bench.error() == "cdp.unsupported_precision");
}

TEST_CASE("cdp unit: writes what the core computes and stores the counters by group") {
  Bench bench("nv_small", 32);
  std::vector<uint8_t> data(5 * 3 * 24);
  std::mt19937 random(4);
  for (uint8_t& b : data) b = static_cast<uint8_t>(random());
  REQUIRE(bench.memory.write(kSrc, data));
  bench.regs().write(r::S_LUT_ACCESS_CFG, 1u << 16 | 1u << 17);
  for (uint32_t i = 0; i < 257; ++i) bench.regs().write(r::S_LUT_ACCESS_DATA, 300 - i);
  set(bench.regs(), r::S_LUT_INFO_LUT_LO_INDEX_SELECT, 8);
  for (uint32_t group : {0u, 1u}) {
    bench.regs().write(r::S_POINTER, group);
    bench.rdma().write(rd::S_POINTER, group);
    bench.program(5, 3, 19);
    set(bench.regs(), r::D_LRN_CFG_NORMALZ_LEN, group);
    set(bench.regs(), r::D_DATOUT_SHIFTER_DATOUT_SHIFTER, 8);
    set(bench.regs(), r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, kDst + group * 0x10000);
    bench.enable();
  }
  bench.events.run_until(100000);
  REQUIRE(bench.interrupts.size() == 2);
  REQUIRE(bench.interrupts[1].second == 1);
  REQUIRE(bench.records.size() == 2);
  REQUIRE(bench.records[1].read_beats == 5 * 3 * 3);
  REQUIRE(bench.records[1].write_beats == 5 * 3 * 3);
  LutTables tables;
  for (size_t i = 0; i < kLoEntries; ++i)
    tables.lo[i] = static_cast<int16_t>(300 - static_cast<int>(i));
  for (unsigned group : {0u, 1u}) {
    const CdpOp op = *decode(bench.regs().view(group), bench.rdma().view(group), tables, bench.hw);
    REQUIRE(op.window == 3 + 2 * group);
    AtomCube<int8_t> in;
    REQUIRE(load_input(op, 8, bench.memory, in));
    LutCounts counts;
    const AtomCube<int8_t> expected = normalise(op, in, counts);
    std::vector<uint8_t> got(expected.values.size());
    REQUIRE(bench.memory.read(kDst + group * 0x10000, got));
    REQUIRE(std::equal(got.begin(), got.end(),
                       reinterpret_cast<const uint8_t*>(expected.values.data())));
    bench.regs().write(r::S_POINTER, group);
    REQUIRE(bench.regs().read(r::D_PERF_LUT_LO_HIT) == counts.lo_only);
    REQUIRE(bench.regs().read(r::D_PERF_LUT_HYBRID) == counts.hybrid);
    REQUIRE(bench.regs().read(r::D_PERF_LUT_UFLOW) == counts.both_under);
    REQUIRE(bench.regs().read(r::D_OUT_SATURATION) == 0);
  }
}

TEST_CASE("cdp unit: an input outside of memory is refused with its address") {
  Bench bench("nv_small", 32);
  bench.memory.end = kSrc;
  bench.program(2, 2, 8);
  REQUIRE(bench.error() == "cdp.memory");
  REQUIRE(bench.errors.text().find("input at 0x1000") != std::string::npos);
  bench.events.run_until(1000);
  REQUIRE(bench.interrupts.empty());
}
