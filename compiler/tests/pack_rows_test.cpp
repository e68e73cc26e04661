// Kernel rows as channels: the bytes of what is packed, and where it is.
#include <catch2/catch.hpp>

#include "compiler/driver/compile.hpp"
#include "compiler/interpreter/int8_interpreter.hpp"
#include "compiler/schedule/pack_rows.hpp"
#include "compiler/schedule/weights.hpp"
#include "compiler/tests/networks.hpp"
#include "compiler/tests/random_graph_check.hpp"
#include "compiler/tests/reference_executor.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using dlavp::compiler::testing::NetworkBuilder;
using dlavp::compiler::testing::reference_executor;
using dlavp::compiler::testing::window;

namespace {

size_t packed(const HwProgram& p) {
  size_t out = 0;
  for (const HwTask& task : p.tasks) {
    for (const HwOperation& op : task.operations) {
      const auto* c = std::get_if<HwConv>(&op.work);
      out += c != nullptr && c->lines ? 1 : 0;
    }
  }
  return out;
}

/// Packed operations of a network whose loadable gives the int8 interpreter's bytes.
size_t check_packed(const HwConfig& hw, NetworkBuilder& b, const Graph& graph) {
  CompileOptions options;
  options.measure = false;
  options.schedule.pack_all = true;
  const Samples samples = b.samples(1);
  const auto compiled = compile_graph(hw, graph, samples, options);
  INFO(graph.text());
  if (!compiled.ok()) {
    INFO(compiled.errors().text());
    REQUIRE(compiled.errors().has("schedule.cbuf"));  // the buffer is as small as a test made it
    return 0;
  }
  const std::vector<uint8_t> input = input_bytes(compiled->layers.inputs[0], samples[0][0]);
  const Int8Values expected = interpret_int8(compiled->layers, {input});
  const auto actual = reference_executor(hw)(*compiled, {input});
  if (!actual.ok()) FAIL(actual.errors().text());
  INFO(text(compiled->program));
  const std::vector<int8_t>& values = expected[compiled->layers.outputs[0]];
  REQUIRE(actual->at(0) == std::vector<uint8_t>(values.begin(), values.end()));
  return packed(compiled->program);
}

Window random_window(NetworkBuilder& b, int64_t h, int64_t w) {
  Window out;
  out.kernel_h = b.pick(1, 7);
  out.kernel_w = b.pick(1, 5);
  out.stride_h = b.pick(1, 3);
  out.stride_w = b.pick(1, 2);
  out.dilation_h = b.pick(1, 2);
  out.dilation_w = b.pick(1, 2);
  const auto most = [](int64_t extent) { return static_cast<uint32_t>(extent - 1); };
  out.pad_top = b.pick(0, most(out.extent_h()));
  out.pad_bottom = b.pick(0, most(out.extent_h()));
  out.pad_left = b.pick(0, most(out.extent_w()));
  out.pad_right = b.pick(0, most(out.extent_w()));
  const int64_t rows = h + out.pad_top + out.pad_bottom - out.extent_h();
  const int64_t columns = w + out.pad_left + out.pad_right - out.extent_w();
  if (rows < 0 || columns < 0) return window(3, 1, 1);
  return out;
}

/// What follows the convolution in its SDP operation.
TensorId behind(NetworkBuilder& b, TensorId x) {
  const uint32_t kind = b.pick(0, 5);
  if (kind == 1) return b.relu(x);
  if (kind == 4) return b.prelu(x);
  if (kind == 5) return b.sigmoid(x);  // a table, or the core's where there is none
  if (kind == 2) return b.relu(b.batch_norm(x));
  const Shape s = b.graph().tensor(x).shape;
  return kind == 3 ? b.relu(b.sum(x, b.conv(x, s.c, window(1)))) : x;
}

HwConfig config(const char* name) {
  const auto hw = load_hw_config(name);
  REQUIRE(hw.ok());
  return hw.value();
}

constexpr const char* kWide[] = {"nv_large", "nv_full", "nv_medium_512", "nv_small_256",
                                 "nv_small_256_full"};

}  // namespace

