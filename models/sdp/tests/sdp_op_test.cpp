// Decode: true sizes, fields that do not count, and a named error for each illegal or unsupported
// combination.
#include <catch2/catch.hpp>

#include "models/sdp/tests/sdp_bench.hpp"

using namespace dlavp;
using namespace dlavp::sdp;
using namespace dlavp::sdp::test;

namespace {

namespace r = regs::sdp;
namespace rd = regs::sdp_rdma;

Diagnostics sdp_errors(Bench& bench) {
  const auto op = decode_sdp(bench.sdp().view(0), bench.hw);
  return op ? Diagnostics() : op.errors();
}
Diagnostics rdma_errors(Bench& bench) {
  const auto op = decode_rdma(bench.rdma().view(0), bench.hw);
  return op ? Diagnostics() : op.errors();
}
Diagnostics pair_errors(Bench& bench) {
  return check_pair(decode_sdp(bench.sdp().view(0), bench.hw).value(),
                    decode_rdma(bench.rdma().view(0), bench.hw).value());
}

struct Small : Bench {
  explicit Small(const std::string& name = "nv_small") : Bench(config(name)) {
    program_copy({5, 3, 20}, 0x1000, 0x2000);
  }
};

}  // namespace

TEST_CASE("sdp: decode gives true sizes") {
  Small b;
  const auto op = decode_sdp(b.sdp().view(0), b.hw);
  REQUIRE(op.ok());
  REQUIRE(op->size == CubeSize{5, 3, 20});
  REQUIRE(op->dst.address == 0x2000);
  REQUIRE(op->dst.line_stride == 40);
  REQUIRE(op->writes_memory());
  const auto read = decode_rdma(b.rdma().view(0), b.hw);
  REQUIRE(read.ok());
  REQUIRE(read->main);
  REQUIRE(read->src.surface_stride == 120);
  REQUIRE(pair_errors(b).empty());
}

TEST_CASE("sdp: bypassed stages, idle streams and unused destinations are not looked at") {
  Small b;
  b.set_sdp(r::D_DP_EW_CFG_EW_LUT_BYPASS, 0);
  b.set_sdp(r::D_DP_BS_ALU_CFG_BS_ALU_SRC, 1);
  b.set_sdp(r::D_FEATURE_MODE_CFG_NAN_TO_ZERO, 1);
  b.set_rdma(rd::D_BS_BASE_ADDR_LOW_BS_BASE_ADDR_LOW, 3);
  b.set_rdma(rd::D_BRDMA_CFG_BRDMA_DATA_USE, 3);
  b.set_rdma(rd::D_FEATURE_MODE_CFG_OUT_PRECISION, 2);
  REQUIRE(sdp_errors(b).empty());
  REQUIRE(rdma_errors(b).empty());
  b.set_sdp(r::D_FEATURE_MODE_CFG_OUTPUT_DST, 1);
  b.set_sdp(r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, 1);
  b.set_sdp(r::D_DST_DMA_CFG_DST_RAM_TYPE, 0);
  REQUIRE(sdp_errors(b).empty());
}

TEST_CASE("sdp: address bits above the configured width do not exist") {
  Small b;
  b.set_sdp(r::D_DST_BASE_ADDR_HIGH_DST_BASE_ADDR_HIGH, 7);
  REQUIRE(decode_sdp(b.sdp().view(0), b.hw)->dst.address == 0x2000);
  Small large("nv_large");
  large.set_sdp(r::D_DST_BASE_ADDR_HIGH_DST_BASE_ADDR_HIGH, 7);
  REQUIRE(decode_sdp(large.sdp().view(0), large.hw)->dst.address == 0x700002000);
}

TEST_CASE("sdp: int16 and fp16 are refused") {
  for (const auto& field : {r::D_DATA_FORMAT_PROC_PRECISION, r::D_DATA_FORMAT_OUT_PRECISION}) {
    Small b;
    b.set_sdp(field, 1);
    REQUIRE(sdp_errors(b).has("sdp.unsupported_precision"));
  }
  for (const auto& field :
       {rd::D_FEATURE_MODE_CFG_IN_PRECISION, rd::D_FEATURE_MODE_CFG_PROC_PRECISION}) {
    Small b;
    b.set_rdma(field, 2);
    REQUIRE(rdma_errors(b).has("sdp.unsupported_precision"));
  }
}

