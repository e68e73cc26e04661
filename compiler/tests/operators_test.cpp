// Every operator of the graph: its shape rule, its meaning on values worked out by hand, and the
// errors of its attributes.
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/ir/graph.hpp"
#include "compiler/tests/networks.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using dlavp::compiler::testing::window;

namespace {

struct Operand {
  Shape shape;
  std::vector<float> values;
  bool constant = false;
};

std::vector<float> counting(int64_t n) {
  std::vector<float> out(static_cast<size_t>(n));
  std::iota(out.begin(), out.end(), 1.0F);
  return out;
}

/// A graph of one node; operands that are not constant are its inputs.
struct One {
  Graph g;
  Node node;
  std::vector<std::vector<float>> inputs;

  One(Operator op, const std::vector<Operand>& operands) {
    node = {"n", std::move(op), {}, 0};
    for (const Operand& o : operands) {
      const std::string name = "i" + std::to_string(g.tensors.size());
      const TensorId id =
          o.constant ? g.add_constant(name, o.shape, o.values) : g.add_tensor(name, o.shape);
      if (!o.constant) {
        g.inputs.push_back(id);
        inputs.push_back(o.values);
      }
      node.inputs.push_back(id);
    }
  }
  [[nodiscard]] Result<Shape> shape() const { return infer_shape(g, node); }
  std::vector<float> run(const Shape& expected) {
    const auto s = shape();
    if (!s.ok()) FAIL(s.errors().text());
    REQUIRE(*s == expected);
    node.output = g.add_tensor("out", *s);
    g.nodes = {node};
    g.outputs = {node.output};
    INFO(g.verify().text());
    REQUIRE(g.verify().empty());
    return interpret_float(g, inputs)[node.output];
  }
  void refused(const char* id) const {
    const auto s = shape();
    REQUIRE(!s.ok());
    INFO(s.errors().text());
    REQUIRE(s.errors().has(id));
  }
};

void equal(const std::vector<float>& actual, const std::vector<float>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    INFO("element " << i);
    REQUIRE(actual[i] == Approx(expected[i]).margin(1e-5));
  }
}

Operand image(Shape s) { return {s, counting(s.elements()), false}; }
Operand fixed(Shape s, std::vector<float> v) { return {s, std::move(v), true}; }

}  // namespace

TEST_CASE("operators: binary operators repeat sizes of one") {
  const Operand a{{1, 2, 1, 3}, {1, 2, 3, 4, 5, 6}};
  const Operand b{{1, 2, 2, 1}, {1, 2, 3, 4}};
  equal(One(BinaryOp{BinaryKind::kMul}, {a, b}).run({1, 2, 2, 3}),
        {1, 2, 3, 2, 4, 6, 12, 15, 18, 16, 20, 24});
  equal(One(BinaryOp{BinaryKind::kSub, true}, {a, b}).run({1, 2, 2, 3}),
        {0, 1, 2, 0, 0, 1, 1, 2, 3, 0, 1, 2});
  equal(One(BinaryOp{BinaryKind::kMax}, {a, fixed({1, 1, 1, 1}, {3})}).run({1, 2, 1, 3}),
        {3, 3, 3, 4, 5, 6});
  equal(One(BinaryOp{BinaryKind::kDiv}, {fixed({1, 1, 1, 1}, {6}), a}).run({1, 2, 1, 3}),
        {6, 3, 2, 1.5, 1.2F, 1});
  equal(One(BinaryOp{BinaryKind::kPow}, {a, fixed({1, 1, 1, 1}, {2})}).run({1, 2, 1, 3}),
        {1, 4, 9, 16, 25, 36});
  equal(One(BinaryOp{BinaryKind::kMin}, {a, fixed({1, 1, 1, 1}, {3})}).run({1, 2, 1, 3}),
        {1, 2, 3, 3, 3, 3});
  One(BinaryOp{}, {a, image({1, 3, 1, 1})}).refused("ir.broadcast");
  One(BinaryOp{}, {fixed({1, 1, 1, 1}, {1}), fixed({1, 1, 1, 1}, {1})}).refused("ir.no_activation");
}

