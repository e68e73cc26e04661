// ONNX operators that compute: each against values worked out by hand, in the forms that the opsets
// 7 to 17 give them.
#include <cmath>

#include "compiler/tests/onnx_check.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using namespace dlavp::compiler::testing;

using Model = OnnxBuilder;
using Ints = std::vector<int64_t>;

TEST_CASE("onnx: convolution in one dimension and by groups") {
  Model line({1, 1, 4});
  line.floats("w", {2, 1, 2}, {1, 1, -1, 1});
  line.node("Conv", {"x", "w"}, "y");
  gives(line, {3, 5, 7, 1, 1, 1});
  Model groups({1, 2, 1, 2});
  groups.floats("w", {2, 1, 1, 1}, {2, 3});
  groups.floats("b", {2}, {0, 1});
  set(groups.node("Conv", {"x", "w", "b"}, "y"), "group", int64_t{2});
  gives(groups, {2, 4, 10, 13});
  Model same({1, 1, 1, 3});
  same.floats("w", {1, 1, 1, 2}, {1, 10});
  set(same.node("Conv", {"x", "w"}, "y"), "auto_pad", "SAME_UPPER");
  gives(same, {21, 32, 3});
}

TEST_CASE("onnx: transposed convolution takes pads, output padding or an output shape") {
  const auto model = [] {
    Model m({1, 1, 1, 2});
    m.floats("w", {1, 1, 1, 3}, {1, 10, 100});
    return m;
  };
  Model plain = model();
  set(plain.node("ConvTranspose", {"x", "w"}, "y"), "strides", Ints{1, 2});
  gives(plain, {1, 10, 102, 20, 200});
  Model padded = model();
  auto* n = padded.node("ConvTranspose", {"x", "w"}, "y");
  set(n, "strides", Ints{1, 2});
  set(n, "pads", Ints{0, 1, 0, 1});
  set(n, "output_padding", Ints{0, 1});
  gives(padded, {10, 102, 20, 200});
  Model shaped = model();
  auto* s = shaped.node("ConvTranspose", {"x", "w"}, "y");
  set(s, "strides", Ints{1, 2});
  set(s, "output_shape", Ints{1, 4});
  gives(shaped, {10, 102, 20, 200});  // the odd element is cut at the start
  Model large = model();
  set(large.node("ConvTranspose", {"x", "w"}, "y"), "output_shape", Ints{1, 9});
  refused(large, "onnx.attribute", "output size 9");
}

TEST_CASE("onnx: products with constants, of vectors and of every row") {
  Model gemm({1, 2});
  gemm.floats("w", {2, 3}, {1, 2, 3, 4, 5, 6});
  gemm.floats("b", {3}, {0, 0, 1});
  auto* n = gemm.node("Gemm", {"x", "w", "b"}, "y");
  set(n, "alpha", 2.0F);
  set(n, "beta", 10.0F);
  gives(gemm, {18, 24, 40});
  Model rows({1, 3, 2});
  rows.floats("w", {2, 2}, {1, 0, 1, 1});
  rows.node("MatMul", {"x", "w"}, "y");
  gives(rows, {3, 2, 7, 4, 11, 6});
  Model left({1, 2, 2});
  left.floats("w", {1, 2}, {1, 10});
  left.node("MatMul", {"w", "x"}, "y");
  gives(left, {31, 42});
  Model attention({1, 2, 2});
  attention.node("MatMul", {"x", "x"}, "y");
  refused(attention, "onnx.not_constant", "two activations");
}

TEST_CASE(
    "onnx: a fully connected layer after a change of layout takes the elements in the model's "
    "order") {
  Model m({1, 2, 2, 2});
  set(m.node("Transpose", {"x"}, "t"), "perm", Ints{0, 2, 3, 1});
  m.node("Flatten", {"t"}, "f");
  m.floats("w", {1, 8}, {1, 10, 100, 0, 0, 0, 0, 0});
  set(m.node("Gemm", {"f", "w"}, "y"), "transB", int64_t{1});
  const Graph g = gives(m, {1 + 50 + 200});
  REQUIRE(g.nodes.size() == 1);  // the weights follow the tensor's order
}

TEST_CASE("onnx: weights that several nodes read, or that are folded as well, stay whole") {
  Model m({1, 2});
  m.floats("w", {2, 2}, {1, 2, 3, 4});
  m.node("Gemm", {"x", "w"}, "once");
  m.node("Gemm", {"once", "w"}, "twice");
  m.node("Add", {"w", "w"}, "sum");
  m.node("Transpose", {"w"}, "t");
  m.node("MatMul", {"twice", "t"}, "u");
  m.node("Gemm", {"u", "sum"}, "y");
  // (1 2) w = (7 10), times w (37 54), times its transpose (145 327), times twice w
  gives(m, {2 * (145 + 3 * 327), 2 * (2 * 145 + 4 * 327)});
}

