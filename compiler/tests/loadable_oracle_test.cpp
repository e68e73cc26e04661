// What the loadable computes, executed descriptor by descriptor by the independent reference
// interpreter of loadables, against the int8 interpreter of the layers: every output byte.
#include <catch2/catch.hpp>
#include <filesystem>

#include "compiler/data/npy.hpp"
#include "compiler/data/samples.hpp"
#include "compiler/driver/compile.hpp"
#include "compiler/frontend/onnx_import.hpp"
#include "compiler/interpreter/int8_interpreter.hpp"
#include "compiler/tests/networks.hpp"
#include "compiler/tests/tensor_layout.hpp"
#include "tests/reference/loadable_interpreter.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using dlavp::compiler::testing::NetworkBuilder;
using dlavp::compiler::testing::pack_input;
using dlavp::compiler::testing::unpack;
using dlavp::compiler::testing::window;

namespace {

std::vector<int8_t> execute(const HwConfig& hw, const Compiled& c,
                            const std::vector<uint8_t>& input) {
  const auto file = loadable::read_loadable(c.bytes);
  REQUIRE(file.ok());
  REQUIRE(file.value() == c.loadable);
  const reference::Machine machine{hw.mac_atomic_c_size, hw.mac_atomic_k_size,
                                   hw.memory_atomic_size};
  reference::LoadableInterpreter run(file.value(), machine);
  Diagnostics wrong = run.bind_input(0, pack_input(hw, c.layers, c.program, input));
  wrong.append(wrong.empty() ? run.run() : Diagnostics());
  INFO(wrong.text());
  REQUIRE(wrong.empty());
  const auto bytes = run.output(0);
  REQUIRE(bytes.ok());
  return unpack(hw, c.layers.tensors[c.layers.outputs[0]].shape, bytes.value());
}

void check_equal(const HwConfig& hw, const Graph& graph, const Samples& samples,
                 const CompileOptions& options = {}) {
  auto compiled = compile_graph(hw, graph, samples, options);
  if (!compiled.ok()) FAIL(compiled.errors().text());
  const std::vector<uint8_t> input = input_bytes(compiled->layers.inputs[0], samples[0][0]);
  const Int8Values expected = interpret_int8(compiled->layers, {input});
  const std::vector<int8_t> actual = execute(hw, compiled.value(), input);
  INFO(compiled->layers.text() << text(compiled->program));
  REQUIRE(!actual.empty());
  REQUIRE(actual == expected[compiled->layers.outputs[0]]);
}

const char* const kConfigs[] = {"nv_small",      "nv_small_256",        "nv_small_256_full",
                                "nv_medium_512", "nv_medium_1024_full", "nv_large"};

}  // namespace

TEST_CASE("loadable: random networks compute the interpreter's bytes on every int8 configuration") {
  for (uint32_t seed = 1; seed <= 24; ++seed) {
    NetworkBuilder b(seed);
    const Graph g = dlavp::compiler::testing::random_network(b);
    if (g.nodes.empty()) continue;
    const auto hw = load_hw_config(kConfigs[seed % std::size(kConfigs)]);
    REQUIRE(hw.ok());
    INFO("seed " << seed << " " << hw->name << "\n" << g.text());
    CompileOptions options;
    options.measure = false;
    check_equal(hw.value(), g, b.samples(2), options);
  }
}

TEST_CASE("loadable: a convolution cut into bands of rows computes the whole one's bytes") {
  auto hw = load_hw_config("nv_small");
  REQUIRE(hw.ok());
  HwConfig small = hw.value();
  small.cbuf_bank_depth = 64;  // 512 bytes a bank, 16 KiB in all
  NetworkBuilder b(7);
  const TensorId x = b.input({1, 24, 40, 20});
  const Graph g = b.finish(b.relu(b.conv(b.conv(x, 17, window(3, 1, 1)), 9, window(5, 2, 2))));
  auto compiled = compile_graph(small, g, b.samples(1));
  REQUIRE(compiled.ok());
  REQUIRE(compiled->program.tasks.at(0).operations.size() > 4);
  check_equal(small, g, b.samples(1));
}