TEST_CASE("operators: a transposed convolution is the sum of shifted kernels") {
  ConvTransposeOp op;
  op.window = window(2, 2);
  const Operand x{{1, 1, 2, 2}, {1, 2, 3, 4}};
  const Operand w = fixed({1, 1, 2, 2}, {1, 10, 100, 1000});
  const Operand bias = fixed({1, 1, 1, 1}, {0.5});
  equal(One(op, {x, w, bias}).run({1, 1, 4, 4}),
        {1.5, 10.5, 2.5, 20.5, 100.5, 1000.5, 200.5, 2000.5, 3.5, 30.5, 4.5, 40.5, 300.5, 3000.5,
         400.5, 4000.5});
  op.window.stride_h = op.window.stride_w = 1;
  op.window.pad_top = 1;
  equal(One(op, {x, w, bias}).run({1, 1, 2, 3}),
        {103.5, 1234.5, 2040.5, 300.5, 3400.5, 4000.5});
  op.output_pad_h = 1;
  One(op, {x, w, bias}).refused("ir.output_pad");
}

TEST_CASE("operators: average pooling divides by what it covers, or counts padding") {
  const Operand x = image({1, 1, 3, 3});
  PoolOp op{PoolKind::kAverage, window(2, 2)};
  op.window.pad_bottom = op.window.pad_right = 1;
  op.uncounted_bottom = op.uncounted_right = 1;
  equal(One(op, {x}).run({1, 1, 2, 2}), {3, 4.5, 7.5, 9});
  op.count_include_pad = true;  // what rounding up appended does not count
  equal(One(op, {x}).run({1, 1, 2, 2}), {3, 4.5, 7.5, 9});
  op.uncounted_bottom = op.uncounted_right = 0;
  equal(One(op, {x}).run({1, 1, 2, 2}), {3, 2.25, 3.75, 2.25});
  op.uncounted_bottom = 2;
  One(op, {x}).refused("ir.pool_pad");
  PoolOp wide{PoolKind::kMax, window(2)};
  wide.window.dilation_h = wide.window.dilation_w = 2;
  equal(One(wide, {x}).run({1, 1, 1, 1}), {9});
  wide.window.pad_top = 4;  // the first window lies in padding alone
  One(wide, {x}).refused("ir.pool_pad");
}

TEST_CASE("operators: reorder reshapes, transposes and shuffles channels") {
  const Operand x = image({1, 4, 1, 2});
  equal(One(ReorderOp{{2, 2, 2}, {1, 0, 2}, {1, 4, 1, 2}}, {x}).run({1, 4, 1, 2}),
        {1, 2, 5, 6, 3, 4, 7, 8});
  equal(One(ReorderOp{{4, 2}, {1, 0}, {1, 2, 2, 2}}, {x}).run({1, 2, 2, 2}),
        {1, 3, 5, 7, 2, 4, 6, 8});
  One(ReorderOp{{4, 2}, {1, 1}, {1, 2, 2, 2}}, {x}).refused("ir.reorder");
  One(ReorderOp{{4, 3}, {1, 0}, {1, 2, 2, 2}}, {x}).refused("ir.reorder");
}

TEST_CASE("operators: concat, slice and pad") {
  const Operand a = image({1, 1, 2, 2});
  const Operand b{{1, 1, 2, 1}, {8, 9}};
  equal(One(ConcatOp{3}, {a, b}).run({1, 1, 2, 3}), {1, 2, 8, 3, 4, 9});
  One(ConcatOp{1}, {a, b}).refused("ir.concat");
  One(ConcatOp{0}, {a, b}).refused("ir.axis");
  SliceOp cut{{0, 0, 0, 1}, {1, 1, 2, 2}, {1, 1, 2, 2}};
  equal(One(cut, {image({1, 1, 3, 4})}).run({1, 1, 2, 2}), {2, 4, 10, 12});
  cut.size.w = 3;
  One(cut, {image({1, 1, 3, 4})}).refused("ir.slice");
  PadOp pad{{0, 0, 0, 1}, {0, 0, 1, 1}, 7};
  equal(One(pad, {a}).run({1, 1, 3, 4}), {7, 1, 2, 7, 7, 3, 4, 7, 7, 7, 7, 7});
  pad.mode = PadMode::kReflect;
  equal(One(pad, {a}).run({1, 1, 3, 4}), {2, 1, 2, 1, 4, 3, 4, 3, 2, 1, 2, 1});
  pad.mode = PadMode::kEdge;
  equal(One(pad, {a}).run({1, 1, 3, 4}), {1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4});
  pad.mode = PadMode::kReflect;
  pad.before[2] = 2;
  One(pad, {a}).refused("ir.pad");
}

