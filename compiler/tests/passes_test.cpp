// The passes on elementwise functions, layout and lowering: what they make of a graph, and that it
// means the same.
#include <catch2/catch.hpp>
#include <cmath>

#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/tests/networks.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using dlavp::compiler::testing::NetworkBuilder;
using dlavp::compiler::testing::window;

namespace {

/// Appends a node to a builder's graph.
TensorId append(NetworkBuilder& b, Operator op, std::vector<TensorId> inputs) {
  Graph& g = b.graph();
  Node n{"m" + std::to_string(g.nodes.size()), std::move(op), std::move(inputs), 0};
  const auto shape = infer_shape(g, n);
  if (!shape.ok()) FAIL(shape.errors().text());
  n.output = g.add_tensor("u" + std::to_string(g.tensors.size()), *shape);
  g.nodes.push_back(n);
  return n.output;
}

TensorId constant(NetworkBuilder& b, Shape shape, float range = 1) {
  std::vector<float> v(static_cast<size_t>(shape.elements()));
  for (float& x : v) x = b.value() * range;
  return b.graph().add_constant("k" + std::to_string(b.graph().tensors.size()), shape, v);
}

void require_same_output(NetworkBuilder& b, const Graph& before, const Graph& after) {
  const auto sample = b.samples(1)[0];
  const auto expected = interpret_float(before, sample)[before.outputs[0]];
  const auto actual = interpret_float(after, sample)[after.outputs[0]];
  REQUIRE(expected.size() == actual.size());
  for (size_t i = 0; i < actual.size(); ++i)
    REQUIRE(actual[i] == Approx(expected[i]).epsilon(1e-4).margin(1e-4));
}

/// Runs all passes; the outputs stay what they were.
Graph passed(NetworkBuilder& b, TensorId output, PassFunction pass = nullptr) {
  const Graph before = b.finish(output);
  INFO(before.verify().text());
  REQUIRE(before.verify().empty());
  Graph after = before;
  if (pass == nullptr) {
    run_passes(after);
  } else {
    pass(after);
  }
  INFO(before.text() << after.text() << after.verify().text());
  REQUIRE(after.verify().empty());
  require_same_output(b, before, after);
  return after;
}

UnaryOp step(UnaryKind kind, double a = 0, double b = 0) { return {{{kind, a, b}}}; }

}  // namespace

TEST_CASE("passes: x * relu6(x + 3) / 6 is one function") {
  NetworkBuilder b(1);
  const TensorId x = b.pool(b.input({1, 3, 6, 6}), PoolKind::kMax, window(2));
  const TensorId shifted = append(b, step(UnaryKind::kAffine, 1, 3), {x});
  const TensorId clipped = append(b, ReluOp{6}, {shifted});
  const TensorId product = append(b, BinaryOp{BinaryKind::kMul}, {x, clipped});
  const Graph g = passed(b, append(b, step(UnaryKind::kAffine, 1.0 / 6, 0), {product}));
  REQUIRE(g.nodes.size() == 2);
  const auto* op = g.nodes[1].as<UnaryOp>();
  REQUIRE(op != nullptr);
  for (double v : {-4.0, -1.0, 0.5, 4.0})
    REQUIRE(evaluate(op->steps, v) == Approx(evaluate({{UnaryKind::kHardSwish, 0, 0}}, v)));
}

TEST_CASE("passes: a function whose steps others read is merged only up to there") {
  NetworkBuilder b(2);
  const TensorId x = b.input({1, 3, 4, 4});
  const TensorId s = append(b, step(UnaryKind::kSigmoid), {x});
  const TensorId t = append(b, step(UnaryKind::kTanh), {s});
  const Graph g = passed(b, append(b, ConcatOp{1}, {s, t}));
  REQUIRE(g.nodes.size() == 3);
}

