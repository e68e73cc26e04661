// Random operations on the accelerator against the oracle, on every int8 configuration. The seed
// is DLAVP_RANDOM_SEED, the operations per unit DLAVP_RANDOM_OPS; a failing case is halved in each
// dimension while it still fails.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>
#include <string>

#include "models/mcif/memory_timing.hpp"
#include "models/nvdla/accelerator.hpp"
#include "tests/reference/registers/random_ops.hpp"

using namespace dlavp;
using namespace dlavp::reference;

namespace {

enum class Target { kSdp, kPdp, kCdp };

constexpr const char* kConfigs[] = {"nv_small",      "nv_small_256",        "nv_small_256_full",
                                    "nv_medium_512", "nv_medium_1024_full", "nv_large"};
constexpr sim::Cycle kPatience = 20'000'000;

struct Trial {
  Target target;
  const HwConfig* hw;
  const TimingParams* timing;
  uint32_t seed;
  Size size;
};

uint64_t setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

/// Repeats a block of random bytes over all that an operation may read.
void scatter(SparseMemory& memory, uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<uint8_t> block(0x8000);
  for (uint8_t& b : block) b = static_cast<uint8_t>(engine());
  for (const uint64_t base : {0x10000u, 0x200000u, 0x300000u, 0x400000u, 0x800000u})
    DLAVP_CHECK(memory.write(base, block) && memory.write(base + block.size(), block), "at {:#x}",
                base);
}

void write(nvdla::Accelerator& chip, const Registers& regs) {
  const auto base = static_cast<uint32_t>(regs.table().base(chip.hw().hw));
  for (const auto& [offset, value] : regs.values()) chip.csb_write(base + offset, value);
}

template <typename Constants>
void write_tables(nvdla::Accelerator& chip, const regs::UnitTable& table, const Tables& tables,
                  const Constants& access) {
  const auto base = static_cast<uint32_t>(table.base(chip.hw().hw));
  chip.csb_write(base + access.cfg, 1u << 17);
  for (const int16_t v : tables.le) chip.csb_write(base + access.data, static_cast<uint16_t>(v));
  chip.csb_write(base + access.cfg, 3u << 16);
  for (const int16_t v : tables.lo) chip.csb_write(base + access.data, static_cast<uint16_t>(v));
}

struct Access {
  uint32_t cfg, data;
};

void enable(nvdla::Accelerator& chip, const regs::UnitTable& table, uint32_t offset) {
  chip.csb_write(static_cast<uint32_t>(table.base(chip.hw().hw)) + offset, 1);
}

void start(nvdla::Accelerator& chip, const Program& p, Target target) {
  if (target == Target::kSdp) {
    write_tables(chip, p.sdp.table(), p.sdp_tables,
                 Access{regs::sdp::S_LUT_ACCESS_CFG, regs::sdp::S_LUT_ACCESS_DATA});
    write(chip, p.sdp_rdma);
    write(chip, p.sdp);
    enable(chip, p.sdp_rdma.table(), regs::sdp_rdma::D_OP_ENABLE);
    enable(chip, p.sdp.table(), regs::sdp::D_OP_ENABLE);
  } else if (target == Target::kPdp) {
    write(chip, p.pdp_rdma);
    write(chip, p.pdp);
    enable(chip, p.pdp_rdma.table(), regs::pdp_rdma::D_OP_ENABLE);
    enable(chip, p.pdp.table(), regs::pdp::D_OP_ENABLE);
  } else {
    write_tables(chip, p.cdp.table(), p.cdp_tables,
                 Access{regs::cdp::S_LUT_ACCESS_CFG, regs::cdp::S_LUT_ACCESS_DATA});
    write(chip, p.cdp_rdma);
    write(chip, p.cdp);
    enable(chip, p.cdp_rdma.table(), regs::cdp_rdma::D_OP_ENABLE);
    enable(chip, p.cdp.table(), regs::cdp::D_OP_ENABLE);
  }
}

/// What differs, or nothing.
std::optional<std::string> differs(const Trial& trial) {
  Program program;
  program.atom = trial.hw->memory_atomic_size;
  Random random(trial.seed);
  (trial.target == Target::kSdp   ? make_sdp
   : trial.target == Target::kPdp ? make_pdp
                                  : make_cdp)(program, random, *trial.hw, trial.size);
  SparseMemory expected, got, secondary;
  scatter(expected, trial.seed);
  scatter(got, trial.seed);
  program.memory = &expected;
  const std::vector<uint64_t> written = (trial.target == Target::kSdp   ? run_sdp
                                         : trial.target == Target::kPdp ? run_pdp
                                                                        : run_cdp)(program);

  mcif::FixedLatencyMemory timing(8), secondary_timing(8);
  nvdla::Accelerator chip(*trial.hw, *trial.timing, {&got, &secondary, &timing, &secondary_timing});
  start(chip, program, trial.target);
  while (chip.events().now() < kPatience && chip.events().run_next()) {
  }
  if (!chip.program_errors().empty()) return "refused: " + chip.program_errors().text();
  if (chip.operations().size() != 1)
    return fmt::format("{} operations completed, expected 1", chip.operations().size());
  for (const uint64_t address : written) {
    const int8_t want = load(expected, address), have = load(got, address);
    if (want != have) return fmt::format("byte at {:#x} is {}, expected {}", address, have, want);
  }
  return std::nullopt;
}

Trial shrink(Trial trial) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (uint32_t Size::*dimension : {&Size::width, &Size::height, &Size::channels}) {
      Trial half = trial;
      half.size.*dimension = (trial.size.*dimension + 1) / 2;
      if (half.size.*dimension == trial.size.*dimension || !differs(half)) continue;
      trial = half;
      smaller = true;
    }
  }
  return trial;
}

void compare(Target target) {
  const auto seed = static_cast<uint32_t>(setting("DLAVP_RANDOM_SEED", 1));
  const uint64_t count = setting("DLAVP_RANDOM_OPS", 120);
  WARN("seed " << seed << ", " << count << " operations");
  uint64_t done = 0;
  for (const char* name : kConfigs) {
    const HwConfig hw = load_hw_config(name).value();
    const TimingParams timing = TimingParams::load(hw).value();
    const uint64_t share = (count + std::size(kConfigs) - 1) / std::size(kConfigs);
    for (uint64_t i = 0; i < share; ++i, ++done) {
      const auto own = static_cast<uint32_t>(seed * 1000003 + i);
      Random sizes(own ^ 0x5bd1e995);
      const uint32_t atom = hw.memory_atomic_size;
      const Trial trial{target,
                        &hw,
                        &timing,
                        own,
                        {sizes.size(4, 12), sizes.size(4, 9), sizes.size(atom, 2 * atom + 5)}};
      if (!differs(trial)) continue;
      const Trial least = shrink(trial);
      FAIL(name << ", operation seed " << own << ", " << least.size.width << "x"
                << least.size.height << "x" << least.size.channels << ": " << *differs(least));
    }
  }
  REQUIRE(done >= count);
}

}  // namespace

TEST_CASE("reference: random SDP operations equal the oracle") { compare(Target::kSdp); }
TEST_CASE("reference: random PDP operations equal the oracle") { compare(Target::kPdp); }
TEST_CASE("reference: random CDP operations equal the oracle") { compare(Target::kCdp); }