TEST_CASE("onnx: poolings with ceil mode, dilation and without padding in the average") {
  Model ceil({1, 1, 1, 4});
  auto* n = ceil.node("AveragePool", {"x"}, "y");
  set(n, "kernel_shape", Ints{1, 3});
  set(n, "strides", Ints{1, 2});
  set(n, "ceil_mode", int64_t{1});
  gives(ceil, {2, 3.5});
  Model excluded({1, 1, 1, 3});
  n = excluded.node("AveragePool", {"x"}, "y");
  set(n, "kernel_shape", Ints{1, 3});
  set(n, "pads", Ints{0, 1, 0, 1});
  gives(excluded, {1.5, 2, 2.5});
  Model dilated({1, 1, 1, 5});
  n = dilated.node("MaxPool", {"x"}, "y");
  set(n, "kernel_shape", Ints{1, 2});
  set(n, "dilations", Ints{1, 3});
  gives(dilated, {4, 5});
  Model all({1, 2, 1, 2});
  all.node("GlobalMaxPool", {"x"}, "y");
  gives(all, {2, 4});
  Model line({1, 2, 4});
  set(line.node("MaxPool", {"x"}, "y"), "kernel_shape", Ints{4});
  gives(line, {4, 8});
}

TEST_CASE("onnx: functions of one value") {
  const auto of = [](const char* op, float expected, const char* name = nullptr, float value = 0) {
    INFO(op);
    Model m({1, 1}, 14);
    auto* n = m.node(op, {"x"}, "y");
    if (name != nullptr) set(n, name, value);
    gives(m, {expected}, -1.5F, 1);  // of -0.5
  };
  of("LeakyRelu", -0.1F, "alpha", 0.2F);
  of("Sigmoid", 0.377541F);
  of("Tanh", -0.462117F);
  of("HardSigmoid", 0.4F);
  of("HardSwish", -0.208333F);
  of("Elu", -0.393469F);
  of("Celu", -0.442398F, "alpha", 2.0F);
  of("Selu", -0.691758F);
  of("ThresholdedRelu", 0);
  of("Exp", 0.606531F);
  of("Abs", 0.5F);
  of("Neg", 0.5F);
  of("Sign", -1);
  of("Erf", -0.5205F);
  of("Softplus", 0.474077F);
  of("Softsign", -0.333333F);
  of("Mish", -0.220742F);
  of("Sin", -0.479426F);
  of("Cos", 0.877583F);
  of("Floor", -1);
  of("Ceil", 0);
  of("Round", 0);
  of("Reciprocal", -2);
  Model chain({1, 1});
  chain.node("Abs", {"x"}, "a");
  chain.node("Sqrt", {"a"}, "s");
  chain.node("Log", {"s"}, "y");
  gives(chain, {std::log(std::sqrt(0.5F))}, -1.5F);
}

TEST_CASE("onnx: arithmetic broadcasts activations and constants") {
  Model channels({1, 2, 1, 2});
  channels.floats("k", {2, 1, 1}, {10, 100});
  channels.node("Mul", {"k", "x"}, "y");
  REQUIRE(gives(channels, {10, 20, 300, 400}).nodes[0].as<ScaleOp>() != nullptr);
  Model columns({1, 2, 1, 2});
  columns.floats("k", {2}, {10, 100});
  columns.node("Sub", {"k", "x"}, "y");
  gives(columns, {9, 98, 7, 96});
  Model scalar({1, 2});
  scalar.floats("k", {}, {6});
  scalar.node("Div", {"k", "x"}, "y");
  gives(scalar, {6, 3});
  Model two({1, 2, 1, 2});
  two.node("GlobalMaxPool", {"x"}, "g");
  two.node("Sub", {"x", "g"}, "y");
  gives(two, {-1, 0, -1, 0});
  Model wide({1, 2, 1, 1});
  wide.floats("k", {1, 1, 1, 2}, {1, 10});
  wide.node("Mul", {"x", "k"}, "y");
  gives(wide, {1, 10, 2, 20});
  Model many({1, 2});
  many.floats("k", {2}, {5, 0});
  many.node("Max", {"x", "k", "x"}, "y");
  gives(many, {5, 2});
  Model mean({1, 2});
  mean.floats("k", {2}, {5, 0});
  mean.node("Mean", {"x", "k"}, "y");
  gives(mean, {3, 1});
  Model power({1, 2});
  power.floats("k", {}, {3});
  power.node("Pow", {"x", "k"}, "y");
  gives(power, {1, 8});
  Model expanded({1, 2, 1, 1});
  expanded.ints("s", {1, 2, 1, 2});
  expanded.node("Expand", {"x", "s"}, "y");
  gives(expanded, {1, 1, 2, 2});
  Model never({1, 2});
  never.floats("k", {}, {0});
  never.node("Div", {"x", "k"}, "y");
  refused(never, "onnx.attribute", "constant 0");
}

