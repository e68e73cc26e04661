// ONNX import: models built with ONNX's own protobuf classes, good and bad.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "compiler/tests/onnx_builder.hpp"

using namespace dlavp;
using namespace dlavp::compiler;

namespace {

using Model = dlavp::compiler::testing::OnnxBuilder;

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
  REQUIRE(g->nodes.size() == 4);  // the product takes the tensor flat as it lies
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
    m.node("LSTM", {"x"}, "y");
    refused("onnx.operator", "the_LSTM");
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
  SECTION("a node without an output") {
    m.node("Concat", {"x", "x"}, "y")->clear_output();
    refused("onnx.missing", "the node has no output");
  }
  SECTION("initializer with too few values") {
    m.weights("w", {8, 3, 3, 3});
    m.proto.mutable_graph()->mutable_initializer(0)->mutable_float_data()->RemoveLast();
    m.node("Conv", {"x", "w"}, "y");
    refused("onnx.initializer", "215 values");
  }
}

TEST_CASE("onnx: inputs of the wrong kind are refused by name") {
  const auto refused = [](const Model& m, const char* id, const std::string& text) {
    const auto g = m.import();
    REQUIRE(!g.ok());
    INFO(g.errors().text());
    REQUIRE(g.errors().has(id));
    REQUIRE(g.errors().text().find(text) != std::string::npos);
  };
  SECTION("a constant where an activation belongs") {
    Model m;
    m.weights("w", {8, 3, 3, 3});
    m.node("GlobalMaxPool", {"w"}, "y");
    refused(m, "onnx.constant_input", "'w' is a constant");
  }
  SECTION("a constant whose number of elements leaves 64 bits, or has a negative factor") {
    for (const std::vector<int64_t>& dims :
         {std::vector<int64_t>{int64_t{1} << 32, int64_t{1} << 32},
          {-1, 0},
          {12, int64_t{1} << 60}}) {
      Model m;
      m.tensor("w", dims, onnx::TensorProto::FLOAT);
      m.node("Add", {"x", "w"}, "y");
      refused(m, "onnx.initializer", "a negative size or more than 1099511627776 elements");
    }
  }
  SECTION("computed weights") {
    Model m;
    m.node("Relu", {"x"}, "r");
    m.node("Conv", {"x", "r"}, "y");
    refused(m, "onnx.not_constant", "'r' is computed");
  }
  SECTION("one output of two nodes") {
    Model m;
    m.node("Relu", {"x"}, "y");
    m.node("Relu", {"x"}, "y");
    refused(m, "onnx.duplicate", "'y' is produced twice");
  }
  SECTION("a graph without input") {
    Model m;
    m.proto.mutable_graph()->clear_input();
    m.node("Relu", {"x"}, "y");
    refused(m, "onnx.no_input", "no input");
  }
  SECTION("a batch") {
    Model m({4, 3, 6, 6});
    m.node("Relu", {"x"}, "y");
    refused(m, "onnx.batch", "batch 4");
  }
  SECTION("five dimensions") {
    Model m({1, 3, 6, 6, 6});
    m.node("Relu", {"x"}, "y");
    refused(m, "onnx.shape", "5 dimensions, expected 4 (NCHW), 3 (NCL) or 2 (NC)");
  }
  SECTION("a size of zero") {
    Model m({1, 3, 0, 6});
    m.node("Relu", {"x"}, "y");
    refused(m, "onnx.shape", "dimension 2 is 0");
  }
}

TEST_CASE("onnx: Clip between 0 and a bound is a bounded Relu") {
  const auto scalar = [](Model& m, const char* name, float value) {
    auto* t = m.proto.mutable_graph()->add_initializer();
    t->set_name(name);
    t->set_data_type(onnx::TensorProto::FLOAT);
    t->add_float_data(value);
  };
  Model six;
  scalar(six, "low", 0);
  scalar(six, "high", 6);
  six.node("Clip", {"x", "low", "high"}, "y");
  const auto g = six.import();
  if (!g.ok()) FAIL(g.errors().text());
  REQUIRE(g->nodes[0].as<ReluOp>()->max == 6.0F);
  Model below;
  scalar(below, "low", -1);
  scalar(below, "high", 1);
  below.node("Clip", {"x", "low", "high"}, "y");
  const auto both = below.import();
  if (!both.ok()) FAIL(both.errors().text());
  REQUIRE(both->nodes[0].as<UnaryOp>()->steps == UnaryProgram{{UnaryKind::kClip, -1, 1}});
  Model crossed;
  scalar(crossed, "low", 1);
  scalar(crossed, "high", -1);
  crossed.node("Clip", {"x", "low", "high"}, "y");
  REQUIRE(crossed.import().errors().has("onnx.attribute"));
  REQUIRE(crossed.import().errors().text().find("bounds 1 to -1") != std::string::npos);
}

