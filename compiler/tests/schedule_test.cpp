// Tiling, pooling parts, memory plans, multipliers and the schedule's rules.
#include <catch2/catch.hpp>
#include <random>

#include "compiler/driver/compile.hpp"
#include "compiler/memory/planner.hpp"
#include "compiler/quantise/multiplier.hpp"
#include "compiler/schedule/conv_tiling.hpp"
#include "compiler/schedule/pool_split.hpp"
#include "compiler/tests/networks.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using dlavp::compiler::testing::NetworkBuilder;
using dlavp::compiler::testing::window;

namespace {

HwConfig config(const char* name) {
  auto hw = load_hw_config(name);
  REQUIRE(hw.ok());
  return hw.value();
}

}  // namespace

TEST_CASE("tiling: bands cover the output exactly and fit the convolution buffer") {
  std::mt19937 random(9);
  const auto pick = [&](uint32_t low, uint32_t high) {
    return low + static_cast<uint32_t>(random() % (high - low + 1));
  };
  size_t cut = 0;
  for (int i = 0; i < 300; ++i) {
    const HwConfig hw = config(i % 2 == 0 ? "nv_small" : "nv_large");
    ConvGeometry g;
    g.in_w = pick(8, 250);
    g.in_h = pick(8, 250);
    g.in_c = pick(1, 256);
    g.kernels = pick(1, 256);
    g.window = window(pick(1, 7), pick(1, 3), 0);
    g.window.pad_top = g.window.pad_bottom = pick(0, g.window.kernel_h - 1);
    g.out_w = static_cast<uint32_t>(g.window.out_w(g.in_w));
    g.out_h = static_cast<uint32_t>(g.window.out_h(g.in_h));
    const auto t = tile_convolution(hw, g);
    INFO("case " << i << ": " << g.in_c << "x" << g.in_h << "x" << g.in_w << " "
                 << g.window.text());
    if (!t.ok()) {
      REQUIRE(t.errors().has("schedule.cbuf"));
      continue;
    }
    REQUIRE(t->data_banks + t->weight_banks <= hw.cbuf_bank_number);
    uint32_t next = 0;
    for (const ConvTile& tile : t->tiles) {
      REQUIRE(tile.out_y == next);
      REQUIRE(tile_entries(hw, g, tile) <= uint64_t{t->data_banks} * hw.cbuf_bank_depth);
      const int64_t rows = int64_t{tile.in_rows} + tile.pad_top + tile.pad_bottom;
      REQUIRE(rows == (int64_t{tile.out_rows} - 1) * g.window.stride_h + g.window.extent_h());
      next += tile.out_rows;
    }
    REQUIRE(next == g.out_h);
    cut += t->tiles.size() > 1 ? 1 : 0;
  }
  REQUIRE(cut > 20);
}

TEST_CASE("tiling: entries of a slice are those of the published traces") {
  const auto geometry = [](uint32_t width, uint32_t channels, const Window& w, bool image) {
    ConvGeometry g;
    g.in_w = width;
    g.in_c = channels;
    g.window = w;
    g.image = image;
    return g;
  };
  REQUIRE(entries_per_slice(config("nv_small"), geometry(35, 54, window(6), false)) == 245);
  REQUIRE(entries_per_slice(config("nv_large"), geometry(28, 1, window(5), false)) == 14);
  REQUIRE(entries_per_slice(config("nv_small"), geometry(32, 4, window(3, 2, 1), true)) == 17);
}

TEST_CASE("pooling: parts cover the width and respect the line buffer") {
  REQUIRE(largest_pool_width(window(2, 2)) == 128);
  REQUIRE(largest_pool_width(window(3, 2)) == 64);
  REQUIRE(largest_pool_width(window(3, 1)) == 32);
  REQUIRE(largest_pool_width(window(8, 1)) == 16);
  const Window w = window(3, 2, 1);
  for (uint32_t out = 65; out < 400; ++out) {
    const uint32_t in = (out - 1) * w.stride_w + w.kernel_w - w.pad_left;
    const auto s = split_pool(w, in, out);
    REQUIRE(s.ok());
    REQUIRE(s->first_out + s->mid_out * (s->parts - 2) + s->last_out == out);
    REQUIRE(s->first_in + s->mid_in * (s->parts - 2) + s->last_in == in);
    REQUIRE(std::max({s->first_out, s->mid_out, s->last_out}) <= 64);
  }
}