TEST_CASE("passes: functions with a cheaper form take it") {
  NetworkBuilder b(3);
  const TensorId x = b.input({1, 3, 4, 4});
  SECTION("a factor after a convolution goes into its weights") {
    const TensorId c = b.conv(x, 4, window(3));
    const Graph g = passed(b, append(b, step(UnaryKind::kAffine, 0.5, 1), {c}));
    REQUIRE(g.nodes.size() == 1);
  }
  SECTION("a hard sigmoid is a factor, a shift and a bounded Relu") {
    const Graph g = passed(b, append(b, step(UnaryKind::kHardSigmoid, 0.2, 0.5), {x}));
    REQUIRE(g.nodes[0].as<ScaleOp>()->relu);
    REQUIRE(g.nodes[0].as<ScaleOp>()->relu_max == 1);
  }
  SECTION("a hard sigmoid after a convolution goes into it") {
    const TensorId c = b.conv(x, 4, window(3));
    const Graph g = passed(b, append(b, step(UnaryKind::kHardSigmoid, 0.2, 0.5), {c}));
    REQUIRE(g.nodes.size() == 1);
    REQUIRE(g.nodes[0].as<ConvOp>()->relu_max == 1);
  }
  SECTION("a clip from 0 is a Relu") {
    const Graph g = passed(b, append(b, step(UnaryKind::kClip, 0, 6), {x}));
    REQUIRE(g.nodes[0].as<ReluOp>()->max == 6);
  }
  SECTION("steps that undo one another leave nothing") {
    const TensorId d = append(b, step(UnaryKind::kAffine, 2, 0), {b.relu(x)});
    const Graph g = passed(b, append(b, step(UnaryKind::kAffine, 0.5, 0), {d}));
    REQUIRE(g.nodes.size() == 1);
  }
}

TEST_CASE("passes: layer normalisation is found in its steps") {
  NetworkBuilder b(4);
  const TensorId x = b.input({1, 8, 3, 3});
  const TensorId mean = append(b, ReduceOp{ReduceKind::kMean, true}, {x});
  const TensorId d = append(b, BinaryOp{BinaryKind::kSub}, {x, mean});
  const TensorId square = append(b, step(UnaryKind::kPow, 2), {d});
  const TensorId variance = append(b, ReduceOp{ReduceKind::kMean, true}, {square});
  const TensorId sum = append(b, step(UnaryKind::kAffine, 1, 1e-3), {variance});
  const TensorId root = append(b, step(UnaryKind::kSqrt), {sum});
  const TensorId normal = append(b, BinaryOp{BinaryKind::kDiv}, {d, root});
  const Graph g = passed(b, b.scale(normal));
  REQUIRE(g.nodes.size() == 1);
  REQUIRE(g.nodes[0].as<LayerNormOp>() != nullptr);
  REQUIRE(g.nodes[0].as<LayerNormOp>()->epsilon == 1e-3F);
}

TEST_CASE("passes: transposed convolution becomes a convolution of spread input") {
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    NetworkBuilder b(seed);
    INFO("seed " << seed);
    ConvTransposeOp op;
    op.groups = b.pick(1, 2);
    op.window = window(b.pick(1, 4), b.pick(1, 3));
    op.window.pad_top = b.pick(0, 2);
    op.window.pad_right = b.pick(0, 2);
    op.window.dilation_w = b.pick(1, 2);
    if (op.window.stride_h > 1) op.output_pad_h = 1;
    const TensorId x = b.input({1, 4, 5, 6});
    const Shape w{4, 3, op.window.kernel_h, op.window.kernel_w};
    const Graph g = passed(
        b, append(b, op, {x, constant(b, w), constant(b, {1, 3 * int64_t{op.groups}, 1, 1})}));
    for (const Node& n : g.nodes) REQUIRE(n.as<ConvTransposeOp>() == nullptr);
  }
}

TEST_CASE("passes: padding goes into the window after it where that is the same") {
  NetworkBuilder b(5);
  PadOp pad{{0, 0, 1, 0}, {0, 0, 2, 1}};
  const TensorId x = b.input({1, 3, 6, 6});
  SECTION("a convolution") {
    REQUIRE(passed(b, b.conv(append(b, pad, {x}), 4, window(3, 1, 1))).nodes.size() == 1);
  }
  SECTION("but not another value") {
    pad.value = 1;
    REQUIRE(passed(b, b.conv(append(b, pad, {x}), 4, window(3))).nodes.size() == 2);
  }
  SECTION("an average that counts it") {
    PoolOp pool{PoolKind::kAverage, window(4, 2)};
    const Graph g = passed(b, append(b, pool, {append(b, pad, {x})}));
    REQUIRE(g.nodes.size() == 1);
    REQUIRE(g.nodes[0].as<PoolOp>()->count_include_pad);
  }
  SECTION("a maximum of what is never negative") {
    const PoolOp pool{PoolKind::kMax, window(4, 2)};
    const Graph g = passed(b, append(b, pool, {append(b, pad, {b.relu(x)})}));
    REQUIRE(g.nodes.size() == 2);
  }
  SECTION("but not of what may be") {
    const PoolOp pool{PoolKind::kMax, window(4, 2)};
    REQUIRE(passed(b, append(b, pool, {append(b, pad, {x})})).nodes.size() == 2);
  }
  SECTION("but not where a window would lie in padding alone") {
    pad.after[2] = 5;
    const PoolOp pool{PoolKind::kAverage, window(2, 2)};
    REQUIRE(passed(b, append(b, pool, {append(b, pad, {x})})).nodes.size() == 2);
  }
}

