// Tests of the SystemC core with its devices on a small platform.
#include <catch2/catch.hpp>

#include "vp/iss/tests/assembler.hpp"
#include "vp/iss/tests/test_platform.hpp"

using namespace dlavp::iss;
using namespace dlavp::iss::test;
using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

constexpr uint32_t kMstatus = 0x300, kMieCsr = 0x304, kMtvec = 0x305, kMcause = 0x342;
constexpr uint32_t kT0 = 5, kT1 = 6, kT2 = 7, kS0 = 8, kA0 = 10, kA1 = 11;

/// Ends the program with success.
void append_exit(std::vector<uint32_t>& code) {
  load_immediate(code, kT0, TestPlatform::kExit);
  load_immediate(code, kT1, 0x5555);
  code.push_back(sw(kT1, kT0, 0));
  code.push_back(kLoopForever);
}

/// mtvec = kRamBase + 0x1000.
void append_vector(std::vector<uint32_t>& code) {
  code.push_back(auipc(kT0, 1));
  code.push_back(addi(kT0, kT0, static_cast<int32_t>(-4 * static_cast<int64_t>(code.size() - 1))));
  code.push_back(csrrw(0, kMtvec, kT0));
}

void run_to_end(double limit_us = 10000) { sc_core::sc_start(sc_time(limit_us, sc_core::SC_US)); }

}  // namespace

TEST_CASE("iss core: a program writes the UART and ends the run") {
  TestPlatform p;
  std::vector<uint32_t> code;
  load_immediate(code, kA0, TestPlatform::kUart);
  for (char c : std::string("hi\n")) {
    code.push_back(addi(kA1, 0, c));
    code.push_back(s_type(0x23, 0, kA0, kA1, 0));
  }
  append_exit(code);
  p.load(TestPlatform::kRamBase, code);
  run_to_end();
  CHECK(p.uart_text.str() == "hi\n");
  REQUIRE(p.core.exit_code().has_value());
  CHECK(*p.core.exit_code() == 0);
  CHECK(p.core.cpu().instructions() == 13);
  CHECK(p.core.bus_accesses() == 4);
  CHECK(p.ram_transports == 0);
}

TEST_CASE("iss core: the timer interrupt wakes wfi at the programmed tick") {
  TestPlatform p;
  std::vector<uint32_t> code;
  append_vector(code);
  load_immediate(code, kA0, TestPlatform::kClint + 0x4000);
  code.push_back(addi(kA1, 0, 1000));
  code.push_back(sd(kA1, kA0, 0));
  code.push_back(addi(kT0, 0, 0x80));
  code.push_back(csrrw(0, kMieCsr, kT0));
  code.push_back(addi(kT0, 0, 8));
  code.push_back(csrrs(0, kMstatus, kT0));
  code.push_back(kWfi);
  code.push_back(kLoopForever);
  p.load(TestPlatform::kRamBase, code);
  std::vector<uint32_t> handler = {csrrs(kS0, kMcause, 0), csrrs(kT2, 0xC01, 0)};
  append_exit(handler);
  p.load(TestPlatform::kRamBase + 0x1000, handler);
  run_to_end();
  REQUIRE(p.core.stopped());
  CHECK(p.core.cpu().x(kS0) == ((uint64_t{1} << 63) | 7));
  CHECK(p.core.cpu().x(kT2) == 1000);
  // 1000 ticks of 100 ns asleep, at a period of 1 ns.
  CHECK(p.core.sleep_cycles() > 99900);
  CHECK(p.core.cpu().cycles() - p.core.sleep_cycles() < 60);
  CHECK(p.core.cpu().interrupts() == 1);
}

TEST_CASE("iss core: a software interrupt is taken right after the store that raises it") {
  TestPlatform p;
  std::vector<uint32_t> code;
  append_vector(code);
  load_immediate(code, kA0, TestPlatform::kClint);
  code.push_back(addi(kT0, 0, 8));
  code.push_back(csrrw(0, kMieCsr, kT0));
  code.push_back(csrrs(0, kMstatus, kT0));
  code.push_back(addi(kA1, 0, 1));
  code.push_back(sw(kA1, kA0, 0));
  const uint64_t behind_store = TestPlatform::kRamBase + 4 * code.size();
  for (int i = 0; i < 20; ++i) code.push_back(addi(kS0, kS0, 1));
  code.push_back(kLoopForever);
  p.load(TestPlatform::kRamBase, code);
  std::vector<uint32_t> handler = {csrrs(kA1, 0x341, 0)};
  append_exit(handler);
  p.load(TestPlatform::kRamBase + 0x1000, handler);
  run_to_end();
  REQUIRE(p.core.stopped());
  CHECK(p.core.cpu().x(kA1) == behind_store);
  CHECK(p.core.cpu().x(kS0) == 0);
}

