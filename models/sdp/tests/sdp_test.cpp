// The unit on its memory interfaces: bytes, cycles, groups, status registers, links.
#include <catch2/catch.hpp>
#include <numeric>

#include "models/sdp/tests/sdp_bench.hpp"

using namespace dlavp;
using namespace dlavp::sdp;
using namespace dlavp::sdp::test;

namespace {

namespace r = regs::sdp;
namespace rd = regs::sdp_rdma;

constexpr sim::Cycle kGlbDelay =
    6;  // from the unit's interrupt to the line, as RTL counts were taken

std::vector<uint8_t> ramp(size_t count, unsigned step = 7) {
  std::vector<uint8_t> out(count);
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<uint8_t>(i * step + 3);
  return out;
}

/// X1 adds a memory operand to every element.
void program_add(Bench& b, uint64_t operands, bool per_element, unsigned bytes) {
  b.set_sdp(r::D_DP_BS_CFG_BS_BYPASS, 0);
  b.set_sdp(r::D_DP_BS_CFG_BS_ALU_BYPASS, 0);
  b.set_sdp(r::D_DP_BS_CFG_BS_ALU_ALGO, r::D_DP_BS_CFG_BS_ALU_ALGO_SUM);
  b.set_sdp(r::D_DP_BS_ALU_CFG_BS_ALU_SRC, 1);
  b.set_rdma(rd::D_BRDMA_CFG_BRDMA_DISABLE, 0);
  b.set_rdma(rd::D_BRDMA_CFG_BRDMA_DATA_USE, rd::D_BRDMA_CFG_BRDMA_DATA_USE_ALU);
  b.set_rdma(rd::D_BRDMA_CFG_BRDMA_DATA_MODE, per_element ? 1 : 0);
  b.set_rdma(rd::D_BRDMA_CFG_BRDMA_DATA_SIZE, bytes == 2 ? 1 : 0);
  b.set_rdma(rd::D_BRDMA_CFG_BRDMA_RAM_TYPE, 1);
  b.set_rdma(rd::D_BS_BASE_ADDR_LOW_BS_BASE_ADDR_LOW, static_cast<uint32_t>(operands));
  b.set_rdma(rd::D_BS_LINE_STRIDE_BS_LINE_STRIDE,
             b.hw.memory_atomic_size * bytes * (b.sdp().peek(r::D_DATA_CUBE_WIDTH, 0) + 1));
  b.set_rdma(rd::D_BS_SURFACE_STRIDE_BS_SURFACE_STRIDE,
             b.hw.memory_atomic_size * bytes * (b.sdp().peek(r::D_DATA_CUBE_WIDTH, 0) + 1) *
                 (b.sdp().peek(r::D_DATA_CUBE_HEIGHT, 0) + 1));
}

}  // namespace

TEST_CASE("sdp: a copy moves every byte of its atoms and takes the RTL's cycles") {
  struct Case {
    const char* config;
    CubeSize size;
    sim::Cycle cycles;  // from enable to interrupt line at latency 32
  };
  for (const Case& c :
       {Case{"nv_small", {1, 1, 8}, 128}, Case{"nv_small", {8, 8, 32}, 2171},
        Case{"nv_small_256", {1, 1, 8}, 126}, Case{"nv_small_256_full", {1, 1, 8}, 122},
        Case{"nv_small_256_full", {8, 8, 32}, 1148}, Case{"nv_large", {8, 8, 32}, 249}}) {
    CAPTURE(c.config, c.size.width);
    Bench b(config(c.config));
    b.program_copy(c.size, 0x1000, 0x8000);
    const size_t count =
        c.size.pixels() *
        ((c.size.channels + b.hw.memory_atomic_size - 1) / b.hw.memory_atomic_size) *
        b.hw.memory_atomic_size;
    b.fill(0x1000, ramp(count));
    b.enable();
    b.run();
    REQUIRE(b.errors.empty());
    REQUIRE(b.interrupts.size() == 1);
    REQUIRE(b.interrupts[0].at + kGlbDelay == c.cycles);
    REQUIRE(b.bytes(0x8000, count) == ramp(count));
    REQUIRE(b.unit->idle());
    REQUIRE(b.records.at(0).read_beats == count / b.hw.primary_memif.width_bytes());
    REQUIRE(b.records.at(0).write_beats == b.records.at(0).read_beats);
  }
}

