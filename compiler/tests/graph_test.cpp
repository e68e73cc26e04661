// The graph's rules, each provoked; the passes, each against the float interpreter.
#include <catch2/catch.hpp>

#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/tests/networks.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using dlavp::compiler::testing::NetworkBuilder;
using dlavp::compiler::testing::window;

namespace {

Graph small() {
  NetworkBuilder b(1);
  const TensorId x = b.input({1, 4, 6, 6});
  return b.finish(b.relu(b.conv(x, 5, window(3, 1, 1))));
}

template <typename Change>
void breaks(const char* id, Change change) {
  Graph g = small();
  REQUIRE(g.verify().empty());
  change(g);
  INFO(id << "\n" << g.verify().text());
  REQUIRE(g.verify().has(id));
}

void keeps_meaning(const Graph& before, PassFunction pass, size_t applied) {
  Graph after = before;
  REQUIRE(pass(after) == applied);
  INFO(before.text() << after.text() << after.verify().text());
  REQUIRE(after.verify().empty());
  std::vector<std::vector<float>> inputs(1);
  for (int64_t i = 0; i < before.tensor(before.inputs[0]).shape.elements(); ++i) {
    inputs[0].push_back(static_cast<float>(i % 17) / 8 - 1);
  }
  const auto expected = interpret_float(before, inputs)[before.outputs[0]];
  const auto actual = interpret_float(after, inputs)[after.outputs[0]];
  REQUIRE(expected.size() == actual.size());
  for (size_t i = 0; i < actual.size(); ++i) REQUIRE(actual[i] == Approx(expected[i]).margin(1e-4));
}

}  // namespace

TEST_CASE("graph: every violated rule is named") {
  breaks("ir.tensor_id", [](Graph& g) { g.nodes[0].inputs[0] = 999; });
  breaks("ir.use_before_definition", [](Graph& g) { std::swap(g.nodes[0], g.nodes[1]); });
  breaks("ir.arity", [](Graph& g) { g.nodes[0].inputs.pop_back(); });
  breaks("ir.not_constant", [](Graph& g) { g.tensor(g.nodes[0].inputs[1]).constant = false; });
  breaks("ir.two_producers", [](Graph& g) { g.nodes[1].output = g.nodes[0].output; });
  breaks("ir.shape", [](Graph& g) { g.tensor(g.nodes[1].output).shape.c = 7; });
  breaks("ir.groups", [](Graph& g) { g.nodes[0].as<ConvOp>()->groups = 3; });
  breaks("ir.window", [](Graph& g) { g.nodes[0].as<ConvOp>()->window.stride_h = 0; });
  breaks("ir.weight_shape", [](Graph& g) { g.nodes[0].as<ConvOp>()->window.kernel_h = 2; });
  breaks("ir.vector_shape", [](Graph& g) { g.tensor(g.nodes[0].inputs[2]).shape.c = 2; });
  breaks("ir.constant_size", [](Graph& g) { g.tensor(g.nodes[0].inputs[1]).values.pop_back(); });
  breaks("ir.not_finite", [](Graph& g) { g.tensor(g.nodes[0].inputs[1]).values[0] = NAN; });
  breaks("ir.scale", [](Graph& g) { g.tensor(g.nodes[0].output).quantisation = Quantisation{-1}; });
  breaks("ir.zero_point", [](Graph& g) {
    g.tensor(g.nodes[0].output).prescribed = Quantisation{1, 128};
  });
  breaks("ir.scale_missing", [](Graph& g) { g.tensor(0).type = ElementType::kInt8; });
  breaks("ir.duplicate_name", [](Graph& g) { g.tensor(1).name = g.tensor(0).name; });
  breaks("ir.no_output", [](Graph& g) { g.outputs.clear(); });
  breaks("ir.output_undefined", [](Graph& g) { g.outputs = {g.nodes[0].inputs[1]}; });
  breaks("ir.empty_shape", [](Graph& g) { g.tensor(0).shape.h = 0; });
}

TEST_CASE("passes: a broken graph going in is an internal error") {
  Graph g = small();
  g.outputs.clear();
  REQUIRE_THROWS_AS(run_passes(g), InternalError);
}

TEST_CASE("passes: each keeps the network's meaning") {
  NetworkBuilder b(5);
  const TensorId x = b.input({1, 3, 6, 6});
  SECTION("batch norm becomes a scale") {
    keeps_meaning(b.finish(b.batch_norm(x)), batch_norm_to_scale, 1);
  }
  SECTION("a scale folds into its convolution") {
    keeps_meaning(b.finish(b.scale(b.conv(x, 5, window(3)))), fold_scale, 1);
  }
  SECTION("a scale whose convolution has another reader stays") {
    const TensorId c = b.conv(x, 5, window(1));
    keeps_meaning(b.finish(b.sum(c, b.scale(c))), fold_scale, 0);
  }
  SECTION("flatten and fully connected become a convolution") {
    keeps_meaning(b.finish(b.gemm(b.flatten(x), 7)), gemm_to_conv, 1);
  }
  SECTION("an add fuses into the later convolution") {
    const TensorId c = b.conv(x, 5, window(1));
    keeps_meaning(b.finish(b.sum(c, b.conv(x, 5, window(3, 1, 1)))), fuse_add, 1);
  }
  SECTION("an add of a tensor with itself stays") {
    const TensorId c = b.conv(x, 5, window(1));
    keeps_meaning(b.finish(b.sum(c, c)), fuse_add, 0);
  }
  SECTION("a relu fuses") {
    keeps_meaning(b.finish(b.relu(b.conv(x, 5, window(1)))), fuse_relu, 1);
  }
  SECTION("dead nodes go") {
    b.conv(x, 2, window(1));
    keeps_meaning(b.finish(b.relu(x)), remove_dead_nodes, 1);
  }
}

TEST_CASE("passes: random networks keep their meaning through all passes") {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    NetworkBuilder b(seed);
    const Graph before = dlavp::compiler::testing::random_network(b);
    INFO("seed " << seed);
    Graph after = before;
    run_passes(after);
    const auto sample = b.samples(1)[0];
    const auto expected = interpret_float(before, sample)[before.outputs[0]];
    const auto actual = interpret_float(after, sample)[after.outputs[0]];
    REQUIRE(expected.size() == actual.size());
    for (size_t i = 0; i < actual.size(); ++i)
      REQUIRE(actual[i] == Approx(expected[i]).epsilon(1e-3).margin(1e-3));
  }
}
