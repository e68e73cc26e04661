// The hazard checker: on claims made by hand, and on operations of the accelerator.
#include "models/nvdla/hazards.hpp"

#include <catch2/catch.hpp>

#include "models/mcif/memory_timing.hpp"
#include "models/nvdla/accelerator.hpp"
#include "registers.hpp"

using namespace dlavp;

namespace {

Footprint range(uint64_t address, uint64_t bytes) { return {RamType::kMc, address, bytes}; }

struct Bench {
  Bench()
      : hw(*load_hw_config("nv_small")),
        chip(hw, *TimingParams::load(hw), {&memory, nullptr, &timing, nullptr}) {}
  void write(const regs::UnitTable& unit, uint32_t offset, uint32_t value) {
    chip.csb_write(static_cast<uint32_t>(unit.base(hw.hw)) + offset, value);
  }
  /// A copy of 4x4x8 bytes from `src` to `dst` by SDP.
  void sdp(unsigned group, uint32_t src, uint32_t dst) {
    namespace r = regs::sdp;
    namespace rd = regs::sdp_rdma;
    write(regs::kSdp, r::S_POINTER, group);
    write(regs::kSdp, r::D_DATA_CUBE_WIDTH, 3);
    write(regs::kSdp, r::D_DATA_CUBE_HEIGHT, 3);
    write(regs::kSdp, r::D_DATA_CUBE_CHANNEL, 7);
    write(regs::kSdpRdma, rd::S_POINTER, group);
    write(regs::kSdpRdma, rd::D_DATA_CUBE_WIDTH, 3);
    write(regs::kSdpRdma, rd::D_DATA_CUBE_HEIGHT, 3);
    write(regs::kSdpRdma, rd::D_DATA_CUBE_CHANNEL, 7);
    for (const uint32_t stage : {rd::D_BRDMA_CFG, rd::D_NRDMA_CFG, rd::D_ERDMA_CFG})
      write(regs::kSdpRdma, stage, 1);
    for (const uint32_t stage : {r::D_DP_BS_CFG, r::D_DP_BN_CFG, r::D_DP_EW_CFG})
      write(regs::kSdp, stage, 1);
    write(regs::kSdpRdma, rd::D_SRC_BASE_ADDR_LOW, src);
    write(regs::kSdpRdma, rd::D_SRC_LINE_STRIDE, 32);
    write(regs::kSdpRdma, rd::D_SRC_SURFACE_STRIDE, 128);
    write(regs::kSdpRdma, rd::D_SRC_DMA_CFG, 1);
    write(regs::kSdp, r::D_DST_BASE_ADDR_LOW, dst);
    write(regs::kSdp, r::D_DST_LINE_STRIDE, 32);
    write(regs::kSdp, r::D_DST_SURFACE_STRIDE, 128);
    write(regs::kSdp, r::D_DST_DMA_CFG, 1);
    write(regs::kSdp, r::D_CVT_SCALE, 1);
    write(regs::kSdp, r::D_DATA_FORMAT, 0);
    write(regs::kSdpRdma, rd::D_FEATURE_MODE_CFG, 0);
    write(regs::kSdp, r::D_OP_ENABLE, 1);
    write(regs::kSdpRdma, rd::D_OP_ENABLE, 1);
  }
  /// A 1x1 convolution of 4x4x8 at `src`; only CDMA's part matters.
  void fetch(uint32_t src) {
    namespace r = regs::cdma;
    for (const auto& [offset, value] :
         std::initializer_list<std::pair<uint32_t, uint32_t>>{{r::D_DAIN_RAM_TYPE, 1},
                                                              {r::D_DATAIN_SIZE_0, 3 | 3 << 16},
                                                              {r::D_DATAIN_SIZE_1, 7},
                                                              {r::D_DAIN_ADDR_LOW_0, src},
                                                              {r::D_LINE_STRIDE, 32},
                                                              {r::D_SURF_STRIDE, 128},
                                                              {r::D_ENTRY_PER_SLICE, 3},
                                                              {r::D_BANK, 0},
                                                              {r::D_WEIGHT_RAM_TYPE, 1},
                                                              {r::D_WEIGHT_ADDR_LOW, 0x40000},
                                                              {r::D_WEIGHT_BYTES, 64},
                                                              {r::D_WEIGHT_SIZE_0, 7},
                                                              {r::D_WEIGHT_SIZE_1, 0},
                                                              {r::D_MISC_CFG, 0},
                                                              {r::D_OP_ENABLE, 1}})
      write(regs::kCdma, offset, value);
    namespace c = regs::csc;
    for (const auto& [offset, value] :
         std::initializer_list<std::pair<uint32_t, uint32_t>>{{c::D_DATAIN_SIZE_EXT_0, 3 | 3 << 16},
                                                              {c::D_DATAIN_SIZE_EXT_1, 7},
                                                              {c::D_ENTRY_PER_SLICE, 3},
                                                              {c::D_WEIGHT_SIZE_EXT_1, 7},
                                                              {c::D_WEIGHT_BYTES, 64},
                                                              {c::D_DATAOUT_SIZE_0, 3 | 3 << 16},
                                                              {c::D_ATOMICS, 15},
                                                              {c::D_RELEASE, 3},
                                                              {c::D_MISC_CFG, 0},
                                                              {c::D_OP_ENABLE, 1}})
      write(regs::kCsc, offset, value);
  }
  void run() {
    while (chip.events().run_next()) {
    }
    INFO(chip.program_errors().text());
    REQUIRE(chip.program_errors().empty());
  }