TEST_CASE("passes: a factor before convolutions goes into their weights") {
  NetworkBuilder b(6);
  const TensorId x = b.input({1, 4, 6, 6});
  const TensorId s = b.scale(x);
  SECTION("of two, one of them grouped") {
    const TensorId left = b.conv(s, 4, window(1));
    const Graph g = passed(b, append(b, ConcatOp{1}, {left, b.conv(s, 6, window(1), 2)}));
    REQUIRE(g.nodes.size() == 3);
  }
  SECTION("not where the shift meets padding") {
    REQUIRE(passed(b, b.conv(s, 4, window(3, 1, 1))).nodes.size() == 2);
  }
  SECTION("with padding if there is no shift") {
    for (float& v : b.graph().tensor(b.graph().nodes.back().inputs[2]).values) v = 0;
    REQUIRE(passed(b, b.conv(s, 4, window(3, 1, 1))).nodes.size() == 1);
  }
  SECTION("not if something else reads it") {
    REQUIRE(passed(b, append(b, ConcatOp{1}, {s, b.conv(s, 4, window(1))})).nodes.size() == 3);
  }
}

TEST_CASE("passes: reorders merge, undo one another or vanish") {
  NetworkBuilder b(7);
  const TensorId x = b.relu(b.input({1, 6, 2, 4}));
  const TensorId shuffled = append(b, ReorderOp{{2, 3, 8}, {1, 0, 2}, {1, 6, 2, 4}}, {x});
  SECTION("back again") {
    REQUIRE(passed(b, append(b, ReorderOp{{3, 2, 8}, {1, 0, 2}, {1, 6, 2, 4}}, {shuffled}))
                .nodes.size() == 1);
  }
  SECTION("two in one") {
    const Graph g = passed(b, append(b, ReorderOp{{6, 8}, {1, 0}, {1, 8, 1, 6}}, {shuffled}));
    REQUIRE(g.nodes.size() == 2);
  }
  SECTION("a flatten after one") { REQUIRE(passed(b, b.flatten(shuffled)).nodes.size() == 2); }
  SECTION("a reshape before a fully connected layer") {
    const TensorId r = append(b, ReorderOp{{48}, {0}, {1, 4, 3, 4}}, {x});
    REQUIRE(passed(b, b.gemm(b.flatten(r), 5)).nodes.size() == 2);
  }
}

TEST_CASE("passes: a relu of what is not negative goes, any other stays") {
  NetworkBuilder b(12);
  const TensorId x = b.relu(b.input({1, 4, 6, 6}));
  const TensorId pooled = b.pool(x, PoolKind::kMax, window(3, 1, 1));
  const TensorId joined = append(b, ConcatOp{1}, {pooled, b.softmax(x)});
  const auto relus = [](const Graph& g) {
    return std::count_if(g.nodes.begin(), g.nodes.end(),
                         [](const Node& n) { return n.as<ReluOp>() != nullptr; });
  };
  SECTION("behind pooling, softmax and a join") { REQUIRE(relus(passed(b, b.relu(joined))) == 1); }
  SECTION("one with an upper bound stays") {
    const TensorId bounded = append(b, ReluOp{0.5F}, {joined});
    REQUIRE(relus(passed(b, bounded)) == 2);
  }
  SECTION("one part may be negative") {
    const TensorId wide = append(b, ConcatOp{1}, {joined, b.graph().inputs[0]});
    REQUIRE(relus(passed(b, b.relu(wide))) == 2);
  }
}