TEST_CASE("onnx: Clip takes attributes before opset 11 and computed bounds after") {
  Model old({1, 3}, 10);
  auto* n = old.node("Clip", {"x"}, "y");
  set(n, "min", 1.5F);
  set(n, "max", 2.5F);
  gives(old, {1.5, 2, 2.5});
  Model computed({1, 3});
  computed.floats("a", {}, {1});
  computed.floats("b", {}, {0.5});
  computed.node("Add", {"a", "b"}, "low");
  computed.node("Clip", {"x", "low"}, "y");
  gives(computed, {1.5, 2, 3});
}

TEST_CASE("onnx: PRelu takes one slope or one a channel") {
  Model m({1, 2, 1, 1});
  m.floats("s", {2, 1, 1}, {0.5, 2});
  m.node("PRelu", {"x", "s"}, "y");
  gives(m, {-1, -2}, -3);
  Model one({1, 2, 1, 1});
  one.floats("s", {1}, {0.5});
  one.node("PRelu", {"x", "s"}, "y");
  gives(one, {-1, -0.5}, -3);
  Model wrong({1, 2, 1, 2});
  wrong.floats("s", {2}, {0.5, 2});
  wrong.node("PRelu", {"x", "s"}, "y");
  refused(wrong, "onnx.shape", "slope [2]");
}

TEST_CASE("onnx: normalisations over channels, images and the last axis") {
  Model bn({1, 2});
  for (const char* name : {"g", "b"}) bn.floats(name, {2}, {2, 3});
  bn.floats("m", {2}, {1, 1});
  bn.floats("v", {2}, {4, 4});
  set(bn.node("BatchNormalization", {"x", "g", "b", "m", "v"}, "y"), "epsilon", 0.0F);
  gives(bn, {2, 4.5});
  Model in({1, 2, 1, 2});
  in.floats("g", {2}, {1, 2});
  in.floats("b", {2}, {0, 1});
  set(in.node("InstanceNormalization", {"x", "g", "b"}, "y"), "epsilon", 0.0F);
  gives(in, {-1, 1, -1, 3});
  Model ln({1, 2, 2}, 17);
  ln.floats("g", {2}, {1, 2});
  set(ln.node("LayerNormalization", {"x", "g"}, "y"), "epsilon", 0.0F);
  gives(ln, {-1, 2, -1, 2});
  Model lrn({1, 3, 1, 1});
  auto* n = lrn.node("LRN", {"x"}, "y");
  set(n, "size", int64_t{3});
  set(n, "alpha", 3.0F);
  set(n, "beta", 1.0F);
  gives(lrn, {1.0F / 6, 2.0F / 15, 3.0F / 14});
}

TEST_CASE("onnx: softmax over one axis, or over all from one on before opset 13") {
  const float e = std::exp(1.0F);
  Model now({1, 2, 1, 2});
  set(now.node("Softmax", {"x"}, "y"), "axis", int64_t{3});
  gives(now, {1 / (1 + e), e / (1 + e), 1 / (1 + e), e / (1 + e)});
  Model before({1, 2, 1, 2}, 11);
  before.node("Softmax", {"x"}, "y");
  const float sum = 1 + e + e * e + e * e * e;
  gives(before, {1 / sum, e / sum, e * e / sum, e * e * e / sum});
  Model log({1, 2});
  log.node("LogSoftmax", {"x"}, "y");
  gives(log, {std::log(1 / (1 + e)), std::log(e / (1 + e))});
}

