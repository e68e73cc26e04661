// The unit with a memory interface and a fixed-latency memory: exact cycles of small operations
// (on the RTL a one-atom layer takes 72 cycles and twice the latency on nv_small, 66 on nv_large,
// of which 6 lie between the unit's pulse and the interrupt line), bytes, and both groups.
#include <catch2/catch.hpp>
#include <memory>
#include <random>

#include "models/common/tests/bounded_memory.hpp"
#include "models/mcif/mcif.hpp"
#include "models/mcif/memory_timing.hpp"
#include "models/pdp/pdp.hpp"
#include "models/pdp/pdp_core.hpp"
#include "models/pdp/tests/pdp_setup.hpp"

using namespace dlavp;
using namespace dlavp::pdp;
using namespace dlavp::pdp::test;
using sim::Cycle;

namespace {

constexpr Cycle kPulseToLine = 6;

struct Bench final : Observer {
  Bench(const char* config, Cycle latency)
      : hw(*load_hw_config(config)),
        timing(*TimingParams::load(hw)),
        port(latency),
        mcif(hw, hw.primary_memif, timing, regs::kMcif, events, port),
        link(events, 4, 1, 1),
        pdp({hw,
             timing,
             events,
             {&memory, &memory},
             &mcif,
             &mcif,
             [this](IntrSource source, unsigned group) {
               REQUIRE(source == IntrSource::kPdp);
               interrupts.emplace_back(events.now(), group);
             },
             this},
            link) {}
  void operation_done(const OpRecord& record) override { records.push_back(record); }
  void program_error(const Diagnostics& found) override { errors.append(found); }

  regs::RegBlock& regs() { return *pdp.reg_blocks()[0]; }
  regs::RegBlock& rdma() { return *pdp.reg_blocks()[1]; }
  void enable() {
    regs().write(regs::pdp::D_OP_ENABLE, 1);
    rdma().write(regs::pdp_rdma::D_OP_ENABLE, 1);
  }
  void fill(uint64_t address, size_t bytes) {
    std::mt19937 random(3);
    std::vector<uint8_t> data(bytes);
    for (uint8_t& b : data) b = static_cast<uint8_t>(random());
    REQUIRE(memory.write(address, data));
  }

  HwConfig hw;
  TimingParams timing;
  sim::EventQueue events;
  dlavp::test::BoundedMemory memory;
  mcif::FixedLatencyMemory port;
  mcif::Mcif mcif;
  Link<int8_t> link;
  Pdp pdp;
  std::vector<std::pair<Cycle, unsigned>> interrupts;
  std::vector<OpRecord> records;
  Diagnostics errors;
};

Cycle run_cycles(const char* config, Cycle latency, const Shape& shape) {
  Bench bench(config, latency);
  program(bench.regs(), bench.rdma(), shape, bench.hw.memory_atomic_size);
  bench.enable();
  bench.events.run_until(1000000);
  INFO(bench.errors.text());
  REQUIRE(bench.interrupts.size() == 1);
  REQUIRE(bench.pdp.idle());
  return bench.interrupts[0].first + kPulseToLine;
}

}  // namespace

TEST_CASE("pdp unit: a one-atom layer takes its fixed latency and twice the memory's") {
  const Shape one{.width = 1, .height = 1, .channels = 1};
  for (Cycle latency : {Cycle{32}, Cycle{128}}) {
    REQUIRE(run_cycles("nv_small", latency, one) == 72 + 2 * latency);
    REQUIRE(run_cycles("nv_large", latency, one) == 66 + 2 * latency);
  }
}

TEST_CASE("pdp unit: an atom takes the memory atom over the throughput") {
  const Shape shape{.width = 8, .height = 8, .channels = 32};
  REQUIRE(run_cycles("nv_large", 32, shape) == 66 + 64 + 63 * 4);
  REQUIRE(run_cycles("nv_small", 32, shape) == 72 + 64 + 255 * 8);
}

TEST_CASE("pdp unit: a long latency leaves the credits a round trip each") {
  const Shape shape{.width = 8, .height = 8, .channels = 32};
  // 31 further rounds of eight atoms, then the last eight at the unit's rate; the cycle in which
  // the response side takes up its first line is long over.
  REQUIRE(run_cycles("nv_small", 128, shape) == 71 + 256 + 31 * (128 + 15) + 7 * 8);
}

