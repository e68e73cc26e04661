// Random graphs through the whole compiler, for every int8 configuration; each loadable is executed
// descriptor by descriptor by the independent interpreter. A failure prints its seed and the
// smallest graph that still fails. DLAVP_RANDOM_GRAPHS sets how many, DLAVP_RANDOM_SEED the first
// seed; DLAVP_SHOW_REFUSED=1 also shrinks what the compiler refuses. Every third graph has
// prescribed zero points.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "compiler/tests/random_graph.hpp"
#include "compiler/tests/random_graph_check.hpp"
#include "compiler/tests/reference_executor.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using namespace dlavp::compiler::testing;

namespace {

constexpr uint32_t kGraphs = 520;
constexpr size_t kLeastCompared = 97;  ///< percent of the graphs; the others are refused

uint32_t setting(const char* name, uint32_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
}

void check_graphs(const char* name, uint32_t first, uint32_t count) {
  const auto hw = load_hw_config(name);
  REQUIRE(hw.ok());
  const Execute execute = reference_executor(*hw);
  std::map<std::string, size_t> refusals;
  size_t compared = 0;
  for (uint32_t seed = first; seed < first + count; ++seed) {
    Graph graph = random_graph(seed);
    if (seed % 3 == 1)
      graph = prescribe_zero_points(std::move(graph), random_samples(graph, seed, 2), seed, 30);
    const auto verdict = [&](const Graph& g) {
      return check_graph(*hw, g, random_samples(g, seed, 2), execute);
    };
    const Verdict found = verdict(graph);
    if (!found.refused.empty()) {
      ++refusals[found.refused];
      if (setting("DLAVP_SHOW_REFUSED", 0) != 0) {
        const Graph least =
            shrink(graph, [&](const Graph& g) { return !verdict(g).refused.empty(); });
        WARN("seed " << seed << " " << verdict(least).refused << "\n" << least.text());
      }
    }
    if (found.wrong.empty()) {
      compared += found.refused.empty() ? 1 : 0;
      continue;
    }
    const Graph small = shrink(graph, [&](const Graph& g) { return !verdict(g).wrong.empty(); });
    FAIL_CHECK(name << ", seed " << seed << ": " << found.wrong
                    << "\nsmallest: " << verdict(small).wrong << "\n"
                    << small.text());
  }
  for (const auto& [text, times] : refusals) WARN(name << " refuses " << times << ": " << text);
  INFO(compared << " of " << count << " compared");
  REQUIRE(compared * 100 >= count * kLeastCompared);
}

void check_config(const char* name) {
  check_graphs(name, setting("DLAVP_RANDOM_SEED", 1), setting("DLAVP_RANDOM_GRAPHS", kGraphs));
}

}  // namespace

TEST_CASE("random graphs: every operator occurs") {
  std::map<std::string, size_t> counts;
  for (uint32_t seed = 1; seed <= kGraphs; ++seed) {
    const Graph g = random_graph(seed);
    const Diagnostics wrong = g.verify();
    INFO("seed " << seed << "\n" << wrong.text() << g.text());
    REQUIRE(wrong.empty());
    for (const auto& [name, n] : operator_counts(g)) counts[name] += n;
  }
  for (const auto& [name, n] : counts) {
    INFO(name << " " << n);
    CHECK(n >= 3);
  }
  REQUIRE(counts.size() >= 50);
}

TEST_CASE("random graphs: nv_small computes the interpreter's bytes") { check_config("nv_small"); }
TEST_CASE("random graphs: nv_small_256 computes the interpreter's bytes") {
  check_config("nv_small_256");
}
TEST_CASE("random graphs: nv_small_256_full computes the interpreter's bytes") {
  check_config("nv_small_256_full");
}
TEST_CASE("random graphs: nv_medium_512 computes the interpreter's bytes") {
  check_config("nv_medium_512");
}
TEST_CASE("random graphs: nv_medium_1024_full computes the interpreter's bytes") {
  check_config("nv_medium_1024_full");
}
TEST_CASE("random graphs: nv_large computes the interpreter's bytes") { check_config("nv_large"); }
TEST_CASE("random graphs: a sum with an operand far coarser than itself keeps its own steps") {
  check_graphs("nv_small", 13122, 1);
}
TEST_CASE("random graphs: a resized softmax keeps the scale of what its samples gave") {
  check_graphs("nv_small", 20172, 1);
}