TEST_CASE("pooling: uncounted padding makes runs of equal windows") {
  // 16 elements, one of padding before and two after of which the last does not count.
  const auto runs = pool_runs({16, 9, 3, 2, 1, 2, 0, 1});
  REQUIRE(runs.size() == 2);
  REQUIRE(runs[0].count == 8);
  REQUIRE(runs[0].begin == -1);
  REQUIRE(runs[0].kernel == 3);
  REQUIRE(runs[1].first == 8);
  REQUIRE(runs[1].begin == 15);
  REQUIRE(runs[1].kernel == 2);
  const auto none_counts = pool_runs({8, 8, 5, 1, 2, 2, 2, 2});
  std::vector<uint32_t> kernels;
  for (const PoolRun& r : none_counts) kernels.push_back(r.kernel);
  REQUIRE(kernels == std::vector<uint32_t>{3, 4, 5, 4, 3});
  REQUIRE(none_counts[2].count == 4);
}

TEST_CASE("pooling: windows without common rows are cut into bands that cover the output") {
  const HwConfig hw = config("nv_large");
  const View src = feature_view(1, {1, 256, 57, 56}, hw.memory_atomic_size);
  const View dst = feature_view(2, {1, 256, 29, 28}, hw.memory_atomic_size);
  PoolLayer pool;
  pool.window = window(1, 2);
  const auto parts = pool_parts(hw, pool, src, dst, {});
  REQUIRE(parts.ok());
  REQUIRE(parts->size() == 7);  // 51,968 cycles: as many as the root of them in thousands
  uint32_t row = 0;
  for (const PoolPart& p : *parts) {
    // Every second row, without those between.
    REQUIRE(p.op.src.line_stride == 2 * src.line_stride);
    REQUIRE(p.op.src.offset == uint64_t{row} * 2 * src.line_stride);
    REQUIRE(p.op.src.height == p.op.dst.height);
    REQUIRE(p.op.dst.offset == uint64_t{row} * dst.line_stride);
    row += p.op.dst.height;
  }
  REQUIRE(row == 29);
}

TEST_CASE("pooling: it is on the fly or in bands apart, whatever takes less with the next layer") {
  const HwConfig hw = config("nv_medium_1024_full");
  ConvJob first;
  ConvGeometry& g = first.geometry;
  g.in_w = g.in_h = 224;
  g.in_c = 4;
  g.image = true;
  g.window = window(7, 2, 3);
  g.out_w = g.out_h = 112;
  g.kernels = 64;
  g.pool = FusedPool{window(3, 2, 1), 56, 56};
  ConvJob second;
  second.geometry.in_w = second.geometry.in_h = second.geometry.out_w = second.geometry.out_h = 56;
  second.geometry.in_c = second.geometry.kernels = 64;
  second.geometry.window = window(3, 1, 1);
  second.producer = 0;
  const auto apart = [&](double pool_cycles) {
    first.pool_cycles = pool_cycles;
    const auto plan = plan_convolutions(hw, {first, second}, {});
    REQUIRE(plan.ok());
    REQUIRE(plan->size() == 2);
    REQUIRE(!plan->at(1).pool_apart);
    // The tiles are of the convolution's rows, or of the pooling's.
    uint32_t rows = 0;
    for (const ConvTile& t : plan->at(0).tiles)
      rows += plan->at(0).pool_apart ? t.out_rows : t.pool_rows;
    REQUIRE(rows == (plan->at(0).pool_apart ? g.out_h : g.pool->out_h));
    return plan->at(0).pool_apart;
  };
  // As long as the convolution: apart it runs beside both.
  REQUIRE(apart(200704));
  // Longer than both together.
  REQUIRE(!apart(2'000'000));
  // Of one row: nothing starts before all of it is there.
  g.in_w = g.in_h = 16;
  g.out_w = g.out_h = 8;
  g.pool = FusedPool{window(8, 8), 1, 1};
  second.geometry.in_w = second.geometry.in_h = second.geometry.out_w = second.geometry.out_h = 1;
  second.geometry.window = window(1);
  REQUIRE(!apart(1024));
}