TEST_CASE("pdp unit: lines of one result pause the line buffer") {
  const Shape shape{.width = 1,
                    .height = 3,
                    .channels = 8,
                    .kernel_width = 8,
                    .kernel_height = 8,
                    .left = 3,
                    .right = 4,
                    .top = 2,
                    .bottom = 3};
  REQUIRE(run_cycles("nv_small", 32, shape) == 72 + 64 + 2 * (8 + 3));
}

TEST_CASE("pdp unit: an operation is done only when lines that no window uses are read") {
  const Shape shape{.width = 12,
                    .height = 16,
                    .channels = 8,
                    .kernel_width = 6,
                    .kernel_height = 3,
                    .stride_x = 3,
                    .stride_y = 8};
  REQUIRE(run_cycles("nv_small", 32, shape) == 1609);  // the RTL's
  REQUIRE(run_cycles("nv_small", 128, shape) == 3521);
}

TEST_CASE("pdp unit: windows that end in the padding are flushed behind the cube") {
  const Shape shape{.width = 8,
                    .height = 8,
                    .channels = 8,
                    .kernel_width = 2,
                    .kernel_height = 2,
                    .right = 1,
                    .bottom = 1};
  REQUIRE(run_cycles("nv_small", 32, shape) == 72 + 64 + (63 + 1 + 8) * 8);
}

TEST_CASE("pdp unit: writes what the core computes when it raises its interrupt, not before") {
  Bench bench("nv_small", 32);
  const Shape shape{.width = 9,
                    .height = 7,
                    .channels = 19,
                    .kernel_width = 3,
                    .kernel_height = 3,
                    .stride_x = 2,
                    .stride_y = 2,
                    .left = 1,
                    .right = 1,
                    .top = 1,
                    .bottom = 1,
                    .method = 0};
  bench.fill(shape.src, 9 * 7 * 24);
  program(bench.regs(), bench.rdma(), shape, 8);
  const PdpOp op = *decode(bench.regs().view(0), bench.rdma().view(0), bench.hw);
  AtomCube<int8_t> in;
  REQUIRE(load_input(op, 8, bench.memory, in));
  bench.enable();
  bench.fill(shape.src, 1);  // the input was captured at the start
  bench.events.run_until(100000);
  const AtomCube<int8_t> expected = pool(op, in);
  std::vector<uint8_t> got(expected.values.size());
  REQUIRE(bench.memory.read(shape.dst, got));
  REQUIRE(
      std::equal(got.begin(), got.end(), reinterpret_cast<const uint8_t*>(expected.values.data())));
  REQUIRE(bench.records.size() == 1);
  REQUIRE(bench.records[0].read_beats == 9 * 7 * 3);
  REQUIRE(bench.records[0].write_beats == 5 * 4 * 3);
}

TEST_CASE("pdp unit: both groups run in turn and interrupt by group") {
  Bench bench("nv_small", 32);
  const Shape shape{.width = 4, .height = 4, .channels = 8};
  for (uint32_t group : {0u, 1u}) {
    bench.regs().write(regs::pdp::S_POINTER, group);
    bench.rdma().write(regs::pdp_rdma::S_POINTER, group);
    program(bench.regs(), bench.rdma(), shape, 8);
    bench.enable();
  }
  REQUIRE(bench.regs().read(regs::pdp::S_STATUS) == 0x20001);
  bench.events.run_until(100000);
  REQUIRE(bench.interrupts.size() == 2);
  REQUIRE(bench.interrupts[0].second == 0);
  REQUIRE(bench.interrupts[1].second == 1);
  REQUIRE(bench.regs().read(regs::pdp::S_STATUS) == 0);
  REQUIRE(bench.pdp.idle());
}

TEST_CASE("pdp unit: waits for both of its enables") {
  Bench bench("nv_small", 32);
  program(bench.regs(), bench.rdma(), {.width = 1, .height = 1}, 8);
  bench.regs().write(regs::pdp::D_OP_ENABLE, 1);
  bench.events.run_until(1000);
  REQUIRE(bench.port.read_beats() == 0);
  bench.rdma().write(regs::pdp_rdma::D_OP_ENABLE, 1);
  bench.events.run_until(2000);
  REQUIRE(bench.interrupts.size() == 1);
  REQUIRE(bench.interrupts[0].first + kPulseToLine == 1000 + 72 + 64);
}