TEST_CASE("operators: resize by each coordinate and nearest mode") {
  const Operand x{{1, 1, 1, 2}, {0, 10}};
  ResizeOp op;
  op.scale_w = 2;
  op.out_w = 4;
  equal(One(op, {x}).run({1, 1, 1, 4}), {0, 0, 10, 10});
  op.kind = ResizeKind::kLinear;
  equal(One(op, {x}).run({1, 1, 1, 4}), {0, 2.5, 7.5, 10});
  op.coordinates = CoordinateMode::kAsymmetric;
  equal(One(op, {x}).run({1, 1, 1, 4}), {0, 5, 10, 10});
  op.coordinates = CoordinateMode::kAlignCorners;
  equal(One(op, {x}).run({1, 1, 1, 4}), {0, 10.0F / 3, 20.0F / 3, 10});
  op.kind = ResizeKind::kNearest;
  op.nearest = NearestMode::kCeil;
  equal(One(op, {x}).run({1, 1, 1, 4}), {0, 10, 10, 10});
  op.kind = ResizeKind::kZeroInsert;
  op.out_w = 3;
  equal(One(op, {x}).run({1, 1, 1, 3}), {0, 0, 10});
  op.out_w = 4;
  One(op, {x}).refused("ir.resize");
}

TEST_CASE("operators: reductions and arg max over any axes") {
  const Operand x = image({1, 2, 2, 2});
  equal(One(ReduceOp{ReduceKind::kMean, false, true, true}, {x}).run({1, 2, 1, 1}), {2.5, 6.5});
  equal(One(ReduceOp{ReduceKind::kSum, true, false, false}, {x}).run({1, 1, 2, 2}), {6, 8, 10, 12});
  equal(One(ReduceOp{ReduceKind::kMax, true, false, true}, {x}).run({1, 1, 2, 1}), {6, 8});
  equal(One(ReduceOp{ReduceKind::kMin, false, true, false}, {x}).run({1, 2, 1, 2}), {1, 2, 5, 6});
  equal(One(ReduceOp{ReduceKind::kProd, false, true, true}, {x}).run({1, 2, 1, 1}), {24, 1680});
  equal(One(ReduceOp{ReduceKind::kL2, true, false, false}, {{{1, 2, 1, 1}, {3, 4}}})
            .run({1, 1, 1, 1}),
        {5});
  const Operand y{{1, 1, 1, 4}, {2, 5, 5, 1}};
  equal(One(ArgMaxOp{3}, {y}).run({1, 1, 1, 1}), {1});
  equal(One(ArgMaxOp{3, true}, {y}).run({1, 1, 1, 1}), {2});
  equal(One(ArgMaxOp{3, false, true}, {y}).run({1, 1, 1, 1}), {3});
  One(ArgMaxOp{4}, {y}).refused("ir.axis");
}

TEST_CASE("operators: normalisations have mean 0 and variance 1 over their axes") {
  const Operand ones = fixed({1, 2, 1, 1}, {1, 1});
  const Operand shift = fixed({1, 2, 1, 1}, {0, 10});
  const Operand x{{1, 2, 1, 2}, {1, 2, 3, 6}};
  LayerNormOp op;
  op.epsilon = 0;
  equal(One(op, {x, ones, shift}).run({1, 2, 1, 2}), {-1, -1, 11, 11});
  op.c = false;
  op.h = op.w = true;
  equal(One(op, {x, ones, shift}).run({1, 2, 1, 2}), {-1, 1, 9, 11});
  op.groups = 2;
  One(op, {x, ones, shift}).refused("ir.groups");
  op.c = true;
  equal(One(op, {x, ones, shift}).run({1, 2, 1, 2}), {-1, 1, 9, 11});
}