TEST_CASE("loadable: kernels larger than the buffer are cut along the channels") {
  for (const char* name : {"nv_small", "nv_medium_1024_full", "nv_large"}) {
    auto hw = load_hw_config(name);
    REQUIRE(hw.ok());
    NetworkBuilder b(9);
    // Twice the buffer for a group of kernels; then a sum behind such a convolution, and a ReLU.
    const int64_t side = 4;
    const auto channels = static_cast<int64_t>(hw->cbuf_bytes() * 2 / hw->mac_atomic_k_size / 16);
    const TensorId x = b.input({1, channels + 5, side, side});
    const TensorId y = b.conv(x, 40, window(3, 1, 1));
    const TensorId z = b.relu(b.sum(b.conv(x, 40, window(3, 1, 1)), y));
    const Graph g = b.finish(b.gemm(z, 11));
    HwConfig small = hw.value();
    small.cbuf_bank_depth /= 2;
    INFO(name);
    auto compiled = compile_graph(small, g, b.samples(1));
    if (!compiled.ok()) FAIL(compiled.errors().text());
    REQUIRE(compiled->passes.back().applied == 2);
    const auto& last = compiled->quality.back();
    CHECK(last.sqnr_db > 30);
    check_equal(small, g, b.samples(1));
  }
}

TEST_CASE("loadable: dense blocks whose parts fill no atoms are joined without a copy") {
  for (const char* name : {"nv_small", "nv_large"}) {
    const auto hw = load_hw_config(name);
    REQUIRE(hw.ok());
    NetworkBuilder b(4);
    std::vector<TensorId> parts = {b.conv(b.input({1, 3, 9, 8}), 21, window(3, 1, 1))};
    for (int i = 0; i < 3; ++i) {
      const TensorId all = parts.size() == 1 ? parts[0] : b.concat(parts);
      parts.push_back(b.conv(b.relu(b.batch_norm(all)), 13, window(3, 1, 1)));
    }
    const Graph g = b.finish(b.conv(b.relu(b.batch_norm(b.concat(parts))), 10, window(1)));
    INFO(name);
    auto compiled = compile_graph(*hw, g, b.samples(2));
    if (!compiled.ok()) FAIL(compiled.errors().text());
    size_t factors = 0;
    for (const Layer& layer : compiled->layers.layers) {
      INFO(layer.name);
      CHECK(layer.as<CoreLayer>() == nullptr);
      factors += layer.as<PointLayer>() != nullptr ? 1 : 0;
    }
    CHECK(factors == 4);
    check_equal(*hw, g, b.samples(2));
  }
}

TEST_CASE("loadable: every optimisation, switched off, leaves the bytes as they are") {
  using Switch = bool ScheduleOptions::*;
  constexpr Switch kSwitches[] = {
      &ScheduleOptions::overlap,     &ScheduleOptions::reuse_weights, &ScheduleOptions::flatten,
      &ScheduleOptions::extend_rows, &ScheduleOptions::fuse_pool,     &ScheduleOptions::use_sram,
      &ScheduleOptions::pipeline,    &ScheduleOptions::bands,         &ScheduleOptions::pack_rows};
  auto hw = load_hw_config("nv_large");
  REQUIRE(hw.ok());
  HwConfig small = hw.value();
  small.cbuf_bank_depth = 16;  // 1 KiB a bank, 16 KiB in all
  NetworkBuilder b(5);
  const TensorId x = b.input({1, 3, 24, 20});
  const TensorId first = b.pool(b.conv(x, 40, window(3, 1, 1)), PoolKind::kMax, window(3, 2, 1));
  const TensorId second = b.relu(b.conv(first, 40, window(1)));
  const Graph g = b.finish(b.conv(b.conv(second, 70, window(1, 2)), 9, window(3, 1, 1)));
  CompileOptions options;
  options.measure = false;
  check_equal(small, g, b.samples(1), options);
  for (const Switch s : kSwitches) {
    CompileOptions off = options;
    off.schedule.*s = false;
    check_equal(small, g, b.samples(1), off);
  }
}