TEST_CASE("onnx: attributes out of range are refused by name") {
  Model m;
  m.weights("w", {8, 3, 3, 3});
  onnx::AttributeProto* a = m.node("Conv", {"x", "w"}, "y")->add_attribute();
  const auto refused = [&](const std::string& text) {
    const auto g = m.import();
    REQUIRE(!g.ok());
    INFO(g.errors().text());
    REQUIRE(g.errors().has("onnx.attribute"));
    REQUIRE(g.errors().text().find("the_Conv") != std::string::npos);
    REQUIRE(g.errors().text().find(text) != std::string::npos);
  };
  SECTION("too few pads") {
    a->set_name("pads");
    for (int64_t p : {1, 1}) a->add_ints(p);
    refused("pads has 2 values, expected 4");
  }
  SECTION("a negative pad") {
    a->set_name("pads");
    for (int64_t p : {0, -1, 0, 0}) a->add_ints(p);
    refused("pads contains -1, expected 0 to 1048576");
  }
  SECTION("a stride of zero") {
    a->set_name("strides");
    for (int64_t p : {0, 1}) a->add_ints(p);
    refused("zero size");
  }
  SECTION("an unknown padding mode") {
    a->set_name("auto_pad");
    a->set_s("SAME");
    refused("auto_pad 'SAME'");
  }
}

TEST_CASE("onnx: files that hold no model are refused with their name") {
  const auto garbage = decode_onnx("\xff\xff\xff\xff\xff", "garbage.onnx");
  REQUIRE(!garbage.ok());
  REQUIRE(garbage.errors().has("onnx.parse"));
  REQUIRE(garbage.errors().text().find("garbage.onnx") == 0);
  REQUIRE(garbage.errors().text().find("5 bytes") != std::string::npos);
  REQUIRE(decode_onnx("", "empty.onnx").errors().has("onnx.empty"));
  const auto missing = read_onnx("no/such/model.onnx");
  REQUIRE(!missing.ok());
  REQUIRE(missing.errors().has("onnx.open"));
  REQUIRE(missing.errors().text().find("no/such/model.onnx") == 0);
  REQUIRE(read_onnx(DLAVP_SOURCE_DIR).errors().has("onnx.open"));  // a folder
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

namespace {

/// A model whose weights are bytes of another file, in a folder of its own.
struct ExternalModel {
  Model m;
  std::filesystem::path folder;
  onnx::TensorProto* weights;

  ExternalModel() {
    folder = std::filesystem::temp_directory_path() /
             fmt::format("dlavp_onnx_{}", static_cast<long>(getpid()));
    std::filesystem::create_directories(folder);
    weights = m.tensor("w", {2, 3, 1, 1}, onnx::TensorProto::FLOAT);
    weights->set_data_location(onnx::TensorProto::EXTERNAL);
    m.node("Conv", {"x", "w"}, "y");
    const float values[] = {9, 1, 2, 3, 4, 5, 6, 9};
    std::ofstream(folder / "weights.bin", std::ios::binary)
        .write(reinterpret_cast<const char*>(values), sizeof values);
  }
  ~ExternalModel() { std::filesystem::remove_all(folder); }
  ExternalModel(const ExternalModel&) = delete;
  ExternalModel& operator=(const ExternalModel&) = delete;

  void entry(const char* key, const char* value) {
    auto* e = weights->add_external_data();
    e->set_key(key);
    e->set_value(value);
  }
  [[nodiscard]] Result<OnnxModel> read() const {
    const std::string path = (folder / "model.onnx").string();
    std::ofstream(path, std::ios::binary) << m.proto.SerializeAsString();
    return read_onnx(path);
  }
  void refused(const std::string& text) const {
    const auto model = read();
    REQUIRE(model.ok());
    const auto g = import_onnx(*model);
    REQUIRE(!g.ok());
    INFO(g.errors().text());
    REQUIRE(g.errors().text().find(text) != std::string::npos);
  }
};

}  // namespace

TEST_CASE("onnx: weights may be bytes of a file beside the model") {
  ExternalModel e;
  e.entry("location", "weights.bin");
  e.entry("offset", "4");
  e.entry("length", "24");
  const auto model = e.read();
  REQUIRE(model.ok());
  REQUIRE(model->initializers.at("w").floats == std::vector<float>{1, 2, 3, 4, 5, 6});
  REQUIRE(import_onnx(*model).ok());
}

TEST_CASE("onnx: weights in a file that does not hold them are refused by name") {
  ExternalModel e;
  SECTION("no such file") {
    e.entry("location", "gone.bin");
    e.refused("gone.bin', which cannot be read");
  }
  SECTION("beyond the folder") {
    e.entry("location", "../weights.bin");
    e.refused("'../weights.bin', which is no path below the model's folder");
  }
  SECTION("no location") { e.refused("'', which is no path below"); }
  SECTION("beyond the end") {
    e.entry("location", "weights.bin");
    e.entry("offset", "12");
    e.entry("length", "24");
    e.refused("bytes '12' and '24' more of");
  }
  SECTION("no number") {
    e.entry("location", "weights.bin");
    e.entry("offset", "-4");
    e.refused("bytes '-4' and '' more of");
  }
  SECTION("of another size") {
    e.entry("location", "weights.bin");
    e.refused("8 values, its shape says 6");
  }
}
