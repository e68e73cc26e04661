#include "models/regs/reg_block.hpp"

#include <catch2/catch.hpp>

#include "registers.hpp"

using namespace dlavp::regs;

TEST_CASE("registers: every register resets, reads and writes by its masks, in both groups") {
  size_t registers = 0;
  for (const UnitTable* unit : all_units()) {
    RegBlock block(*unit);
    for (const RegInfo& info : unit->registers) {
      CAPTURE(unit->name, info.name);
      ++registers;
      if (info.name == "S_POINTER" || info.name == "S_STATUS" || info.name == "D_OP_ENABLE") continue;
      REQUIRE(block.read(info.offset) == (info.reset & info.read_mask));
      block.write(info.offset, 0xffffffff);
      const uint32_t kept = info.reset & ~info.write_mask;
      const uint32_t expected = info.access == Access::kPlain ? (kept | info.write_mask)
                                : info.access == Access::kWriteOneToClear ? kept
                                                                          : info.reset;
      REQUIRE(block.read(info.offset) == (expected & info.read_mask));
      if (!info.ping_pong) continue;
      block.write(sdp::S_POINTER, 1);
      REQUIRE(block.read(info.offset) == (info.reset & info.read_mask));
      block.write(sdp::S_POINTER, 0);
      REQUIRE(block.read(info.offset) == (expected & info.read_mask));
    }
  }
  REQUIRE(registers > 500);
}

TEST_CASE("registers: groups run in turn, and an enabled group ignores writes") {
  RegBlock block(kPdp);
  std::vector<unsigned> enabled;
  block.on_enable([&](unsigned group) { enabled.push_back(group); });
  block.write(pdp::D_DATA_CUBE_IN_WIDTH, 7);
  block.write(pdp::D_OP_ENABLE, 1);
  REQUIRE(block.read(pdp::S_STATUS) == 1);
  REQUIRE_FALSE(block.write(pdp::D_DATA_CUBE_IN_WIDTH, 9));
  REQUIRE(block.read(pdp::D_DATA_CUBE_IN_WIDTH) == 7);
  block.write(pdp::S_POINTER, 1);
  block.write(pdp::D_OP_ENABLE, 1);
  REQUIRE(block.read(pdp::S_STATUS) == (1u | (2u << 16)));
  REQUIRE(enabled == std::vector<unsigned>{0, 1});
  block.operation_done();
  REQUIRE(block.read(pdp::S_STATUS) == (1u << 16));
  REQUIRE(block.read(pdp::S_POINTER) == (1u | (1u << 16)));
  REQUIRE(block.view(0).get(pdp::D_DATA_CUBE_IN_WIDTH_CUBE_IN_WIDTH) == 7);
}
