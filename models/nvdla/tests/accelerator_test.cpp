// CSB decoding of both generations, and the interrupt path without SystemC.
#include "models/nvdla/accelerator.hpp"

#include <catch2/catch.hpp>

#include "models/mcif/memory_timing.hpp"
#include "registers.hpp"

using namespace dlavp;

namespace {

struct Bench {
  explicit Bench(const char* config)
      : hw(*load_hw_config(config)), accelerator(hw, *TimingParams::load(hw), ports()) {}
  nvdla::MemoryPorts ports() {
    return {&memory, hw.secondary_memif ? &memory : nullptr, &timing,
            hw.secondary_memif ? &timing : nullptr};
  }
  uint32_t at(const regs::UnitTable& unit, uint32_t offset) const {
    return static_cast<uint32_t>(unit.base(hw.hw)) + offset;
  }

  HwConfig hw;
  SparseMemory memory;
  mcif::FixedLatencyMemory timing{32};
  nvdla::Accelerator accelerator;
};

}  // namespace

TEST_CASE("accelerator: every published configuration is built and idle") {
  for (const std::string& name : published_configs()) {
    INFO(name);
    Bench b(name.c_str());
    CHECK(b.accelerator.idle());
    CHECK(b.accelerator.busy_blocks().empty());
    CHECK_FALSE(b.accelerator.interrupt());
  }
}

TEST_CASE("accelerator: GLB answers at its base of either generation") {
  for (const char* name : {"nv_small", "nv_full"}) {
    Bench b(name);
    INFO(name);
    CHECK(b.accelerator.csb_read(b.at(regs::kGlb, regs::glb::S_NVDLA_HW_VERSION)) == 0x303031);
    b.accelerator.csb_write(b.at(regs::kGlb, regs::glb::S_INTR_MASK), 0xffffffff);
    CHECK(b.accelerator.csb_read(b.at(regs::kGlb, regs::glb::S_INTR_MASK)) == 0x3f03ff);
  }
}

TEST_CASE("accelerator: addresses without a unit read as 0 and ignore writes") {
  Bench b("nv_small");
  for (const uint32_t address : {b.at(regs::kGec, 0), 0x12000u, 0x3f000u}) {
    b.accelerator.csb_write(address + 4, 0xffffffff);
    CHECK(b.accelerator.csb_read(address + 4) == 0);
  }
  CHECK(b.accelerator.program_errors().empty());
}

TEST_CASE("accelerator: a write to a unit that a configuration lacks is refused by name") {
  for (const regs::UnitTable* unit : {&regs::kCvif, &regs::kBdma, &regs::kRbk}) {
    Bench b("nv_small");
    CHECK(b.accelerator.csb_read(b.at(*unit, 4)) == 0);
    CHECK(b.accelerator.program_errors().empty());
    b.accelerator.csb_write(b.at(*unit, 4), 1);
    const Diagnostics& errors = b.accelerator.program_errors();
    CHECK(errors.has("nvdla.absent_unit"));
    CHECK(errors.text().find(unit->name + " is not in nv_small") != std::string::npos);
  }
  for (const regs::UnitTable* unit : {&regs::kBdma, &regs::kRbk}) {
    Bench b("nv_full");
    b.accelerator.csb_write(b.at(*unit, 4), 1);
    CHECK(b.accelerator.program_errors().has("nvdla.unsupported_unit"));
  }
}

TEST_CASE("accelerator: a reset forgets what was refused and what was going on") {
  Bench b("nv_small");
  bool line = false;
  b.accelerator.on_interrupt([&](bool high) { line = high; });
  b.accelerator.csb_write(b.at(regs::kGlb, regs::glb::S_INTR_SET), 1);
  b.accelerator.csb_write(b.at(regs::kBdma, 4), 1);
  b.accelerator.csb_write(b.at(regs::kPdp, regs::pdp::D_OP_ENABLE), 1);
  b.accelerator.events().run_until(50);
  REQUIRE(line);
  REQUIRE_FALSE(b.accelerator.program_errors().empty());
  b.accelerator.reset();
  CHECK_FALSE(line);
  CHECK(b.accelerator.idle());
  CHECK(b.accelerator.busy_blocks().empty());
  CHECK(b.accelerator.program_errors().empty());
  CHECK(b.accelerator.events().now() == 50);
  b.accelerator.csb_write(b.at(regs::kGlb, regs::glb::S_INTR_SET), 1);
  b.accelerator.events().run_until(60);
  CHECK(line);
}

TEST_CASE("accelerator: an interrupt that software sets reaches the line") {
  Bench b("nv_medium_512");
  sim::Cycle seen = 0;
  b.accelerator.on_interrupt([&](bool high) { seen = high ? b.accelerator.events().now() : 0; });
  b.accelerator.events().run_until(10);
  b.accelerator.csb_write(b.at(regs::kGlb, regs::glb::S_INTR_SET), 1);
  b.accelerator.events().run_until(20);
  CHECK(seen == 14);
  b.accelerator.csb_write(b.at(regs::kGlb, regs::glb::S_INTR_STATUS), 1);
  b.accelerator.events().run_until(40);
  CHECK(seen == 0);
}

TEST_CASE("accelerator: a cube of gigabytes over a few bytes of memory is refused when it starts") {
  Bench b("nv_small");
  namespace rd = regs::sdp_rdma;
  for (const auto& [offset, value] :
       std::initializer_list<std::pair<uint32_t, uint32_t>>{{rd::D_DATA_CUBE_WIDTH, 0x1fff},
                                                            {rd::D_DATA_CUBE_HEIGHT, 0x1fff},
                                                            {rd::D_DATA_CUBE_CHANNEL, 0x1fff},
                                                            {rd::D_FEATURE_MODE_CFG, 0},
                                                            {rd::D_SRC_DMA_CFG, 1},
                                                            {rd::D_BRDMA_CFG, 1},
                                                            {rd::D_NRDMA_CFG, 1},
                                                            {rd::D_OP_ENABLE, 1}})
    b.accelerator.csb_write(b.at(regs::kSdpRdma, offset), value);
  b.accelerator.events().run_until(1000);
  CHECK(b.accelerator.program_errors().has("sdp.unsupported_size"));
  CHECK(b.accelerator.program_errors().errors().size() == 1);
  CHECK(b.accelerator.operations().empty());
}
