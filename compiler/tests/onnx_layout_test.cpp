// ONNX operators that move elements: layouts that cost nothing, those that need a reorder, constant
// folding and shape computations.
#include <functional>
#include <limits>

#include "compiler/tests/onnx_check.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using namespace dlavp::compiler::testing;

using Model = OnnxBuilder;
using Ints = std::vector<int64_t>;

TEST_CASE("onnx: channels-last layers between two transposes need no reorder") {
  Model m({1, 2, 1, 2});
  set(m.node("Transpose", {"x"}, "t"), "perm", Ints{0, 2, 3, 1});
  m.floats("w", {2, 2}, {1, 0, 0, 10});
  m.floats("b", {2}, {0, 1});
  m.node("MatMul", {"t", "w"}, "m");
  m.node("Add", {"m", "b"}, "a");
  m.node("Relu", {"a"}, "r");
  set(m.node("Transpose", {"r"}, "y"), "perm", Ints{0, 3, 1, 2});
  const Graph g = gives(m, {1, 2, 31, 41});
  for (const Node& n : g.nodes) REQUIRE(n.as<ReorderOp>() == nullptr);
}

TEST_CASE("onnx: an input whose only reader makes it channels-first is taken so, with a note") {
  Model m({1, 1, 2, 3});
  set(m.node("Transpose", {"x"}, "t"), "perm", Ints{0, 3, 1, 2});
  m.node("Relu", {"t"}, "y");
  const Graph g = imported(m);
  REQUIRE(g.tensor(g.inputs[0]).shape == Shape{1, 3, 1, 2});
  REQUIRE(g.nodes.size() == 1);
  REQUIRE(g.notes.size() == 1);
}

TEST_CASE("onnx: a channel shuffle is one reorder, an output in another order too") {
  Model shuffle({1, 4, 1, 2});
  shuffle.ints("a", {1, 2, 2, 1, 2});
  shuffle.ints("b", {0, -1, 1, 2});
  shuffle.node("Reshape", {"x", "a"}, "r");
  set(shuffle.node("Transpose", {"r"}, "t"), "perm", Ints{0, 2, 1, 3, 4});
  shuffle.node("Reshape", {"t", "b"}, "y");
  REQUIRE(gives(shuffle, {1, 2, 5, 6, 3, 4, 7, 8}).nodes.size() == 1);
  Model last({1, 2, 1, 2});
  set(last.node("Transpose", {"x"}, "y"), "perm", Ints{0, 2, 3, 1});
  REQUIRE(gives(last, {1, 3, 2, 4}).nodes.size() == 1);
}

TEST_CASE("onnx: flatten, squeeze and unsqueeze in the middle of a network") {
  Model m({1, 2, 1, 2}, 11);
  set(m.node("Flatten", {"x"}, "f"), "axis", int64_t{2});
  set(m.node("Unsqueeze", {"f"}, "u"), "axes", Ints{0, 3});
  m.node("Relu", {"u"}, "r");
  set(m.node("Squeeze", {"r"}, "s"), "axes", Ints{0});
  m.ints("shape", {1, 4});
  m.node("Reshape", {"s", "shape"}, "y");
  gives(m, {1, 2, 3, 4});
  Model inputs({1, 2, 1, 2});
  inputs.ints("two", {2});
  inputs.node("Squeeze", {"x", "two"}, "s");
  inputs.node("Unsqueeze", {"s", "two"}, "y");
  gives(inputs, {1, 2, 3, 4});
  Model wrong({1, 2, 1, 2});
  wrong.ints("one", {1});
  wrong.node("Squeeze", {"x", "one"}, "y");
  refused(wrong, "onnx.shape", "axis 1 of [1x2x1x2] is not 1");
  Model uneven({1, 2, 1, 2});
  uneven.ints("shape", {1, 3});
  uneven.node("Reshape", {"x", "shape"}, "y");
  refused(uneven, "onnx.shape", "4 elements, [1x3] needs 3");
}

