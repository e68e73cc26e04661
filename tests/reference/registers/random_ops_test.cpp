// Random operations on the accelerator against the oracle, on every int8 configuration and on legal
// ones that nobody published. The seed is DLAVP_RANDOM_SEED, the operations per unit on the
// published ones DLAVP_RANDOM_OPS; a failing case is halved in each dimension while it still fails.
// Both memories of a configuration are one here.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "models/mcif/memory_timing.hpp"
#include "models/nvdla/accelerator.hpp"
#include "tests/reference/registers/random_ops.hpp"

using namespace dlavp;
using namespace dlavp::reference;

namespace {

enum class Target { kSdp, kPdp, kCdp, kConv, kReuse, kPdpMix };

constexpr const char* kConfigs[] = {"nv_small",      "nv_small_256",        "nv_small_256_full",
                                    "nv_medium_512", "nv_medium_1024_full", "nv_large"};
/// Files of configs/ beside this one.
constexpr const char* kOwnConfigs[] = {"c16_k16",  "c32_k8",  "c64_k64",
                                       "c128_k64", "ew_only", "first_generation"};
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
void scatter(SparseMemory& memory, const Trial& trial) {
  constexpr uint32_t kLong = 1000;
  std::mt19937 engine(trial.seed);
  std::vector<uint8_t> block(0x8000);
  for (uint8_t& b : block) b = static_cast<uint8_t>(engine());
  const Size& size = trial.size;
  const size_t blocks = std::max({size.width, size.height, size.channels}) > kLong ? 16 : 2;
  for (const uint64_t base : {0x10000u, 0x200000u, 0x300000u, 0x400000u, 0x800000u})
    for (size_t i = 0; i < blocks; ++i)
      DLAVP_CHECK(memory.write(base + i * block.size(), block), "at {:#x}", base);
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

void scatter_all(SparseMemory& memory, const Trial& trial) {
  scatter(memory, trial);
  if (makes_conv(trial.target)) scatter_conv(memory, trial.seed);
}

/// What the steps played on an accelerator leave.
struct Played {
  SparseMemory memory;
  std::vector<OpRecord> operations;
  Diagnostics refused;
};

/// The pooling ends before its input does: hardware then takes no other one until that is through.
bool leaves_input(const Step& step) {
  namespace r = regs::pdp;
  const Registers& p = step.program.pdp;
  if (step.target != Target::kPdp && !(makes_conv(step.target) && to_pdp(step.program)))
    return false;
  const auto used = [&](const regs::Field& windows, const regs::Field& stride,
                        const regs::Field& kernel, const regs::Field& pad) {
    return p.get(windows) * (p.get(stride) + 1) + p.get(kernel) + 1 - p.get(pad);
  };
  return used(r::D_DATA_CUBE_OUT_WIDTH_CUBE_OUT_WIDTH, r::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_WIDTH,
              r::D_POOLING_KERNEL_CFG_KERNEL_WIDTH,
              r::D_POOLING_PADDING_CFG_PAD_LEFT) <= p.get(r::D_DATA_CUBE_IN_WIDTH_CUBE_IN_WIDTH) ||
         used(r::D_DATA_CUBE_OUT_HEIGHT_CUBE_OUT_HEIGHT,
              r::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_HEIGHT, r::D_POOLING_KERNEL_CFG_KERNEL_HEIGHT,
              r::D_POOLING_PADDING_CFG_PAD_TOP) <= p.get(r::D_DATA_CUBE_IN_HEIGHT_CUBE_IN_HEIGHT);
}

void play(const Trial& trial, const std::vector<Step>& steps, RunMode mode, Played& out) {
  scatter_all(out.memory, trial);
  mcif::FixedLatencyMemory timing(8), secondary_timing(8);
  nvdla::Accelerator chip(*trial.hw, *trial.timing,
                          {&out.memory, &out.memory, &timing, &secondary_timing}, mode);
  const auto finish = [&chip] {
    while (chip.events().now() < kPatience && chip.events().run_next()) {
    }
  };
  for (const Step& step : steps) {
    start(chip, step);
    if (leaves_input(step)) finish();
  }
  finish();
  out.operations = chip.operations();
  out.refused = chip.program_errors();
}

/// Without function every operation takes its cycles, and no byte is written.
std::optional<std::string> differs_without_function(const Trial& trial,
                                                    const std::vector<Step>& steps,
                                                    const Played& with,
                                                    const std::vector<uint64_t>& written) {
  Played got;
  play(trial, steps, {TimingMode::kCycle, false}, got);
  if (got.operations.size() != with.operations.size())
    return fmt::format("{} operations without function, {} with", got.operations.size(),
                       with.operations.size());
  for (size_t i = 0; i < got.operations.size(); ++i)
    if (got.operations[i].done != with.operations[i].done)
      return fmt::format("{} done in cycle {} without function, {} with", got.operations[i].unit,
                         got.operations[i].done, with.operations[i].done);
  SparseMemory before;
  scatter_all(before, trial);
  for (const uint64_t address : written)
    if (load(before, address) != load(got.memory, address))
      return fmt::format("byte at {:#x} written without function", address);
  return std::nullopt;
}

/// Data beats that the operations read and wrote.
std::pair<uint64_t, uint64_t> beats(const Played& played) {
  std::pair<uint64_t, uint64_t> sum;
  for (const OpRecord& record : played.operations) {
    sum.first += record.read_beats;
    sum.second += record.write_beats;
  }
  return sum;
}

/// What differs, in any mode, or nothing.
std::optional<std::string> differs(const Trial& trial) {
  std::vector<Step> steps = make(trial);
  SparseMemory expected;
  scatter_all(expected, trial);
  std::vector<uint64_t> written;
  size_t operations = 0;
  std::pair<uint64_t, uint64_t> moved;
  for (Step& step : steps) {
    operations += step.target == Target::kConv ? 2 + to_pdp(step.program) : 1;
    step.meant.memory = &expected;
    const std::vector<uint64_t> addresses = run(step.target, step.meant);
    written.insert(written.end(), addresses.begin(), addresses.end());
  }
  for (const TimingMode mode : {TimingMode::kCycle, TimingMode::kFast, TimingMode::kNone}) {
    Played got;
    play(trial, steps, {mode, true}, got);
    const std::string where = fmt::format("timing {}: ", timing_mode_name(mode));
    if (!got.refused.empty()) return where + "refused: " + got.refused.text();
    if (got.operations.size() != operations)
      return fmt::format("{}{} operations completed, expected {}", where, got.operations.size(),
                         operations);
    for (const uint64_t address : written) {
      const int8_t want = load(expected, address), have = load(got.memory, address);
      if (want != have)
        return fmt::format("{}byte at {:#x} is {}, expected {}", where, address, have, want);
    }
    if (mode == TimingMode::kCycle) moved = beats(got);
    if (beats(got) != moved)
      return fmt::format("{}{} beats read and {} written, {} and {} in cycle timing", where,
                         beats(got).first, beats(got).second, moved.first, moved.second);
    if (mode != TimingMode::kCycle) continue;
    if (auto wrong = differs_without_function(trial, steps, got, written)) return wrong;
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

bool has_unit(Target target, const HwConfig& hw) {
  if (target == Target::kCdp) return hw.cdp;
  return hw.pdp || (target != Target::kPdp && target != Target::kPdpMix);
}

Size draw_size(Target target, const HwConfig& hw, Random& sizes) {
  const uint32_t atom = hw.memory_atomic_size;
  const Size size{sizes.size(4, 12), sizes.size(4, 9), sizes.size(atom, 2 * atom + 5)};
  if (!makes_conv(target)) return size;
  const uint32_t c = hw.mac_atomic_c_size, k = hw.mac_atomic_k_size;
  return {sizes.size(4, 20), sizes.size(4, 14), sizes.size(c, 2 * c + 5), sizes.size(k, 3 * k + 1)};
}

void compare_on(Target target, const HwConfig& hw, const std::string& config, uint32_t seed,
                uint64_t count) {
  const TimingParams timing = TimingParams::load(hw).value();
  for (uint64_t i = 0; i < count; ++i) {
    const auto own = static_cast<uint32_t>(seed * 1000003 + i);
    Random sizes(own ^ 0x5bd1e995);
    const Trial trial{target, &hw, &timing, own, draw_size(target, hw, sizes)};
    if (!differs(trial)) continue;
    const Trial least = shrink(trial);
    FAIL(config << ", operation seed " << own << ", " << least.size.width << "x"
                << least.size.height << "x" << least.size.channels << " kernels "
                << least.size.kernels << ": " << *differs(least));
  }
}

void compare(Target target) {
  const auto seed = static_cast<uint32_t>(setting("DLAVP_RANDOM_SEED", 1));
  const uint64_t count = setting("DLAVP_RANDOM_OPS", 120);
  WARN("seed " << seed << ", " << count << " operations");
  const uint64_t share = (count + std::size(kConfigs) - 1) / std::size(kConfigs);
  uint64_t done = 0;
  for (const char* name : kConfigs) {
    compare_on(target, load_hw_config(name).value(), name, seed, share);
    done += share;
  }
  REQUIRE(done >= count);
  size_t own = 0;
  for (const std::string name : kOwnConfigs) {
    const std::string file =
        std::string(DLAVP_SOURCE_DIR) + "/tests/reference/registers/configs/" + name + ".yaml";
    const HwConfig hw = load_hw_config(file).value();
    if (!has_unit(target, hw)) continue;
    compare_on(target, hw, file, seed, (share + 3) / 4);
    ++own;
  }
  REQUIRE(own >= 4);
}

constexpr Target kTargets[] = {Target::kSdp,  Target::kPdp,   Target::kCdp,
                               Target::kConv, Target::kReuse, Target::kPdpMix};

MemifConfig draw_memif(Random& random, uint32_t atom) {
  MemifConfig m;
  m.latency = 1 + random.below(random.flip() ? 8192 : 100);
  m.max_burst_length = 1u << random.below(3);
  m.width_bits = std::min(512u, atom * 8 << random.below(3));
  return m;
}

/// Any sizes that keep the rules, with a buffer that holds the operations drawn here.
HwConfig draw_config(Random& random) {
  HwConfig c;
  c.name = "drawn";
  c.hw = 1 + static_cast<int>(random.below(2));
  c.feature_data_types = c.weight_data_types = {DataType::kInt8};
  c.memory_atomic_size = c.mac_atomic_k_size = 8u << random.below(4);
  c.mac_atomic_c_size = c.cbuf_bank_width = std::min(128u, c.memory_atomic_size << random.below(3));
  c.cbuf_bank_depth = 256u << random.below(3);
  c.cbuf_bank_number = 4096 / c.cbuf_bank_depth << random.below(3);
  c.cbuf_bank_number = std::min(32u, c.cbuf_bank_number);
  const auto throughput = [&](bool& present, uint32_t& value, bool always) {
    present = always || !random.chance(4);
    value = present ? std::min(16u, c.memory_atomic_size >> random.below(4)) : 0;
  };
  throughput(c.sdp_bs, c.sdp_bs_throughput, true);
  throughput(c.sdp_bn, c.sdp_bn_throughput, false);
  throughput(c.sdp_ew, c.sdp_ew_throughput, false);
  throughput(c.pdp, c.pdp_throughput, false);
  throughput(c.cdp, c.cdp_throughput, false);
  c.sdp_lut = c.sdp_ew && random.flip();
  c.primary_memif = draw_memif(random, c.memory_atomic_size);
  if (random.flip()) c.secondary_memif = draw_memif(random, c.memory_atomic_size);
  c.mem_address_width = random.flip() ? 32 : 64;
  return c;
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
TEST_CASE("reference: random operations on legal configurations drawn at random") {
  const auto seed = static_cast<uint32_t>(setting("DLAVP_RANDOM_SEED", 1));
  const uint64_t configs = setting("DLAVP_RANDOM_CONFIGS", 24);
  for (uint64_t i = 0; i < configs; ++i) {
    const auto own = static_cast<uint32_t>(seed * 10007 + i);
    Random random(own);
    const HwConfig hw = draw_config(random);
    INFO("configuration seed " << own);
    REQUIRE(validate(hw).text() == "");
    for (const Target target : kTargets)
      if (has_unit(target, hw)) compare_on(target, hw, fmt::format("seed {}", own), own, 3);
  }
}

TEST_CASE("reference: the longest and the smallest operations equal the oracle") {
  constexpr uint32_t kLongest = 8192;
  const uint64_t tries = setting("DLAVP_CORNER_TRIES", 2);
  for (const char* name : kConfigs) {
    const HwConfig hw = load_hw_config(name).value();
    const TimingParams timing = TimingParams::load(hw).value();
    for (const Target target : {Target::kSdp, Target::kPdp, Target::kCdp, Target::kConv})
      for (const Size size :
           {Size{kLongest, 1, 1}, Size{1, kLongest, 1}, Size{1, 1, kLongest}, Size{1, 1, 1}}) {
        uint64_t equal = 0;
        for (uint32_t seed = 1; equal < tries && seed < 40 * tries; ++seed) {
          const auto difference = differs({target, &hw, &timing, seed, size});
          // A pooling of several lines is as wide as the line buffer.
          if (difference && difference->find("pdp.line_buffer") != std::string::npos) continue;
          INFO(name << " unit " << static_cast<int>(target) << " seed " << seed << ", "
                    << size.width << "x" << size.height << "x" << size.channels);
          REQUIRE(difference.value_or("") == "");
          ++equal;
        }
        REQUIRE(equal == tries);
      }
  }
}