TEST_CASE("loadable: without fusion every add and activation is an operation of its own") {
  NetworkBuilder b(6);
  const TensorId x = b.input({1, 8, 12, 12});
  const TensorId first = b.relu(b.conv(x, 8, window(3, 1, 1)));
  const Graph g = b.finish(b.relu(b.sum(b.conv(first, 8, window(1)), first)));
  const auto hw = load_hw_config("nv_small");
  REQUIRE(hw.ok());
  CompileOptions options;
  options.measure = false;
  const auto points = [&](bool fuse) {
    options.schedule.fuse = fuse;
    check_equal(hw.value(), g, b.samples(1), options);
    const auto compiled = compile_graph(hw.value(), g, b.samples(1), options);
    REQUIRE(compiled.ok());
    return std::count_if(compiled->layers.layers.begin(), compiled->layers.layers.end(),
                         [](const Layer& l) { return l.as<PointLayer>() != nullptr; });
  };
  REQUIRE(points(true) == 0);
  REQUIRE(points(false) == 3);
}

TEST_CASE("loadable: strides moved to producers and joined sums compute the layers' bytes") {
  NetworkBuilder b(17);
  const TensorId x = b.pool(b.input({1, 3, 33, 28}), PoolKind::kMax, window(2, 2));
  const TensorId wide = b.relu(b.conv(x, 64, window(3, 1, 1)));
  const TensorId inner = b.relu(b.conv(wide, 24, window(3, 1, 1)));
  const TensorId first = b.relu(b.sum(b.conv(wide, 48, window(1)), b.conv(inner, 48, window(1))));
  const TensorId third =
      b.relu(b.sum(b.conv(b.relu(b.conv(first, 16, window(3, 1, 1))), 48, window(1)), first));
  const Graph g = b.finish(b.sum(b.conv(third, 20, window(1, 2)), b.conv(third, 20, window(1, 2))));
  for (const char* name : {"nv_small", "nv_medium_1024_full", "nv_large"}) {
    const auto hw = load_hw_config(name);
    REQUIRE(hw.ok());
    for (const bool strides : {true, false}) {
      for (const bool sums : {true, false}) {
        CompileOptions options;
        options.measure = false;
        options.schedule.move_strides = strides;
        options.schedule.join_sums = sums;
        INFO(name << " strides " << strides << " sums " << sums);
        check_equal(*hw, g, b.samples(2), options);
        const auto compiled = compile_graph(*hw, g, b.samples(1), options);
        REQUIRE(compiled.ok());
        const auto& layers = compiled->layers.layers;
        const auto samplers = std::count_if(layers.begin(), layers.end(), [](const Layer& l) {
          const auto* pool = l.as<PoolLayer>();
          return pool != nullptr && pool->window.kernel_h == 1;
        });
        REQUIRE(samplers == (strides ? 1 : 0));
        const auto convolutions = std::count_if(layers.begin(), layers.end(), [](const Layer& l) {
          return l.as<ConvLayer>() != nullptr;
        });
        REQUIRE(convolutions == (sums ? 7 : 8));
      }
    }
  }
}

TEST_CASE("loadable: lines wider than the buffer are computed in bands of columns") {
  auto hw = load_hw_config("nv_small");
  REQUIRE(hw.ok());
  HwConfig small = hw.value();
  small.cbuf_bank_depth = 16;  // 128 bytes a bank, 4 KiB in all
  NetworkBuilder b(20);
  const TensorId x = b.relu(b.conv(b.input({1, 3, 7, 61}), 24, window(3, 1, 1)));
  const TensorId y = b.relu(b.conv(x, 17, window(3, 2, 1)));
  const TensorId z = b.relu(b.sum(b.conv(x, 24, window(1)), x));
  const Graph g = b.finish(b.sum(y, b.conv(z, 17, window(3, 2, 1))));
  CompileOptions options;
  options.measure = false;
  const auto compiled = compile_graph(small, g, b.samples(1), options);
  REQUIRE(compiled.ok());
  size_t bands = 0;
  for (const HwOperation& op : compiled->program.tasks.at(0).operations)
    bands += op.name.find(".columns") != std::string::npos ? 1 : 0;
  REQUIRE(bands > 4);
  check_equal(small, g, b.samples(2), options);
}

TEST_CASE("loadable: averages that leave padding out are poolings, one for each window size") {
  for (const char* name : {"nv_small", "nv_large"}) {
    for (const bool counted : {true, false}) {
      const auto hw = load_hw_config(name);
      REQUIRE(hw.ok());
      NetworkBuilder b(18);
      const TensorId x = b.relu(b.conv(b.input({1, 3, 14, 9}), 40, window(3, 1, 1)));
      Window w = window(3, 2, 1);
      w.pad_bottom = w.pad_right = 2;
      PoolOp op{PoolKind::kAverage, w, counted};
      op.uncounted_bottom = op.uncounted_right = 1;
      const Graph g = b.finish(b.add(op, {x}));
      const auto compiled = compile_graph(*hw, g, b.samples(1));
      REQUIRE(compiled.ok());
      REQUIRE(compiled->program.tasks.size() == 1);  // none on the core
      INFO(name << " counted " << counted);
      check_equal(*hw, g, b.samples(2));
    }
  }
}