TEST_CASE("pdp unit: takes its input from SDP on the fly") {
  Bench bench("nv_small", 32);
  const Shape shape{.width = 4,
                    .height = 4,
                    .channels = 8,
                    .kernel_width = 2,
                    .kernel_height = 2,
                    .stride_x = 2,
                    .stride_y = 2};
  program(bench.regs(), bench.rdma(), shape, 8);
  set(bench.regs(), regs::pdp::D_OPERATION_MODE_CFG_FLYING_MODE, 0);
  bench.regs().write(regs::pdp::D_OP_ENABLE, 1);
  AtomCube<int8_t> cube({4, 4, 8}, 8);
  for (size_t i = 0; i < cube.values.size(); ++i) cube.values[i] = static_cast<int8_t>(i);
  bench.link.cubes.push_back(std::make_shared<LazyCube<int8_t>>([cube] { return cube; }));
  for (int i = 0; i < 16; ++i) {
    while (bench.link.atoms.space() == 0) bench.events.run_until(bench.events.now() + 1);
    bench.link.atoms.push(1);
  }
  bench.events.run_until(10000);
  REQUIRE(bench.interrupts.size() == 1);
  REQUIRE(bench.port.read_beats() == 0);
  std::vector<uint8_t> got(8);
  REQUIRE(bench.memory.read(shape.dst, got));
  REQUIRE(got[7] == 47);  // column 1, line 1, lane 7
}

namespace {

constexpr int kUnusedAtoms = 12;  // of 16: one window of 2x2 a column pair, in the first two lines

// Group 0 on the fly, 2x8 to 1x1, with its used lines pushed; it is done when this returns.
void run_with_unused_input(Bench& bench) {
  const Shape shape{.width = 2,
                    .height = 8,
                    .channels = 8,
                    .kernel_width = 2,
                    .kernel_height = 2,
                    .stride_x = 2,
                    .stride_y = 8};
  program(bench.regs(), bench.rdma(), shape, 8);
  set(bench.regs(), regs::pdp::D_OPERATION_MODE_CFG_FLYING_MODE, 0);
  bench.regs().write(regs::pdp::D_OP_ENABLE, 1);
  bench.link.cubes.push_back(std::make_shared<LazyCube<int8_t>>([] {
    return AtomCube<int8_t>({2, 8, 8}, 8);
  }));
  bench.link.atoms.push(4);
  bench.events.run_until(1000);
  REQUIRE(bench.interrupts.size() == 1);
}

// Cycles until all unused atoms were taken.
Cycle drain(Bench& bench) {
  const Cycle begun = bench.events.now();
  for (int i = 0; i < kUnusedAtoms; ++i) {
    while (bench.link.atoms.space() == 0) bench.events.run_until(bench.events.now() + 1);
    bench.link.atoms.push(1);
  }
  while (bench.link.atoms.space() < 4) bench.events.run_until(bench.events.now() + 1);
  return bench.events.now() - begun;
}

// From memory: the read DMA's first operation, so its group 0.
void enable_group_1(Bench& bench) {
  bench.regs().write(regs::pdp::S_POINTER, 1);
  program(bench.regs(), bench.rdma(), {.width = 1, .height = 1}, 8);
  bench.enable();
}

}  // namespace

TEST_CASE("pdp unit: input that no window uses is taken behind the done") {
  Bench plain("nv_small", 32), wide("nv_small", 32);
  run_with_unused_input(plain);
  wide.regs().write(regs::pdp::S_POINTER, 1);
  set(wide.regs(), regs::pdp::D_DATA_CUBE_OUT_WIDTH_CUBE_OUT_WIDTH, 3);
  wide.regs().write(regs::pdp::S_POINTER, 0);
  run_with_unused_input(wide);
  // The other group's output width decides whether each atom has the pause of a one-column line.
  const Cycle pauses = drain(plain) - drain(wide);
  REQUIRE(pauses == 3 * (kUnusedAtoms - 1));
  enable_group_1(plain);
  plain.events.run_until(5000);
  INFO(plain.errors.text());
  REQUIRE(plain.errors.empty());
  REQUIRE(plain.interrupts.size() == 2);
}

