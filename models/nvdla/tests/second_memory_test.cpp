// The second memory interface in function: a convolution through SDP with an operand, and PDP and
// CDP after it, write the same bytes whether their cubes are in primary or in secondary memory.
#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "models/mcif/memory_timing.hpp"
#include "models/nvdla/accelerator.hpp"
#include "registers.hpp"

using namespace dlavp;

namespace {

constexpr uint32_t kWidth = 4, kHeight = 4, kKernels = 32;
constexpr uint32_t kInput = 0x1000, kWeights = 0x8000, kOperand = 0x10000, kConvolved = 0x18000,
                   kPooled = 0x20000, kNormalised = 0x28000;
constexpr size_t kOutBytes = size_t{kWidth} * kHeight * kKernels;

using Bytes = std::vector<uint8_t>;

/// An accelerator with two memories; `cv` says where operands and the convolution's output are.
struct Bench {
  Bench(const char* config, bool in_secondary)
      : hw(*load_hw_config(config)),
        cv(in_secondary),
        chip(hw, *TimingParams::load(hw), {&primary, &secondary, &timing, &timing}) {
    std::mt19937 random(5);
    const size_t channels = hw.mac_atomic_c_size;
    for (const auto& [address, size] : {std::pair{kInput, kWidth * kHeight * channels},
                                        {kWeights, kKernels * channels},
                                        {kOperand, kOutBytes}}) {
      Bytes data(size);
      for (uint8_t& b : data) b = static_cast<uint8_t>(random());
      REQUIRE((cv ? secondary : primary).write(address, data));
    }
  }
  using Program = std::initializer_list<std::pair<uint32_t, uint32_t>>;
  void write(const regs::UnitTable& unit, const Program& program) {
    for (const auto& [offset, value] : program)
      chip.csb_write(static_cast<uint32_t>(unit.base(hw.hw)) + offset, value);
  }
  void convolve();
  void add_operand();
  void pool();
  void normalise();
  void run(size_t operations) {
    while (chip.events().run_next()) {
    }
    INFO(chip.program_errors().text());
    REQUIRE(chip.program_errors().empty());
    REQUIRE(chip.idle());
    REQUIRE(chip.operations().size() == operations);
  }
  Bytes bytes(bool from_secondary, uint32_t address) {
    Bytes data(kOutBytes);
    REQUIRE((from_secondary ? secondary : primary).read(address, data));
    return data;
  }

