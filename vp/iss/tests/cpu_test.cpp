// The hart without SystemC: traps, CSRs, counters, the block cache, and arbitrary bytes as code.
#include <catch2/catch.hpp>
#include <random>

#include "vp/iss/cpu.hpp"
#include "vp/iss/flat_bus.hpp"
#include "vp/iss/tests/assembler.hpp"

using namespace dlavp::iss;
using namespace dlavp::iss::test;

namespace {

constexpr uint64_t kBase = 0x80000000, kVector = kBase + 0x800;
constexpr uint32_t kMepc = 0x341, kMcause = 0x342, kMtval = 0x343, kMtvec = 0x305;

/// A hart whose trap vector holds an endless loop; a0 points at the middle of the memory.
struct Machine {
  explicit Machine(const std::vector<uint32_t>& code,
                   const CostTable& costs = CostTable::unit_costs())
      : cpu(bus, costs) {
    std::vector<uint32_t> all = {auipc(5, 0), addi(5, 5, 0x7F0), addi(5, 5, 16),
                                 csrrw(0, kMtvec, 5), auipc(10, 4)};
    all.insert(all.end(), code.begin(), code.end());
    all.push_back(kLoopForever);
    put(kBase, all);
    put(kVector, {kLoopForever});
    cpu.run(5);
  }
  void put(uint64_t address, const std::vector<uint32_t>& words) {
    bus.write(address, {reinterpret_cast<const uint8_t*>(words.data()), words.size() * 4});
  }
  void run(uint64_t cycles = 200) { cpu.run(cpu.cycles() + cycles); }

  FlatBus bus;
  Cpu cpu;
};

void check_trap(Machine& m, uint64_t cause, uint64_t offset, uint64_t tval) {
  m.run();
  CHECK(m.cpu.pc() == kVector);
  CHECK(m.cpu.csr(kMcause) == cause);
  CHECK(m.cpu.csr(kMepc) == kBase + 20 + offset);
  CHECK(m.cpu.csr(kMtval) == tval);
  CHECK(m.cpu.traps() == 1);
}

}  // namespace

TEST_CASE("iss cpu: exceptions are precise and carry cause, address and value") {
  SECTION("illegal instruction") {
    Machine m({addi(6, 0, 1), 0xFFFFFFFF, addi(6, 0, 2)});
    check_trap(m, 2, 4, 0xFFFFFFFF);
    CHECK(m.cpu.x(6) == 1);
  }
  SECTION("environment call") {
    Machine m({kEcall});
    check_trap(m, 11, 0, 0);
  }
  SECTION("breakpoint") {
    Machine m({kEbreak});
    check_trap(m, 3, 0, 0);
  }
  SECTION("load access fault leaves the register") {
    Machine m({addi(6, 0, 9), lw(6, 0, 16)});
    check_trap(m, 5, 4, 16);
    CHECK(m.cpu.x(6) == 9);
  }
  SECTION("store access fault") {
    Machine m({sw(6, 0, 16)});
    check_trap(m, 7, 0, 16);
  }
  SECTION("misaligned atomic") {
    Machine m({addi(10, 10, 2), r_type(0x2F, 2, 0, 6, 10, 6)});
    check_trap(m, 6, 4, kBase + 16 + 0x4000 + 2);
  }
  SECTION("misaligned load reserved") {
    Machine m({addi(10, 10, 4), r_type(0x2F, 3, 2 << 2, 6, 10, 0)});
    check_trap(m, 4, 4, kBase + 16 + 0x4000 + 4);
  }
  SECTION("misaligned load where no memory is") {
    Machine m({lw(6, 0, 18)});
    check_trap(m, 4, 0, 18);
  }
  SECTION("fetch access fault at the target of a jump") {
    Machine m({i_type(0x67, 0, 0, 0, 32)});
    m.run();
    CHECK(m.cpu.csr(kMcause) == 1);
    CHECK(m.cpu.csr(kMepc) == 32);
    CHECK(m.cpu.csr(kMtval) == 32);
  }
}

TEST_CASE("iss cpu: a trapped instruction does not retire") {
  Machine m({addi(6, 0, 1), addi(6, 0, 2), kEcall});
  CHECK(m.cpu.traps() == 1);
  CHECK(m.cpu.instructions() == 5 + 2);  // the machine's own five, then two
}

TEST_CASE("iss cpu: CSR fields follow their rules") {
  Machine m({});
  const auto write_read = [&](uint32_t csr, uint64_t value) {
    m.cpu.set_x(6, value);
    m.put(kBase + 0x400, {csrrw(0, csr, 6), csrrs(7, csr, 0), kLoopForever});
    m.cpu.invalidate_dmi();
    m.cpu.set_pc(kBase + 0x400);
    m.run(20);
    return m.cpu.x(7);
  };
  constexpr uint64_t kOnes = ~uint64_t{0};
  CHECK(write_read(0x300, kOnes) == 0x8000000000007888);  // SD, FS, MPP, MPIE, MIE
  CHECK(write_read(0x300, 0) == 0x1800);
  CHECK(write_read(0x304, kOnes) == 0x888);
  CHECK(write_read(0x344, kOnes) == 0);
  CHECK(write_read(0x341, kOnes) == kOnes - 1);
  CHECK(write_read(0x305, 0x1001) == 0x1001);
  CHECK(write_read(0x305, 0x2002) == 0x1001);  // reserved mode: not written
  CHECK(write_read(0x340, 0x123456789) == 0x123456789);
  CHECK(write_read(0x301, 0) == 0x800000000000112D);
  CHECK(write_read(0x300, 0x6000) != 0);
  CHECK(write_read(0x003, kOnes) == 0xFF);
  CHECK(write_read(0xB00, 1000) == 1001);  // the write's own cost passes before the read
  CHECK(write_read(0xB02, 1000) == 1000);
}

