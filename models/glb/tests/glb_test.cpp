// GLB's interrupt registers and line, and what CFGROM tells.
#include "models/glb/glb.hpp"

#include <catch2/catch.hpp>

#include "models/glb/cfgrom.hpp"
#include "registers.hpp"

using namespace dlavp;

namespace {

struct Bench {
  explicit Bench(const char* config = "nv_small")
      : hw(*load_hw_config(config)), timing(*TimingParams::load(hw)), glb(hw, timing, events) {
    glb.on_line([this](bool high) { changes.emplace_back(events.now(), high); });
  }
  regs::RegBlock& regs() { return *glb.reg_blocks()[0]; }
  uint32_t status() { return regs().read(regs::glb::S_INTR_STATUS); }

  HwConfig hw;
  TimingParams timing;
  sim::EventQueue events;
  glb::Glb glb;
  std::vector<std::pair<sim::Cycle, bool>> changes;
};

}  // namespace

TEST_CASE("glb: a done pulse sets its status bit 2 cycles later and the line 6 cycles later") {
  Bench b;
  b.events.run_until(100);
  b.glb.raise(IntrSource::kPdp, 1);
  b.events.run_until(101);
  CHECK(b.status() == 0);
  b.events.run_until(102);
  CHECK(b.status() == 1u << 5);
  b.events.run_until(105);
  CHECK_FALSE(b.glb.line());
  b.events.run_until(106);
  CHECK(b.glb.line());
  CHECK(b.changes == std::vector<std::pair<sim::Cycle, bool>>{{106, true}});
}

TEST_CASE("glb: a masked source shows in the status but not on the line, until it is unmasked") {
  Bench b;
  b.regs().write(regs::glb::S_INTR_MASK, 1u << 0);
  b.glb.raise(IntrSource::kSdp, 0);
  b.events.run_until(50);
  CHECK(b.status() == 1);
  CHECK_FALSE(b.glb.line());
  b.regs().write(regs::glb::S_INTR_MASK, 0);
  b.events.run_until(60);
  CHECK(b.changes == std::vector<std::pair<sim::Cycle, bool>>{{54, true}});
}

TEST_CASE("glb: writing one clears only the written bits, and the line when none is left") {
  Bench b;
  b.glb.raise(IntrSource::kSdp, 0);
  b.glb.raise(IntrSource::kCdmaDat, 1);
  b.events.run_until(20);
  CHECK(b.status() == (1u | 1u << 17));
  b.regs().write(regs::glb::S_INTR_STATUS, 1);
  b.events.run_until(40);
  CHECK(b.status() == 1u << 17);
  CHECK(b.glb.line());
  b.regs().write(regs::glb::S_INTR_STATUS, 0xffffffff);
  b.events.run_until(60);
  CHECK(b.status() == 0);
  CHECK_FALSE(b.glb.line());
}

TEST_CASE("glb: software sets status bits, those of absent units stay clear") {
  Bench b;
  b.regs().write(regs::glb::S_INTR_SET, 0x3f03ff);
  CHECK(b.status() == 0x3f003f);  // no BDMA, no Rubik
  CHECK(b.regs().read(regs::glb::S_INTR_SET) == 0);
  Bench full("nv_full");
  full.regs().write(regs::glb::S_INTR_SET, 0x3f03ff);
  CHECK(full.status() == 0x3f03ff);
}

TEST_CASE(
    "glb: the configuration ROM is the published one for nv_small and follows the sizes of "
    "others") {
  const HwConfig small = *load_hw_config("nv_small");
  glb::Cfgrom rom(small);
  for (const regs::RegInfo& info : regs::kCfgrom.registers) {
    INFO(info.name);
    CHECK(rom.reg_blocks()[0]->read(info.offset) == info.reset);
  }
  glb::Cfgrom large(*load_hw_config("nv_large"));
  CHECK(large.reg_blocks()[0]->read(regs::cfgrom::CFGROM_CSC_BASE_ATOMIC_C) == 64);
  CHECK(large.reg_blocks()[0]->read(regs::cfgrom::CFGROM_CIF_BASE_WIDTH) == 32);
  CHECK(large.reg_blocks()[0]->read(regs::cfgrom::CFGROM_SDP_EW_THROUGHPUT) == 4);
}
