// Zero points on every side of every kind of layer: prescribed at random for all activations, then
// each layer must do what its node says, and the loadable must give the int8 interpreter's bytes.
#include <catch2/catch.hpp>

#include "compiler/quantise/tensor_groups.hpp"
#include "compiler/tests/networks.hpp"
#include "compiler/tests/random_graph.hpp"
#include "compiler/tests/random_graph_check.hpp"
#include "compiler/tests/reference_executor.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using namespace dlavp::compiler::testing;

namespace {

/// With several draws of the zero points, on configurations with and without tables, PDP, and wide
/// atoms.
void check_all(NetworkBuilder& b, TensorId output) {
  const Graph plain = b.finish(output);
  const Samples samples = b.samples(3);
  for (const char* name : {"nv_small", "nv_small_256_full", "nv_large"}) {
    const auto hw = load_hw_config(name);
    REQUIRE(hw.ok());
    for (uint32_t seed = 1; seed <= 6; ++seed) {
      const Graph g = prescribe_zero_points(plain, samples, seed, 100);
      INFO(name << ", seed " << seed << "\n" << g.text());
      const Verdict found = check_graph(*hw, g, samples, reference_executor(*hw));
      CHECK(found.refused.empty());
      CHECK(found.wrong.empty());
    }
  }
}

TensorId binary(NetworkBuilder& b, BinaryKind kind, TensorId x, TensorId y, bool relu = false) {
  BinaryOp op;
  op.kind = kind;
  op.relu = relu;
  return b.add(op, {x, y});
}

}  // namespace

TEST_CASE("zero points: convolutions with padding, a residual, groups and what follows them") {
  NetworkBuilder b(11);
  const TensorId x = b.conv(b.input({1, 3, 11, 9}), 16, window(3, 1, 1));
  const TensorId sum = b.relu(b.sum(b.conv(x, 16, window(3, 1, 1)), x));
  const TensorId deep = b.prelu(b.conv(sum, 16, window(3, 2, 1), 16));
  check_all(b, b.sigmoid(b.conv(deep, 13, window(5, 1, 2))));
}

TEST_CASE("zero points: a table behind a convolution and its residual") {
  NetworkBuilder b(12);
  const TensorId x = b.conv(b.input({1, 8, 7, 7}), 8, window(1));
  check_all(b, b.sigmoid(b.sum(b.conv(x, 8, window(3, 1, 1)), x)));
}

TEST_CASE("zero points: padding larger than the kernel") {
  NetworkBuilder b(13);
  const TensorId x = b.relu(b.conv(b.input({1, 4, 6, 6}), 8, window(1)));
  check_all(b, b.conv(x, 5, window(3, 1, 4)));
}

TEST_CASE("zero points: averages that count their padding, or do not, in one pass and in stages") {
  NetworkBuilder b(14);
  const TensorId x = b.relu(b.conv(b.input({1, 4, 14, 14}), 8, window(3, 1, 1)));
  const TensorId counted = b.pool(x, PoolKind::kAverage, window(3, 1, 1));
  const TensorId most = b.pool(counted, PoolKind::kMax, window(2, 1, 1));
  PoolOp uncounted{PoolKind::kAverage, window(3, 2, 1), false};
  const TensorId y = b.add(uncounted, {most});
  SECTION("one pass") { check_all(b, y); }
  SECTION("the whole plane") { check_all(b, b.pool(x, PoolKind::kAverage, window(14))); }
  SECTION("with room for padding") {
    const TensorId odd = b.conv(x, 8, window(4));
    check_all(b, b.pool(odd, PoolKind::kAverage, window(11)));
  }
  SECTION("on the core") { check_all(b, b.pool(x, PoolKind::kAverage, window(9, 1, 2))); }
}

TEST_CASE("zero points: sums, differences, products and comparisons") {
  NetworkBuilder b(15);
  const TensorId in = b.input({1, 5, 6, 7});
  const TensorId x = b.scale(in), y = b.relu(b.scale(in)), z = b.sigmoid(in);
  const bool relu = GENERATE(false, true);
  const BinaryKind kind = GENERATE(BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul,
                                   BinaryKind::kMax, BinaryKind::kMin, BinaryKind::kDiv);
  if (kind == BinaryKind::kDiv) return check_all(b, binary(b, kind, x, b.add(ReluOp{}, {z})));
  const TensorId first = binary(b, kind, x, y, relu);
  check_all(b, binary(b, kind, z, first, relu));
}

TEST_CASE("zero points: a factor or summand a channel") {
  NetworkBuilder b(16);
  const TensorId x = b.scale(b.input({1, 12, 8, 8}));
  const TensorId mean = b.pool(x, PoolKind::kAverage, window(8));
  const TensorId gate = b.sigmoid(b.conv(mean, 12, window(1)));
  const TensorId scaled = binary(b, BinaryKind::kMul, x, gate);
  check_all(b, binary(b, BinaryKind::kAdd, scaled, mean, true));
}