TEST_CASE("sdp: Winograd order and batches are refused") {
  Small b;
  b.set_sdp(r::D_FEATURE_MODE_CFG_WINOGRAD, 1);
  b.set_sdp(r::D_FEATURE_MODE_CFG_BATCH_NUMBER, 1);
  b.set_rdma(rd::D_FEATURE_MODE_CFG_WINOGRAD, 1);
  b.set_rdma(rd::D_FEATURE_MODE_CFG_BATCH_NUMBER, 1);
  for (const Diagnostics& errors : {sdp_errors(b), rdma_errors(b)}) {
    REQUIRE(errors.has("sdp.unsupported_winograd"));
    REQUIRE(errors.has("sdp.unsupported_batch"));
  }
}

TEST_CASE("sdp: stages and tables that the configuration lacks are refused") {
  Small b;
  b.set_sdp(r::D_DP_EW_CFG_EW_BYPASS, 0);
  b.set_sdp(r::D_DP_EW_CFG_EW_LUT_BYPASS, 0);
  REQUIRE(sdp_errors(b).has("sdp.no_stage"));
  REQUIRE(sdp_errors(b).has("sdp.no_lut"));
  b.hw.sdp_bs = false;
  b.set_sdp(r::D_DP_EW_CFG_EW_BYPASS, 1);
  b.set_sdp(r::D_DP_BS_CFG_BS_BYPASS, 0);
  REQUIRE(sdp_errors(b).has("sdp.no_stage"));
}

TEST_CASE("sdp: misaligned addresses and strides are refused") {
  for (const auto& field :
       {r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, r::D_DST_LINE_STRIDE_DST_LINE_STRIDE,
        r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE}) {
    Small b;
    b.set_sdp(field, 0x1004);
    REQUIRE(sdp_errors(b).has("sdp.unaligned"));
  }
  Small b;
  b.set_rdma(rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW, 0x1001);
  REQUIRE(rdma_errors(b).has("sdp.unaligned"));
}

TEST_CASE("sdp: the secondary memory needs a second interface") {
  Small b;
  b.set_sdp(r::D_DST_DMA_CFG_DST_RAM_TYPE, 0);
  REQUIRE(sdp_errors(b).has("sdp.no_secondary_memory"));
  Small full("nv_small_256_full");
  full.set_sdp(r::D_DST_DMA_CFG_DST_RAM_TYPE, 0);
  REQUIRE(sdp_errors(full).empty());
}

TEST_CASE("sdp: a stream with a reserved use is refused") {
  Small b;
  b.set_rdma(rd::D_NRDMA_CFG_NRDMA_DISABLE, 0);
  b.set_rdma(rd::D_NRDMA_CFG_NRDMA_DATA_USE, 3);
  REQUIRE(rdma_errors(b).has("sdp.data_use"));
}

TEST_CASE("sdp: a comparison cannot go to PDP") {
  Small b("nv_large");
  b.set_sdp(r::D_DP_EW_CFG_EW_BYPASS, 0);
  b.set_sdp(r::D_DP_EW_CFG_EW_ALU_BYPASS, 0);
  b.set_sdp(r::D_DP_EW_CFG_EW_ALU_ALGO, 3);
  REQUIRE(sdp_errors(b).empty());
  b.set_sdp(r::D_FEATURE_MODE_CFG_OUTPUT_DST, 1);
  REQUIRE(sdp_errors(b).has("sdp.compare_to_pdp"));
}

TEST_CASE("sdp: the two halves must agree about cube, input and operands") {
  Small b;
  b.set_rdma(rd::D_DATA_CUBE_WIDTH_WIDTH, 3);
  REQUIRE(pair_errors(b).has("sdp.cube_mismatch"));
  b.set_rdma(rd::D_FEATURE_MODE_CFG_FLYING_MODE, 1);
  REQUIRE(pair_errors(b).has("sdp.flying_mismatch"));

  Small missing;
  missing.set_sdp(r::D_DP_BS_CFG_BS_BYPASS, 0);
  missing.set_sdp(r::D_DP_BS_CFG_BS_MUL_BYPASS, 0);
  missing.set_sdp(r::D_DP_BS_MUL_CFG_BS_MUL_SRC, 1);
  REQUIRE(pair_errors(missing).has("sdp.operand_missing"));

  Small unused;
  unused.set_rdma(rd::D_BRDMA_CFG_BRDMA_DISABLE, 0);
  unused.set_rdma(rd::D_BRDMA_CFG_BRDMA_RAM_TYPE, 1);
  REQUIRE(pair_errors(unused).has("sdp.operand_unused"));
}

TEST_CASE("sdp: a refused program reports and never completes") {
  Small b;
  b.set_sdp(r::D_DATA_FORMAT_OUT_PRECISION, 1);
  b.enable();
  b.run();
  REQUIRE(b.errors.has("sdp.unsupported_precision"));
  REQUIRE(b.interrupts.empty());
  REQUIRE_FALSE(b.unit->idle());
}
