// What the compiler refuses behind the front end, each rule provoked: calibration, lowering, the
// layer program's rules, the schedule's, the memory plan's and the loadable's limits.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <limits>
#include <set>

#include "compiler/driver/compile.hpp"
#include "compiler/interpreter/int8_interpreter.hpp"
#include "compiler/loadable/core_block.h"
#include "compiler/memory/planner.hpp"
#include "compiler/schedule/dependencies.hpp"
#include "compiler/schedule/pool_split.hpp"
#include "compiler/tests/networks.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using dlavp::compiler::testing::NetworkBuilder;
using dlavp::compiler::testing::window;

namespace {

HwConfig nv_small() {
  auto hw = load_hw_config("nv_small");
  REQUIRE(hw.ok());
  return hw.value();
}

void names(const Diagnostics& wrong, const char* id, const std::string& text) {
  INFO(id << "\n" << wrong.text());
  REQUIRE(wrong.has(id));
  REQUIRE(wrong.text().find(text) != std::string::npos);
}

/// A convolution with an Add and a ReLU, then a pooling.
Compiled residual_network() {
  NetworkBuilder b(3);
  const TensorId x = b.input({1, 8, 6, 6});
  const TensorId y = b.relu(b.sum(b.conv(x, 8, window(3, 1, 1)), x));
  const Graph g = b.finish(b.pool(y, PoolKind::kMax, window(2, 2)));
  auto c = compile_graph(nv_small(), g, b.samples(1));
  REQUIRE(c.ok());
  return std::move(c).value();
}

}  // namespace

TEST_CASE("calibrate: unusable samples are named") {
  NetworkBuilder b(1);
  const Graph g = b.finish(b.relu(b.input({1, 2, 2, 2})));
  const HwConfig hw = nv_small();
  names(compile_graph(hw, g, {}).errors(), "calibrate.no_samples", "no sample");
  names(compile_graph(hw, g, {{{1, 2, 3}}}).errors(), "calibrate.sample_size",
        "sample 0, input 'input': 3 values, expected 8 (1x2x2x2)");
  const float infinite = std::numeric_limits<float>::infinity();
  names(compile_graph(hw, g, {{std::vector<float>(8, infinite)}}).errors(), "calibrate.not_finite",
        "contains inf");
  NetworkBuilder large(1);
  const Graph sum = [&] {
    const TensorId x = large.input({1, 1, 1, 1});
    return large.finish(large.sum(x, large.relu(x)));
  }();
  names(compile_graph(hw, sum, {{{3e38F}}}).errors(), "calibrate.not_finite", "computes inf");
}

TEST_CASE("lower: what the accelerator cannot compute is refused with its node") {
  const HwConfig hw = nv_small();
  NetworkBuilder b(1);
  const TensorId x = b.input({1, 5, 9, 9});
  SECTION("pixels of five channels") {
    CompileOptions options;
    options.quantise.input_mode = InputMode::kImage;
    const Graph g = b.finish(b.conv(x, 4, window(3)));
    names(compile_graph(hw, g, b.samples(1), options).errors(), "lower.image_input", "1x5x9x9");
  }
}

TEST_CASE("lower: indices are an output once") {
  NetworkBuilder b(1);
  Graph g = b.finish(b.relu(b.input({1, 5, 9, 9})));
  const TensorId index = g.add_tensor("index", {1, 1, 9, 9});
  g.nodes.push_back({"index", ArgMaxOp{1, false, false}, {g.outputs[0]}, index});
  g.outputs = {index, index};
  names(compile_graph(nv_small(), g, b.samples(1)).errors(), "lower.unsupported", "its indices");
}

TEST_CASE("lower: an output that is an input, or another output, is a copy of its own") {
  NetworkBuilder b(1);
  const TensorId x = b.input({1, 5, 9, 9});
  const TensorId y = b.relu(x);
  Graph g = b.finish(y);
  g.outputs = {y, x, y};
  const auto c = compile_graph(nv_small(), g, b.samples(1));
  REQUIRE(c.ok());
  REQUIRE(std::set<TensorId>(c->layers.outputs.begin(), c->layers.outputs.end()).size() == 3);
  const Int8Values v = interpret_int8_real(c->layers, b.samples(1)[0]);
  REQUIRE(v[c->layers.outputs[2]] == v[c->layers.outputs[0]]);
  REQUIRE(v[c->layers.outputs[1]] != v[c->layers.outputs[0]]);
}