TEST_CASE("zero points: joins, cuts, padding, resizing and moved channels") {
  NetworkBuilder b(17);
  const TensorId in = b.input({1, 6, 6, 6});
  const TensorId joined = b.concat({b.relu(b.scale(in)), b.scale(in), b.sigmoid(in)});
  SECTION("join and cut") {
    SliceOp cut;
    cut.start = {0, 3, 1, 0};
    cut.size = {1, 9, 4, 6};
    check_all(b, b.conv(b.add(cut, {joined}), 4, window(1)));
  }
  SECTION("padding") {
    PadOp pad;
    pad.before = {0, 0, 1, 2};
    pad.after = {0, 1, 0, 1};
    check_all(b, b.add(pad, {joined}));
  }
  SECTION("flattened") { check_all(b, b.gemm(joined, 10)); }
  SECTION("resized") {
    ResizeOp twice;
    twice.kind = GENERATE(ResizeKind::kNearest, ResizeKind::kLinear);
    twice.scale_h = twice.scale_w = 2;
    twice.out_h = twice.out_w = 12;
    check_all(b, b.add(twice, {joined}));
  }
  SECTION("moved") {
    ReorderOp shuffle;
    shuffle.dims = {2, 9, 6, 6};
    shuffle.perm = {1, 0, 2, 3};
    shuffle.shape = {1, 18, 6, 6};
    check_all(b, b.add(shuffle, {joined}));
  }
}

TEST_CASE("zero points: what neither takes nor gives one is copied") {
  NetworkBuilder b(18);
  const TensorId x = b.scale(b.input({1, 8, 4, 4}));
  ReduceOp sum;
  sum.kind = ReduceKind::kSum;
  sum.c = true;
  SECTION("LRN") { check_all(b, b.add(LrnOp{}, {x})); }
  SECTION("a sum") { check_all(b, b.add(sum, {x})); }
  SECTION("layer norm, which takes and gives one") {
    const TensorId factors =
        b.graph().add_constant("gamma", {1, 8, 1, 1}, std::vector<float>(8, 0.7F));
    const TensorId shifts =
        b.graph().add_constant("beta", {1, 8, 1, 1}, std::vector<float>(8, 0.2F));
    check_all(b, b.add(LayerNormOp{}, {x, factors, shifts}));
  }
  SECTION("softmax") { check_all(b, b.softmax(x)); }
  SECTION("a maximum") {
    sum.kind = ReduceKind::kMax;
    check_all(b, b.add(sum, {x}));
  }
}

TEST_CASE("zero points: one that the converter cannot hold is refused by name") {
  NetworkBuilder b(21);
  const TensorId in = b.input({1, 8, 4, 4});
  const TensorId x = b.scale(in), y = b.scale(in);
  Graph g = b.finish(binary(b, BinaryKind::kMul, x, y));
  g.tensor(x).prescribed = g.tensor(y).prescribed = Quantisation{1e-5};
  g.tensor(g.outputs[0]).prescribed = Quantisation{1, -100};
  const auto hw = load_hw_config("nv_small");
  const auto compiled = compile_graph(*hw, g, b.samples(1));
  REQUIRE_FALSE(compiled.ok());
  INFO(compiled.errors().text());
  REQUIRE(compiled.errors().has("lower.unsupported"));
  REQUIRE(compiled.errors().text().find("zero point -100") != std::string::npos);
}

TEST_CASE("zero points: a join's own parts are written with its quantisation") {
  NetworkBuilder b(20);
  const TensorId x = b.scale(b.input({1, 8, 4, 4}));
  const TensorId left = b.conv(x, 8, window(1)), right = b.sigmoid(x);
  const TensorId pooled = b.pool(x, PoolKind::kMax, window(3, 1, 1));
  Graph g = b.finish(b.concat({left, right, pooled}));
  const Quantisation own{0.01, 3}, joined{0.02, -9};
  for (TensorId id : {x, left, right, pooled}) g.tensor(id).prescribed = own;
  g.tensor(g.outputs[0]).prescribed = joined;
  SECTION("those that are computed") {
    REQUIRE(quantise_for_joins(g) == 2);
    REQUIRE(g.tensor(left).prescribed == joined);
    REQUIRE(g.tensor(right).prescribed == joined);
    REQUIRE(g.tensor(pooled).prescribed == own);
  }
  SECTION("not what others read") {
    g.outputs.push_back(left);
    REQUIRE(quantise_for_joins(g) == 1);
    REQUIRE(g.tensor(left).prescribed == own);
  }
}

TEST_CASE("zero points: a copy stands on either side of LRN, once") {
  NetworkBuilder b(18);
  const TensorId x = b.scale(b.input({1, 8, 4, 4}));
  Graph g = b.finish(b.add(LrnOp{}, {x}));
  for (TensorId id : {x, g.outputs[0]}) g.tensor(id).prescribed = Quantisation{0.02, 7};
  REQUIRE(copy_zero_points(g) == 2);
  REQUIRE(g.verify().empty());
  REQUIRE(copy_zero_points(g) == 0);
}

TEST_CASE("zero points: calibration gives them where the range is one-sided, and not where asked") {
  NetworkBuilder b(19);
  const TensorId x = b.relu(b.scale(b.input({1, 4, 8, 8})));
  const Graph g = b.finish(b.conv(x, 4, window(1)));
  const Samples samples = b.samples(2);
  for (const bool wanted : {true, false}) {
    CalibrationOptions options;
    options.zero_points = wanted;
    Graph calibrated = g;
    REQUIRE(calibrate(calibrated, samples, options).ok());
    const Quantisation q = *calibrated.tensor(x).quantisation;
    REQUIRE(q.zero_point == (wanted ? -128 : 0));
    REQUIRE(calibrated.tensor(g.inputs[0]).quantisation->zero_point == 0);
    REQUIRE(calibrated.tensor(g.outputs[0]).quantisation->zero_point == 0);
  }
}
