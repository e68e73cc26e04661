// The directed programs.
#include "tests/iss/program.hpp"
#include "vp/iss/tests/assembler.hpp"

namespace dlavp::iss::test {
namespace {

constexpr uint32_t kMstatus = 0x300, kMieCsr = 0x304, kMtvec = 0x305, kMip = 0x344;
constexpr uint32_t kT0 = 5, kT1 = 6, kCount = 7, kA0 = 10, kA1 = 11, kA2 = 12;

/// Fills with no-operations up to `offset` bytes from the start.
void pad_to(ProgramBuilder& b, uint64_t offset) {
  while (b.code_bytes() < offset) b.emit16(0x0001);
}

/// A loop that rewrites the immediate of an instruction that it then runs.
void rewriting_loop(ProgramBuilder& b) {
  b.emit32(addi(kCount, 0, 5));
  b.emit32(addi(kA1, 0, 0));
  const uint64_t top = b.pc();
  const uint32_t patched = addi(kA1, kA1, 1);
  b.emit32(auipc(kA0, 0));
  // a0 + 28 is the patched instruction; its immediate grows by one each time round.
  b.emit32(lw(kT0, kA0, 28));
  b.emit32(lui(kT1, 0x100));
  b.emit32(add(kT0, kT0, kT1));
  b.emit32(sw(kT0, kA0, 28));
  b.emit32(kFenceI);
  b.emit32(kNop);
  b.emit32(patched);
  b.emit32(addi(kCount, kCount, -1));
  b.emit32(b_type(1, kCount, 0, static_cast<int32_t>(top - b.pc())));
}

}  // namespace

std::vector<uint8_t> self_modifying_program() {
  ProgramBuilder b(1);
  rewriting_loop(b);
  // The same with the patched instruction lying across a page boundary.
  pad_to(b, 0x1000 - 8 - 28 - 2);
  rewriting_loop(b);
  for (int i = 0; i < 20; ++i) b.random_piece();
  return b.finish();
}

std::vector<uint8_t> interrupt_program() {
  ProgramBuilder b(2);
  const auto raise_software = [&] {
    b.emit32(lui(kT1, 0x2000));
    b.emit32(addi(kT0, 0, 1));
    b.emit32(sw(kT0, kT1, 0));
  };
  b.emit32(csrrs(kA0, kMip, 0));  // the timer is pending from reset: mtimecmp is 0
  b.emit32(addi(kT0, 0, 0x88));
  b.emit32(csrrw(0, kMieCsr, kT0));
  b.emit32(addi(kT1, 0, 8));
  b.emit32(kWfi);                     // goes on at once
  b.emit32(csrrs(0, kMstatus, kT1));  // taken behind this
  for (int i = 0; i < 3; ++i) b.emit32(addi(kA1, kA1, 1));
  raise_software();
  for (int i = 0; i < 3; ++i) b.emit32(addi(kA1, kA1, 1));
  // Vectored: the handlers lie 4 bytes apart; exceptions still go to the base.
  b.emit32(auipc(kA2, 0));
  b.emit32(addi(kA2, kA2, 32));
  b.emit32(csrrs(kA0, kMtvec, 0));
  b.emit32(addi(kT0, kA2, 1));
  b.emit32(jal(0, 48));
  b.emit32(kNop);
  b.emit32(kNop);
  b.emit32(kNop);
  for (int i = 0; i < 3; ++i) b.emit32(kNop);
  b.emit32(jal(0, 8));  // cause 3
  b.emit32(kNop);
  b.emit32(csrrw(0, kMtvec, kA0));  // back to the common handler, leaving msip to it
  b.emit32(kMret);
  b.emit32(kNop);
  b.emit32(csrrw(0, kMtvec, kT0));
  raise_software();
  for (int i = 0; i < 3; ++i) b.emit32(addi(kA1, kA1, 1));
  return b.finish();
}

std::vector<uint8_t> float_state_program() {
  ProgramBuilder b(3);
  const uint32_t fadd = r_type(0x53, 7, 1, 1, 2, 3);  // fadd.d f1, f2, f3, dynamic rounding
  const uint32_t fmv = r_type(0x53, 0, 0x71, kA0, 1, 0);
  const auto each = [&] {
    b.emit32(fadd);
    b.emit32(fmv);
    b.emit32(csrrs(kA0, 1, 0));
    b.emit32(i_type(7, 3, 4, 9, 0));
    b.emit32(s_type(0x27, 3, 9, 4, 8));
    b.emit16(0x2008);  // c.fld f10, 0(x8)
  };                   // mstatus itself is compared at each instruction
  b.emit32(lui(kT0, 6));
  b.emit32(0x73 | (3u << 12) | (kT0 << 15) | (kMstatus << 20));  // FS off
  each();
  b.emit32(lui(kT1, 2));
  b.emit32(csrrs(0, kMstatus, kT1));  // initial; the first write of a register makes it dirty
  each();
  for (uint32_t rm = 0; rm < 8; ++rm) {
    b.emit32(0x73 | (5u << 12) | (rm << 15) | (2u << 20));  // frm = rm, 5 to 7 reserved
    b.emit32(fadd);
    b.emit32(csrrs(kA0, 3, 0));
  }
  b.emit32(csrrw(0, 3, 0));
  return b.finish();
}

}  // namespace dlavp::iss::test