TEST_CASE("iss cpu: registers that do not exist are illegal") {
  for (uint32_t csr : {0x100u, 0x180u, 0x302u, 0x306u, 0x3A0u, 0x3B0u, 0x7A0u, 0x7B0u, 0x5C0u}) {
    Machine m({csrrs(6, csr, 0)});
    check_trap(m, 2, 0, csrrs(6, csr, 0));
  }
  Machine write_to_read_only({csrrw(0, 0xF14, 6)});
  check_trap(write_to_read_only, 2, 0, csrrw(0, 0xF14, 6));
}

TEST_CASE("iss cpu: cycles are the sum of the cost table's entries") {
  CostTable costs = CostTable::unit_costs();
  costs.cycles[static_cast<size_t>(CostClass::kMul)] = 10;
  costs.branch_taken = 7;
  FlatBus bus;
  Cpu cpu(bus, costs);
  const std::vector<uint32_t> code = {
      r_type(0x33, 0, 1, 6, 6, 6), addi(7, 0, 1),      b_type(1, 7, 0, 8), kNop,
      b_type(0, 7, 0, 8),          csrrs(8, 0xB00, 0), kLoopForever};
  bus.write(kBase, {reinterpret_cast<const uint8_t*>(code.data()), code.size() * 4});
  cpu.run(20);
  CHECK(cpu.x(8) == 10 + 1 + 7 + 1);
}

TEST_CASE("iss cpu: an interrupt pending before a long block is taken at its boundary") {
  Machine m({addi(6, 0, 0x80), csrrw(0, 0x304, 6), addi(6, 0, 8), csrrs(0, 0x300, 6)});
  m.run(50);
  CHECK(m.cpu.pc() == kBase + 36);
  m.cpu.set_interrupt(kTimerInterrupt, true);
  m.run(5);
  CHECK(m.cpu.csr(kMcause) == ((uint64_t{1} << 63) | 7));
  CHECK(m.cpu.csr(kMepc) == kBase + 36);
  CHECK(m.cpu.interrupts() == 1);
}

TEST_CASE("iss cpu: external before software before timer") {
  Machine m({addi(6, 0, -1), csrrw(0, 0x304, 6), addi(6, 0, 8), csrrs(0, 0x300, 6)});
  m.cpu.set_interrupt(kAllInterrupts, true);
  m.run(50);
  CHECK((m.cpu.csr(kMcause) & 0xFF) == 11);
}

TEST_CASE("iss cpu: wfi stops the run until something enabled is pending") {
  Machine m({addi(6, 0, 0x80), csrrw(0, 0x304, 6), kWfi, addi(7, 0, 5)});
  CHECK(m.cpu.run(m.cpu.cycles() + 1000) == StopReason::kWfi);
  CHECK(m.cpu.x(7) == 0);
  CHECK_FALSE(m.cpu.wakes());
  m.cpu.set_interrupt(kTimerInterrupt, true);
  CHECK(m.cpu.wakes());
  m.run(10);  // interrupts are off in mstatus: it just goes on
  CHECK(m.cpu.x(7) == 5);
  CHECK(m.cpu.interrupts() == 0);
}

TEST_CASE("iss cpu: a store beside code in its page does not flush, one into it does") {
  Machine beside({auipc(11, 0), sw(6, 11, 0x100)});
  beside.run(50);
  CHECK(beside.cpu.traps() == 0);
  CHECK(beside.cpu.cache().flushes() == 0);
  Machine into({auipc(11, 0), lw(12, 11, 8), sw(12, 11, 8)});
  into.run(50);
  CHECK(into.cpu.cache().flushes() == 1);
}

TEST_CASE("iss cpu: any bytes as code run to the cycle limit") {
  std::mt19937_64 rng(11);
  for (int round = 0; round < 60; ++round) {
    FlatBus bus(kBase, 1 << 16);
    for (uint8_t& b : bus.bytes()) b = static_cast<uint8_t>(rng());
    Cpu cpu(bus, CostTable::unit_costs());
    for (unsigned i = 1; i < 32; ++i) {
      const uint64_t near = kBase + rng() % (1 << 16);
      cpu.set_x(i, rng() % 2 == 0 ? near : rng());
    }
    // Vectors at random places inside and outside; float on.
    cpu.set_pc(kBase + 0x100);
    for (int slice = 0; slice < 200; ++slice) {
      cpu.run(cpu.cycles() + 100);
      if (slice % 3 == 0) cpu.set_pc(kBase + rng() % (1 << 16));
      if (slice % 7 == 0) cpu.set_interrupt(rng() & kAllInterrupts, rng() % 2 == 0);
      cpu.set_x(1 + rng() % 31, kBase + rng() % (1 << 16));
    }
    REQUIRE(cpu.x(0) == 0);
    REQUIRE(cpu.cycles() >= 1000);
  }
}