TEST_CASE("pack rows: random grouped convolutions compute the interpreter's bytes") {
  size_t operations = 0, tiles = 0;
  for (uint32_t seed = 1; seed <= 160; ++seed) {
    NetworkBuilder b(seed);
    HwConfig hw = config(kWide[seed % std::size(kWide)]);
    if (seed % 3 == 0) hw.cbuf_bank_depth = std::max(16U, hw.cbuf_bank_depth / 8);
    const uint32_t atom = hw.memory_atomic_size;
    const int64_t h = b.pick(2, 20), w = b.pick(1, 20);
    // Of one channel each, of several, or one group of up to an atom.
    const uint32_t kind = b.pick(0, 2);
    const int64_t of_group = kind == 0 ? 1 : kind == 1 ? 1 << b.pick(0, 3) : b.pick(1, atom);
    const int64_t groups = kind == 2 ? 1 : b.pick(1, 3 * atom / static_cast<uint32_t>(of_group));
    const int64_t times = b.pick(1, 2);
    const TensorId x = b.input({1, b.pick(1, 6), h, w});
    const TensorId one = b.relu(b.conv(x, groups * of_group, window(1)));
    const TensorId y = b.conv(one, groups * (kind == 2 ? b.pick(1, 40) : of_group * times),
                              random_window(b, h, w), static_cast<uint32_t>(groups));
    INFO("seed " << seed << " " << hw.name);
    const size_t found = check_packed(hw, b, b.finish(behind(b, y)));
    operations += found;
    tiles += found > 0 ? 1 : 0;
  }
  INFO(operations << " packed operations in " << tiles << " networks");
  CHECK(tiles > 70);
  CHECK(operations > tiles + tiles / 2);
}

TEST_CASE("pack rows: parts of a join, poolings after") {
  for (const char* name : kWide) {
    INFO(name);
    const HwConfig hw = config(name);
    const int64_t atom = hw.memory_atomic_size;
    NetworkBuilder b(3);
    const TensorId x = b.input({1, 4, 13, 11});
    const TensorId left = b.relu(b.conv(x, atom, window(1)));
    const TensorId right = b.relu(b.conv(x, 2 * atom, window(3, 1, 1)));
    const TensorId both = b.concat({left, right});
    const auto all = static_cast<uint32_t>(3 * atom);
    const TensorId wide = b.conv(both, all, window(3, 1, 1), all);
    const TensorId part = b.conv(right, 2 * atom, window(5, 2, 2), all / 3 * 2);
    const TensorId pooled = b.pool(wide, PoolKind::kMax, window(3, 2, 1));
    REQUIRE(check_packed(hw, b, b.finish(b.conv(b.concat({part, pooled}), 7, window(1)))) >= 5);
  }
}

TEST_CASE("pack rows: an operation waits for the rows of the tensor that it reads") {
  const HwConfig hw = config("nv_large");
  NetworkBuilder b(5);
  const TensorId x = b.relu(b.conv(b.input({1, 4, 40, 24}), 64, window(1)));
  const Graph g = b.finish(b.conv(x, 64, window(3, 2, 1), 64));
  CompileOptions options;
  options.measure = false;
  options.schedule.pack_all = true;
  const auto compiled = compile_graph(hw, g, b.samples(1), options);
  REQUIRE(compiled.ok());
  size_t seen = 0;
  for (const HwOperation& op : compiled->program.tasks.at(0).operations) {
    const auto* c = std::get_if<HwConv>(&op.work);
    if (c == nullptr || !c->lines) continue;
    ++seen;
    const View read = op.read_views().at(0);
    CHECK(c->src.channels == 96);
    CHECK(c->src.surface_stride == 24 * 32);
    CHECK(c->src.line_stride == 2 * 24 * 32);
    CHECK(read.line_stride == 24 * 32);
    CHECK(read.surface_stride == 40 * 24 * 32);
    CHECK(read.height == 2 * (c->src.height - 1) + 3);
    CHECK(read.offset == c->src.offset);
    CHECK(read.bytes == c->src.bytes);
    CHECK(uint64_t{read.height - 1} * read.line_stride + 24 * 32 == read.bytes);
    CHECK(c->bytes_per_kernel == 96 * 3);
  }
  REQUIRE(seen >= 2);
}

TEST_CASE("pack rows: only where it takes less, and not without its switch") {
  const auto count = [](const char* name, int64_t channels, int64_t side, bool on) {
    NetworkBuilder b(6);
    const TensorId x = b.relu(b.conv(b.input({1, 4, side, side}), channels, window(1)));
    const Graph g = b.finish(b.conv(x, channels, window(3, 1, 1), static_cast<uint32_t>(channels)));
    CompileOptions options;
    options.measure = false;
    options.schedule.pack_rows = on;
    const auto compiled = compile_graph(config(name), g, b.samples(1), options);
    REQUIRE(compiled.ok());
    return packed(compiled->program);
  };
  CHECK(count("nv_large", 64, 80, true) >= 2);
  CHECK(count("nv_large", 64, 80, false) == 0);
  CHECK(count("nv_large", 128, 10, true) == 0);  // the core takes longer than the multipliers
  CHECK(count("nv_medium_512", 32, 80, true) >= 2);
  CHECK(count("nv_small_256", 16, 80, true) == 0);  // bound by SDP
  CHECK(count("nv_small", 16, 80, true) == 0);      // an atom fills the multipliers
}