  HwConfig hw;
  bool cv;
  SparseMemory primary, secondary;
  mcif::FixedLatencyMemory timing{40};
  nvdla::Accelerator chip;
  uint32_t ram() const { return cv ? 0 : 1; }
  uint32_t line() const { return kWidth * hw.memory_atomic_size; }
  uint32_t surface() const { return line() * kHeight; }
};

void Bench::convolve() {
  namespace d = regs::cdma;
  namespace c = regs::csc;
  const uint32_t channels = hw.mac_atomic_c_size, weight_bytes = kKernels * channels;
  const uint32_t plane = (kWidth - 1) | (kHeight - 1) << 16, banks = 1 | 1 << 16;
  write(regs::kCacc, {{regs::cacc::D_MISC_CFG, 0}, {regs::cacc::D_OP_ENABLE, 1}});
  for (const regs::UnitTable* unit : {&regs::kCmacA, &regs::kCmacB})
    write(*unit, {{regs::cmac_a::D_MISC_CFG, 0}, {regs::cmac_a::D_OP_ENABLE, 1}});
  write(regs::kCsc, {{c::D_MISC_CFG, 0},
                     {c::D_DATAIN_FORMAT, 0},
                     {c::D_DATAIN_SIZE_EXT_0, plane},
                     {c::D_DATAIN_SIZE_EXT_1, channels - 1},
                     {c::D_ENTRY_PER_SLICE, kWidth - 1},
                     {c::D_WEIGHT_SIZE_EXT_0, 0},
                     {c::D_WEIGHT_SIZE_EXT_1, (channels - 1) | (kKernels - 1) << 16},
                     {c::D_WEIGHT_BYTES, weight_bytes},
                     {c::D_DATAOUT_SIZE_0, plane},
                     {c::D_DATAOUT_SIZE_1, kKernels - 1},
                     {c::D_ATOMICS, kWidth * kHeight - 1},
                     {c::D_RELEASE, kHeight - 1},
                     {c::D_BANK, banks},
                     {c::D_OP_ENABLE, 1}});
  write(regs::kCdma, {{d::D_MISC_CFG, 0},
                      {d::D_DATAIN_FORMAT, 0},
                      {d::D_DAIN_RAM_TYPE, ram()},
                      {d::D_DATAIN_SIZE_0, plane},
                      {d::D_DATAIN_SIZE_1, channels - 1},
                      {d::D_DAIN_ADDR_LOW_0, kInput},
                      {d::D_LINE_STRIDE, line()},
                      {d::D_SURF_STRIDE, surface()},
                      {d::D_DAIN_MAP, 0},
                      {d::D_ENTRY_PER_SLICE, kWidth - 1},
                      {d::D_WEIGHT_RAM_TYPE, ram()},
                      {d::D_WEIGHT_SIZE_0, channels - 1},
                      {d::D_WEIGHT_SIZE_1, kKernels - 1},
                      {d::D_WEIGHT_ADDR_LOW, kWeights},
                      {d::D_WEIGHT_BYTES, weight_bytes},
                      {d::D_BANK, banks},
                      {d::D_OP_ENABLE, 1}});
}

// SDP on the convolution: adds a byte per element, shifts, writes.
void Bench::add_operand() {
  namespace r = regs::sdp;
  namespace rd = regs::sdp_rdma;
  write(regs::kSdp, {{r::D_DATA_CUBE_WIDTH, kWidth - 1},
                     {r::D_DATA_CUBE_HEIGHT, kHeight - 1},
                     {r::D_DATA_CUBE_CHANNEL, kKernels - 1},
                     {r::D_DST_BASE_ADDR_LOW, kConvolved},
                     {r::D_DST_LINE_STRIDE, line()},
                     {r::D_DST_SURFACE_STRIDE, surface()},
                     {r::D_DST_DMA_CFG, ram()},
                     {r::D_DP_BS_CFG, 2 << 2 | 1 << 4 | 1 << 6},
                     {r::D_DP_BS_ALU_CFG, 1 | 8 << 8},
                     {r::D_DP_BN_CFG, 1},
                     {r::D_DP_EW_CFG, 1},
                     {r::D_FEATURE_MODE_CFG, 1},
                     {r::D_DATA_FORMAT, 0},
                     {r::D_CVT_SCALE, 1},
                     {r::D_CVT_SHIFT, 9},
                     {r::D_OP_ENABLE, 1}});
  write(regs::kSdpRdma, {{rd::D_DATA_CUBE_WIDTH, kWidth - 1},
                         {rd::D_DATA_CUBE_HEIGHT, kHeight - 1},
                         {rd::D_DATA_CUBE_CHANNEL, kKernels - 1},
                         {rd::D_BRDMA_CFG, 1 << 1 | 1 << 4 | ram() << 5},
                         {rd::D_NRDMA_CFG, 1},
                         {rd::D_ERDMA_CFG, 1},
                         {rd::D_BS_BASE_ADDR_LOW, kOperand},
                         {rd::D_BS_LINE_STRIDE, line()},
                         {rd::D_BS_SURFACE_STRIDE, surface()},
                         {rd::D_FEATURE_MODE_CFG, 1},
                         {rd::D_OP_ENABLE, 1}});
}

// A maximum over 2x2 with stride 1, to primary memory.
void Bench::pool() {
  namespace r = regs::pdp;
  namespace rd = regs::pdp_rdma;
  const uint32_t out_line = (kWidth - 1) * hw.memory_atomic_size;
  write(regs::kPdp, {{r::D_DATA_CUBE_IN_WIDTH, kWidth - 1},
                     {r::D_DATA_CUBE_IN_HEIGHT, kHeight - 1},
                     {r::D_DATA_CUBE_IN_CHANNEL, kKernels - 1},
                     {r::D_DATA_CUBE_OUT_WIDTH, kWidth - 2},
                     {r::D_DATA_CUBE_OUT_HEIGHT, kHeight - 2},
                     {r::D_DATA_CUBE_OUT_CHANNEL, kKernels - 1},
                     {r::D_OPERATION_MODE_CFG, 1 | 1 << 4},
                     {r::D_POOLING_KERNEL_CFG, 1 | 1 << 8},
                     {r::D_DST_BASE_ADDR_LOW, kPooled},
                     {r::D_DST_LINE_STRIDE, out_line},
                     {r::D_DST_SURFACE_STRIDE, out_line * (kHeight - 1)},
                     {r::D_DST_RAM_CFG, 1},
                     {r::D_DATA_FORMAT, 0},
                     {r::D_OP_ENABLE, 1}});
  write(regs::kPdpRdma, {{rd::D_DATA_CUBE_IN_WIDTH, kWidth - 1},
                         {rd::D_DATA_CUBE_IN_HEIGHT, kHeight - 1},
                         {rd::D_DATA_CUBE_IN_CHANNEL, kKernels - 1},
                         {rd::D_FLYING_MODE, 1},
                         {rd::D_SRC_BASE_ADDR_LOW, kConvolved},
                         {rd::D_SRC_LINE_STRIDE, line()},
                         {rd::D_SRC_SURFACE_STRIDE, surface()},
                         {rd::D_SRC_RAM_CFG, ram()},
                         {rd::D_POOLING_KERNEL_CFG, 1},
                         {rd::D_OP_ENABLE, 1}});
}

// CDP with ramps in its tables, to primary memory.
void Bench::normalise() {
  namespace r = regs::cdp;
  namespace rd = regs::cdp_rdma;
  for (const uint32_t table : {0u, 1u}) {
    write(regs::kCdp, {{r::S_LUT_ACCESS_CFG, table << 16 | 1u << 17}});
    for (uint32_t i = 0; i < (table == 0 ? 65u : 257u); ++i)
      write(regs::kCdp, {{r::S_LUT_ACCESS_DATA, 1 + i}});
  }
  write(regs::kCdp, {{r::S_LUT_LO_END_LOW, 0x10000},
                     {r::D_DST_BASE_ADDR_LOW, kNormalised},
                     {r::D_DST_LINE_STRIDE, line()},
                     {r::D_DST_SURFACE_STRIDE, surface()},
                     {r::D_DST_DMA_CFG, 1},
                     {r::D_DATA_FORMAT, 0},
                     {r::D_DATIN_SCALE, 1},
                     {r::D_DATOUT_SCALE, 1},
                     {r::D_OP_ENABLE, 1}});
  write(regs::kCdpRdma, {{rd::D_DATA_CUBE_WIDTH, kWidth - 1},
                         {rd::D_DATA_CUBE_HEIGHT, kHeight - 1},
                         {rd::D_DATA_CUBE_CHANNEL, kKernels - 1},
                         {rd::D_SRC_BASE_ADDR_LOW, kConvolved},
                         {rd::D_SRC_LINE_STRIDE, line()},
                         {rd::D_SRC_SURFACE_STRIDE, surface()},
                         {rd::D_SRC_DMA_CFG, ram()},
                         {rd::D_OP_ENABLE, 1}});
}

struct Results {
  Bytes convolved, pooled, normalised;
};

Results run(const char* config, bool in_secondary) {
  Bench b(config, in_secondary);
  b.add_operand();
  b.convolve();
  b.run(2);
  b.pool();
  b.run(3);
  b.normalise();
  b.run(4);
  // The other memory holds nothing of the convolution.
  REQUIRE(b.bytes(!in_secondary, kConvolved) == Bytes(kOutBytes, 0));
  return {b.bytes(in_secondary, kConvolved), b.bytes(false, kPooled), b.bytes(false, kNormalised)};
}

}  // namespace

TEST_CASE("accelerator: cubes in secondary memory give the bytes that primary memory gives") {
  for (const char* config : {"nv_small_256_full", "nv_large"}) {
    INFO(config);
    REQUIRE(load_hw_config(config)->secondary_memif);
    const Results primary = run(config, false), secondary = run(config, true);
    REQUIRE(std::set<uint8_t>(primary.convolved.begin(), primary.convolved.end()).size() > 50);
    REQUIRE(primary.pooled != Bytes(kOutBytes, 0));
    REQUIRE(primary.normalised != Bytes(kOutBytes, 0));
    CHECK(secondary.convolved == primary.convolved);
    CHECK(secondary.pooled == primary.pooled);
    CHECK(secondary.normalised == primary.normalised);
  }
}
