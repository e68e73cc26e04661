// The spreadsheet's formulas against figures that were published, and against hand-made layers.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "apps/estimate/from_graph.hpp"
#include "apps/estimate/published.hpp"
#include "models/common/tests/temp_file.hpp"

using namespace dlavp;
using namespace dlavp::estimate;

namespace {

SheetNetwork one(SheetLayer layer, SheetRules rules = {}) {
  return {.name = "one", .layers = {std::move(layer)}, .rules = rules};
}

/// 1x1 on 16 x 16 pixels of 64 channels to 128 kernels: 16 KiB in, 32 KiB out, 8 KiB of weights.
SheetLayer small() {
  SheetLayer l;
  l.name = "small";
  l.channels = 64;
  l.height = l.width = 16;
  l.kernels = 128;
  return l;
}

const std::string kHeader =
    "source,network,macs,cbuf_kib,dram_gb_per_s,clock_mhz,bytes_per_elem,fc_batch,sram,fps,cycles,"
    "note\n";

}  // namespace

TEST_CASE("sheet: every published figure comes out to its last digit") {
  const char* set = std::getenv("DLAVP_NVDLA_DATA");
  const std::filesystem::path data = set ? set : DLAVP_NVDLA_DATA_DEFAULT;
  if (!std::filesystem::exists(data)) {
    WARN("skipped: no data");
    return;
  }
  const auto figures = check_published((data / "published_performance.csv").string());
  REQUIRE(figures.ok());
  CHECK(figures->size() == 14);
  for (const PublishedFigure& f : *figures) {
    INFO(f.source << " " << f.network << " " << f.machine.macs << ": " << f.our_fps << " fps, "
                  << f.our_cycles << " cycles");
    CHECK(f.equal());
  }
}

TEST_CASE("sheet: a layer takes the larger of its multiplier and memory cycles") {
  SheetMachine m;
  m.macs = 64;
  m.cbuf_kib = 128;
  m.dram_gb_per_s = 8;
  const SheetRow by_macs = evaluate(one(small()), m).rows[0];
  CHECK(by_macs.dram_kib == 56);
  CHECK(by_macs.dram_cycles == 7000);
  CHECK(by_macs.mac_cycles == 64 * 256 * 128 / 64);
  CHECK(by_macs.cycles == by_macs.mac_cycles);
  CHECK(std::string(by_macs.bound()) == "MAC");
  m.dram_gb_per_s = 1;
  const SheetRow by_memory = evaluate(one(small()), m).rows[0];
  CHECK(by_memory.cycles == 56000);
  CHECK(std::string(by_memory.bound()) == "DRAM");
  m.sram = SheetSram{.kib = 4096, .read_gb_per_s = 0.1, .write_gb_per_s = 0.1};
  const SheetRow by_sram = evaluate(one(small()), m).rows[0];
  CHECK(by_sram.cycles == 320000);
  CHECK(std::string(by_sram.bound()) == "SRAM");
}

TEST_CASE("sheet: kernels are padded, 3x3 layers get their Winograd credit, groups repeat") {
  SheetMachine m;
  m.macs = 64;
  SheetLayer l = small();
  l.kernels = 100;
  CHECK(evaluate(one(l), m).rows[0].mac_cycles == 64 * 256 * 128 / 64);
  CHECK(evaluate(one(l, {.kernel_multiple = 8}), m).rows[0].mac_cycles == 64 * 256 * 104 / 64);
  l.kernel_h = l.kernel_w = 3;
  l.padded = true;
  const double without = evaluate(one(l, {.winograd_credit = false}), m).rows[0].mac_cycles;
  CHECK(without == 9 * 64 * 256 * 128 / 64);
  CHECK(evaluate(one(l), m).rows[0].mac_cycles == without / 2.25);
  l.groups = 2;
  CHECK(evaluate(one(l), m).rows[0].mac_cycles == 2 * without / 2.25);
}

TEST_CASE("sheet: what does not fit the buffer is read again") {
  SheetMachine m;
  SheetLayer l = small();
  l.kernels = 1024;  // 64 KiB of weights
  m.cbuf_kib = 32;   // 30 of them free for the input, of which 16 are needed
  // The smaller side is read again: the input, as often as its size goes into what is left.
  CHECK(evaluate(one(l), m).rows[0].dram_kib == 16 + 64 + 256);
  m.cbuf_kib = 16;  // the input does not fit beside 32 kernels of 2 KiB: the weights twice
  CHECK(evaluate(one(l), m).rows[0].dram_kib == 16 + 2 * 64 + 256);
  CHECK(evaluate(one(l, {.refetch = false}), m).rows[0].dram_kib == 16 + 64 + 256);
}

TEST_CASE("sheet: a published figure that differs is seen, and a broken file is refused") {
  const test::TempDir dir;
  const auto wrong =
      dir.write("published.csv", kHeader + "primer,resnet50,2048,512,20,1000,1,16,no,270,,\n");
  const auto figures = check_published(wrong.string());
  REQUIRE(figures.ok());
  CHECK_FALSE(figures->front().equal());
  CHECK(figures->front().our_fps == Approx(268.80).margin(0.01));
  for (const char* row : {"primer,vgg,2048,512,20,1000,1,16,no,270,,\n",
                          "primer,resnet50,many,512,20,1000,1,16,no,270,,\n",
                          "primer,resnet50,2048\n", "silicon,x,,,,,1,1,yes,,,\n"}) {
    const auto refused = check_published(dir.write("broken.csv", kHeader + row).string());
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.errors().has("estimate.published"));
  }
}

TEST_CASE("sheet: a graph's convolutions are layers, with pooling and addition behind them") {
  compiler::Graph g;
  g.name = "net";
  const auto x = g.add_tensor("x", {1, 16, 8, 8});
  const auto w = g.add_constant("w", {16, 16, 3, 3}, std::vector<float>(16 * 16 * 9));
  const auto b = g.add_constant("b", {1, 16, 1, 1}, std::vector<float>(16));
  const auto y = g.add_tensor("y", {1, 16, 8, 8}), p = g.add_tensor("p", {1, 16, 4, 4});
  const auto fw = g.add_constant("fw", {10, 16, 4, 4}, std::vector<float>(160 * 16));
  const auto fb = g.add_constant("fb", {1, 10, 1, 1}, std::vector<float>(10));
  const auto z = g.add_tensor("z", {1, 10, 1, 1});
  compiler::ConvOp conv;
  conv.window = {
      .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_bottom = 1, .pad_left = 1, .pad_right = 1};
  conv.residual = true;
  compiler::ConvOp fc;
  fc.window = {.kernel_h = 4, .kernel_w = 4};
  compiler::PoolOp pool;
  pool.window = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  g.nodes = {{"conv", conv, {x, w, b, x}, y}, {"pool", pool, {y}, p}, {"fc", fc, {p, fw, fb}, z}};
  g.inputs = {x};
  g.outputs = {z};
  const auto net = from_graph(g, "net.onnx");
  REQUIRE(net.ok());
  REQUIRE(net->layers.size() == 2);
  CHECK(net->layers[0].kind == LayerKind::kConvAdd);
  CHECK(net->layers[0].padded);
  CHECK(net->layers[0].pool->stride_h == 2);
  CHECK(net->layers[0].macs() == 8 * 8 * 16 * 16 * 9);
  CHECK(net->layers[1].kind == LayerKind::kFullyConnected);
  CHECK(net->layers[1].macs() == 10 * 256);
  g.nodes.clear();
  const auto none = from_graph(g, "net.onnx");
  REQUIRE_FALSE(none.ok());
  CHECK(none.errors().has("estimate.no_layer"));
}