TEST_CASE("lower: a bounded Relu saturates at its bound, whatever comes in") {
  NetworkBuilder b(4);
  const TensorId x = b.input({1, 8, 4, 4});
  const TensorId y = b.relu(b.conv(x, 8, window(1)));
  b.graph().nodes.back().as<ReluOp>()->max = 0.25F;
  const Graph g = b.finish(y);
  const Samples samples = b.samples(4);
  const auto c = compile_graph(nv_small(), g, samples);
  REQUIRE(c.ok());
  REQUIRE(c->graph.nodes.size() == 1);
  REQUIRE(c->graph.nodes[0].as<ConvOp>()->relu_max == 0.25F);
  std::vector<float> large = samples[0][0];
  for (float& v : large) v *= 100;
  const TensorId out = c->layers.outputs[0];
  const auto bytes = interpret_int8_real(c->layers, {large})[out];
  const Quantisation& q = c->layers.tensors[out].quantisation;
  const int8_t most = *std::max_element(bytes.begin(), bytes.end());
  REQUIRE(most == 127);
  REQUIRE(q.real(most) == Approx(0.25));
  REQUIRE(*std::min_element(bytes.begin(), bytes.end()) == q.zero_point);
}

TEST_CASE("layers: elements repeat along one axis, without an operand a point") {
  LayerProgram p = residual_network().layers;
  PointLayer point;
  point.repeat_h = 2;
  point.repeat_w = 3;
  p.layers[1].work = point;
  names(p.verify(), "layer.repeat", "2 rows and 3 columns an element, expected one");
  point.repeat_w = 1;
  point.sdp.x1 = std::get<ConvLayer>(p.layers[0].work).sdp.x2;
  p.layers[1].work = point;
  names(p.verify(), "layer.repeat", "with an operand a point, expected");
}

TEST_CASE("layers: every violated rule is named") {
  LayerProgram p = residual_network().layers;
  REQUIRE(p.verify().empty());
  auto& conv = std::get<ConvLayer>(p.layers[0].work);
  REQUIRE(conv.sdp.x2.mode == StageMode::kPerPoint);
  SECTION("stage shift") {
    conv.sdp.x1.mul_shift = 64;
    names(p.verify(), "layer.shift", "shifts 0 and 64, at most 63");
  }
  SECTION("output shift") {
    conv.sdp.out_shift = 65;
    names(p.verify(), "layer.shift", "out shift 65, at most 63");
  }
  SECTION("operand missing") {
    conv.sdp.x2.operand.reset();
    names(p.verify(), "layer.operand", "takes one tensor");
  }
  SECTION("operand of another shape") {
    LayerTensor other;
    other.shape = {1, 8, 1, 1};
    p.tensors.push_back(other);
    conv.sdp.x2.operand = static_cast<TensorId>(p.tensors.size() - 1);
    names(p.verify(), "layer.operand", "shape is not 1x8x6x6");
  }
  SECTION("operand count") {
    conv.sdp.x1.mul.pop_back();
    names(p.verify(), "layer.operand_size", "7 mul values, expected 8 and 8");
  }
  SECTION("weight count") {
    conv.weights.pop_back();
    names(p.verify(), "layer.weights", "575 weights, expected 576");
  }
  SECTION("shape") {
    p.tensors[p.layers[1].output].shape.w = 4;
    names(p.verify(), "layer.shape", "output 1x8x3x4, expected 1x8x3x3");
  }
  SECTION("input tensor") {
    p.inputs[0].tensor = 99;
    names(p.verify(), "layer.tensor", "input tensor 99 of 3");
  }
  SECTION("layer tensor") {
    p.layers[1].output = 99;
    names(p.verify(), "layer.tensor", "a tensor of 3 is out of range");
  }
  SECTION("order") {
    std::swap(p.layers[0], p.layers[1]);
    names(p.verify(), "layer.order", "read before it is produced");
  }
  SECTION("two producers") {
    p.layers.push_back(p.layers[0]);
    names(p.verify(), "layer.two_producers", p.tensors[p.layers[0].output].name);
  }
  SECTION("output") {
    p.layers.pop_back();
    names(p.verify(), "layer.output", "never produced");
  }
}

