// One case for each class of wrong code that NVIDIA's compiler is known to emit without an error.
// Each builds the small network that provokes it, compiles it for the configurations concerned,
// and compares the executed loadable with the int8 interpreter (every byte) and with floating point
// (SQNR). Where the mistake can be made in the float network it is, and must not pass: so the case
// tells right from wrong.
#include <catch2/catch.hpp>
#include <cmath>

#include "compiler/data/samples.hpp"
#include "compiler/frontend/caffe_import.hpp"
#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/interpreter/int8_interpreter.hpp"
#include "compiler/tests/networks.hpp"
#include "compiler/tests/reference_executor.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using namespace dlavp::compiler::testing;

namespace {

const std::vector<const char*> kSmall{"nv_small", "nv_small_256"};
const std::vector<const char*> kLarge{"nv_small_256_full", "nv_medium_1024_full", "nv_large"};
const std::vector<const char*> kAll{"nv_small",      "nv_small_256",        "nv_small_256_full",
                                    "nv_medium_512", "nv_medium_1024_full", "nv_large"};
constexpr double kRight = 22, kWrong = 15;  ///< dB

/// A Caffe network over `dims`, weights made up from a seed.
Graph caffe(const std::string& dims, const std::string& layers) {
  CaffeOptions options;
  options.weights_seed = 3;
  auto g = import_caffe("input: 'x' input_shape { " + dims + " } " + layers, "test.prototxt", {},
                        options);
  if (!g.ok()) FAIL(g.errors().text());
  return std::move(g).value();
}

std::string layer(const std::string& name, const std::string& type, const std::string& bottoms,
                  const std::string& rest = "") {
  return "layer { name: '" + name + "' type: '" + type + "' top: '" + name + "' " + bottoms + " " +
         rest + " } ";
}
std::string conv(const std::string& name, const std::string& bottom, int kernels, int size,
                 const std::string& rest = "") {
  return layer(name, "Convolution", "bottom: '" + bottom + "'",
               "convolution_param { num_output: " + std::to_string(kernels) +
                   " kernel_size: " + std::to_string(size) + " " + rest + " }");
}

double sqnr(const std::vector<float>& exact, const std::vector<float>& actual) {
  REQUIRE(exact.size() == actual.size());
  double signal = 0, noise = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    signal += double{exact[i]} * double{exact[i]};
    noise += std::pow(double{exact[i]} - double{actual[i]}, 2);
  }
  REQUIRE(signal > 0);
  return noise == 0 ? 300 : 10 * std::log10(signal / noise);
}

std::vector<float> output(const Graph& g, const Samples& samples) {
  return interpret_float(g, samples[0])[g.outputs[0]];
}

/// Compiled, executed and compared.
void check(const HwConfig& hw, const Graph& g, const Samples& samples,
           const CompileOptions& options = {}) {
  INFO(hw.name << "\n" << g.text());
  auto compiled = compile_graph(hw, g, samples, options);
  if (!compiled.ok()) FAIL(compiled.errors().text());
  std::vector<std::vector<uint8_t>> inputs;
  for (size_t i = 0; i < compiled->layers.inputs.size(); ++i)
    inputs.push_back(input_bytes(compiled->layers.inputs[i], samples[0][i]));
  const Int8Values values = interpret_int8(compiled->layers, inputs);
  const auto executed = reference_executor(hw)(*compiled, inputs);
  if (!executed.ok()) FAIL(executed.errors().text());
  const FloatValues exact = interpret_float(g, samples[0]);
  for (size_t k = 0; k < g.outputs.size(); ++k) {
    const TensorId id = compiled->layers.outputs[k];
    const std::vector<int8_t>& expected = values[id];
    REQUIRE(!expected.empty());
    REQUIRE((*executed)[k] == std::vector<uint8_t>(expected.begin(), expected.end()));
    std::vector<float> real;
    for (const int8_t q : expected)
      real.push_back(static_cast<float>(compiled->layers.tensors[id].quantisation.real(q)));
    CHECK(sqnr(exact[g.outputs[k]], real) > kRight);
  }
}