TEST_CASE("onnx: reductions and arg max, axes as attribute or input") {
  Model mean({1, 2, 2, 2});
  auto* n = mean.node("ReduceMean", {"x"}, "y");
  set(n, "axes", Ints{2, 3});
  set(n, "keepdims", int64_t{0});
  gives(mean, {2.5, 6.5});
  Model sum({1, 2, 1, 2});
  sum.ints("axes", {1});
  sum.node("ReduceSum", {"x", "axes"}, "y");
  gives(sum, {4, 6});
  Model all({1, 2, 1, 2});
  all.node("ReduceMax", {"x"}, "y");
  gives(all, {4});
  Model last({1, 4});
  set(last.node("ArgMax", {"x"}, "y"), "axis", int64_t{1});
  gives(last, {3});
  Model least({1, 2, 1, 2});
  n = least.node("ArgMin", {"x"}, "y");
  set(n, "axis", int64_t{3});
  set(n, "keepdims", int64_t{0});
  gives(least, {0, 0});
}

TEST_CASE("onnx: quantised pairs prescribe scales") {
  Model m({1, 2, 1, 1});
  m.floats("s", {}, {0.5});
  m.bytes("z", {}, {0}, true);
  m.node("QuantizeLinear", {"x", "s", "z"}, "q");
  m.node("DequantizeLinear", {"q", "s", "z"}, "d");
  m.bytes("w", {2, 2, 1, 1}, {1, 2, 3, -4}, true);
  m.floats("ws", {2}, {0.25, 0.5});
  m.bytes("wz", {2}, {0, 0}, true);
  set(m.node("DequantizeLinear", {"w", "ws", "wz"}, "wd"), "axis", int64_t{0});
  m.node("Conv", {"d", "wd"}, "y");
  const Graph g = gives(m, {1.25, -2.5});
  REQUIRE(g.tensor(g.inputs[0]).prescribed == Quantisation{0.5});
  REQUIRE(g.tensor(g.nodes[0].inputs[1]).kernel_scales == std::vector<double>{0.25, 0.5});
}

TEST_CASE("onnx: an unsigned range has its zero point; one from zero is a Relu") {
  const auto model = [](int zero, std::vector<float> expected) {
    Model m({1, 2});
    m.floats("k", {}, {2});
    m.node("Sub", {"x", "k"}, "c");
    m.floats("s", {}, {0.01F});
    m.bytes("z", {}, {zero}, false);
    m.node("QuantizeLinear", {"c", "s", "z"}, "q");
    m.node("DequantizeLinear", {"q", "s", "z"}, "y");
    return gives(m, expected);
  };
  const Graph relu = model(0, {0, 0});
  REQUIRE(relu.nodes.back().as<ReluOp>() != nullptr);
  const double step{0.01F};
  REQUIRE(relu.tensor(relu.outputs[0]).prescribed == Quantisation{step, -128});
  const Graph middle = model(128, {-1, 0});
  REQUIRE(middle.tensor(middle.outputs[0]).prescribed == Quantisation{step});
  REQUIRE(middle.nodes.back().as<ReluOp>() == nullptr);
  const Graph skewed = model(200, {-1, 0});
  REQUIRE(skewed.tensor(skewed.outputs[0]).prescribed == Quantisation{step, 72});
  REQUIRE(skewed.notes.empty());
}

TEST_CASE("onnx: quantised values read with another scale are rescaled; bad pairs are refused") {
  Model m({1, 2});
  m.floats("s", {}, {0.5});
  m.floats("t", {}, {1});
  m.bytes("z", {}, {0}, true);
  m.node("QuantizeLinear", {"x", "s", "z"}, "q");
  m.node("DequantizeLinear", {"q", "t", "z"}, "y");
  gives(m, {2, 4});
  Model alone({1, 2});
  alone.floats("s", {}, {0.5});
  alone.node("DequantizeLinear", {"x", "s"}, "y");
  refused(alone, "onnx.quantise", "neither a constant nor");
  Model negative({1, 2});
  negative.floats("s", {}, {-1});
  negative.node("QuantizeLinear", {"x", "s"}, "y");
  refused(negative, "onnx.quantise", "scale -1");
}

TEST_CASE("onnx: an operator of the user's takes its place by name") {
  auto twice = std::make_shared<CustomDefinition>();
  twice->name = "Twice";
  twice->shape = [](const CustomAttributes&, std::span<const Shape> in) -> Result<Shape> {
    return in[0];
  };
  twice->evaluate = [](const CustomAttributes& a, std::span<const CustomTensor> in, const Shape&,
                       std::span<float> out) {
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = in[0].values[i] * static_cast<float>(a.numbers.at("by"));
  };
  ImportOptions options;
  options.custom["Twice"] = twice;
  Model m({1, 2});
  auto* n = m.node("Twice", {"x"}, "y");
  n->set_domain("my.company");
  set(n, "by", 2.0F);
  REQUIRE(m.import().errors().has("onnx.operator"));
  near(outputs(imported(m, options)), {2, 4});
}