TEST_CASE("passes: means over space are poolings, joins of joins are one") {
  NetworkBuilder b(8);
  const TensorId x = b.input({1, 3, 4, 5});
  SECTION("mean") {
    const Graph g = passed(b, append(b, ReduceOp{ReduceKind::kMean, false, true, true}, {x}));
    REQUIRE(g.nodes[0].as<PoolOp>()->window.kernel_w == 5);
  }
  SECTION("maximum along rows") {
    const Graph g = passed(b, append(b, ReduceOp{ReduceKind::kMax, false, false, true}, {x}));
    REQUIRE(g.nodes[0].as<PoolOp>()->window.kernel_h == 1);
  }
  SECTION("join") {
    const TensorId inner = append(b, ConcatOp{1}, {x, b.relu(x)});
    const Graph g = passed(b, append(b, ConcatOp{1}, {inner, x}));
    REQUIRE(g.nodes.size() == 2);
    REQUIRE(g.nodes[1].inputs.size() == 3);
  }
}

TEST_CASE("passes: what changes nothing is removed, what changes the scale stays") {
  NetworkBuilder b(9);
  const TensorId x = b.relu(b.input({1, 3, 4, 5}));
  const TensorId p = b.pool(x, PoolKind::kAverage, window(1));
  SliceOp all;
  all.size = {1, 3, 4, 5};
  const TensorId s = append(b, all, {append(b, PadOp{}, {p})});
  SECTION("all of them go") { REQUIRE(passed(b, append(b, ConcatOp{1}, {s})).nodes.size() == 1); }
  SECTION("a second prescribed scale stays") {
    b.graph().tensor(x).prescribed = Quantisation{0.5};
    b.graph().tensor(s).prescribed = Quantisation{0.25};
    REQUIRE(passed(b, s, remove_identities).nodes.size() == 2);
  }
  SECTION("a first one moves") {
    b.graph().tensor(s).prescribed = Quantisation{0.25};
    const Graph g = passed(b, s, remove_identities);
    REQUIRE(g.nodes.size() == 1);
    REQUIRE(g.tensor(g.outputs[0]).prescribed == Quantisation{0.25});
  }
}

TEST_CASE("passes: prescribed weight scales follow the factors that go into the weights") {
  NetworkBuilder b(10);
  const TensorId c = b.conv(b.input({1, 3, 4, 5}), 2, window(1));
  b.graph().tensor(b.graph().nodes[0].inputs[1]).kernel_scales = {0.5};
  const TensorId s = b.scale(c);
  const std::vector<float> factor = b.graph().tensor(b.graph().nodes[1].inputs[1]).values;
  const Graph g = passed(b, s);
  const std::vector<double> scales = g.tensor(g.nodes[0].inputs[1]).kernel_scales;
  REQUIRE(scales.size() == 2);
  for (size_t k = 0; k < 2; ++k) REQUIRE(scales[k] == Approx(0.5 * std::abs(factor[k])));
}

namespace {

Window point(uint32_t stride) { return window(1, stride); }

/// A bottleneck whose result two convolutions of single pixels read with stride 2, after another
/// result that it adds.
TensorId strided_blocks(NetworkBuilder& b, bool third_reader) {
  const TensorId x = b.relu(b.conv(b.input({1, 4, 9, 8}), 8, window(3, 1, 1)));
  const TensorId middle = b.relu(b.conv(b.relu(b.conv(x, 4, point(1))), 4, window(3, 1, 1)));
  const TensorId y = b.relu(b.sum(b.conv(middle, 8, point(1)), x));
  const TensorId left = b.conv(y, 12, point(2));
  const TensorId inner = b.relu(b.conv(y, 4, point(2)));
  const TensorId right = b.conv(b.relu(b.conv(inner, 4, window(3, 1, 1))), 12, point(1));
  const TensorId sum = b.relu(b.sum(left, right));
  return third_reader ? b.sum(sum, b.conv(y, 12, window(3, 2, 1))) : sum;
}

const Node& named_output(const Graph& g, TensorId id) { return g.nodes.at(*g.producer(id)); }

}  // namespace

TEST_CASE("passes: strides of all readers move to what they read, and past it") {
  NetworkBuilder b(31);
  const TensorId out = strided_blocks(b, false);
  Graph plain = b.finish(out);
  run_passes(plain);
  Graph g = plain;
  REQUIRE(move_strides(g) == 2);
  INFO(g.text());
  REQUIRE(g.verify().empty());
  size_t samplers = 0;
  for (const Node& n : g.nodes) {
    const auto* conv = n.as<ConvOp>();
    if (conv != nullptr && conv->window.kernel_h == 1) {
      CHECK(conv->window.stride_h == 1);
      CHECK(conv->window.stride_w == 1);
    }
    if (const auto* pool = n.as<PoolOp>()) {
      CHECK(pool->window.kernel_h == 1);
      CHECK(pool->window.stride_h == 2);
      CHECK(g.tensor(n.output).shape == Shape{1, 8, 5, 4});
      ++samplers;
    }
  }
  REQUIRE(samplers == 1);  // the residual: others read it whole
  require_same_output(b, plain, g);
}