void check(const std::vector<const char*>& configs, const Graph& g, const Samples& samples,
           const CompileOptions& options = {}) {
  for (const char* name : configs) {
    const auto hw = load_hw_config(name);
    REQUIRE(hw.ok());
    check(*hw, g, samples, options);
  }
}

/// The network with the mistake in it computes something else.
void must_tell(const Graph& right, const Graph& mistaken, const Samples& samples) {
  CHECK(sqnr(output(right, samples), output(mistaken, samples)) < kWrong);
}

/// Pixels, so that the input is an image.
Samples pixels(NetworkBuilder& b) {
  Samples out = b.samples(2);
  for (auto& sample : out)
    for (float& v : sample[0]) v = std::floor((v + 1) * 127);
  return out;
}

std::vector<float>& constant_of(Graph& g, size_t node, size_t input = 1) {
  return g.tensor(g.nodes.at(node).inputs.at(input)).values;
}

}  // namespace

TEST_CASE("wrong code B1: an image's convolution with rows extended uses every kernel row once") {
  for (const uint32_t kernel : {3U, 5U, 6U, 7U, 8U})
    for (const int64_t channels : {1, 3, 4}) {
      NetworkBuilder b(kernel);
      const TensorId x = b.input({1, channels, 20, 24});
      const Graph g = b.finish(b.conv(x, 24, window(kernel, kernel > 6 ? 2 : 1, kernel / 2)));
      const Samples samples = pixels(b);
      for (const bool extend : {true, false}) {
        CompileOptions options;
        options.schedule.extend_rows = extend;
        check(kAll, g, samples, options);
      }
      if (kernel != 5) continue;
      Graph mistaken = g;  // row 2 lost, row 4 doubled
      std::vector<float>& w = constant_of(mistaken, 0);
      for (size_t plane = 0; plane < w.size(); plane += 25)
        for (size_t s = 0; s < 5; ++s) {
          w[plane + 10 + s] = 0;
          w[plane + 20 + s] *= 2;
        }
      must_tell(g, mistaken, samples);
    }
}

TEST_CASE("wrong code B2: scales fold into every weight of images' and grouped convolutions") {
  for (const bool image : {true, false}) {
    NetworkBuilder b(image ? 5 : 6);
    TensorId x = b.input({1, image ? 3 : 16, 16, 16});
    x = b.conv(x, 32, window(3, 1, 1), image ? 1 : 4);
    x = b.relu(b.scale(b.batch_norm(x)));
    const Graph g = b.finish(b.conv(x, 12, window(1)));
    const Samples samples = image ? pixels(b) : b.samples(2);
    check(kAll, g, samples);
    Graph mistaken = g;  // the scale reaches three quarters of the weights
    const size_t size = constant_of(mistaken, 0).size();
    for (size_t i = size * 3 / 4; i < size; ++i) constant_of(mistaken, 0)[i] *= 3;
    must_tell(g, mistaken, samples);
  }
}

TEST_CASE("wrong code B3: every weight of a grouped or depthwise convolution is quantised") {
  for (const uint32_t groups : {2U, 3U, 12U, 24U}) {
    NetworkBuilder b(groups);
    const TensorId x = b.relu(b.conv(b.input({1, 5, 12, 10}), 24, window(3, 1, 1)));
    const Graph g = b.finish(b.relu(b.conv(x, 24, window(3, 1, 1), groups)));
    const Samples samples = b.samples(2);
    check(kAll, g, samples);
    Graph mistaken = g;  // only one group's weights are there
    std::vector<float>& w = constant_of(mistaken, 2);
    std::fill(w.begin() + static_cast<std::ptrdiff_t>(w.size() / groups), w.end(), 0.0F);
    must_tell(g, mistaken, samples);
  }
}