TEST_CASE("layers: broken views, PReLUs and core layers are named") {
  LayerProgram p = residual_network().layers;
  auto& conv = std::get<ConvLayer>(p.layers[0].work);
  SECTION("PReLU without a multiplier") {
    conv.sdp.x2.prelu = true;
    names(p.verify(), "layer.prelu", "X2: needs a multiplier");
  }
  SECTION("view of another size") {
    p.tensors[p.layers[1].output].view = ChannelView{p.layers[0].output, 0};
    names(p.verify(), "layer.view", "1x8x3x3 at channel 0");
  }
  SECTION("parameters of a core layer") {
    CoreLayer core;
    core.kernel = CORE_TABLE;
    core.inputs = {p.layers[0].output};
    p.layers[1].work = core;
    names(p.verify(), "layer.core", "0 table bytes; expected 1, 0, 0, 256");
  }
}

TEST_CASE("schedule: parts that the configuration lacks are all named") {
  NetworkBuilder b(1);
  const TensorId x = b.input({1, 8, 4, 4});
  const Graph g = b.finish(b.pool(x, PoolKind::kMax, window(2, 2)));
  const HwConfig whole = nv_small();
  const auto c = compile_graph(whole, g, b.samples(1));
  REQUIRE(c.ok());
  HwConfig hw = whole;
  hw.pdp = false;
  hw.sdp_bn = false;
  const auto broken = schedule(hw, c->layers);
  REQUIRE(!broken.ok());
  names(broken.errors(), "schedule.config", "pooling");
  names(broken.errors(), "schedule.config", "X2");
}

TEST_CASE("lower: a configuration without a unit computes its layers on the core") {
  NetworkBuilder b(1);
  const TensorId x = b.input({1, 8, 4, 4});
  const Graph g = b.finish(b.pool(x, PoolKind::kMax, window(2, 2)));
  HwConfig hw = nv_small();
  hw.pdp = false;
  const auto c = compile_graph(hw, g, b.samples(1));
  REQUIRE(c.ok());
  REQUIRE(c->layers.layers.size() == 1);
  const auto* core = c->layers.layers[0].as<CoreLayer>();
  REQUIRE(core != nullptr);
  REQUIRE(core->kernel == CORE_POOL);
  REQUIRE(core->reason == "the configuration has no PDP");
}

TEST_CASE("schedule: a pooling in more parts than the hardware has is refused with its layer") {
  NetworkBuilder b(1);
  const TensorId x = b.input({1, 1, 8, 1100});
  const Graph g = b.finish(b.pool(x, PoolKind::kMax, window(8, 1)));
  const auto c = compile_graph(nv_small(), g, b.samples(1));
  REQUIRE(!c.ok());
  names(c.errors(), "schedule.pool", "layer 'n0'");
  names(c.errors(), "schedule.pool", "69 parts, at most 64");
}

TEST_CASE("schedule: every part of a pooling reads something, whatever the width") {
  const Window w = window(3, 1, 1);
  for (uint32_t width = 33; width <= 64 * 32 - 64; ++width) {
    const auto s = split_pool(w, width, width);
    INFO("width " << width);
    REQUIRE(s.ok());
    REQUIRE(s->last_in >= 1);
    REQUIRE(s->last_in < width);
    REQUIRE(s->last_out >= 1);
    REQUIRE(s->first_out <= largest_pool_width(w));
    REQUIRE(s->first_out + s->mid_out * (s->parts - 2) + s->last_out == width);
    REQUIRE(s->first_in + s->mid_in * (s->parts - 2) + s->last_in == width);
  }
}

TEST_CASE("schedule: a view that leaves its buffer is named") {
  Compiled c = residual_network();
  std::get<HwPdp>(c.program.tasks[0].operations.back().work).dst.offset += 8;
  names(verify(nv_small(), c.layers, c.program), "schedule.view", "atom 9 of 9");
}

TEST_CASE("memory: a plan that leaves its region is named") {
  const std::vector<PlanRequest> requests = {{128, {1}}, {64, {0}}};
  MemoryPlan plan = plan_memory(requests, 64);
  REQUIRE(verify_plan(requests, plan, 64).empty());
  plan.bytes = 128;
  names(verify_plan(requests, plan, 64), "memory.region", "buffer 1: ends at 192 of 128");
}

