// ONNX import: models built with ONNX's own protobuf classes, good and bad.
#include <onnx/onnx_pb.h>

#include <catch2/catch.hpp>

#include "compiler/frontend/onnx_import.hpp"

using namespace dlavp;
using namespace dlavp::compiler;

namespace {

struct Model {
  onnx::ModelProto proto;

  explicit Model(std::vector<int64_t> shape = {1, 3, 6, 6}) {
    proto.set_ir_version(7);
    proto.add_opset_import()->set_version(13);
    proto.mutable_graph()->set_name("net");
    auto* in = proto.mutable_graph()->add_input();
    in->set_name("x");
    auto* type = in->mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx::TensorProto::FLOAT);
    for (int64_t d : shape) type->mutable_shape()->add_dim()->set_dim_value(d);
    proto.mutable_graph()->add_output()->set_name("y");
  }
  void weights(const std::string& name, std::vector<int64_t> dims) {
    auto* t = proto.mutable_graph()->add_initializer();
    t->set_name(name);
    t->set_data_type(onnx::TensorProto::FLOAT);
    int64_t n = 1;
    for (int64_t d : dims) {
      t->add_dims(d);
      n *= d;
    }
    for (int64_t i = 0; i < n; ++i) t->add_float_data(0.25F);
  }
  onnx::NodeProto* node(const std::string& op, std::vector<std::string> inputs,
                        const std::string& output) {
    auto* n = proto.mutable_graph()->add_node();
    n->set_op_type(op);
    n->set_name("the_" + op);
    for (const auto& i : inputs) n->add_input(i);
    n->add_output(output);
    return n;
  }
  [[nodiscard]] Result<Graph> import() const {
    auto model = decode_onnx(proto.SerializeAsString(), "test");
    if (!model.ok()) return model.errors();
    return import_onnx(model.value());
  }
};

}  // namespace

TEST_CASE("onnx: a convolution with pads and strides gets its shape") {
  Model m;
  m.weights("w", {8, 3, 3, 3});
  auto* pads = m.node("Conv", {"x", "w"}, "y")->add_attribute();
  pads->set_name("pads");
  for (int64_t p : {0, 1, 1, 0}) pads->add_ints(p);
  const auto g = m.import();
  REQUIRE(g.ok());
  REQUIRE(g->tensor(g->outputs[0]).shape == Shape{1, 8, 5, 5});
}

TEST_CASE("onnx: a multilayer chain with flatten, matmul, bias and softmax is imported") {
  Model m;
  m.weights("w", {108, 10});
  m.weights("b", {10});
  m.node("Relu", {"x"}, "r");
  m.node("Flatten", {"r"}, "f");
  m.node("MatMul", {"f", "w"}, "m");
  m.node("Add", {"m", "b"}, "a");
  m.node("Softmax", {"a"}, "y");
  const auto g = m.import();
  if (!g.ok()) FAIL(g.errors().text());
  REQUIRE(g->nodes.size() == 5);
  REQUIRE(g->tensor(g->outputs[0]).shape == Shape{1, 10, 1, 1});
}

TEST_CASE("onnx: bad models are refused by name") {
  Model m;
  const auto refused = [&](const char* id, const std::string& text) {
    const auto g = m.import();
    REQUIRE(!g.ok());
    INFO(g.errors().text());
    REQUIRE(g.errors().has(id));
    REQUIRE(g.errors().text().find(text) != std::string::npos);
  };
  SECTION("unsupported operator") {
    m.node("LRN", {"x"}, "y");
    refused("onnx.operator", "the_LRN");
  }
  SECTION("missing initializer") {
    m.node("Conv", {"x", "gone"}, "y");
    refused("onnx.missing", "gone");
  }
  SECTION("dynamic dimension") {
    m.node("Relu", {"x"}, "y");
    auto* dim = m.proto.mutable_graph()
                    ->mutable_input(0)
                    ->mutable_type()
                    ->mutable_tensor_type()
                    ->mutable_shape()
                    ->mutable_dim(2);
    dim->set_dim_param("image_rows");
    refused("onnx.dynamic_shape", "image_rows");
  }
  SECTION("opset") {
    m.node("Relu", {"x"}, "y");
    m.proto.mutable_opset_import(0)->set_version(6);
    refused("onnx.opset", "7 to 17");
  }
  SECTION("weights of another size") {
    m.weights("w", {8, 4, 3, 3});
    m.node("Conv", {"x", "w"}, "y");
    refused("ir.weight_shape", "8x4x3x3");
  }
  SECTION("initializer with too few values") {
    m.weights("w", {8, 3, 3, 3});
    m.proto.mutable_graph()->mutable_initializer(0)->mutable_float_data()->RemoveLast();
    m.node("Conv", {"x", "w"}, "y");
    refused("onnx.initializer", "215 values");
  }
}

TEST_CASE("onnx: a truncated file is refused or still a whole model, never a crash") {
  Model m;
  m.weights("w", {8, 3, 3, 3});
  m.node("Conv", {"x", "w"}, "y");
  const std::string bytes = m.proto.SerializeAsString();
  size_t refused = 0;
  for (size_t n = 0; n < bytes.size(); ++n) {
    auto model = decode_onnx(bytes.substr(0, n), "test");
    if (!model.ok() || !import_onnx(model.value()).ok()) ++refused;
  }
  REQUIRE(refused + 16 > bytes.size());
}