TEST_CASE("pack rows: weights lie row by row, with zeros in channels that are not there") {
  WeightShape shape{2, 2, 3, 2};
  std::vector<int8_t> weights(24);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<int8_t>(i + 1);
  const std::vector<int8_t> out = rows_to_channels(shape, 4, weights);
  REQUIRE(shape.kernels == 2);
  REQUIRE(shape.channels == 12);
  REQUIRE(shape.height == 1);
  REQUIRE(shape.width == 2);
  const auto at = [&](size_t k, size_t c, size_t s) { return out.at((k * 12 + c) * 2 + s); };
  CHECK(at(0, 0, 0) == 1);   // channel 0, row 0
  CHECK(at(0, 4, 1) == 4);   // row 1
  CHECK(at(0, 9, 0) == 11);  // channel 1, row 2
  CHECK(at(1, 5, 1) == 22);
  CHECK(at(0, 2, 0) == 0);
  CHECK(at(1, 11, 1) == 0);
}

TEST_CASE("groups at once: more where an operation is shorter than its programming") {
  const auto at_once = [](const char* name, uint32_t channels, uint32_t side, uint32_t dense) {
    ConvGeometry g;
    g.in_w = g.in_h = g.out_w = g.out_h = side;
    g.in_c = g.kernels = dense;
    g.window = window(3, 1, 1);
    return groups_at_once(config(name), {g, channels, dense, dense, 1, 1, false, false});
  };
  CHECK(at_once("nv_small", 64, 28, 8) == 8);
  CHECK(at_once("nv_small", 64, 7, 8) == 16);
  CHECK(at_once("nv_small", 64, 2, 8) == 32);
  CHECK(at_once("nv_small", 8, 2, 8) == 8);
  CHECK(at_once("nv_large", 256, 7, 64) == 64);  // more zeros to fetch than programming to save
}

TEST_CASE("groups at once: one operation over several atoms computes the interpreter's bytes") {
  for (const char* name : {"nv_small", "nv_medium_1024_full"}) {
    const HwConfig hw = config(name);
    const int64_t channels = 4 * hw.mac_atomic_c_size;
    NetworkBuilder b(8);
    const TensorId x = b.relu(b.conv(b.input({1, 4, 4, 5}), channels, window(1)));
    const TensorId y = b.conv(x, channels, window(3, 1, 1), static_cast<uint32_t>(channels));
    CompileOptions options;
    options.measure = false;
    const Samples samples = b.samples(1);
    const auto compiled = compile_graph(hw, b.finish(b.relu(y)), samples, options);
    REQUIRE(compiled.ok());
    size_t operations = 0;
    for (const HwOperation& op : compiled->program.tasks.at(0).operations)
      operations += op.name.starts_with(compiled->layers.layers.back().name) ? 1 : 0;
    CHECK(operations < 2 * 4);  // a convolution and an SDP operation for each atom
    const std::vector<uint8_t> input = input_bytes(compiled->layers.inputs[0], samples[0][0]);
    const auto actual = reference_executor(hw)(*compiled, {input});
    REQUIRE(actual.ok());
    const Int8Values expected = interpret_int8(compiled->layers, {input});
    const std::vector<int8_t>& values = expected[compiled->layers.outputs[0]];
    const bool equal = actual->at(0) == std::vector<uint8_t>(values.begin(), values.end());
    CHECK(equal);
  }
}

TEST_CASE("pack rows: a chain of convolutions of one part each is planned job by job") {
  NetworkBuilder b(9);
  TensorId x = b.input({1, 4, 60, 60});
  for (int i = 0; i < 12; ++i) x = b.relu(b.conv(x, 32, window(3)));  // no padding: no edges
  CompileOptions options;
  options.measure = false;
  const auto compiled = compile_graph(config("nv_large"), b.finish(x), b.samples(1), options);
  REQUIRE(compiled.ok());  // looking ahead more than one job would never end
  CHECK(packed(compiled->program) >= 11);
}