TEST_CASE("memory: random plans have no overlap of live buffers and reuse memory") {
  std::mt19937 random(4);
  for (int round = 0; round < 50; ++round) {
    std::vector<PlanRequest> requests(30);
    uint64_t total = 0;
    for (PlanRequest& r : requests) total += r.size = 1 + random() % 5000;
    for (size_t i = 0; i < requests.size(); ++i) {
      for (size_t j = i + 1; j < requests.size(); ++j) {
        if (random() % 4 != 0) continue;
        requests[i].conflicts.push_back(j);
        requests[j].conflicts.push_back(i);
      }
    }
    MemoryPlan plan = plan_memory(requests, 64);
    REQUIRE(verify_plan(requests, plan, 64).empty());
    REQUIRE(plan.bytes < total);
    plan.offsets[requests[0].conflicts.empty() ? 0 : requests[0].conflicts[0]] =
        plan.offsets[0] + 1;
    REQUIRE(verify_plan(requests, plan, 64).has("memory.alignment"));
  }
}

TEST_CASE("quantise: multipliers keep 15 bits of the largest factor") {
  const double factors[] = {0.0123, 0.4, 0.00007};
  const auto m = make_multipliers(factors);
  REQUIRE(m.ok());
  REQUIRE(m->mul[1] >= 16384);
  for (size_t i = 0; i < 3; ++i)
    REQUIRE(std::ldexp(m->mul[i], -m->shift) == Approx(factors[i]).margin(0.4 / 16384));
  const double too_large[] = {40000.0};
  REQUIRE(make_multipliers(too_large).errors().has("quantise.factor"));
  REQUIRE(quantise_value(0.5, 1) == 1);
  REQUIRE(quantise_value(-0.5, 1) == -1);
  REQUIRE(quantise_value(1000, 1) == 127);
}

TEST_CASE("quantise: many values at once are what each is by itself, ties and ends among them") {
  std::mt19937 random(1);
  std::vector<float> real;
  for (int k = -130; k <= 130; ++k) {
    const float tie = static_cast<float>(k) + 0.5F;
    real.insert(real.end(), {tie, std::nextafter(tie, 1000.0F), std::nextafter(tie, -1000.0F)});
  }
  real.insert(real.end(), {0.49999997F, -0.49999997F, 1e30F, -1e30F, 0.0F, -0.0F});
  std::normal_distribution<float> drawn(0, 60);
  for (int i = 0; i < 5000; ++i) real.push_back(drawn(random));
  for (const double scale : {1.0, 0.37, 3e-5})
    for (size_t length = 0; length <= real.size(); length += length < 40 ? 1 : 997) {
      std::vector<int8_t> together(length), single;
      quantise_values(std::span(real).first(length), scale, together);
      for (size_t i = 0; i < length; ++i) single.push_back(quantise_value(double{real[i]}, scale));
      REQUIRE(together == single);
    }
}

TEST_CASE("schedule: broken order, coverage and memory are named") {
  const HwConfig hw = config("nv_small");
  NetworkBuilder b(2);
  const TensorId x = b.input({1, 16, 8, 8});
  const TensorId first = b.conv(x, 16, window(3, 1, 1));
  const Graph g =
      b.finish(b.pool(b.conv(first, 16, window(3, 1, 1)), PoolKind::kMax, window(2, 2)));
  CompileOptions apart;
  apart.schedule.fuse_pool = false;
  auto c = compile_graph(hw, g, b.samples(1), apart);
  REQUIRE(c.ok());
  REQUIRE(verify(hw, c->layers, c->program).empty());
  HwProgram p = c->program;
  SECTION("order") {
    for (HwOperation& op : p.tasks[0].operations)
      op.consumers[static_cast<size_t>(Engine::kPdp)] = {};
    REQUIRE(verify(hw, c->layers, p).has("schedule.order"));
    REQUIRE(verify(hw, c->layers, p).has("schedule.dependencies"));
  }
  SECTION("consumer") {
    p.tasks[0].operations[0].consumers[static_cast<size_t>(Engine::kSdp)].index = 0;
    REQUIRE(verify(hw, c->layers, p).has("schedule.consumer"));
  }
  SECTION("coverage") {
    std::get<HwSdp>(p.tasks[0].operations[1].work).dst.height -= 1;
    REQUIRE(verify(hw, c->layers, p).has("schedule.coverage"));
  }
  SECTION("memory") {
    for (Buffer& buffer : p.buffers) buffer.offset = 0;
    REQUIRE(verify(hw, c->layers, p).has("memory.overlap"));
  }
}