TEST_CASE("operators: local response over channels and within one") {
  const Operand x{{1, 3, 1, 1}, {1, 2, 3}};
  LrnOp op{3, 3, 1, 1, false};
  equal(One(op, {x}).run({1, 3, 1, 1}), {1.0F / 6, 2.0F / 15, 3.0F / 14});
  op.within = true;
  op.alpha = 9;
  equal(One(op, {{{1, 1, 1, 3}, {1, 2, 3}}}).run({1, 1, 1, 3}), {1.0F / 6, 2.0F / 15, 3.0F / 14});
  op.size = 2;
  One(op, {x}).refused("ir.lrn");
}

TEST_CASE("operators: softmax along any axis, and its logarithm") {
  const float e = std::exp(1.0F);
  const Operand x{{1, 2, 1, 2}, {0, 1, 1, 1}};
  equal(One(SoftmaxOp{1}, {x}).run({1, 2, 1, 2}), {1 / (1 + e), 0.5, e / (1 + e), 0.5});
  equal(One(SoftmaxOp{3}, {x}).run({1, 2, 1, 2}), {1 / (1 + e), e / (1 + e), 0.5, 0.5});
  equal(One(SoftmaxOp{3, true}, {x}).run({1, 2, 1, 2}),
        {std::log(1 / (1 + e)), std::log(e / (1 + e)), std::log(0.5F), std::log(0.5F)});
  One(SoftmaxOp{0}, {x}).refused("ir.axis");
}

TEST_CASE("operators: PRelu scales what is below zero by its channel's slope") {
  const Operand x{{1, 2, 1, 2}, {-1, 1, -2, 2}};
  equal(One(PReluOp{}, {x, fixed({1, 2, 1, 1}, {0.5, -1})}).run({1, 2, 1, 2}), {-0.5, 1, 2, 2});
}

TEST_CASE("operators: a custom operator follows its own rules") {
  auto doubles = std::make_shared<CustomDefinition>();
  doubles->name = "Doubles";
  doubles->shape = [](const CustomAttributes&, std::span<const Shape> in) -> Result<Shape> {
    if (in[0].h != 1) return Error{"custom.height", "", "only one row"};
    return Shape{1, in[0].c, 2, in[0].w};
  };
  doubles->evaluate = [](const CustomAttributes& a, std::span<const CustomTensor> in, const Shape&,
                         std::span<float> out) {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = in[0].values[i / 4 * 2 + i % 2] * static_cast<float>(a.numbers.at("by"));
    }
  };
  CustomOp op{doubles, {{{"by", 3}}, {}, {}}};
  equal(One(op, {image({1, 1, 1, 2})}).run({1, 1, 2, 2}), {3, 6, 3, 6});
  One(op, {image({1, 1, 2, 2})}).refused("custom.height");
  One(CustomOp{}, {image({1, 1, 2, 2})}).refused("ir.custom");
}