TEST_CASE("wrong code B4: a residual of another scale keeps its factor, with one or all scales") {
  for (const float larger : {1.0F, 3.0F, 0.2F}) {  // x by it, the branch by its inverse
    NetworkBuilder b(11);
    const TensorId x = b.relu(b.conv(b.input({1, 8, 10, 10}), 32, window(3, 1, 1)));
    const TensorId branch = b.conv(x, 32, window(3, 1, 1));
    const Graph before = b.finish(b.conv(b.relu(b.sum(branch, x)), 9, window(1)));
    Graph g = before;
    for (float& v : constant_of(g, 0)) v *= larger;
    for (float& v : constant_of(g, 2)) v /= larger * larger;
    const Samples samples = b.samples(2);
    check(kAll, g, samples);
    for (const char* name : {"nv_small", "nv_large"}) {
      const auto hw = load_hw_config(name);
      CompileOptions options;
      options.schedule = optimisation_level(0);
      check(*hw, g, samples, options);
    }
    Graph mistaken = g;  // the branch is added with a factor of 1 where 3 belongs
    for (float& v : constant_of(mistaken, 2)) v *= 3;
    must_tell(g, mistaken, samples);
  }
}

TEST_CASE("wrong code B5: what several layers read has one scale, whatever an addition needs") {
  NetworkBuilder b(12);
  const TensorId x = b.relu(b.conv(b.input({1, 4, 12, 12}), 24, window(3, 1, 1)));
  const TensorId left = b.conv(x, 24, window(3, 1, 1));
  const TensorId right = b.scale(x);
  const TensorId first = b.relu(b.sum(x, left));  // the shared tensor as the first operand
  const TensorId second = b.relu(b.sum(right, x));
  const Graph g = b.finish(b.sum(b.conv(first, 16, window(1)), b.conv(second, 16, window(1))));
  const Samples samples = b.samples(2);
  check(kAll, g, samples);
  Graph mistaken = g;  // x as its other readers take it, off by the ratio of 0.0579 to 0.0389
  for (float& v : constant_of(mistaken, 2)) v *= 1.5F;
  for (float& v : constant_of(mistaken, 3)) v *= 1.5F;
  must_tell(g, mistaken, samples);
}

TEST_CASE("wrong code B6: joined channels need not fill atoms") {
  for (const auto& parts : {std::vector<int>{24, 24}, {5, 9, 3}, {8, 24, 48}, {1, 1}}) {
    std::string layers = conv("stem", "x", 12, 3, "pad: 1"), bottoms;
    for (size_t i = 0; i < parts.size(); ++i) {
      const std::string name = "part" + std::to_string(i);
      layers += conv(name, "stem", parts[i], i % 2 == 0 ? 1 : 3, i % 2 == 0 ? "" : "pad: 1");
      bottoms += "bottom: '" + name + "' ";
    }
    const std::string join = layers + layer("join", "Concat", bottoms);
    const Graph ends = caffe("dim: 1 dim: 6 dim: 9 dim: 7", join);
    const Graph read = caffe("dim: 1 dim: 6 dim: 9 dim: 7", join + conv("c", "join", 10, 3));
    check(kAll, ends, random_samples(ends, 2));
    check(kAll, read, random_samples(read, 2));
    if (parts.size() != 2 || parts[0] != 24) continue;
    Graph mistaken = read;  // the second part lies 8 channels further on
    std::vector<float>& w = constant_of(mistaken, mistaken.nodes.size() - 1);
    for (size_t k = 0; k < 10; ++k)
      for (size_t i = 48 * 9; i-- > 24 * 9;)
        w[k * 48 * 9 + i] = i >= 32 * 9 ? w[k * 48 * 9 + i - 72] : 0;
    must_tell(read, mistaken, random_samples(read, 2));
  }
}