TEST_CASE("onnx: concatenation, also along an axis of one element") {
  Model m({1, 2, 1, 2});
  m.node("Neg", {"x"}, "n");
  set(m.node("Concat", {"x", "n"}, "y"), "axis", int64_t{2});
  gives(m, {1, 2, -1, -2, 3, 4, -3, -4});
  Model channels({1, 1, 1, 2});
  channels.node("Neg", {"x"}, "n");
  set(channels.node("Concat", {"x", "n", "x"}, "y"), "axis", int64_t{1});
  gives(channels, {1, 2, -1, -2, 1, 2});
  Model differs({1, 2, 1, 2});
  differs.node("GlobalMaxPool", {"x"}, "g");
  set(differs.node("Concat", {"x", "g"}, "y"), "axis", int64_t{1});
  refused(differs, "onnx.shape", "differ beside axis 1");
}

TEST_CASE("onnx: split by sizes as attribute, input or in equal parts") {
  const auto halves = [](Model& m) {
    m.output("b");
    return m.proto.mutable_graph()->mutable_node(0);
  };
  Model equal({1, 4});
  set(equal.node("Split", {"x"}, "y"), "axis", int64_t{1});
  halves(equal)->add_output("b");
  gives(equal, {1, 2});
  Model old({1, 4}, 11);
  auto* n = old.node("Split", {"x"}, "y");
  set(n, "axis", int64_t{1});
  set(n, "split", Ints{1, 3});
  halves(old)->add_output("b");
  gives(old, {1});
  Model wrong({1, 4});
  wrong.ints("sizes", {1, 2});
  set(wrong.node("Split", {"x", "sizes"}, "y"), "axis", int64_t{1});
  halves(wrong)->add_output("b");
  refused(wrong, "onnx.shape", "sizes 1, 2");
}

TEST_CASE("onnx: slices by attribute or input, gather of one index or of even steps") {
  Model m({1, 2, 2, 4});
  m.ints("starts", {1, 0});
  m.ints("ends", {2, 9223372036854775807});
  m.ints("axes", {2, 3});
  m.ints("steps", {1, 2});
  m.node("Slice", {"x", "starts", "ends", "axes", "steps"}, "y");
  gives(m, {5, 7, 13, 15});
  Model old({1, 4}, 9);
  auto* n = old.node("Slice", {"x"}, "y");
  set(n, "starts", Ints{-3});
  set(n, "ends", Ints{-1});
  set(n, "axes", Ints{1});
  gives(old, {2, 3});
  Model backwards({1, 4});
  backwards.ints("starts", {3});
  backwards.ints("ends", {0});
  backwards.ints("axes", {1});
  backwards.ints("steps", {-1});
  backwards.node("Slice", {"x", "starts", "ends", "axes", "steps"}, "y");
  refused(backwards, "onnx.attribute", "step -1");
  Model gather({1, 2, 1, 2});
  gather.tensor("i", {}, onnx::TensorProto::INT64)->add_int64_data(-1);
  set(gather.node("Gather", {"x", "i"}, "y"), "axis", int64_t{1});
  gives(gather, {3, 4});
  Model uneven({1, 4});
  uneven.ints("i", {0, 1, 3});
  set(uneven.node("Gather", {"x", "i"}, "y"), "axis", int64_t{1});
  refused(uneven, "onnx.attribute", "equal steps");
}

TEST_CASE("onnx: pads by attribute or input, negative ones cut") {
  Model m({1, 1, 1, 3});
  m.ints("pads", {0, 0, 0, 1, 0, 0, 0, -1});
  m.floats("v", {}, {9});
  m.node("Pad", {"x", "pads", "v"}, "y");
  gives(m, {9, 1, 2});
  Model old({1, 1, 1, 3}, 10);
  auto* n = old.node("Pad", {"x"}, "y");
  set(n, "pads", Ints{0, 0, 0, 1, 0, 0, 0, 0});
  set(n, "mode", "reflect");
  gives(old, {2, 1, 2, 3});
}