TEST_CASE("operators: elementwise functions") {
  const auto value = [](UnaryKind kind, double x, double a = 0, double b = 0) {
    return evaluate({{kind, a, b}}, x);
  };
  REQUIRE(value(UnaryKind::kAffine, 3, 2, 1) == 7);
  REQUIRE(value(UnaryKind::kClip, 9, 0, 6) == 6);
  REQUIRE(value(UnaryKind::kLeakyRelu, -2, 0.5) == -1);
  REQUIRE(value(UnaryKind::kSigmoid, 0) == 0.5);
  REQUIRE(value(UnaryKind::kTanh, 0.5) == Approx(0.46211716));
  REQUIRE(value(UnaryKind::kHardSigmoid, 1, 0.2, 0.5) == Approx(0.7));
  REQUIRE(value(UnaryKind::kHardSwish, 1) == Approx(4.0 / 6));
  REQUIRE(value(UnaryKind::kSwish, 1, 1) == Approx(0.73105858));
  REQUIRE(value(UnaryKind::kElu, -1, 2) == Approx(2 * (std::exp(-1.0) - 1)));
  REQUIRE(value(UnaryKind::kSelu, -1, 2, 3) == Approx(6 * (std::exp(-1.0) - 1)));
  REQUIRE(value(UnaryKind::kExp, 1) == Approx(2.718281828));
  REQUIRE(value(UnaryKind::kLog, 2) == Approx(0.69314718));
  REQUIRE(value(UnaryKind::kSqrt, 9) == 3);
  REQUIRE(value(UnaryKind::kReciprocal, 4) == 0.25);
  REQUIRE(value(UnaryKind::kPow, 3, 2) == 9);
  REQUIRE(value(UnaryKind::kPowOf, 3, 2) == 8);
  REQUIRE(value(UnaryKind::kAbs, -3) == 3);
  REQUIRE(value(UnaryKind::kSign, -3) == -1);
  REQUIRE(value(UnaryKind::kErf, 1) == Approx(0.84270079));
  REQUIRE(value(UnaryKind::kGelu, 1) == Approx(0.84134475));
  REQUIRE(value(UnaryKind::kSoftplus, 1) == Approx(1.31326169));
  REQUIRE(value(UnaryKind::kSoftsign, 1) == 0.5);
  REQUIRE(value(UnaryKind::kMish, 1) == Approx(0.86509839));
  REQUIRE(value(UnaryKind::kSin, 1) == Approx(0.84147098));
  REQUIRE(value(UnaryKind::kCos, 1) == Approx(0.54030231));
  REQUIRE(value(UnaryKind::kFloor, -1.5) == -2);
  REQUIRE(value(UnaryKind::kCeil, -1.5) == -1);
  REQUIRE(value(UnaryKind::kRound, 2.5) == 2);
  REQUIRE(value(UnaryKind::kThreshold, 1, 1) == 0);
  for (int i = 0; i <= static_cast<int>(UnaryKind::kPowValue); ++i) {
    const auto kind = static_cast<UnaryKind>(i);
    REQUIRE(unary_kind(unary_name(kind)) == kind);
  }
  REQUIRE(!unary_kind("no such function"));
}

TEST_CASE("operators: programs of one value compose, combine and simplify") {
  const UnaryProgram half = {{UnaryKind::kAffine, 0.5, 1}};
  const UnaryProgram square = {{UnaryKind::kMulValue, 0, 0}};
  REQUIRE(evaluate(square, 3) == 9);
  REQUIRE(evaluate(compose(half, square), 4) == 9);
  REQUIRE(evaluate(compose(square, half), 4) == 9);
  REQUIRE(evaluate(combine(half, UnaryKind::kSubValue, square), 4) == 3 - 16);
  REQUIRE(evaluate(combine(square, UnaryKind::kDivValue, half), 4) == Approx(16.0 / 3));
  REQUIRE(evaluate(combine({}, UnaryKind::kAddValue, square), 4) == 20);
  REQUIRE(evaluate(combine(compose(half, square), UnaryKind::kMaxValue, square), 4) == 16);
  const UnaryProgram twice = compose(half, {{UnaryKind::kAffine, 2, -2}});
  REQUIRE(simplify(twice).empty());
  REQUIRE(simplify(compose(twice, half)) == half);
  const UnaryProgram referred = {
      {UnaryKind::kAffine, 2, 0}, {UnaryKind::kAffine, 1, 1}, {UnaryKind::kMulValue, 1, 0}};
  REQUIRE(evaluate(simplify(referred), 3) == 42);
  REQUIRE(unary_text(compose(half, square)) == "affine(0.5, 1) mul(#1)");
}

TEST_CASE("operators: programs that make no sense are refused") {
  const auto refused = [](UnaryProgram p) {
    One(UnaryOp{std::move(p)}, {image({1, 1, 1, 1})}).refused("ir.unary");
  };
  refused({{UnaryKind::kMulValue, 1, 0}});  // its own result
  refused({{UnaryKind::kClip, 2, 1}});
  refused({{UnaryKind::kAffine, NAN, 0}});
  refused({{UnaryKind::kAffine, INFINITY, 0}});
}