TEST_CASE("sdp: a 1x1 cube is packed whatever its strides say") {
  Bench b(config("nv_small"));
  b.program_copy({1, 1, 40}, 0x1000, 0x8000);
  b.set_rdma(rd::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE, 0x400);
  b.set_sdp(r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE, 0x800);
  b.fill(0x1000, ramp(40));
  b.enable();
  b.run();
  REQUIRE(b.bytes(0x8000, 40) == ramp(40));
}

TEST_CASE("sdp: operands per kernel and per element, of one and two bytes") {
  for (const bool per_element : {false, true})
    for (const unsigned bytes : {1u, 2u}) {
      CAPTURE(per_element, bytes);
      Bench b(config("nv_small"));
      b.program_copy({3, 2, 16}, 0x1000, 0x8000);
      program_add(b, 0x4000, per_element, bytes);
      const size_t operands = per_element ? 96 : 16;
      std::vector<uint8_t> stored(operands * bytes);
      for (size_t i = 0; i < operands; ++i) stored[i * bytes] = static_cast<uint8_t>(i);
      b.fill(0x1000, std::vector<uint8_t>(96, 1));
      b.fill(0x4000, stored);
      b.enable();
      b.run();
      REQUIRE(b.errors.empty());
      const auto out = b.bytes(0x8000, 96);
      for (size_t i = 0; i < 96; ++i) {
        const size_t lane = i % 8, surface = i / 48;
        REQUIRE(out[i] == 1 + (per_element ? i : surface * 8 + lane));
      }
    }
}

// Both X stages take ALU and multiplier operands of every element: one byte in X1, two in X2.
TEST_CASE("sdp: operands that come late cost the RTL's cycles") {
  struct Case {
    CubeSize size;
    sim::Cycle latency, cycles;  // from SDP's enable, one cycle behind the read DMA's
  };
  for (const Case& c :
       {Case{{6, 2, 8}, 32, 263}, Case{{6, 2, 8}, 128, 647}, Case{{9, 3, 20}, 128, 3175},
        Case{{1, 1, 40}, 32, 189}, Case{{1, 1, 40}, 128, 477}}) {
    CAPTURE(c.size.width, c.size.channels, c.latency);
    Bench b(config("nv_small"), c.latency);
    b.program_copy(c.size, 0x10000, 0x20000);
    for (const auto& [field, value] : {std::pair{r::D_DP_BS_CFG_BS_BYPASS, 0u},
                                       {r::D_DP_BS_CFG_BS_ALU_BYPASS, 0u},
                                       {r::D_DP_BS_CFG_BS_MUL_BYPASS, 0u},
                                       {r::D_DP_BS_CFG_BS_RELU_BYPASS, 1u},
                                       {r::D_DP_BS_CFG_BS_ALU_ALGO, 2u},
                                       {r::D_DP_BS_ALU_CFG_BS_ALU_SRC, 1u},
                                       {r::D_DP_BS_MUL_CFG_BS_MUL_SRC, 1u},
                                       {r::D_DP_BN_CFG_BN_BYPASS, 0u},
                                       {r::D_DP_BN_CFG_BN_ALU_BYPASS, 0u},
                                       {r::D_DP_BN_CFG_BN_MUL_BYPASS, 0u},
                                       {r::D_DP_BN_CFG_BN_RELU_BYPASS, 1u},
                                       {r::D_DP_BN_CFG_BN_ALU_ALGO, 2u},
                                       {r::D_DP_BN_ALU_CFG_BN_ALU_SRC, 1u},
                                       {r::D_DP_BN_MUL_CFG_BN_MUL_SRC, 1u}})
      b.set_sdp(field, value);
    const uint32_t line = c.size.width * 8 * 2;
    for (const auto& [field, value] :
         {std::pair{rd::D_BRDMA_CFG_BRDMA_DISABLE, 0u},
          {rd::D_BRDMA_CFG_BRDMA_DATA_USE, 2u},
          {rd::D_BRDMA_CFG_BRDMA_DATA_SIZE, 0u},
          {rd::D_BRDMA_CFG_BRDMA_DATA_MODE, 1u},
          {rd::D_BRDMA_CFG_BRDMA_RAM_TYPE, 1u},
          {rd::D_BS_BASE_ADDR_LOW_BS_BASE_ADDR_LOW, 0x30000u},
          {rd::D_BS_LINE_STRIDE_BS_LINE_STRIDE, line},
          {rd::D_BS_SURFACE_STRIDE_BS_SURFACE_STRIDE, line * c.size.height},
          {rd::D_NRDMA_CFG_NRDMA_DISABLE, 0u},
          {rd::D_NRDMA_CFG_NRDMA_DATA_USE, 2u},
          {rd::D_NRDMA_CFG_NRDMA_DATA_SIZE, 1u},
          {rd::D_NRDMA_CFG_NRDMA_DATA_MODE, 1u},
          {rd::D_NRDMA_CFG_NRDMA_RAM_TYPE, 1u},
          {rd::D_BN_BASE_ADDR_LOW_BN_BASE_ADDR_LOW, 0x40000u},
          {rd::D_BN_LINE_STRIDE_BN_LINE_STRIDE, 2 * line},
          {rd::D_BN_SURFACE_STRIDE_BN_SURFACE_STRIDE, 2 * line * c.size.height}})
      b.set_rdma(field, value);
    b.fill(0x10000, ramp(0x400));
    b.fill(0x30000, ramp(0x1000));
    b.fill(0x40000, ramp(0x1000));
    b.rdma().write(rd::D_OP_ENABLE, 1);
    b.events.run_until(1);
    b.sdp().write(r::D_OP_ENABLE, 1);
    b.run();
    REQUIRE(b.errors.empty());
    REQUIRE(b.interrupts.size() == 1);
    REQUIRE(b.interrupts[0].at - 1 + kGlbDelay == c.cycles);
  }
}

