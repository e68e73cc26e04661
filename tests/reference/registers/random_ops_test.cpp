// Random operations on the accelerator against the oracle, on every int8 configuration. The seed
// is DLAVP_RANDOM_SEED, the operations per unit DLAVP_RANDOM_OPS; a failing case is halved in each
// dimension while it still fails.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>

#include "models/mcif/memory_timing.hpp"
#include "models/nvdla/accelerator.hpp"
#include "tests/reference/registers/random_ops.hpp"

using namespace dlavp;
using namespace dlavp::reference;

namespace {

enum class Target { kSdp, kPdp, kCdp, kConv, kReuse, kPdpMix };

constexpr const char* kConfigs[] = {"nv_small",      "nv_small_256",        "nv_small_256_full",
                                    "nv_medium_512", "nv_medium_1024_full", "nv_large"};
constexpr sim::Cycle kPatience = 20'000'000;

/// One operation or chain: what is run, and what it means - the same but for operands that are in
/// the buffer already.
struct Step {
  Target target;
  Program program, meant;
  unsigned group = 0, pdp_group = 0;
};

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

/// Random bytes without a period, for what a convolution reads.
void scatter_conv(SparseMemory& memory, uint32_t seed) {
  std::mt19937 engine(seed ^ 0x9e3779b9);
  std::vector<uint8_t> bytes(kConvWeightBytes);
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(engine());
  const std::span<const uint8_t> all(bytes);
  DLAVP_CHECK(memory.write(kConvWeights, all) &&
                  memory.write(kConvInput, all.first(kConvSecondPlane / 8)) &&
                  memory.write(kConvSecondPlane, all.last(kConvSecondPlane / 8)),
              "seed {}", seed);
}

void write(nvdla::Accelerator& chip, const Registers& regs, unsigned group = 0) {
  constexpr uint32_t kPointer = 4;  // S_POINTER of every unit
  const auto base = static_cast<uint32_t>(regs.table().base(chip.hw().hw));
  chip.csb_write(base + kPointer, group);
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

void start_conv(nvdla::Accelerator& chip, const Program& p, unsigned group, unsigned pdp_group) {
  const bool to_pdp = p.sdp.get(regs::sdp::D_FEATURE_MODE_CFG_OUTPUT_DST) != 0;
  for (const Registers* unit :
       {&p.cdma, &p.csc, &p.cmac_a, &p.cmac_b, &p.cacc, &p.sdp, &p.sdp_rdma})
    write(chip, *unit, group);
  if (group == 0)  // the other group's operation has the same tables
    write_tables(chip, p.sdp.table(), p.sdp_tables,
                 Access{regs::sdp::S_LUT_ACCESS_CFG, regs::sdp::S_LUT_ACCESS_DATA});
  if (to_pdp) {
    write(chip, p.pdp, pdp_group);
    enable(chip, p.pdp.table(), regs::pdp::D_OP_ENABLE);
  }
  enable(chip, p.sdp.table(), regs::sdp::D_OP_ENABLE);
  const bool operands = p.sdp_rdma.get(regs::sdp_rdma::D_BRDMA_CFG_BRDMA_DISABLE) == 0 ||
                        p.sdp_rdma.get(regs::sdp_rdma::D_NRDMA_CFG_NRDMA_DISABLE) == 0 ||
                        p.sdp_rdma.get(regs::sdp_rdma::D_ERDMA_CFG_ERDMA_DISABLE) == 0;
  if (operands) enable(chip, p.sdp_rdma.table(), regs::sdp_rdma::D_OP_ENABLE);
  enable(chip, p.cacc.table(), regs::cacc::D_OP_ENABLE);
  enable(chip, p.cmac_a.table(), regs::cmac_a::D_OP_ENABLE);
  enable(chip, p.cmac_b.table(), regs::cmac_b::D_OP_ENABLE);
  enable(chip, p.csc.table(), regs::csc::D_OP_ENABLE);
  enable(chip, p.cdma.table(), regs::cdma::D_OP_ENABLE);
}

void start(nvdla::Accelerator& chip, const Step& step) {
  const Program& p = step.program;
  if (step.target == Target::kConv) return start_conv(chip, p, step.group, step.pdp_group);
  if (step.target == Target::kSdp) {
    write_tables(chip, p.sdp.table(), p.sdp_tables,
                 Access{regs::sdp::S_LUT_ACCESS_CFG, regs::sdp::S_LUT_ACCESS_DATA});
    write(chip, p.sdp_rdma);
    write(chip, p.sdp);
    enable(chip, p.sdp_rdma.table(), regs::sdp_rdma::D_OP_ENABLE);
    enable(chip, p.sdp.table(), regs::sdp::D_OP_ENABLE);
  } else if (step.target == Target::kPdp) {
    write(chip, p.pdp_rdma);  // the read DMA has only operations from memory
    write(chip, p.pdp, step.pdp_group);
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

bool to_pdp(const Program& p) { return p.sdp.get(regs::sdp::D_FEATURE_MODE_CFG_OUTPUT_DST) != 0; }

/// A chain that ends in PDP and a pooling from memory, in either order.
std::vector<Step> make_pdp_mix(const Trial& trial, const Program& empty) {
  namespace r = regs::pdp;
  Program chain = empty, pooling = empty;
  Random random(trial.seed);
  while (!to_pdp(chain)) {
    chain = empty;
    make_conv(chain, random, *trial.hw,
              {trial.size.width, trial.size.height, trial.size.channels, trial.size.kernels});
  }
  make_pdp(pooling, random, *trial.hw,
           {std::min(trial.size.width, 12u), std::min(trial.size.height, 9u), trial.size.channels});
  pooling.pdp.set(r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW,
                  int64_t{pooling.pdp.get(r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW)} + 0x100000);
  const Step first{Target::kConv, chain, chain, 0, 0}, second{Target::kPdp, pooling, pooling, 0, 1};
  if (random.flip()) return {first, second};
  return {{Target::kPdp, pooling, pooling, 0, 0}, {Target::kConv, chain, chain, 0, 1}};
}

std::vector<Step> make(const Trial& trial) {
  Program program;
  program.atom = trial.hw->memory_atomic_size;
  program.mac_channels = trial.hw->mac_atomic_c_size;
  program.mac_kernels = trial.hw->mac_atomic_k_size;
  Random random(trial.seed);
  switch (trial.target) {
    case Target::kSdp:
      make_sdp(program, random, *trial.hw, trial.size);
      break;
    case Target::kPdp:
      make_pdp(program, random, *trial.hw, trial.size);
      break;
    case Target::kCdp:
      make_cdp(program, random, *trial.hw, trial.size);
      break;
    case Target::kConv:
      make_conv(program, random, *trial.hw, trial.size);
      break;
    case Target::kReuse: {
      const ConvPair pair = make_conv_pair(program, random, *trial.hw, trial.size);
      return {{Target::kConv, pair.first, pair.first, 0, 0},
              {Target::kConv, pair.second, pair.meant, 1, 1}};
    }
    case Target::kPdpMix:
      return make_pdp_mix(trial, program);
  }
  return {{trial.target, program, program, 0, 0}};
}

std::vector<uint64_t> run(Target target, const Program& program) {
  switch (target) {
    case Target::kSdp:
      return run_sdp(program);
    case Target::kPdp:
      return run_pdp(program);
    case Target::kCdp:
      return run_cdp(program);
    default:
      return run_conv(program);
  }
}

bool makes_conv(Target target) {
  return target == Target::kConv || target == Target::kReuse || target == Target::kPdpMix;
}

/// What differs, or nothing.
std::optional<std::string> differs(const Trial& trial) {
  std::vector<Step> steps = make(trial);
  SparseMemory expected, got, secondary;
  for (SparseMemory* memory : {&expected, &got}) {
    scatter(*memory, trial.seed);
    if (makes_conv(trial.target)) scatter_conv(*memory, trial.seed);
  }
  std::vector<uint64_t> written;
  size_t operations = 0;
  for (Step& step : steps) {
    operations += step.target == Target::kConv ? 2 + to_pdp(step.program) : 1;
    step.meant.memory = &expected;
    const std::vector<uint64_t> addresses = run(step.target, step.meant);
    written.insert(written.end(), addresses.begin(), addresses.end());
  }
  mcif::FixedLatencyMemory timing(8), secondary_timing(8);
  nvdla::Accelerator chip(*trial.hw, *trial.timing, {&got, &secondary, &timing, &secondary_timing});
  for (const Step& step : steps) start(chip, step);
  while (chip.events().now() < kPatience && chip.events().run_next()) {
  }
  if (!chip.program_errors().empty()) return "refused: " + chip.program_errors().text();
  if (chip.operations().size() != operations)
    return fmt::format("{} operations completed, expected {}", chip.operations().size(),
                       operations);
  for (const uint64_t address : written) {
    const int8_t want = load(expected, address), have = load(got, address);
    if (want != have) return fmt::format("byte at {:#x} is {}, expected {}", address, have, want);
  }
  return std::nullopt;
}

Trial shrink(Trial trial) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (uint32_t Size::*dimension :
         {&Size::width, &Size::height, &Size::channels, &Size::kernels}) {
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
      Size size{sizes.size(4, 12), sizes.size(4, 9), sizes.size(atom, 2 * atom + 5)};
      if (makes_conv(target)) {
        const uint32_t c = hw.mac_atomic_c_size, k = hw.mac_atomic_k_size;
        size = {sizes.size(4, 20), sizes.size(4, 14), sizes.size(c, 2 * c + 5),
                sizes.size(k, 3 * k + 1)};
      }
      const Trial trial{target, &hw, &timing, own, size};
      if (!differs(trial)) continue;
      const Trial least = shrink(trial);
      FAIL(name << ", operation seed " << own << ", " << least.size.width << "x"
                << least.size.height << "x" << least.size.channels << " kernels "
                << least.size.kernels << ": " << *differs(least));
    }
  }
  REQUIRE(done >= count);
}

}  // namespace

TEST_CASE("reference: random SDP operations equal the oracle") { compare(Target::kSdp); }
TEST_CASE("reference: random PDP operations equal the oracle") { compare(Target::kPdp); }
TEST_CASE("reference: random CDP operations equal the oracle") { compare(Target::kCdp); }
TEST_CASE("reference: random convolutions through SDP and PDP equal the oracle") {
  compare(Target::kConv);
}
TEST_CASE("reference: random convolutions on kept data and weights equal the oracle") {
  compare(Target::kReuse);
}
TEST_CASE("reference: pooling on the fly and from memory, queued in either order") {
  compare(Target::kPdpMix);
}