TEST_CASE("wrong code B7: a buffer lives until the last band of rows has read it") {
  const std::string inception =
      conv("stem", "x", 24, 3, "pad: 1") + conv("a", "stem", 16, 1) + conv("b1", "stem", 24, 1) +
      conv("b2", "b1", 32, 3, "pad: 1") + conv("c1", "stem", 8, 1) +
      conv("c2", "c1", 16, 5, "pad: 2") +
      layer("d1", "Pooling", "bottom: 'stem'",
            "pooling_param { pool: MAX kernel_size: 3 pad: 1 }") +
      conv("d2", "d1", 16, 1) +
      layer("join", "Concat", "bottom: 'a' bottom: 'b2' bottom: 'c2' bottom: 'd2'") +
      conv("last", "join", 8, 3);
  const Graph g = caffe("dim: 1 dim: 8 dim: 30 dim: 28", inception);
  for (const char* name : {"nv_small", "nv_medium_512", "nv_large"}) {
    const auto whole = load_hw_config(name);
    REQUIRE(whole.ok());
    HwConfig hw = *whole;
    hw.cbuf_bank_depth = hw.cbuf_bank_depth / 8;
    const auto split = compile_graph(hw, g, random_samples(g, 2));
    REQUIRE(split.ok());
    size_t convolutions = 0;
    for (const HwTask& task : split->program.tasks)
      for (const HwOperation& op : task.operations) convolutions += op.engine() == Engine::kConv;
    REQUIRE(convolutions > 10);  // eight layers in bands
    check(hw, g, random_samples(g, 2));
  }
}

TEST_CASE("wrong code B8: an input of more than four channels keeps them all") {
  for (const int64_t channels : {5, 8, 13, 33}) {
    NetworkBuilder b(static_cast<uint32_t>(channels));
    const TensorId x = b.input({1, channels, 8, 9});
    const Graph g = b.finish(b.conv(x, 12, window(3, 1, 1)));
    const Samples samples = pixels(b);
    check(kAll, g, samples);
    Graph mistaken = g;  // the weights of channels 4 and up find nothing
    std::vector<float>& w = constant_of(mistaken, 0);
    for (size_t i = 0; i < w.size(); ++i)
      if (i / 9 % static_cast<size_t>(channels) >= 4) w[i] = 0;
    must_tell(g, mistaken, samples);
  }
}

TEST_CASE("wrong code B9: sigmoid and tanh are functions, with a look-up table and without one") {
  for (const char* type : {"Sigmoid", "TanH", "ELU"}) {
    const Graph g =
        caffe("dim: 1 dim: 7 dim: 6 dim: 8",
              conv("c", "x", 20, 3) + layer("f", type, "bottom: 'c'") + conv("last", "f", 9, 1));
    check(kAll, g, random_samples(g, 2));
    Graph mistaken = g;  // zeros come out
    std::vector<float>& w = constant_of(mistaken, mistaken.nodes.size() - 1);
    std::fill(w.begin(), w.end(), 0.0F);
    must_tell(g, mistaken, random_samples(g, 2));
  }
}

TEST_CASE("wrong code B10: a Power layer has its scale, shift and power") {
  const auto network = [](const std::string& parameters) {
    return caffe("dim: 1 dim: 3 dim: 5 dim: 4",
                 layer("p", "Power", "bottom: 'x'", "power_param { " + parameters + " }"));
  };
  const Graph g = network("power: 2 scale: 3 shift: 0.5");
  const Samples samples = random_samples(g, 2);
  const std::vector<float> exact = output(g, samples);
  REQUIRE(exact.size() == 60);
  for (size_t i = 0; i < exact.size(); ++i)
    CHECK(double{exact[i]} == Approx(std::pow(0.5 + 3 * double{samples[0][0][i]}, 2)));
  check(kAll, g, samples);
  check(kAll, network("power: 3 scale: 0.25 shift: 2"), samples);
  check(kAll, network("scale: -4 shift: 1"), samples);
  must_tell(g, network("power: 2 shift: 0.5"), samples);
}

TEST_CASE("wrong code B11: a product of two tensors has the product of their scales") {
  const auto network = [](const std::string& type, const std::string& parameters) {
    return caffe("dim: 1 dim: 6 dim: 7 dim: 5",
                 conv("a", "x", 12, 3) + conv("b", "x", 12, 3) +
                     layer("m", type, "bottom: 'a' bottom: 'b'", parameters));
  };
  Graph g = network("Eltwise", "eltwise_param { operation: PROD }");
  for (float& v : constant_of(g, 0)) v *= 30;  // scales far from 1, and from each other
  for (float& v : constant_of(g, 1)) v *= 0.2F;
  check(kAll, g, random_samples(g, 2));
  const Graph sum = network("Eltwise", "eltwise_param { operation: SUM coeff: 0.5 coeff: -2 }");
  check(kAll, sum, random_samples(sum, 2));
  const Graph largest = network("Eltwise", "eltwise_param { operation: MAX }");
  check(kAll, largest, random_samples(largest, 2));
  must_tell(sum, network("Eltwise", "eltwise_param { operation: SUM }"), random_samples(sum, 2));
}