TEST_CASE("loadable: pixel inputs of one and three channels go through the converter") {
  for (const char* name : {"nv_small", "nv_large"}) {
    for (int64_t channels : {1, 3}) {
      const auto hw = load_hw_config(name);
      REQUIRE(hw.ok());
      NetworkBuilder b(11);
      const TensorId x = b.input({1, channels, 9, 11});
      const Graph g = b.finish(b.conv(x, 12, window(3, 2, 1)));
      Samples pixels = b.samples(2);
      for (auto& s : pixels) {
        for (float& v : s[0]) v = std::floor((v + 1) * 120);
      }
      auto compiled = compile_graph(hw.value(), g, pixels);
      REQUIRE(compiled.ok());
      REQUIRE(compiled->layers.inputs[0].image);
      REQUIRE(compiled->layers.inputs[0].scale == 1.0);
      INFO(name << " " << channels);
      check_equal(hw.value(), g, pixels);
    }
  }
}

TEST_CASE("loadable: the digits network is right on held-out images, int8 as good as float") {
  const std::string folder = std::string(DLAVP_SOURCE_DIR) + "/examples/digits/";
  auto model = read_onnx(folder + "digits.onnx");
  REQUIRE(model.ok());
  auto graph = import_onnx(*model);
  REQUIRE(graph.ok());
  auto calibration = load_samples(*graph, folder + "calibration.npy");
  auto images = load_samples(*graph, folder + "test_images.npy");
  const auto labels = read_npy(folder + "test_labels.npy");
  REQUIRE((calibration.ok() && images.ok() && labels.ok()));
  const auto hw = load_hw_config("nv_small");
  REQUIRE(hw.ok());
  auto compiled = compile_graph(hw.value(), *graph, *calibration);
  if (!compiled.ok()) FAIL(compiled.errors().text());
  size_t right = 0;
  for (size_t i = 0; i < images->size(); ++i) {
    const Int8Values values = interpret_int8_real(compiled->layers, (*images)[i]);
    const auto& out = values[compiled->layers.outputs[0]];
    const auto best = std::max_element(out.begin(), out.end()) - out.begin();
    right += static_cast<float>(best) == labels->values[i] ? 1 : 0;
    if (i >= 10) continue;
    const auto bytes = input_bytes(compiled->layers.inputs[0], (*images)[i][0]);
    REQUIRE(execute(hw.value(), compiled.value(), bytes) == out);
  }
  REQUIRE(images->size() == 400);
  REQUIRE(right >= 392);
  for (const LayerQuality& q : compiled->quality) {
    INFO(q.name << " " << q.sqnr_db);
    REQUIRE(q.sqnr_db > 20);
  }
}

/// On every configuration; none of the layers is the core's.
void moves_on_the_accelerator(const Graph& g, const Samples& samples) {
  for (const char* name : kConfigs) {
    const auto hw = load_hw_config(name);
    REQUIRE(hw.ok());
    INFO(name);
    CompileOptions options;
    options.measure = false;
    const auto compiled = compile_graph(*hw, g, samples, options);
    if (!compiled.ok()) FAIL(compiled.errors().text());
    for (const Layer& layer : compiled->layers.layers) {
      INFO(compiled->layers.text() << "\n" << layer.name);
      REQUIRE(layer.as<CoreLayer>() == nullptr);
    }
    check_equal(*hw, g, samples, options);
  }
}

