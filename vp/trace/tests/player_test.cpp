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
  CHECK(reasons(o).find("is 0x9be3e0a3, expected 0x00000001 [trace.crc]") != std::string::npos);
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
  CHECK(reasons(o).find("S_INTR_MASK_0 is 0x0, expected 0x5 [trace.poll]") != std::string::npos);
}

TEST_CASE("trace player: a read that differs fails with both values") {
  const Outcome o = play_text("reg_read_check(NVDLA_GLB.S_NVDLA_HW_VERSION_0, 0x7);\n");
  CHECK_FALSE(o.passed);
  CHECK(reasons(o).find("is 0x303031, expected 0x7 [trace.register]") != std::string::npos);
}

TEST_CASE("trace player: a dump that differs fails with count, place and both values") {
  const test::TempDir dir;
  dir.write("t/input.txn", "load_mem 0x80000000 4 d.dat\ndump_mem 0x80000000 4 e.dat\n");
  dir.write("t/d.dat", "0x01 0x02 0x03 0x04\n");
  dir.write("t/e.dat", "0x01 0x02 0x05 0x06\n");
  const Outcome o = play({"nv_full", dir.path() / "t", 32});
  CHECK_FALSE(o.passed);
  INFO(reasons(o));
  CHECK(reasons(o).find("2 bytes differ, first at 0x80000002: 0x03, expected 0x05 [trace.bytes]") !=
        std::string::npos);
}

TEST_CASE("trace player: the older form begins while CBUF is being flushed") {
  const test::TempDir dir;
  dir.write("t/input.txn", "read_reg 0xffff1403 0x1 0x0\nread_reg 0xffff1403 0x1 0x1\n");
  const Outcome old = play({"nv_full", dir.path() / "t", 32});
  INFO(reasons(old));
  CHECK(old.passed);
  CHECK(old.simulated_cycles >= 4096);  // 16 banks of 512 entries from two sides
  CHECK(old.simulated_cycles < 8192);
}

TEST_CASE("trace player: a .cfg begins when CBUF has been flushed") {
  CHECK(play_text("reg_read_check(NVDLA_CDMA.S_CBUF_FLUSH_STATUS_0, 0x1);\n").passed);
}

TEST_CASE("trace player: a broken trace is bad input") {
  const Outcome o = play_text("nonsense\n");
  CHECK(o.bad_input);
  CHECK(reasons(o).find("t.cfg:1") != std::string::npos);
}
