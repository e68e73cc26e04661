// Decode of every format: fields, immediates, reserved encodings, and the compressed expansions.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <random>

#include "vp/iss/decode.hpp"
#include "vp/iss/tests/assembler.hpp"

using namespace dlavp::iss;
using namespace dlavp::iss::test;

namespace {

std::string text_of(const Insn& i) {
  return fmt::format("{} rd{} rs{} rs{} imm {}", insn_name(i.id), i.rd, i.rs1, i.rs2, i.imm);
}

struct Case {
  uint32_t bits;
  const char* text;
};

}  // namespace

TEST_CASE("iss decode: each 32-bit format gives its fields and sign-extended immediate") {
  const Case cases[] = {
      {r_type(0x33, 0, 0x20, 3, 4, 5), "sub rd3 rs4 rs5 imm 0"},
      {i_type(0x13, 0, 1, 2, -2048), "addi rd1 rs2 rs0 imm -2048"},
      {i_type(0x13, 5, 1, 2, 0x43F), "srai rd1 rs2 rs31 imm 63"},
      {i_type(0x1B, 5, 1, 2, 31), "srliw rd1 rs2 rs31 imm 31"},
      {s_type(0x23, 3, 6, 7, -1), "sd rd31 rs6 rs7 imm -1"},
      {b_type(6, 8, 9, -4096), "bltu rd0 rs8 rs9 imm -4096"},
      {b_type(1, 8, 9, 4094), "bne rd31 rs8 rs9 imm 4094"},
      {lui(5, 0x80000), "lui rd5 rs0 rs0 imm -2147483648"},
      {jal(1, -1048576), "jal rd1 rs0 rs0 imm -1048576"},
      {jal(0, 1048574), "jal rd0 rs31 rs31 imm 1048574"},
      {csrrw(5, 0xFFF, 6), "csrrw rd5 rs6 rs31 imm 4095"},
      {r_type(0x2F, 3, 0x1C << 2, 1, 2, 3), "amomaxu.d rd1 rs2 rs3 imm 0"},
      {r_type(0x2F, 2, 2 << 2, 1, 2, 0), "lr.w rd1 rs2 rs0 imm 0"},
      {r_type(0x53, 7, 0x61, 1, 2, 3), "fcvt.lu.d rd1 rs2 rs3 imm 0"},
      {r_type(0x53, 1, 0x71, 1, 2, 0), "fclass.d rd1 rs2 rs0 imm 0"},
      {r_type(0x53, 0, 0x20, 1, 2, 1), "fcvt.s.d rd1 rs2 rs1 imm 0"},
      {kMret, "mret rd0 rs0 rs2 imm 0"},
  };
  for (const Case& c : cases) CHECK(text_of(decode(c.bits)) == c.text);
  const Insn fma = decode(0x43 | (1 << 7) | (2 << 15) | (3 << 20) | (1 << 25) | (4u << 27));
  CHECK(fma.id == InsnId::kFmaddD);
  CHECK(fma.rs3 == 4);
}

TEST_CASE("iss decode: compressed instructions expand to their base instruction") {
  const Case cases[] = {
      {0x0FE8, "addi rd10 rs2 rs0 imm 988"},  {0x1141, "addi rd2 rs2 rs0 imm -16"},
      {0x7139, "addi rd2 rs2 rs0 imm -64"},   {0x4505, "addi rd10 rs0 rs0 imm 1"},
      {0x757D, "lui rd10 rs0 rs0 imm -4096"}, {0x2505, "addiw rd10 rs10 rs0 imm 1"},
      {0x8082, "jalr rd0 rs1 rs0 imm 0"},     {0x9502, "jalr rd1 rs10 rs0 imm 0"},
      {0x9002, "ebreak rd0 rs0 rs0 imm 0"},   {0x852E, "add rd10 rs0 rs11 imm 0"},
      {0x952E, "add rd10 rs10 rs11 imm 0"},   {0x8D0D, "sub rd10 rs10 rs11 imm 0"},
      {0x9D2D, "addw rd10 rs10 rs11 imm 0"},  {0x891D, "andi rd10 rs10 rs0 imm 7"},
      {0x957D, "srai rd10 rs10 rs0 imm 63"},  {0x6408, "ld rd10 rs8 rs0 imm 8"},
      {0xE408, "sd rd0 rs8 rs10 imm 8"},      {0x5C48, "lw rd10 rs8 rs0 imm 60"},
      {0x60A2, "ld rd1 rs2 rs0 imm 8"},       {0xE406, "sd rd0 rs2 rs1 imm 8"},
      {0x2008, "fld rd10 rs8 rs0 imm 0"},     {0xA522, "fsd rd0 rs2 rs8 imm 136"},
      {0xA001, "jal rd0 rs0 rs0 imm 0"},      {0xDD7D, "beq rd0 rs10 rs0 imm -2"},
      {0xD175, "beq rd0 rs10 rs0 imm -28"},   {0xB7D5, "jal rd0 rs0 rs0 imm -28"},
      {0xE119, "bne rd0 rs10 rs0 imm 6"},
  };
  for (const Case& c : cases) {
    INFO(fmt::format("{:#x}", c.bits));
    CHECK(text_of(decode(c.bits)) == c.text);
    CHECK(decode(c.bits).length_bytes == 2);
  }
}

TEST_CASE("iss decode: reserved encodings are illegal") {
  const uint32_t cases[] = {
      0x0000,  // defined illegal
      0x2001,  // c.addiw x0
      0x6101,  // c.addi16sp 0
      0x6501,  // c.lui a0, 0
      0x4002,  // c.lwsp x0
      0x8002,  // c.jr x0
      0x9C41,  // quadrant 1, reserved register-register form
      0x8000,  // quadrant 0, funct3 4
      r_type(0x33, 0, 0x02, 1, 2, 3),
      i_type(0x1B, 1, 1, 2, 32),         // slliw by 32
      i_type(0x67, 1, 1, 2, 0),          // jalr with funct3 1
      i_type(0x03, 7, 1, 2, 0),          // load width 7
      r_type(0x2F, 2, 2 << 2, 1, 2, 3),  // lr with rs2
      r_type(0x53, 5, 0x00, 1, 2, 3),    // fadd.s, rounding mode 5
      r_type(0x53, 7, 0x02, 1, 2, 3),    // half precision
      r_type(0x53, 7, 0x20, 1, 2, 0),    // fcvt.s.s
      0x10200073,                        // sret: no supervisor mode
      0xFFFFFFFF,
  };
  for (uint32_t bits : cases) {
    INFO(fmt::format("{:#x}", bits));
    CHECK(decode(bits).id == InsnId::kIllegal);
  }
}

TEST_CASE("iss decode: any bits decode to an instruction of the list with its own bits") {
  std::mt19937 rng(7);
  for (int i = 0; i < 200000; ++i) {
    const auto bits = static_cast<uint32_t>(rng());
    const Insn insn = decode(bits);
    REQUIRE(static_cast<size_t>(insn.id) < kInsnCount);
    REQUIRE(insn.length_bytes == insn_length(static_cast<uint16_t>(bits)));
    REQUIRE(insn.raw == (insn.length_bytes == 4 ? bits : bits & 0xFFFF));
    REQUIRE((insn.rd < 32 && insn.rs1 < 32 && insn.rs2 < 32 && insn.rs3 < 32));
  }
}
