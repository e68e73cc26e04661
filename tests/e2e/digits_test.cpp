// The digits network on the whole platform: every layer's bytes against the int8 interpreter, and
// the classes of every held-out image against its label, for each kind of accelerator.
#include <algorithm>
#include <catch2/catch.hpp>

#include "compiler/data/npy.hpp"
#include "compiler/data/samples.hpp"
#include "compiler/driver/compile.hpp"
#include "compiler/frontend/onnx_import.hpp"
#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/interpreter/int8_interpreter.hpp"
#include "compiler/tests/tensor_layout.hpp"
#include "tests/platform/platform_fixture.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using dlavp::compiler::testing::pack_input;
using dlavp::compiler::testing::unpack;
using dlavp::platform_test::Platform;

namespace {

const std::string kFolder = std::string(DLAVP_SOURCE_DIR) + "/examples/digits/";

struct Digits {
  Graph graph;
  Samples calibration, images;
  std::vector<float> labels;
};

Digits load_digits() {
  auto model = read_onnx(kFolder + "digits.onnx");
  REQUIRE(model.ok());
  auto graph = import_onnx(*model);
  REQUIRE(graph.ok());
  auto calibration = load_samples(*graph, kFolder + "calibration.npy");
  auto images = load_samples(*graph, kFolder + "test_images.npy");
  auto labels = read_npy(kFolder + "test_labels.npy");
  REQUIRE((calibration.ok() && images.ok() && labels.ok()));
  return {std::move(*graph), std::move(*calibration), std::move(*images),
          std::move(labels->values)};
}

template <typename T>
float best(const std::vector<T>& values) {
  return static_cast<float>(std::max_element(values.begin(), values.end()) - values.begin());
}

const vp::RunResult& finished(const std::variant<vp::RunResult, vp::RunFailure>& result) {
  if (const auto* failure = std::get_if<vp::RunFailure>(&result)) FAIL(failure->errors.text());
  return std::get<vp::RunResult>(result);
}

void check_layers(const std::string& config) {
  const auto hw = load_hw_config(config);
  REQUIRE(hw.ok());
  const Digits digits = load_digits();
  auto compiled = compile_graph(*hw, digits.graph, digits.calibration);
  REQUIRE(compiled.ok());
  LayerProgram layers = compiled->layers;
  layers.outputs.clear();  // all of them, so that the platform keeps and shows each
  for (const Layer& layer : layers.layers) layers.outputs.push_back(layer.output);
  auto program = schedule(*hw, layers);
  REQUIRE(program.ok());
  auto loadable = emit_loadable(*hw, layers, *program);
  REQUIRE(loadable.ok());
  const std::vector<uint8_t> file = loadable::write_loadable(*loadable);

  Platform platform(config);
  for (size_t i = 0; i < 6; ++i) {
    const std::vector<uint8_t> input = input_bytes(layers.inputs[0], digits.images[i][0]);
    const Int8Values expected = interpret_int8(layers, {input});
    const auto run = platform.run(file, {pack_input(*hw, layers, *program, input)});
    const vp::RunResult& result = finished(run);
    REQUIRE(result.outputs.size() == layers.outputs.size());
    for (size_t k = 0; k < layers.outputs.size(); ++k) {
      INFO("image " << i << ", layer " << layers.layers[k].name);
      const TensorId id = layers.outputs[k];
      REQUIRE(unpack(*hw, layers.tensors[id].shape, result.outputs[k]) == expected[id]);
    }
  }
}

}  // namespace

TEST_CASE("digits: each layer's bytes on nv_small equal the interpreter's") {
  check_layers("nv_small");
}

TEST_CASE("digits: each layer's bytes on nv_small_256_full equal the interpreter's") {
  check_layers("nv_small_256_full");
}

TEST_CASE("digits: each layer's bytes on nv_large equal the interpreter's") {
  check_layers("nv_large");
}

TEST_CASE("digits: int8 on the platform is within a point of float on the held-out images") {
  const auto hw = load_hw_config("nv_small");
  REQUIRE(hw.ok());
  const Digits digits = load_digits();
  REQUIRE(digits.images.size() >= 200);
  auto compiled = compile_graph(*hw, digits.graph, digits.calibration);
  REQUIRE(compiled.ok());
  const TensorId out = compiled->layers.outputs[0];
  Platform platform("nv_small");
  size_t right = 0, float_right = 0;
  for (size_t i = 0; i < digits.images.size(); ++i) {
    const std::vector<uint8_t> input = input_bytes(compiled->layers.inputs[0], digits.images[i][0]);
    const auto run = platform.run(compiled->bytes,
                                  {pack_input(*hw, compiled->layers, compiled->program, input)});
    const auto values =
        unpack(*hw, compiled->layers.tensors[out].shape, finished(run).outputs.at(0));
    right += best(values) == digits.labels[i] ? 1 : 0;
    const FloatValues exact = interpret_float(digits.graph, digits.images[i]);
    float_right += best(exact[digits.graph.outputs[0]]) == digits.labels[i] ? 1 : 0;
  }
  const auto percent = [&](size_t n) {
    return 100.0 * static_cast<double>(n) / static_cast<double>(digits.images.size());
  };
  WARN("accuracy on " << digits.images.size() << " held-out images: float " << percent(float_right)
                      << " %, int8 on the platform " << percent(right) << " %");
  REQUIRE(percent(float_right) >= 97);
  REQUIRE(percent(right) >= percent(float_right) - 1);
}
