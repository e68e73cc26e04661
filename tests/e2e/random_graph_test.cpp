// A share of the random graphs on the whole platform: firmware on the ISS, units, memory. Every
// output byte must be the int8 interpreter's. DLAVP_RANDOM_GRAPHS sets how many, DLAVP_RANDOM_SEED
// the first seed.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "compiler/tests/networks.hpp"
#include "compiler/tests/random_graph.hpp"
#include "compiler/tests/random_graph_check.hpp"
#include "tests/platform/platform_fixture.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using namespace dlavp::compiler::testing;
using dlavp::platform_test::Platform;

namespace {

constexpr uint32_t kGraphs = 100;
constexpr size_t kLeastCompared = 95;  ///< percent of the graphs; the others are refused

uint32_t setting(const char* name, uint32_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
}

Execute on(Platform& platform, const HwConfig& hw) {
  return [&](const Compiled& c, const std::vector<std::vector<uint8_t>>& inputs)
             -> Result<std::vector<std::vector<uint8_t>>> {
    std::vector<std::vector<uint8_t>> bound;
    for (uint16_t i = 0; i < inputs.size(); ++i)
      bound.push_back(pack_bound(hw, c.loadable, i, inputs[i]));
    const auto outcome = platform.run(c.bytes, bound);
    if (const auto* failure = std::get_if<vp::RunFailure>(&outcome)) return failure->errors;
    std::vector<std::vector<uint8_t>> out;
    const auto& result = std::get<vp::RunResult>(outcome);
    for (uint16_t i = 0; i < c.layers.outputs.size(); ++i)
      out.push_back(unpack_bound(hw, c.loadable, i, result.outputs.at(i)));
    return out;
  };
}

void check_graphs(const char* name, uint32_t first, uint32_t count) {
  const auto hw = load_hw_config(name);
  REQUIRE(hw.ok());
  Platform platform(name);
  const Execute execute = on(platform, *hw);
  size_t compared = 0;
  for (uint32_t seed = first; seed < first + count; ++seed) {
    const Graph graph = random_graph(seed);
    const auto verdict = [&](const Graph& g) {
      return check_graph(*hw, g, random_samples(g, seed, 2), execute);
    };
    const Verdict found = verdict(graph);
    compared += found.refused.empty() && found.wrong.empty() ? 1 : 0;
    if (found.wrong.empty()) continue;
    const Graph small = shrink(graph, [&](const Graph& g) { return !verdict(g).wrong.empty(); });
    FAIL_CHECK(name << ", seed " << seed << ": " << found.wrong
                    << "\nsmallest: " << verdict(small).wrong << "\n"
                    << small.text());
  }
  INFO(compared << " of " << count << " compared");
  REQUIRE(compared * 100 >= count * kLeastCompared);
}

void check_config(const char* name, uint32_t offset) {
  check_graphs(name, setting("DLAVP_RANDOM_SEED", 10000 + offset),
               setting("DLAVP_RANDOM_GRAPHS", kGraphs));
}

}  // namespace

TEST_CASE("random graphs: the platform computes the interpreter's bytes on nv_small") {
  check_config("nv_small", 0);
}
TEST_CASE("random graphs: the platform computes the interpreter's bytes on nv_small_256_full") {
  check_config("nv_small_256_full", 1000);
}
TEST_CASE("random graphs: the platform computes the interpreter's bytes on nv_medium_1024_full") {
  check_config("nv_medium_1024_full", 2000);
}
TEST_CASE("random graphs: the platform computes the interpreter's bytes on nv_large") {
  check_config("nv_large", 3000);
}
// Softmax: the published operation holds its scales in single precision, the interpreter in double.
TEST_CASE("random graphs: a graph that once differed stays equal on nv_small_256_full") {
  check_graphs("nv_small_256_full", 11115, 1);
}
// On nv_small a depthwise convolution of 8192 channels is 1024 convolutions, each with its SDP.
TEST_CASE("platform: a network of twelve thousand operations runs to the end") {
  const auto hw = load_hw_config("nv_small");
  REQUIRE(hw.ok());
  NetworkBuilder b(3);
  TensorId x = b.input({1, 8192, 1, 1});
  for (int i = 0; i < 6; ++i) x = b.conv(x, 8192, window(1), 8192);
  const Graph graph = b.finish(b.conv(x, 3, window(1)));
  Platform platform("nv_small");
  const Verdict found = check_graph(*hw, graph, random_samples(graph, 1, 2), on(platform, *hw));
  CHECK(found.refused == "");
  CHECK(found.wrong == "");
}
