// Playing traces that need no datapath: interrupts set by software, sync, polls, checks, and traces
// that cannot finish. Each case is a process of its own.
#include <catch2/catch.hpp>

#include "models/common/tests/temp_file.hpp"
#include "vp/trace/runner.hpp"

using namespace dlavp;
using namespace dlavp::trace;

namespace {

Outcome play_text(const std::string& text) {
  const test::TempDir dir;
  dir.write("t/t.cfg", text);
  dir.write("t/d.dat", "{\n{offset:0x0, size:4, payload:0x31 0x32 0x33 0x34} ,\n}\n");
  return play({"nv_small", dir.path() / "t", 32});
}

std::string reasons(const Outcome& o) {
  std::string text;
  for (const std::string& r : o.reasons) text += r + "\n";
  return text;
}

}  // namespace

TEST_CASE("trace player: an interrupt reaches its sync and the memory is checked") {
  // CRC-32 of "1234" is 0x9be3e0a3.
  const Outcome o = play_text(
      "mem_init(1, 0x80000000, 0x1000, ALL_ZERO);\n"
      "mem_load(1, 0x80000000, \"d.dat\");\n"
      "reg_write(NVDLA_GLB.S_INTR_SET_0, 0x10);\n"
      "intr_notify(PDP_0, done);\n"
      "check_crc(done, 1, 0x80000000, 4, 0x9be3e0a3);\n");
  INFO(reasons(o));
  CHECK(o.passed);
  CHECK_FALSE(o.cycles);  // nothing was enabled
}

TEST_CASE("trace player: a wrong CRC fails with both values") {
  const Outcome o = play_text(
      "mem_load(1, 0x80000000, \"d.dat\");\n"
      "reg_write(NVDLA_GLB.S_INTR_SET_0, 0x1);\n"
      "intr_notify(SDP_0, done);\n"
      "check_crc(done, 1, 0x80000000, 4, 0x1);\n");
  CHECK_FALSE(o.passed);
  CHECK_FALSE(o.bad_input);
  CHECK(reasons(o).find("is 0x9be3e0a3, expected 0x00000001") != std::string::npos);
}

TEST_CASE("trace player: a masked interrupt is found in the status") {
  const Outcome o = play_text(
      "reg_write(NVDLA_GLB.S_INTR_MASK_0, 0x1);\n"
      "reg_write(NVDLA_GLB.S_INTR_SET_0, 0x1);\n"
      "intr_notify(SDP_0, done);\n"
      "check_nothing(done);\n");
  INFO(reasons(o));
  CHECK(o.passed);
}

TEST_CASE("trace player: a sequence that waits for a sync lets the others go on") {
  const Outcome o = play_text(
      "sync_wait(NVDLA_SDP, later);\n"
      "reg_write(NVDLA_SDP.S_POINTER_0, 1);\n"
      "reg_write(NVDLA_GLB.S_INTR_SET_0, 0x4);\n"
      "intr_notify(CDP_0, later);\n"
      "reg_read_check(NVDLA_GLB.S_INTR_MASK_0, 0x0);\n");
  INFO(reasons(o));
  CHECK(o.passed);
}

TEST_CASE("trace player: a trace that never finishes says what it awaits") {
  const Outcome o = play_text("intr_notify(PDP_1, done);\ncheck_nothing(done);\n");
  CHECK_FALSE(o.passed);
  CHECK(reasons(o).find("awaits interrupt PDP_1 (done)") != std::string::npos);
}

TEST_CASE("trace player: a poll of what cannot change ends the trace") {
  const Outcome o = play_text("poll_reg_equal(NVDLA_GLB.S_INTR_MASK_0, 0x5);\n");
  CHECK_FALSE(o.passed);
  CHECK(reasons(o).find("S_INTR_MASK_0 is 0x0, expected 0x5") != std::string::npos);
}

TEST_CASE("trace player: a read that differs fails with both values") {
  const Outcome o = play_text("reg_read_check(NVDLA_GLB.S_NVDLA_HW_VERSION_0, 0x7);\n");
  CHECK_FALSE(o.passed);
  CHECK(reasons(o).find("is 0x303031, expected 0x7") != std::string::npos);
}

TEST_CASE("trace player: a broken trace is bad input") {
  const Outcome o = play_text("nonsense\n");
  CHECK(o.bad_input);
  CHECK(reasons(o).find("t.cfg:1") != std::string::npos);
}