TEST_CASE("pdp unit: an operation that starts amid another one's unused input is refused") {
  const bool queued = GENERATE(false, true);
  CAPTURE(queued);
  Bench bench("nv_small", 32);
  if (queued) enable_group_1(bench);
  bench.regs().write(regs::pdp::S_POINTER, 0);
  run_with_unused_input(bench);
  if (!queued) enable_group_1(bench);
  bench.events.run_until(5000);
  REQUIRE(bench.errors.has("pdp.unused_input"));
  REQUIRE(bench.errors.text().find("12 atoms") != std::string::npos);
  REQUIRE(bench.interrupts.size() == 1);
}

TEST_CASE("pdp unit: from memory, unused lines refuse a queued operation, unused columns do not") {
  const bool lines = GENERATE(false, true);
  CAPTURE(lines);
  Bench bench("nv_small", 32);
  const Shape shape{.width = lines ? 4u : 9u,
                    .height = lines ? 9u : 4u,
                    .channels = 8,
                    .kernel_width = 2,
                    .kernel_height = 2,
                    .stride_x = lines ? 2u : 5u,
                    .stride_y = lines ? 5u : 2u};
  const bool queued = GENERATE(false, true);
  CAPTURE(queued);
  for (uint32_t group : {0u, 1u}) {
    bench.regs().write(regs::pdp::S_POINTER, group);
    bench.rdma().write(regs::pdp_rdma::S_POINTER, group);
    program(bench.regs(), bench.rdma(), shape, 8);
    if (!queued) bench.events.run_until(bench.events.now() + 5000);
    bench.enable();
  }
  bench.events.run_until(20000);
  REQUIRE(bench.errors.has("pdp.unused_input") == (lines && queued));
  REQUIRE(bench.interrupts.size() == (lines && queued ? 1 : 2));
}

TEST_CASE("pdp unit: refuses an illegal program and never completes it") {
  Bench bench("nv_small", 32);
  program(bench.regs(), bench.rdma(), {}, 8);
  set(bench.regs(), regs::pdp::D_DATA_CUBE_OUT_WIDTH_CUBE_OUT_WIDTH, 1);
  bench.enable();
  bench.events.run_until(10000);
  REQUIRE(bench.errors.has("pdp.out_width"));
  REQUIRE(bench.interrupts.empty());
  REQUIRE(bench.port.read_beats() == 0);
  REQUIRE_FALSE(bench.pdp.idle());
}

TEST_CASE("pdp unit: names an SDP cube of another size") {
  Bench bench("nv_small", 32);
  program(bench.regs(), bench.rdma(), {.width = 1, .height = 1}, 8);
  set(bench.regs(), regs::pdp::D_OPERATION_MODE_CFG_FLYING_MODE, 0);
  bench.regs().write(regs::pdp::D_OP_ENABLE, 1);
  bench.link.cubes.push_back(std::make_shared<LazyCube<int8_t>>([] {
    return AtomCube<int8_t>({2, 1, 8}, 8);
  }));
  bench.link.atoms.push(1);
  bench.events.run_until(1000);
  REQUIRE(bench.errors.has("pdp.sdp_mismatch"));
  REQUIRE(bench.interrupts.empty());
}

TEST_CASE("pdp unit: counts stalls only when asked to") {
  Bench bench("nv_small", 128);
  program(bench.regs(), bench.rdma(), {.width = 1, .height = 64},
          8);  // a request a line, eight credits
  set(bench.rdma(), regs::pdp_rdma::D_PERF_ENABLE_DMA_EN, 1);
  bench.enable();
  bench.events.run_until(100000);
  REQUIRE(bench.rdma().read(regs::pdp_rdma::D_PERF_READ_STALL) > 128);
  REQUIRE(bench.regs().read(regs::pdp::D_PERF_WRITE_STALL) == 0);
}

TEST_CASE("pdp unit: an input outside of memory is refused with its address") {
  Bench bench("nv_small", 32);
  bench.memory.end = 0x1000;
  program(bench.regs(), bench.rdma(), {.width = 2, .height = 2}, 8);
  bench.enable();
  bench.events.run_until(1000);
  REQUIRE(bench.errors.has("pdp.memory"));
  REQUIRE(bench.errors.text().find("input at 0x1000") != std::string::npos);
  REQUIRE(bench.interrupts.empty());
}