TEST_CASE("loadable: whole multiples of rows and columns are copies by SDP") {
  for (const auto& [down, across] : {std::pair{2, 2}, {3, 1}, {1, 2}, {2, 5}}) {
    NetworkBuilder b(7);
    const TensorId x = b.conv(b.input({1, 3, 6, 7}), 40, window(3, 1, 1));
    ResizeOp op;
    op.scale_h = down;
    op.scale_w = across;
    op.out_h = 6 * down;
    op.out_w = 7 * across;
    const TensorId large = b.add(op, {x});
    const TensorId side = b.add(op, {b.conv(x, 32, window(1))});
    INFO(down << " rows, " << across << " columns an element");
    moves_on_the_accelerator(b.finish(b.conv(b.concat({side, large}), 9, window(3, 1, 1))),
                             b.samples(2));
  }
  NetworkBuilder b(8);  // more pixels than a cube has lines
  const TensorId x = b.conv(b.input({1, 3, 96, 96}), 5, window(1));
  ResizeOp op;
  op.scale_h = op.scale_w = 2;
  op.out_h = op.out_w = 192;
  moves_on_the_accelerator(b.finish(b.add(op, {x})), b.samples(1));
}

TEST_CASE("loadable: a single pixel is repeated by the core, as SDP writes its channels packed") {
  NetworkBuilder b(11);
  const TensorId x = b.conv(b.input({1, 8, 1, 1}), 42, window(1));
  ResizeOp op;
  op.scale_h = op.out_h = 2;
  const Graph g = b.finish(b.add(op, {x}));
  const auto hw = load_hw_config("nv_small");
  REQUIRE(hw.ok());
  const auto compiled = compile_graph(*hw, g, b.samples(1));
  REQUIRE(compiled.ok());
  REQUIRE(compiled->layers.layers.back().as<CoreLayer>() != nullptr);
}

TEST_CASE("loadable: channels that change places are convolutions where that is faster") {
  constexpr int64_t kHalf = 29;
  NetworkBuilder b(9);
  const TensorId x = b.input({1, 8, 16, 16});
  const TensorId joined =
      b.concat({b.conv(x, kHalf, window(3, 1, 1)), b.relu(b.conv(x, kHalf, window(1)))});
  const Shape s{1, 2 * kHalf, 16, 16};
  const TensorId shuffled = b.add(ReorderOp{{2, kHalf, 16, 16}, {1, 0, 2, 3}, s}, {joined});
  SliceOp first, second;
  first.size = second.size = {1, kHalf, 16, 16};
  second.start[1] = kHalf;
  const TensorId kept = b.add(first, {shuffled});
  const TensorId changed = b.conv(b.add(second, {shuffled}), kHalf, window(3, 1, 1), kHalf);
  SECTION("a join, a shuffle and two cuts; the next join is the output") {
    moves_on_the_accelerator(b.finish(b.concat({kept, changed})), b.samples(2));
  }
  SECTION("a shuffle that others read too") {
    moves_on_the_accelerator(b.finish(b.sum(shuffled, b.concat({kept, changed}))), b.samples(2));
  }
  SECTION("every second channel, from a whole atom on and not") {
    SliceOp some;
    some.start[1] = 1;
    some.step[1] = 2;
    some.size = {1, 20, 16, 16};
    moves_on_the_accelerator(b.finish(b.conv(b.add(some, {shuffled}), 7, window(1))), b.samples(1));
  }
}

TEST_CASE("loadable: many channels of few pixels change places on the core") {
  NetworkBuilder b(10);
  const TensorId x = b.conv(b.input({1, 8, 2, 1}), 1024, window(1));
  const Graph g = b.finish(b.add(ReorderOp{{2, 512, 2, 1}, {1, 0, 2, 3}, {1, 1024, 2, 1}}, {x}));
  const auto hw = load_hw_config("nv_small");
  REQUIRE(hw.ok());
  const auto compiled = compile_graph(*hw, g, b.samples(1));
  REQUIRE(compiled.ok());
  REQUIRE(compiled->layers.layers.back().as<CoreLayer>() != nullptr);
  REQUIRE(compiled->layers.layers.back().as<CoreLayer>()->reason == "channels change places");
  check_equal(*hw, g, b.samples(1));
}

TEST_CASE("loadable: compiling twice gives the same bytes") {
  const auto hw = load_hw_config("nv_small");
  REQUIRE(hw.ok());
  NetworkBuilder b(3);
  const Graph g = dlavp::compiler::testing::random_network(b);
  const Samples samples = b.samples(2);
  const auto first = compile_graph(hw.value(), g, samples);
  const auto second = compile_graph(hw.value(), g, samples);
  REQUIRE((first.ok() && second.ok()));
  REQUIRE(!first->bytes.empty());
  REQUIRE(first->bytes == second->bytes);
}
