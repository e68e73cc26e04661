// Decoding, and one test for every error that it names.
#include <catch2/catch.hpp>

#include "models/pdp/pdp_schedule.hpp"
#include "models/pdp/tests/pdp_setup.hpp"

using namespace dlavp;
using namespace dlavp::pdp;
using namespace dlavp::pdp::test;
namespace r = regs::pdp;
namespace rd = regs::pdp_rdma;

namespace {

struct Program {
  explicit Program(const Shape& shape = {}, const char* config = "nv_small") {
    hw = *load_hw_config(config);
    program(pdp, rdma, shape, hw.memory_atomic_size);
  }
  [[nodiscard]] Result<PdpOp> run() const { return decode(pdp.view(0), rdma.view(0), hw); }
  /// The id of the only error.
  [[nodiscard]] std::string error() const {
    const Result<PdpOp> op = run();
    if (op.ok()) return "none";
    return op.errors().errors().size() == 1 ? op.errors().errors()[0].id : op.errors().text();
  }
  HwConfig hw;
  regs::RegBlock pdp{regs::kPdp}, rdma{regs::kPdpRdma};
};

}  // namespace

TEST_CASE("pdp decode: gives true sizes") {
  Program p({.width = 28,
             .height = 14,
             .channels = 19,
             .kernel_width = 3,
             .kernel_height = 2,
             .stride_x = 2,
             .stride_y = 2,
             .left = 1,
             .right = 1,
             .method = 0});
  set(p.pdp, r::D_POOLING_PADDING_VALUE_3_CFG_PAD_VALUE_3X, 0x7ffff);
  const Result<PdpOp> op = p.run();
  REQUIRE(op.ok());
  REQUIRE(op->method == Method::kAverage);
  REQUIRE(op->in == CubeSize{28, 14, 19});
  REQUIRE(op->out == CubeSize{14, 7, 19});
  REQUIRE(op->surfaces == 3);
  REQUIRE(op->bands == std::vector<Band>{{0, 28, 0, 14, 1, 1}});
  REQUIRE(op->pad_value[3] == -1);
  REQUIRE(op->src.address == 0x1000);
}

TEST_CASE("pdp decode: bands overlap by kernel minus stride") {
  Program p({.width = 20, .kernel_width = 3, .kernel_height = 3, .stride_x = 1, .stride_y = 1});
  split(p.pdp, p.rdma, 3, 8, 6, 6, 6, 6, 6);
  const Result<PdpOp> op = p.run();
  REQUIRE(op.ok());
  REQUIRE(op->bands ==
          std::vector<Band>{{0, 8, 0, 6, 0, 0}, {6, 8, 6, 6, 0, 0}, {12, 8, 12, 6, 0, 0}});
  REQUIRE(op->in.width == 20);
  REQUIRE(op->out.width == 18);
}

TEST_CASE("pdp decode: a stride over the kernel leaves columns between bands out") {
  Program p({.width = 12, .kernel_width = 1, .kernel_height = 1, .stride_x = 3, .stride_y = 1});
  split(p.pdp, p.rdma, 2, 4, 6, 6, 2, 2, 2);
  const Result<PdpOp> op = p.run();
  REQUIRE(op.ok());
  REQUIRE(op->bands == std::vector<Band>{{0, 4, 0, 2, 0, 0}, {6, 4, 2, 2, 0, 0}});
}

TEST_CASE("pdp decode: names each illegal combination") {
  Program p({.kernel_width = 2, .kernel_height = 2, .stride_x = 2, .stride_y = 2});
  REQUIRE(p.error() == "none");
  SECTION("method") {
    set(p.pdp, r::D_OPERATION_MODE_CFG_POOLING_METHOD, 3);
    REQUIRE(p.error() == "pdp.method");
  }
  SECTION("kernel size") {
    set(p.pdp, r::D_POOLING_KERNEL_CFG_KERNEL_HEIGHT, 8);
    REQUIRE(p.run().errors().has("pdp.kernel_size"));
  }
  SECTION("channels") {
    set(p.pdp, r::D_DATA_CUBE_OUT_CHANNEL_CUBE_OUT_CHANNEL, 8);
    REQUIRE(p.error() == "pdp.channels");
  }
  SECTION("output width, with both values") {
    set(p.pdp, r::D_DATA_CUBE_OUT_WIDTH_CUBE_OUT_WIDTH, 15);
    REQUIRE(p.error() == "pdp.out_width");
    REQUIRE(p.run().errors().text().find("CUBE_OUT_WIDTH 16, expected 4") != std::string::npos);
  }
  SECTION("output height") {
    set(p.pdp, r::D_DATA_CUBE_OUT_HEIGHT_CUBE_OUT_HEIGHT, 4);
    REQUIRE(p.error() == "pdp.out_height");
  }
  SECTION("partial width") {
    split(p.pdp, p.rdma, 2, 4, 4, 4, 2, 2, 3);
    REQUIRE(p.error() == "pdp.partial_width");
  }
  SECTION("split on the fly") {
    split(p.pdp, p.rdma, 2, 4, 4, 4, 2, 2, 2);
    set(p.pdp, r::D_OPERATION_MODE_CFG_FLYING_MODE, 0);
    REQUIRE(p.error() == "pdp.split_on_the_fly");
  }
  SECTION("read DMA programmed differently") {
    set(p.rdma, rd::D_DATA_CUBE_IN_HEIGHT_CUBE_IN_HEIGHT, 5);
    REQUIRE(p.error() == "pdp.rdma_mismatch");
    set(p.pdp, r::D_OPERATION_MODE_CFG_FLYING_MODE, 0);
    REQUIRE(p.error() == "none");  // on the fly the read DMA does not matter
  }
  SECTION("secondary memory") {
    set(p.pdp, r::D_DST_RAM_CFG_DST_RAM_TYPE, 0);
    REQUIRE(p.error() == "pdp.no_secondary_memory");
    p.hw = *load_hw_config("nv_small_256_full");
    REQUIRE(p.error() == "none");
  }
  SECTION("alignment") {
    set(p.rdma, rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW, 0x1004);
    REQUIRE(p.error() == "pdp.alignment");
  }
}

