// The published small Caffe networks: the float interpretation of prototxt and caffemodel agrees
// with their references, before and after the passes. Skipped without the data.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "compiler/frontend/read_network.hpp"
#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/interpreter/int8_interpreter.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/tests/npz.hpp"
#include "compiler/tests/reference_executor.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using namespace dlavp::compiler::testing;

namespace fs = std::filesystem;

namespace {

double snr(const std::vector<float>& actual, const std::vector<float>& expected) {
  double signal = 0;
  double noise = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    signal += double{expected[i]} * double{expected[i]};
    noise += std::pow(double{actual[i]} - double{expected[i]}, 2);
  }
  return noise == 0 ? 300 : 10 * std::log10(signal / noise);
}

/// Calls `f` with each network that has a reference: its name, graph and arrays. How many there
/// were.
template <typename F>
size_t each_published(const F& f) {
  const char* given = std::getenv("DLAVP_NVDLA_DATA");
  const fs::path folder = fs::path(given != nullptr ? given : DLAVP_NVDLA_DATA_DEFAULT) / "caffe";
  size_t count = 0;
  if (!fs::is_directory(folder)) return count;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    if (file.size() < 8 || file.substr(file.size() - 8) != ".ref.npz") continue;
    const std::string name = file.substr(0, file.size() - 8);
    // Its reference divides windows that the image's end clips by the whole kernel; Caffe, and
    // this front end, by their part inside the padded image.
    if (name == "u_pool_ave") continue;
    INFO(name);
    NetworkOptions options;
    options.weights = (folder / (name + ".caffemodel")).string();
    const auto graph = read_network((folder / (name + ".prototxt")).string(), options);
    if (!graph.ok()) FAIL(graph.errors().text());
    f(name, *graph, read_npz(entry.path().string()));
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("caffe: the published networks give their reference values") {
  size_t compared = 0;
  each_published([&](const std::string&, const Graph& graph, const auto& reference) {
    Graph after = graph;
    run_passes(after);
    for (const Graph& g : {graph, after}) {
      const FloatValues values = interpret_float(g, {reference.at("input").values});
      for (TensorId id = 0; id < g.tensors.size(); ++id) {
        const auto it = reference.find("L_" + g.tensor(id).name);
        // In-place layers share a blob: only the one that the reference names has its values.
        if (it == reference.end() || it->second.values.size() != values[id].size()) continue;
        INFO(g.tensor(id).name);
        REQUIRE(snr(values[id], it->second.values) > 100);
        ++compared;
      }
    }
  });
  if (compared == 0) WARN("skipped: no data");
}

// NVIDIA's compiler gets a third of these wrong.
TEST_CASE("caffe: the published networks, compiled, give their reference values in int8") {
  constexpr double kLeast = 20;  // dB
  const size_t networks =
      each_published([&](const std::string&, const Graph& g, const auto& reference) {
        const Samples samples{{reference.at("input").values}};
        const FloatValues exact = interpret_float(g, samples[0]);
        for (const char* config : {"nv_small", "nv_large"}) {
          INFO(config);
          const auto hw = load_hw_config(config);
          REQUIRE(hw.ok());
          const auto compiled = compile_graph(*hw, g, samples);
          if (!compiled.ok()) FAIL(compiled.errors().text());
          const auto input = input_bytes(compiled->layers.inputs[0], samples[0][0]);
          const Int8Values values = interpret_int8(compiled->layers, {input});
          const auto executed = reference_executor(*hw)(*compiled, {input});
          if (!executed.ok()) FAIL(executed.errors().text());
          for (size_t k = 0; k < g.outputs.size(); ++k) {
            const TensorId id = compiled->layers.outputs[k];
            REQUIRE((*executed)[k] == std::vector<uint8_t>(values[id].begin(), values[id].end()));
            std::vector<float> real;
            for (const int8_t q : values[id])
              real.push_back(static_cast<float>(compiled->layers.tensors[id].quantisation.real(q)));
            CHECK(snr(real, exact[g.outputs[k]]) > kLeast);
          }
        }
      });
  if (networks == 0) WARN("skipped: no data");
}