TEST_CASE("sdp: lanes beyond the last channel are computed and written") {
  Bench b(config("nv_small"));
  b.program_copy({1, 2, 3}, 0x1000, 0x8000);
  b.set_sdp(r::D_CVT_OFFSET_CVT_OFFSET, static_cast<uint32_t>(-5));
  b.enable();
  b.run();
  REQUIRE(b.bytes(0x8000, 16) == std::vector<uint8_t>(16, 5));
}

TEST_CASE("sdp: two queued groups run in turn, the second without waiting for the interrupt") {
  Bench b(config("nv_small"));
  b.fill(0x1000, ramp(256));
  b.program_copy({4, 4, 16}, 0x1000, 0x8000);
  b.enable();
  b.produce(1);
  b.program_copy({4, 4, 16}, 0x1000, 0x9000);
  b.enable();
  b.run();
  REQUIRE(b.interrupts.size() == 2);
  REQUIRE(b.interrupts[0].group == 0);
  REQUIRE(b.interrupts[1].group == 1);
  REQUIRE(b.interrupts[1].at - b.interrupts[0].at < 32 * 8 + 60);
  REQUIRE(b.bytes(0x8000, 256) == ramp(256));
  REQUIRE(b.bytes(0x9000, 256) == ramp(256));
  REQUIRE(b.sdp().read(r::S_STATUS) == 0);
}

TEST_CASE("sdp: SDP may be enabled long before or after its read DMA") {
  for (const bool rdma_first : {false, true}) {
    Bench b(config("nv_small"));
    b.program_copy({4, 4, 16}, 0x1000, 0x8000);
    b.fill(0x1000, ramp(256));
    rdma_first ? b.rdma().write(rd::D_OP_ENABLE, 1) : b.sdp().write(r::D_OP_ENABLE, 1);
    b.run();
    REQUIRE(b.interrupts.empty());
    rdma_first ? b.sdp().write(r::D_OP_ENABLE, 1) : b.rdma().write(rd::D_OP_ENABLE, 1);
    b.run();
    REQUIRE(b.interrupts.size() == 1);
    REQUIRE(b.bytes(0x8000, 256) == ramp(256));
  }
}