TEST_CASE("pdp decode: windows in the padding only are refused") {
  REQUIRE(Program({.kernel_width = 1, .right = 1}).error() == "pdp.padding_width");
  REQUIRE(Program({.kernel_width = 2, .left = 2}).error() == "pdp.padding_width");
  REQUIRE(Program({.kernel_height = 1, .bottom = 2}).error() == "pdp.padding_height");
  REQUIRE(Program({.kernel_width = 3, .left = 2, .right = 2}).error() == "none");
}

// Checked on the RTL: it then emits a window too many, and everything behind it shifts.
TEST_CASE("pdp decode: unused padding that flushes windows is refused") {
  constexpr const char* kId = "pdp.unsupported_unused_padding";
  const Shape right{.width = 3, .kernel_width = 5, .stride_x = 2, .left = 3, .right = 2};
  REQUIRE(Program(right).error() == kId);
  REQUIRE(Program({.width = 3, .kernel_width = 5, .stride_x = 2, .left = 3, .right = 1}).error() ==
          "none");
  const Shape bottom{.height = 17, .kernel_height = 6, .stride_y = 4, .top = 4, .bottom = 4};
  REQUIRE(Program(bottom).error() == kId);
  REQUIRE(
      Program({.height = 16, .kernel_height = 6, .stride_y = 4, .top = 4, .bottom = 2}).error() ==
      "none");
  // Narrower than the first window, which ends in the padding itself.
  const Shape narrow{.width = 3, .kernel_width = 6, .stride_x = 2, .left = 1, .right = 5};
  REQUIRE(Program(narrow).error() == kId);
  REQUIRE(Program({.width = 3, .kernel_width = 6, .stride_x = 2, .left = 1, .right = 4}).error() ==
          "none");
}

TEST_CASE("pdp decode: padding that opens more windows than there are outputs is refused") {
  const Shape top{.height = 3, .kernel_height = 8, .stride_y = 6, .top = 6};
  REQUIRE(Program(top).error() == "pdp.unsupported_open_window");
  const Shape left{.width = 3, .kernel_width = 8, .stride_x = 6, .left = 6};
  REQUIRE(Program(left).error() == "pdp.unsupported_open_window");
  REQUIRE(Program({.height = 3, .kernel_height = 8, .stride_y = 7, .top = 6}).error() == "none");
}

TEST_CASE("pdp decode: an output wider than the line buffer is refused") {
  REQUIRE(Program({.width = 128}).error() == "none");
  REQUIRE(Program({.width = 129, .kernel_height = 1}).error() == "none");  // needs no buffer
  REQUIRE(Program({.width = 64, .kernel_height = 2}).error() == "none");
  REQUIRE(Program({.width = 65, .kernel_height = 2}).error() == "pdp.line_buffer");
  REQUIRE(Program({.width = 32, .kernel_height = 4}).error() == "none");
  REQUIRE(Program({.width = 33, .kernel_height = 4}).error() == "pdp.line_buffer");
  REQUIRE(Program({.width = 16, .kernel_height = 8}).error() == "none");
  REQUIRE(Program({.width = 17, .kernel_height = 8}).error() == "pdp.line_buffer");
}

TEST_CASE("pdp decode: a cube that is too large to hold is refused") {
  Program p({.width = 128, .height = 8192, .channels = 8192});
  REQUIRE(p.error() == "pdp.unsupported_size");
}

TEST_CASE("pdp decode: nv_full runs int8 only") {
  Program p({}, "nv_full");
  REQUIRE(p.error() == "none");
  set(p.pdp, r::D_DATA_FORMAT_INPUT_DATA, 2);
  REQUIRE(p.error() == "pdp.unsupported_precision");
}

TEST_CASE("pdp schedule: takes every input atom and gives every output atom once") {
  const uint32_t kernel = GENERATE(1u, 2u, 3u, 5u, 8u), stride = GENERATE(1u, 2u, 3u, 4u, 9u);
  for (uint32_t size = 1; size <= 12; ++size)
    for (uint32_t before = 0; before < std::min(kernel, 8u); ++before)
      for (uint32_t after = 0; after < std::min(kernel, 8u); ++after) {
        if (size + before + after < kernel) continue;
        const uint32_t windows = (size + before + after - kernel) / stride + 1;
        if (windows > 16 || (windows - 1) * stride >= size + before) continue;
        const bool unused = (size + before + after - kernel) % stride != 0;
        if (unused && (before / stride >= windows || after >= stride)) continue;
        Program p({.width = size,
                   .height = size,
                   .channels = 17,
                   .kernel_width = kernel,
                   .kernel_height = kernel,
                   .stride_x = stride,
                   .stride_y = stride,
                   .left = before,
                   .right = after,
                   .top = before,
                   .bottom = after});
        const Result<PdpOp> op = p.run();
        REQUIRE(op.ok());
        uint64_t reads = 0, results = 0;
        for (PoolSchedule schedule(*op); schedule.more();) {
          const Position position = schedule.next();
          reads += position.reads;
          results += (position.result ? 1 : 0) + position.flush_results;
        }
        CAPTURE(size, before, after, kernel, stride);
        REQUIRE(reads == op->in.pixels() * op->surfaces);
        REQUIRE(results == op->out.pixels() * op->surfaces);
      }
}