  HwConfig hw;
  SparseMemory memory;
  mcif::FixedLatencyMemory timing{200};
  nvdla::Accelerator chip;
};

}  // namespace

TEST_CASE("hazards: a write over what another operation reads or writes is named") {
  nvdla::HazardChecker checker;
  MemoryClaims a(&checker), b(&checker);
  a.add({"SDP", 0, "output", true, range(0x100, 0x100)});
  b.add({"PDP", 1, "input", false, range(0x1ff, 4)});
  b.add({"PDP", 1, "output", true, range(0x180, 4)});
  MemoryClaims c(&checker);
  c.add({"CDP", 0, "output", true, range(0x202, 1)});
  REQUIRE(checker.found().errors().size() == 3);
  CHECK(checker.found().errors()[0].text() ==
        "PDP group 1: reads input 0x1ff to 0x202 while SDP group 0 in flight writes output 0x100 "
        "to 0x1ff [hazard.read_after_write]");
  CHECK(checker.found().errors()[1].id == "hazard.write_after_write");
  CHECK(checker.found().errors()[2].id == "hazard.write_after_read");
}

TEST_CASE("hazards: reads may share memory, an operation may work in place, the past is over") {
  nvdla::HazardChecker checker;
  MemoryClaims a(&checker);
  a.add({"SDP", 0, "input", false, range(0x100, 0x100)});
  MemoryClaims in_place = a.sibling();
  in_place.add({"SDP", 0, "output", true, range(0x100, 0x100)});
  in_place.clear();
  MemoryClaims b(&checker);
  b.add({"SDP", 1, "input", false, range(0x100, 0x100)});
  a.clear();
  b.clear();
  MemoryClaims c(&checker);
  c.add({"PDP", 0, "output", true, range(0x100, 0x100)});
  CHECK(checker.found().text() == "");
}

TEST_CASE("hazards: an SDP operation that prefetches what the one before writes") {
  Bench b;
  b.chip.check_hazards();
  b.sdp(0, 0x1000, 0x2000);
  b.sdp(1, 0x2040, 0x3000);
  b.run();
  CHECK(b.chip.operations().size() == 2);
  CHECK(b.chip.hazards().has("hazard.read_after_write"));
}

TEST_CASE("hazards: disjoint SDP operations are none, and nobody looks unless asked") {
  Bench b;
  b.chip.check_hazards();
  b.sdp(0, 0x1000, 0x2000);
  b.sdp(1, 0x1000, 0x3000);
  b.run();
  CHECK(b.chip.operations().size() == 2);
  CHECK(b.chip.hazards().text() == "");
  Bench off;
  off.sdp(0, 0x1000, 0x2000);
  off.sdp(1, 0x2000, 0x3000);
  off.run();
  CHECK(off.chip.hazards().empty());
}

TEST_CASE("hazards: a convolution that reads what a running SDP operation writes") {
  for (const bool same : {true, false}) {
    Bench b;
    b.chip.check_hazards();
    b.sdp(0, 0x1000, 0x2000);
    b.chip.events().run_until(60);
    b.fetch(same ? 0x2000 : 0x4000);
    b.run();
    CHECK(b.chip.hazards().has("hazard.read_after_write") == same);
  }
}