TEST_CASE("sdp: status registers are cleared by the enable and set by the completion") {
  Bench b(config("nv_small"));
  b.program_copy({2, 2, 8}, 0x1000, 0x8000);
  b.set_sdp(r::D_PERF_ENABLE_PERF_SAT_EN, 1);
  b.set_sdp(r::D_CVT_SCALE_CVT_SCALE, 0x7fff);
  b.fill(0x1000, std::vector<uint8_t>(32, 100));
  b.enable();
  REQUIRE(b.sdp().read(r::D_PERF_OUT_SATURATION) == 0);
  b.run();
  REQUIRE(b.sdp().read(r::D_PERF_OUT_SATURATION) == 32);
  REQUIRE(b.sdp().read(r::D_STATUS) == 1);
  b.produce(1);
  b.produce(0);
  b.program_copy({2, 2, 8}, 0x1000, 0x8000);
  b.sdp().write(r::D_OP_ENABLE, 1);
  REQUIRE(b.sdp().read(r::D_PERF_OUT_SATURATION) == 0);
}

TEST_CASE("sdp: EQL compares, writes nothing and tells the result by D_STATUS") {
  for (const uint32_t other : {9u, 10u}) {
    Bench b(config("nv_large"));
    b.program_copy({2, 2, 32}, 0x1000, 0x8000);
    b.set_sdp(r::D_DP_EW_CFG_EW_BYPASS, 0);
    b.set_sdp(r::D_DP_EW_CFG_EW_ALU_BYPASS, 0);
    b.set_sdp(r::D_DP_EW_CFG_EW_ALU_ALGO, r::D_DP_EW_CFG_EW_ALU_ALGO_EQL);
    b.set_sdp(r::D_DP_EW_ALU_SRC_VALUE_EW_ALU_OPERAND, other);
    b.fill(0x1000, std::vector<uint8_t>(128, 9));
    b.fill(0x8000, std::vector<uint8_t>(128, 77));
    b.enable();
    b.run();
    REQUIRE(b.interrupts.size() == 1);
    REQUIRE(b.records[0].write_beats == 0);
    REQUIRE(b.bytes(0x8000, 128) == std::vector<uint8_t>(128, 77));
    REQUIRE(b.sdp().read(r::D_STATUS) == (other == 9 ? 0 : 1));
  }
}

TEST_CASE("sdp: the LUT data register moves its address on with every access") {
  Bench b(config("nv_large"));
  b.sdp().write(r::S_LUT_ACCESS_CFG, (1u << 17) | 63);
  b.sdp().write(r::S_LUT_ACCESS_DATA, 0xfffe);
  b.sdp().write(r::S_LUT_ACCESS_DATA, 5);
  b.sdp().write(r::S_LUT_ACCESS_DATA, 6);  // beyond the table
  REQUIRE(b.unit->tables().le[63] == -2);
  REQUIRE(b.unit->tables().le[64] == 5);
  b.sdp().write(r::S_LUT_ACCESS_CFG, 63);
  REQUIRE(b.sdp().read(r::S_LUT_ACCESS_DATA) == 0xfffe);
  REQUIRE(b.sdp().read(r::S_LUT_ACCESS_DATA) == 5);
  b.sdp().write(r::S_LUT_ACCESS_CFG, 64);
  b.sdp().write(r::S_LUT_ACCESS_DATA, 9);  // a read access does not write
  REQUIRE(b.unit->tables().le[64] == 5);
  b.sdp().write(r::S_LUT_ACCESS_CFG, (3u << 16) | 256);
  b.sdp().write(r::S_LUT_ACCESS_DATA, 8);
  REQUIRE(b.unit->tables().lo[256] == 8);
}