TEST_CASE("onnx: resize by scales or sizes, as each opset has it") {
  Model upsample({1, 1, 1, 2}, 9);
  upsample.floats("s", {4}, {1, 1, 1, 2});
  upsample.node("Upsample", {"x", "s"}, "y");
  gives(upsample, {1, 1, 2, 2});
  Model seven({1, 1, 1, 2}, 7);
  auto* n = seven.node("Upsample", {"x"}, "y");
  set(n, "scales", std::vector<float>{1, 1, 1, 2});
  gives(seven, {1, 1, 2, 2});
  Model sizes({1, 1, 1, 2});
  sizes.ints("s", {1, 1, 1, 4});
  set(sizes.node("Resize", {"x", "", "", "s"}, "y"), "mode", "linear");
  gives(sizes, {1, 1.25, 1.75, 2});
  Model cubic({1, 1, 1, 2});
  cubic.ints("s", {1, 1, 1, 4});
  set(cubic.node("Resize", {"x", "", "", "s"}, "y"), "mode", "cubic");
  refused(cubic, "onnx.attribute", "'cubic' is not supported; nearest and linear are");
}

TEST_CASE("onnx: depth to space and back") {
  Model m({1, 4, 1, 1});
  set(m.node("DepthToSpace", {"x"}, "y"), "blocksize", int64_t{2});
  gives(m, {1, 2, 3, 4});
  Model columns({1, 8, 1, 1});
  auto* n = columns.node("DepthToSpace", {"x"}, "y");
  set(n, "blocksize", int64_t{2});
  set(n, "mode", "CRD");
  gives(columns, {1, 2, 3, 4, 5, 6, 7, 8});
  Model both({1, 8, 1, 1});
  set(both.node("DepthToSpace", {"x"}, "d"), "blocksize", int64_t{2});
  set(both.node("SpaceToDepth", {"d"}, "y"), "blocksize", int64_t{2});
  REQUIRE(gives(both, {1, 2, 3, 4, 5, 6, 7, 8}).nodes.empty());
}

TEST_CASE("onnx: shapes computed from shapes fold away") {
  // x.view(x.size(0), -1) as exporters write it, with the batch by name.
  Model m({1, 2, 1, 2});
  m.proto.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->set_dim_param("batch");
  m.node("Shape", {"x"}, "s");
  m.tensor("zero", {}, onnx::TensorProto::INT64)->add_int64_data(0);
  m.node("Gather", {"s", "zero"}, "n");
  m.ints("axes", {0});
  m.node("Unsqueeze", {"n", "axes"}, "nn");
  m.ints("rest", {-1});
  set(m.node("Concat", {"nn", "rest"}, "target"), "axis", int64_t{0});
  m.node("Reshape", {"x", "target"}, "r");
  m.node("Relu", {"r"}, "y");
  const Graph g = gives(m, {1, 2, 3, 4});
  REQUIRE(g.notes.size() == 1);
  REQUIRE(g.notes[0].find("'batch' is taken as 1") != std::string::npos);
}