TEST_CASE("wrong code B12: point operations one after the other stay apart or fuse rightly") {
  NetworkBuilder b(19);
  const TensorId x = b.conv(b.input({1, 6, 9, 8}), 20, window(3, 1, 1));
  TensorId y = b.scale(b.relu(b.scale(x)));
  y = b.relu(b.sum(b.scale(y), x));
  y = b.scale(b.relu(b.sum(y, b.relu(x))));
  const Graph g = b.finish(b.relu(b.sum(b.scale(y), b.scale(x))));
  const Samples samples = b.samples(2);
  check(kAll, g, samples);
  for (unsigned level = 0; level < 3; ++level) {
    CompileOptions options;
    options.schedule = optimisation_level(level);
    check({"nv_small", "nv_large"}, g, samples, options);
  }
}

TEST_CASE("wrong code B13: without a calibration table the output is no row of zeros") {
  NetworkBuilder b(23);
  const TensorId x = b.relu(b.conv(b.input({1, 3, 12, 12}), 16, window(3, 2, 1)));
  const Graph g = b.finish(b.gemm(b.flatten(b.pool(x, PoolKind::kMax, window(2, 2))), 10));
  const Samples made_up = random_samples(g, 8);  // what the program takes when nothing is given
  check(kAll, g, made_up);
  const auto hw = load_hw_config("nv_small");
  const auto compiled = compile_graph(*hw, g, made_up);
  REQUIRE(compiled.ok());
  const Int8Values values = interpret_int8_real(compiled->layers, b.samples(1)[0]);
  const std::vector<int8_t>& out = values[compiled->layers.outputs[0]];
  CHECK(std::count(out.begin(), out.end(), 0) < 5);
}

TEST_CASE("wrong code, note: windows that the hardware lacks become several or run on the core") {
  for (const uint32_t kernel : {9U, 14U})
    for (const PoolKind kind : {PoolKind::kMax, PoolKind::kAverage}) {
      NetworkBuilder b(kernel);
      const TensorId x = b.relu(b.conv(b.input({1, 4, 14, 14}), 18, window(1)));
      const Graph g = b.finish(b.pool(x, kind, window(kernel, kernel == 9 ? 2 : 1)));
      check(kAll, g, b.samples(2));
    }
}

TEST_CASE("wrong code, note: what NVIDIA's parser reads past counts") {
  const std::string dims = "dim: 1 dim: 6 dim: 5 dim: 8";
  const auto compare = [&](const std::string& layers, const std::string& without) {
    INFO(layers);
    const Graph g = caffe(dims, layers);
    const Samples samples = random_samples(g, 2);
    check({"nv_small", "nv_large"}, g, samples);
    const Graph ignored = caffe(dims, without);
    if (g.tensor(g.outputs[0]).shape == ignored.tensor(ignored.outputs[0]).shape)
      must_tell(g, ignored, samples);
  };
  const std::string x = "bottom: 'x'";
  compare(layer("r", "ReLU", x, "relu_param { negative_slope: 0.5 }"), layer("r", "ReLU", x));
  compare(layer("s", "Softmax", x, "softmax_param { axis: 3 }"), layer("s", "Softmax", x));
  compare(layer("j", "Concat", x + " " + x, "concat_param { axis: 2 }"),
          layer("j", "Concat", x + " " + x));
  const std::string lrn = "local_size: 3 alpha: 20 beta: 0.75";
  compare(layer("n", "LRN", x, "lrn_param { " + lrn + " norm_region: WITHIN_CHANNEL }"),
          layer("n", "LRN", x, "lrn_param { " + lrn + " }"));
}