TEST_CASE("iss core: PLIC claim names the source and complete re-arms it") {
  TestPlatform p;
  std::vector<uint32_t> code;
  append_vector(code);
  load_immediate(code, kA0, TestPlatform::kPlic);
  code.push_back(addi(kT0, 0, 3));
  code.push_back(sw(kT0, kA0, 4 * TestPlatform::kTestSource));
  load_immediate(code, kT1, TestPlatform::kPlic + 0x2000);
  code.push_back(addi(kT0, 0, 1 << TestPlatform::kTestSource));
  code.push_back(sw(kT0, kT1, 0));
  load_immediate(code, kA1, TestPlatform::kPlic + 0x200000);
  code.push_back(lui(kT0, 1));
  code.push_back(addi(kT0, kT0, -0x800));
  code.push_back(csrrw(0, kMieCsr, kT0));
  code.push_back(addi(kT0, 0, 8));
  code.push_back(csrrs(0, kMstatus, kT0));
  code.push_back(kWfi);
  code.push_back(jal(0, -4));
  p.load(TestPlatform::kRamBase, code);
  // The handler claims into s0, completes, and leaves after the second interrupt (s1 counts).
  std::vector<uint32_t> handler = {lw(kS0, kA1, 4), addi(9, 9, 1),        sw(kS0, kA1, 4),
                                   addi(kT2, 0, 2), b_type(0, 9, kT2, 8), kMret};
  append_exit(handler);
  p.load(TestPlatform::kRamBase + 0x1000, handler);
  sc_core::sc_start(sc_time(50, sc_core::SC_US));
  CHECK(p.core.sleeping());
  CHECK(p.core.cpu().interrupts() == 0);
  p.test_line.write(true);
  run_to_end();
  REQUIRE(p.core.stopped());
  CHECK(p.core.cpu().x(kS0) == TestPlatform::kTestSource);
  CHECK(p.core.cpu().x(9) == 2);
}

TEST_CASE("iss core: an access that nothing answers raises an access fault") {
  TestPlatform p;
  std::vector<uint32_t> code;
  append_vector(code);
  load_immediate(code, kA0, 0x50000000);
  code.push_back(lw(kA1, kA0, 8));
  p.load(TestPlatform::kRamBase, code);
  std::vector<uint32_t> handler = {csrrs(kS0, kMcause, 0), csrrs(kA1, 0x343, 0)};
  append_exit(handler);
  p.load(TestPlatform::kRamBase + 0x1000, handler);
  run_to_end();
  REQUIRE(p.core.stopped());
  CHECK(p.core.cpu().x(kS0) == 5);
  CHECK(p.core.cpu().x(kA1) == 0x50000008);
  CHECK(p.core.bus_errors() == 1);
}

TEST_CASE("iss core: memory without DMI costs its annotated latency") {
  TestPlatform p({}, false);
  p.ram_latency = sc_time(20, sc_core::SC_NS);
  std::vector<uint32_t> code;
  load_immediate(code, kA0, static_cast<int32_t>(0x2000));
  code.push_back(auipc(kA0, 2));
  code.push_back(sd(kA0, kA0, 0));
  code.push_back(ld(kA1, kA0, 0));
  append_exit(code);
  p.load(TestPlatform::kRamBase, code);
  run_to_end();
  REQUIRE(p.core.stopped());
  CHECK(p.core.cpu().x(kA1) == p.core.cpu().x(kA0));
  CHECK(p.ram_transports > 2);
  CHECK(p.core.cpu().cycles() >= 20 * p.ram_transports);
}

TEST_CASE("iss core: revoked host pointers are asked for again") {
  TestPlatform p;
  std::vector<uint32_t> code = {addi(kS0, kS0, 1), jal(0, -4)};
  p.load(TestPlatform::kRamBase, code);
  sc_core::sc_start(sc_time(100, sc_core::SC_US));
  const uint64_t before = p.core.cpu().x(kS0);
  CHECK(before > 1000);
  p.revoke_dmi();
  p.load(TestPlatform::kRamBase, {addi(kS0, kS0, 2), jal(0, -4)});
  sc_core::sc_start(sc_time(100, sc_core::SC_US));
  CHECK(p.core.cpu().x(kS0) > 2 * before + before / 2);
}