TEST_CASE("onnx: constants fold through arithmetic and layout") {
  const auto folded = [](const std::function<void(Model&)>& make, std::vector<float> expected) {
    Model m({1, static_cast<int64_t>(expected.size())});
    make(m);
    m.floats("zero", {}, {0});
    m.node("Mul", {"x", "zero"}, "z");
    m.node("Add", {"z", "k"}, "y");
    gives(m, expected);
  };
  folded(
      [](Model& m) {
        m.floats("a", {2, 1}, {1, 2});
        m.floats("b", {2}, {10, 20});
        m.node("Add", {"a", "b"}, "s");   // 11 21 12 22
        m.node("Transpose", {"s"}, "t");  // 11 12 21 22
        m.ints("shape", {4});
        m.node("Reshape", {"t", "shape"}, "k");
      },
      {11, 12, 21, 22});
  folded(
      [](Model& m) {
        m.ints("shape", {3});
        m.node("ConstantOfShape", {"shape"}, "c");
        m.node("Exp", {"c"}, "k");
      },
      {1, 1, 1});
  folded(
      [](Model& m) {
        m.ints("a", {5, 6, 7});
        m.ints("b", {2});
        m.node("Div", {"a", "b"}, "d");
        set(m.node("Cast", {"d"}, "k"), "to", int64_t{1});
      },
      {2, 3, 3});
  folded(
      [](Model& m) {
        m.floats("a", {2, 2}, {1, 2, 3, 4});
        set(m.node("ReduceSum", {"a"}, "s"), "keepdims", int64_t{0});
        m.ints("two", {2});
        m.node("Expand", {"s", "two"}, "k");
      },
      {10, 10});
  folded(
      [](Model& m) {
        m.floats("a", {3}, {1, 5, 2});
        m.floats("b", {}, {2});
        m.node("Greater", {"a", "b"}, "c");
        m.node("Where", {"c", "a", "b"}, "k");
      },
      {2, 5, 2});
  folded(
      [](Model& m) {
        m.floats("a", {3}, {1, 2, 3});
        m.ints("s", {-1});
        m.ints("e", {-9223372036854775807});
        m.ints("axes", {0});
        m.node("Slice", {"a", "s", "e", "axes", "s"}, "k");
      },
      {3, 2, 1});
}

TEST_CASE("onnx: constants that cannot be computed are refused with the reason") {
  Model m({1, 2});
  m.ints("a", {1});
  m.ints("b", {0});
  m.node("Div", {"a", "b"}, "c");
  m.node("Reshape", {"x", "c"}, "y");
  refused(m, "onnx.fold", "division by 0");
  Model range({1, 2});
  range.ints("a", {0});
  range.ints("b", {4});
  range.node("Range", {"a", "b", "a"}, "c");
  range.node("Reshape", {"x", "c"}, "y");
  refused(range, "onnx.fold", "steps of 0");
}

TEST_CASE("onnx: constants of sizes and values that no integer holds are refused or limited") {
  constexpr int64_t kLast = std::numeric_limits<int64_t>::max();
  const auto folds = [](const std::function<void(Model&)>& make) {
    Model m({1, 2});
    make(m);
    m.node("Reshape", {"x", "c"}, "y");
    return m;
  };
  // A size of 0 leaves no element, whatever the others multiply to.
  const auto empty = [](Model& m) {
    m.ints("s", {0, int64_t{1} << 58, 98});
    m.node("ConstantOfShape", {"s"}, "z");
    m.node("Concat", {"z", "z"}, "c");
  };
  refused(folds(empty), "onnx.fold", "[0x288230376151711744x98]");
  const auto unknown = [](Model& m) {
    m.ints("a", {1, 2});
    m.ints("s", {(int64_t{1} << 28) - 1, kLast, -1});
    m.node("Reshape", {"a", "s"}, "c");
  };
  refused(folds(unknown), "onnx.fold", "[268435455x9223372036854775807]");
  const auto shape = [](Model& m) { m.ints("c", {(int64_t{1} << 39) + 1, kLast, -1}); };
  refused(folds(shape), "onnx.shape", "[549755813889x9223372036854775807x0]");
  Model repeated({1, 1, 1, 1});
  repeated.ints("s", {1, 2, kLast, 3});
  repeated.node("Expand", {"x", "s"}, "y");
  refused(repeated, "onnx.shape", "[1x2x9223372036854775807x3] repeats more than");
  // 3 to the power 100 and the last integer are limited alike, so that their difference is 0: "as it is".
  const auto limited = [](Model& m) {
    m.ints("a", {3});
    m.ints("n", {100});
    m.node("Pow", {"a", "n"}, "p");
    m.ints("end", {kLast});
    m.node("Abs", {"end"}, "e");
    m.node("Sub", {"p", "e"}, "d");
    m.ints("two", {2});
    m.node("Concat", {"d", "two"}, "c");
  };
  gives(folds(limited), {1, 2});
}