TEST_CASE("sdp: flying atoms enter one period apart and give back their credits") {
  for (const auto& [name, period] :
       {std::pair{"nv_small", 9u}, {"nv_medium_512", 5u}, {"nv_large", 3u}}) {
    CAPTURE(name);
    Bench b(config(name));
    const uint32_t atom = b.hw.memory_atomic_size;
    const CubeSize size{4, 4, atom};
    b.program_copy(size, 0x1000, 0x8000);
    b.set_sdp(r::D_FEATURE_MODE_CFG_FLYING_MODE, 1);
    AtomCube<int32_t> cube(size, atom);
    std::iota(cube.values.begin(), cube.values.end(), -100);
    b.from_conv.cubes.push_back(std::make_shared<LazyCube<int32_t>>([cube] { return cube; }));
    b.sdp().write(r::D_OP_ENABLE, 1);
    b.events.run_until(100);
    b.from_conv.atoms.push(16);
    b.events.run_until(101);
    const sim::Cycle first = b.events.now();
    while (b.from_conv.atoms.space() < 16 && b.events.run_next()) {
    }
    REQUIRE(b.events.now() - first == 15 * period + 1);
    b.run();
    REQUIRE(b.interrupts.size() == 1);
    const auto out = b.bytes(0x8000, cube.values.size());
    for (size_t i = 0; i < out.size(); ++i)
      REQUIRE(static_cast<int8_t>(out[i]) == std::clamp(cube.values[i], -128, 127));
    REQUIRE(b.from_conv.cubes.empty());
  }
}

TEST_CASE("sdp: output to PDP goes over the link, with back-pressure, and writes nothing") {
  Bench b(config("nv_small"));
  b.program_copy({4, 4, 8}, 0x1000, 0x8000);
  b.set_sdp(r::D_FEATURE_MODE_CFG_OUTPUT_DST, 1);
  b.fill(0x1000, ramp(128));
  b.enable();
  b.run();
  REQUIRE(b.interrupts.empty());  // nobody takes the atoms
  auto& link = b.unit->output();
  REQUIRE(link.atoms.available() == 2);  // more lie in the registers in front
  REQUIRE(link.cubes.size() == 1);
  uint32_t taken = 0;
  while (taken < 16) {
    REQUIRE(link.atoms.available() > 0);
    taken += link.atoms.available();
    link.atoms.pop(link.atoms.available());
    b.run();
  }
  REQUIRE(b.interrupts.size() == 1);
  REQUIRE(b.records[0].write_beats == 0);
  const AtomCube<int8_t>& cube = link.cubes.front()->get();
  const auto expected = ramp(128);
  for (size_t i = 0; i < 128; ++i) REQUIRE(static_cast<uint8_t>(cube.values[i]) == expected[i]);
}

TEST_CASE("sdp: a convolution of another size is refused") {
  Bench b(config("nv_small"));
  b.program_copy({2, 2, 8}, 0x1000, 0x8000);
  b.set_sdp(r::D_FEATURE_MODE_CFG_FLYING_MODE, 1);
  b.from_conv.cubes.push_back(std::make_shared<LazyCube<int32_t>>([] {
    return AtomCube<int32_t>({2, 2, 16}, 8);
  }));
  b.sdp().write(r::D_OP_ENABLE, 1);
  b.from_conv.atoms.push(4);
  b.run();
  REQUIRE(b.errors.has("sdp.conv_mismatch"));
  REQUIRE(b.interrupts.empty());
}

TEST_CASE("sdp: cubes outside of memory are refused with their address") {
  Bench b(config("nv_small"));
  SECTION("the input") {
    b.program_copy({2, 2, 8}, 0x1000, 0x800);
    b.primary.end = 0x1000;
    b.enable();
    b.run();
    REQUIRE(b.errors.has("sdp.unmapped_read"));
    REQUIRE(b.errors.text().find("SDP_RDMA group 0") != std::string::npos);
    REQUIRE(b.errors.text().find("0x1000") != std::string::npos);
  }
  SECTION("the output") {
    b.program_copy({2, 2, 8}, 0x1000, 0x8000);
    b.primary.end = 0x8000;
    b.enable();
    b.run();
    REQUIRE(b.errors.has("sdp.unmapped_write"));
    REQUIRE(b.errors.text().find("0x8000") != std::string::npos);
  }
  SECTION("lines on top of each other that move far more than they cover") {
    b.program_copy({300, 8192, 8}, 0x1000, 0x8000);
    b.set_rdma(rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE, 8);
    b.enable();
    b.run();
    REQUIRE(b.errors.has("sdp.unsupported_size"));
  }
  REQUIRE(b.interrupts.empty());
}