TEST_CASE("emit: programs beyond the descriptors' numbers are refused") {
  const Compiled c = residual_network();
  HwProgram p = c.program;
  SECTION("operations") {
    p.tasks[0].operations.resize(32768, p.tasks[0].operations[0]);
    names(emit_loadable(nv_small(), c.layers, p, {}).errors(), "emit.too_many",
          "task 0: 32768 operations, at most 32767");
  }
  SECTION("bytes") {
    p.activation_bytes = uint64_t{1} << 32;
    names(emit_loadable(nv_small(), c.layers, p, {}).errors(), "emit.too_large",
          "4294967296 of activations");
  }
}

TEST_CASE("schedule: an SDP that reads memory waits for the convolutions before it") {
  // conv + SDP into 1, SDP from 1 into 2, pool of 2: the pool comes after the convolution.
  HwTask task;
  HwConv conv;
  HwSdp fed;
  fed.src.stream = true;
  fed.dst.buffer = 1;
  fed.dst.bytes = 64;
  HwSdp alone;
  alone.src.buffer = 1;
  alone.src.bytes = 64;
  alone.dst.buffer = 2;
  alone.dst.bytes = 64;
  HwPdp pool;
  pool.src.buffer = 2;
  pool.src.bytes = 64;
  pool.dst.buffer = 3;
  task.operations.resize(4);
  task.operations[0].work = conv;
  task.operations[1].work = fed;
  task.operations[2].work = alone;
  task.operations[3].work = pool;
  const CompletedBefore before = link_operations(task);
  for (size_t first = 0; first < 3; ++first) REQUIRE(before(first, 3));
  REQUIRE(before(1, 2));
  REQUIRE(before(0, 2));
  for (size_t first = 0; first < 4; ++first) {
    for (size_t second = 0; second <= first; ++second) REQUIRE(!before(first, second));
  }
}

TEST_CASE("schedule: without pipelining an operation waits for all that is before it") {
  // Two convolutions with their SDPs, a pooling, an SDP alone: none reads another's result.
  HwTask task;
  HwConv conv;
  conv.src.buffer = 7;
  conv.src.bytes = 64;
  HwSdp fed;
  fed.src.stream = true;
  fed.dst.buffer = 1;
  fed.dst.bytes = 64;
  HwSdp alone;
  alone.src.buffer = 9;
  alone.dst.buffer = 2;
  HwPdp pool;
  pool.src.buffer = 8;
  pool.dst.buffer = 3;
  task.operations.resize(6);
  task.operations[0].work = conv;
  task.operations[1].work = fed;
  task.operations[2].work = conv;
  task.operations[3].work = fed;
  task.operations[4].work = pool;
  task.operations[5].work = alone;
  const std::vector<size_t> chains = {0, 0, 1, 1, 2, 3};
  const CompletedBefore apart = link_operations(task, false);
  const CompletedBefore together = link_operations(task);
  for (size_t first = 0; first < 6; ++first)
    for (size_t second = 0; second < 6; ++second)
      REQUIRE(apart(first, second) == (chains[first] < chains[second]));
  REQUIRE(!together(3, 4));
  REQUIRE(!together(1, 3));
}

TEST_CASE("schedule: the order of thousands of operations is found in a fraction of a second") {
  HwTask task;
  for (BufferId i = 0; i < 1500; ++i) {
    HwConv conv;
    conv.src.buffer = 2 * i;
    conv.src.bytes = 64;
    conv.weights = 0;
    HwSdp sdp;
    sdp.src.stream = true;
    sdp.dst.buffer = 2 * i + 2;
    sdp.dst.bytes = 64;
    for (int k = 0; k < 2; ++k) task.operations.emplace_back();
    task.operations[2 * i].work = conv;
    task.operations[2 * i + 1].work = sdp;
  }
  const auto start = std::chrono::steady_clock::now();
  const CompletedBefore before = link_operations(task);
  const auto used = std::chrono::steady_clock::now() - start;
  REQUIRE(before(0, 2998));
  REQUIRE(before(2997, 2998));
  REQUIRE(!before(2998, 2998));
  // A few milliseconds; the bound leaves room for a loaded machine.
  REQUIRE(std::chrono::duration<double>(used).count() < 0.5);
}