TEST_CASE("passes: a stride stays where another reader looks at every pixel, or an output is") {
  NetworkBuilder b(32);
  SECTION("a 3x3 convolution reads it too") {
    Graph g = b.finish(strided_blocks(b, true));
    run_passes(g);
    REQUIRE(move_strides(g) == 0);
  }
  SECTION("it is an output") {
    const TensorId x = b.conv(b.input({1, 4, 8, 8}), 4, window(3, 1, 1));
    Graph g = b.finish(b.conv(x, 4, point(2)));
    g.outputs.push_back(x);
    REQUIRE(move_strides(g) == 0);
  }
  SECTION("the product is a stride no register holds") {
    const TensorId x = b.conv(b.input({1, 4, 40, 40}), 4, window(5, 5));
    Graph g = b.finish(b.conv(x, 4, point(2)));
    REQUIRE(move_strides(g) == 0);
  }
  SECTION("readers step differently") {
    const TensorId x = b.conv(b.input({1, 4, 9, 9}), 4, window(3, 1, 1));
    const TensorId two = b.conv(x, 4, point(2)), three = b.conv(x, 4, point(3));
    Graph g = b.finish(two);
    g.outputs.push_back(three);
    REQUIRE(move_strides(g) == 0);
  }
}

TEST_CASE("passes: a stride moves into a pooling") {
  NetworkBuilder b(33);
  const TensorId x = b.pool(b.input({1, 4, 13, 11}), PoolKind::kMax, window(3, 2, 1));
  const Graph g = passed(b, b.conv(x, 4, point(2)), move_strides);
  REQUIRE(g.nodes.size() == 2);
  REQUIRE(g.nodes[0].as<PoolOp>()->window.stride_h == 4);
  REQUIRE(g.tensor(g.nodes[0].output).shape == Shape{1, 4, 4, 3});
}

TEST_CASE("passes: a sum of two convolutions of single pixels is one") {
  NetworkBuilder b(34);
  const TensorId x = b.pool(b.input({1, 6, 8, 8}), PoolKind::kMax, window(2, 2));
  const TensorId y = b.relu(b.conv(x, 5, window(3, 1, 1)));
  const TensorId sum = b.relu(b.sum(b.conv(x, 7, point(1)), b.conv(y, 7, point(1))));
  Graph g = b.finish(sum);
  run_passes(g);
  const Graph before = g;
  REQUIRE(join_sums(g) == 1);
  INFO(g.text());
  REQUIRE(g.verify().empty());
  REQUIRE(g.nodes.size() == before.nodes.size());  // a join for a convolution
  const Node& last = named_output(g, g.outputs[0]);
  REQUIRE(!last.as<ConvOp>()->residual);
  REQUIRE(last.as<ConvOp>()->relu);
  REQUIRE(g.tensor(last.inputs[1]).shape == Shape{7, 11, 1, 1});
  require_same_output(b, before, g);
}

TEST_CASE("passes: sums that cannot be one convolution stay two") {
  NetworkBuilder b(35);
  const TensorId in = b.input({1, 6, 8, 8});
  const TensorId x = b.pool(in, PoolKind::kMax, window(2, 2));
  const TensorId y = b.relu(b.conv(x, 5, window(3, 1, 1)));
  const auto joined = [&](TensorId out) {
    Graph g = b.finish(out);
    run_passes(g);
    return join_sums(g);
  };
  SECTION("a function between") {
    REQUIRE(joined(b.sum(b.relu(b.conv(x, 7, point(1))), b.conv(y, 7, point(1)))) == 0);
  }
  SECTION("a kernel of several pixels") {
    REQUIRE(joined(b.sum(b.conv(x, 7, window(3, 1, 1)), b.conv(y, 7, point(1)))) == 0);
  }
  SECTION("the summand has another reader") {
    const TensorId p = b.conv(x, 7, point(1));
    REQUIRE(joined(b.sum(b.sum(p, b.conv(y, 7, point(1))), b.relu(p))) == 0);
  }
  SECTION("one input of both") {
    REQUIRE(joined(b.sum(b.conv(x, 7, point(1)), b.conv(x, 7, point(1)))) == 0);
  }
}