TEST_CASE("schedule: sizes beyond the registers are refused by name") {
  NetworkBuilder b(2);
  const TensorId x = b.input({1, 4, 60, 60});
  const Graph g = b.finish(b.conv(x, 4, window(1, 9)));
  const auto c = compile_graph(config("nv_small"), g, b.samples(1));
  REQUIRE(!c.ok());
  REQUIRE(c.errors().has("schedule.limit"));
}

TEST_CASE("schedule: weights and banks that the convolution buffer has not are named") {
  HwConfig hw = config("nv_small");
  hw.cbuf_bank_depth = 64;  // 16 KiB: several tiles, which keep their weights
  NetworkBuilder b(7);
  const Graph g = b.finish(b.conv(b.input({1, 24, 40, 20}), 17, window(3, 1, 1)));
  auto c = compile_graph(hw, g, b.samples(1));
  REQUIRE(c.ok());
  HwProgram p = c->program;
  std::vector<HwConv*> convs;
  for (HwOperation& op : p.tasks.at(0).operations) {
    if (auto* conv = std::get_if<HwConv>(&op.work)) convs.push_back(conv);
  }
  REQUIRE(convs.size() > 1);
  REQUIRE(convs[0]->keep_weights);
  REQUIRE(convs[1]->reuse_weights);
  REQUIRE(verify(hw, c->layers, p).empty());
  SECTION("reused") {
    convs[1]->weight_banks -= 1;
    REQUIRE(verify(hw, c->layers, p).has("schedule.reused_weights"));
  }
  SECTION("kept") {
    convs.back()->keep_weights = true;
    REQUIRE(verify(hw, c->layers, p).has("schedule.kept_weights"));
  }
  SECTION("banks") {
    convs[0]->data_banks = 1;
    REQUIRE(verify(hw, c->layers, p).has("schedule.banks"));
  }
}

TEST_CASE("schedule: no tile is one pixel of several surfaces, which SDP would pack") {
  const HwConfig hw = config("nv_large");
  ConvGeometry g;
  g.in_w = g.out_w = 1;
  g.in_h = g.out_h = 3;
  g.in_c = 64;
  g.kernels = 64;
  CHECK_FALSE(tile_fits(hw, g, make_tile(g, 0, 1), 1000));
  CHECK(tile_fits(hw, g, make_tile(g, 0, 2), 1000));
  g.kernels = 32;  // one surface
  CHECK(tile_fits(hw, g, make_tile(g, 0, 1), 1000));
  g.kernels = 64;
  g.in_h = g.out_h = 1;
  CHECK(tile_fits(hw, g, make_tile(g, 0, 1), 1000));  // the tensor has no other pixel
  g.part_of_lines = true;
  CHECK_FALSE(tile_fits(hw, g, make_tile(g, 0, 1), 1000));

  NetworkBuilder b(4);
  const TensorId x = b.input({1, 4, 3, 1});
  const auto c = compile_graph(hw, b.finish(b.conv(x, 64, window(1))), b.samples(1), {});
  REQUIRE(c.ok());
  HwProgram p = c->program;
  auto& sdp = std::get<HwSdp>(p.tasks.at(0).operations.at(1).work);
  CHECK_FALSE(verify(hw, c->layers, p).has("schedule.single_pixel"));
  REQUIRE(sdp.dst.width * sdp.dst.height == 3);
  sdp.dst.width = sdp.dst.height = 1;
  CHECK(verify(hw, c->layers, p).has("schedule.single_pixel"));
}

TEST_CASE("schedule: overlap of bands, of channels and of runs of pixels is exact") {
  View whole = feature_view(3, {1, 32, 8, 10}, 8);
  REQUIRE(overlap(whole, whole));
  const auto rows = [&](uint32_t first, uint32_t count, uint32_t surface) {
    View v = whole;
    v.offset = uint64_t{surface} * v.surface_stride + uint64_t{first} * v.line_stride;
    v.height = count;
    v.channels = 16;
    v.bytes = v.surface_stride + uint64_t{count} * v.line_stride;
    return v;
  };
  REQUIRE(overlap(rows(0, 4, 0), rows(3, 2, 0)));
  REQUIRE_FALSE(overlap(rows(0, 4, 0), rows(4, 4, 0)));
  REQUIRE_FALSE(overlap(rows(0, 4, 0), rows(0, 4, 2)));
  REQUIRE(overlap(rows(0, 4, 0), rows(0, 4, 1)));
}
