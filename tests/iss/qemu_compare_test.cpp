// The ISS against QEMU, instruction by instruction: the same image, and before each instruction the
// same pc, integer and float registers and trap CSRs. Then the image runs once more in long blocks
// and must end in the same state.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <set>

#include "tests/iss/program.hpp"
#include "tests/iss/qemu.hpp"
#include "tests/iss/virt_bus.hpp"
#include "vp/iss/decode.hpp"

using namespace dlavp::iss;
using namespace dlavp::iss::test;

namespace {

// What a machine-mode-only hart has of mstatus and mip; QEMU keeps more fields.
constexpr uint64_t kMstatusCompared = kMie | kMpie | kFs | (uint64_t{1} << 63);

/// Empty if equal, else which register, and both values.
std::string difference(Cpu& cpu, const QemuState& q) {
  std::string text;
  const auto compare = [&](const std::string& name, uint64_t ours, uint64_t theirs) {
    if (ours != theirs) text += fmt::format(" {}: iss {:#x}, qemu {:#x};", name, ours, theirs);
  };
  compare("pc", cpu.pc(), q.pc);
  for (unsigned i = 0; i < 32; ++i) {
    compare(fmt::format("x{}", i), cpu.x(i), q.x[i]);
    compare(fmt::format("f{}", i), cpu.f(i), q.f[i]);
  }
  compare("mstatus", cpu.csr(0x300) & kMstatusCompared, q.mstatus & kMstatusCompared);
  compare("mip", cpu.csr(0x344), q.mip & kAllInterrupts);
  compare("mie", cpu.csr(0x304), q.mie & kAllInterrupts);
  compare("mtvec", cpu.csr(0x305), q.mtvec);
  compare("mepc", cpu.csr(0x341), q.mepc);
  compare("mcause", cpu.csr(0x342), q.mcause);
  compare("mtval", cpu.csr(0x343), q.mtval);
  compare("mscratch", cpu.csr(0x340), q.mscratch);
  return text;
}

std::set<InsnId>& executed() {
  static std::set<InsnId> ids;
  return ids;
}

Insn insn_at(VirtBus& bus, uint64_t pc) {
  uint32_t word = 0;
  if (const uint8_t* host = bus.at(pc, 4)) std::memcpy(&word, host, sizeof word);
  return decode(word);
}

void start_like(Cpu& cpu, const QemuState& q) {
  for (unsigned i = 1; i < 32; ++i) cpu.set_x(i, q.x[i]);
}

/// Runs `image` on both; returns the number of instructions compared.
size_t compare_with_qemu(const std::vector<uint8_t>& image, const std::string& name) {
  const std::vector<QemuState> states = run_qemu(image, name);
  REQUIRE(states.size() > 10);
  VirtBus bus;
  bus.write(kBase, image);
  CpuOptions one_at_a_time;
  one_at_a_time.max_block_instructions = 1;
  Cpu cpu(bus, CostTable::unit_costs(), one_at_a_time);
  bus.attach(cpu);
  start_like(cpu, states[0]);
  std::string last;
  for (size_t i = 0; i < states.size(); ++i) {
    cpu.poll_interrupts();
    const std::string text = difference(cpu, states[i]);
    if (!text.empty()) FAIL(name << ", state " << i << ", after " << last << ":" << text);
    const Insn insn = insn_at(bus, cpu.pc());
    executed().insert(insn.id);
    last = fmt::format("{} ({:#x}) at {:#x}", insn_name(insn.id), insn.raw, cpu.pc());
    cpu.run(cpu.cycles() + 1);
  }
  CHECK(bus.exited());

  VirtBus block_bus;
  block_bus.write(kBase, image);
  Cpu blocks(block_bus, CostTable::unit_costs());
  block_bus.attach(blocks);
  start_like(blocks, states[0]);
  for (int i = 0; i < 1000000 && !block_bus.exited(); ++i) blocks.run(blocks.cycles() + 100000);
  REQUIRE(block_bus.exited());
  for (unsigned i = 0; i < 32; ++i) {
    CHECK(blocks.x(i) == cpu.x(i));
    CHECK(blocks.f(i) == cpu.f(i));
  }
  CHECK(blocks.instructions() == cpu.instructions());
  CHECK(blocks.traps() == cpu.traps());
  CHECK(blocks.interrupts() == cpu.interrupts());
  CHECK(std::equal(bus.bytes().begin(), bus.bytes().end(), block_bus.bytes().begin()));
  return states.size();
}

bool skip() {
  if (qemu_exists()) return false;
  std::puts("skipped: no qemu");
  return true;
}

}  // namespace

TEST_CASE("iss against qemu: random programs agree instruction by instruction") {
  if (skip()) return;
  const char* wanted = std::getenv("DLAVP_ISS_SEEDS");
  const int programs = wanted != nullptr ? std::atoi(wanted) : 8;
  size_t compared = 0;
  for (int seed = 1; seed <= programs; ++seed) {
    INFO("seed " << seed);
    compared += compare_with_qemu(random_program(static_cast<uint64_t>(seed), 1500),
                                  "random_" + std::to_string(seed));
  }
  CHECK(compared > static_cast<size_t>(programs) * 1500);
  for (size_t i = 0; i < kInsnCount; ++i) {
    const auto id = static_cast<InsnId>(i);
    if (id == InsnId::kWfi || programs < 8) continue;  // wfi is in the interrupt program
    INFO("never executed: " << insn_name(id));
    CHECK(executed().contains(id));
  }
  std::printf("%zu instructions compared\n", compared);
}

TEST_CASE("iss against qemu: code that rewrites itself runs as rewritten after fence.i") {
  if (skip()) return;
  compare_with_qemu(self_modifying_program(), "self_modifying");
}

TEST_CASE("iss against qemu: interrupts are taken at the same instruction") {
  if (skip()) return;
  compare_with_qemu(interrupt_program(), "interrupts");
}

TEST_CASE("iss against qemu: float state off, initial, dirty and reserved rounding modes") {
  if (skip()) return;
  compare_with_qemu(float_state_program(), "float_state");
}
