// Caffe import: every layer against values worked out by hand, phases, weights, bad files; the
// published small networks against their float references where the data is there.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "compiler/frontend/caffe_import.hpp"
#include "compiler/frontend/caffe_text.hpp"
#include "compiler/frontend/read_network.hpp"
#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/passes/passes.hpp"

using namespace dlavp;
using namespace dlavp::compiler;

namespace {

/// Protobuf's wire form of one length-delimited field.
std::string field(uint32_t number, const std::string& bytes) {
  const auto varint = [](uint64_t v) {
    std::string out;
    for (; v > 127; v >>= 7U) out += static_cast<char>((v & 127U) | 128U);
    return out + static_cast<char>(v);
  };
  return varint(uint64_t{number} << 3U | 2U) + varint(bytes.size()) + bytes;
}

std::string blob_bytes(const std::vector<char>& dims, const std::vector<float>& values) {
  std::string raw(values.size() * sizeof(float), '\0');
  std::memcpy(raw.data(), values.data(), raw.size());
  return field(7, field(1, std::string(dims.begin(), dims.end()))) + field(5, raw);
}

std::string net(const std::string& layers,
                const std::string& dims = "dim: 1 dim: 2 dim: 2 dim: 3") {
  return "name: 'n' layer { name: 'x' type: 'Input' top: 'x' input_param { shape { " + dims +
         " } } }\n" + layers;
}

std::string layer(const std::string& type, const std::string& rest = "", int number = 0) {
  const std::string name = "l" + std::to_string(number);
  return "layer { name: '" + name + "' type: '" + type + "' bottom: 'x' top: '" + name + "' " +
         rest + " }\n";
}

CaffeBlobs one_blob(std::vector<CaffeBlob> blobs) { return {{"l0", std::move(blobs)}}; }

/// The network's last output for 1, 2, 3, ... as input.
std::vector<float> run(const std::string& prototxt, const CaffeBlobs& blobs = {}) {
  const auto g = import_caffe(prototxt, "test.prototxt", blobs);
  if (!g.ok()) FAIL(g.errors().text());
  std::vector<std::vector<float>> inputs;
  for (TensorId id : g->inputs) {
    inputs.emplace_back(static_cast<size_t>(g->tensor(id).shape.elements()));
    std::iota(inputs.back().begin(), inputs.back().end(), 1.0F);
  }
  return interpret_float(*g, inputs)[g->outputs.back()];
}

void equal(const std::vector<float>& actual, const std::vector<float>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    INFO("element " << i);
    REQUIRE(actual[i] == Approx(expected[i]).margin(1e-5));
  }
}

void refused(const std::string& prototxt, const char* id, const std::string& text,
             const CaffeBlobs& blobs = {}) {
  const auto g = import_caffe(prototxt, "test.prototxt", blobs);
  REQUIRE(!g.ok());
  INFO(g.errors().text());
  REQUIRE(g.errors().has(id));
  REQUIRE(g.errors().text().find(text) != std::string::npos);
}

}  // namespace

TEST_CASE("caffe: convolution, deconvolution and inner product") {
  const CaffeBlobs ones = one_blob({{{2, 2, 1, 1}, {1, 0, 1, 1}}, {{2}, {0, 100}}});
  equal(run(net(layer("Convolution", "convolution_param { num_output: 2 kernel_size: 1 }")), ones),
        {1, 2, 3, 4, 5, 6, 108, 110, 112, 114, 116, 118});
  equal(run(net(layer("Convolution",
                      "convolution_param { num_output: 2 kernel_h: 1 kernel_w: 3 "
                      "group: 2 bias_term: false }")),
            one_blob({{{2, 1, 1, 3}, {1, 0, 1, 0, 1, 0}}})),
        {4, 10, 8, 11});
  equal(run(net(layer("Deconvolution",
                      "convolution_param { num_output: 1 kernel_size: 1 stride: 2 "
                      "bias_term: false }"),
                "dim: 1 dim: 1 dim: 1 dim: 2"),
            one_blob({{{1, 1, 1, 1}, {3}}})),
        {3, 0, 6});
  std::vector<float> matrix(24, 0.0F);
  matrix[0] = 1;
  matrix[23] = 2;
  equal(run(net(layer("InnerProduct", "inner_product_param { num_output: 2 }")),
            one_blob({{{2, 12}, matrix}, {{2}, {0, 1}}})),
        {1, 25});
  std::vector<float> columns(24, 0.0F);
  columns[0] = 1;
  columns[23] = 2;
  equal(run(net(layer("InnerProduct",
                      "inner_product_param { num_output: 2 transpose: true bias_term: false }")),
            one_blob({{{12, 2}, columns}})),
        {1, 24});
}

TEST_CASE("caffe: pooling rounds up and counts padding inside the padded image") {
  const std::string dims = "dim: 1 dim: 1 dim: 1 dim: 4";
  const auto pooling = [](const std::string& p) {
    return layer("Pooling", "pooling_param { " + p + " }");
  };
  equal(run(net(pooling("kernel_h: 1 kernel_w: 3 stride: 2"), dims)), {3, 4});
  equal(run(net(pooling("pool: AVE kernel_h: 1 kernel_w: 3 stride: 2"), dims)), {2, 3.5});
  equal(run(net(pooling("pool: AVE kernel_h: 1 kernel_w: 3 stride: 2 round_mode: FLOOR"), dims)),
        {2});
  equal(run(net(pooling("pool: AVE kernel_h: 1 kernel_w: 3 stride: 2 pad_w: 1"), dims)),
        {1, 3, 2});  // (0+1+2)/3, (2+3+4)/3, (4+0)/2
  equal(run(net(pooling("pool: AVE global_pooling: true"))), {3.5, 9.5});
  equal(run(net(pooling("pool: MAX global_pooling: true"))), {6, 12});
  refused(net(pooling("pool: STOCHASTIC kernel_size: 1")), "caffe.attribute", "STOCHASTIC");
}

TEST_CASE("caffe: normalisation, scale and bias") {
  const CaffeBlobs statistics = one_blob({{{2}, {2, 14}}, {{2}, {8, 8}}, {{1}, {2}}});
  equal(run(net(layer("BatchNorm", "batch_norm_param { eps: 0 }"), "dim: 1 dim: 2 dim: 1 dim: 1"),
            statistics),
        {0, -2.5});
  equal(run(net(layer("Scale", "scale_param { bias_term: true }"), "dim: 1 dim: 2 dim: 1 dim: 2"),
            one_blob({{{2}, {2, 3}}, {{2}, {0, 1}}})),
        {2, 4, 10, 13});
  equal(run(net(layer("Bias"), "dim: 1 dim: 2 dim: 1 dim: 2"), one_blob({{{2}, {10, 20}}})),
        {11, 12, 23, 24});
  const std::string pooled =
      "layer { name: 'p' type: 'Pooling' bottom: 'x' top: 'p' pooling_param { "
      "pool: MAX global_pooling: true } }\n";
  equal(run(net(pooled + "layer { name: 's' type: 'Scale' bottom: 'x' bottom: 'p' top: 's' "
                         "scale_param { axis: 0 } }",
                "dim: 1 dim: 2 dim: 1 dim: 2")),
        {2, 4, 12, 16});
  equal(run(net(layer("LRN", "lrn_param { local_size: 3 alpha: 3 beta: 1 k: 1 }"),
                "dim: 1 dim: 3 dim: 1 dim: 1")),
        {1.0F / 6, 2.0F / 15, 3.0F / 14});
  equal(run(net(layer("LRN",
                      "lrn_param { local_size: 3 alpha: 9 beta: 1 norm_region: "
                      "WITHIN_CHANNEL }"),
                "dim: 1 dim: 1 dim: 1 dim: 3")),
        {1.0F / 6, 2.0F / 15, 3.0F / 14});
}

TEST_CASE("caffe: functions of one value") {
  const std::string dims = "dim: 1 dim: 1 dim: 1 dim: 2";
  // -1, then the layer, of 1 and 2 shifted by -2: -1 and 0.
  const auto of = [&](const std::string& type, const std::string& rest = "",
                      const CaffeBlobs& blobs = {}) {
    const std::string shift =
        "layer { name: 'm' type: 'Power' bottom: 'x' top: 'x' power_param { shift: -2 } }\n";
    return run(net(shift + layer(type, rest), dims), blobs);
  };
  equal(of("ReLU"), {0, 0});
  equal(of("ReLU", "relu_param { negative_slope: 0.5 }"), {-0.5, 0});
  equal(of("PReLU", "", one_blob({{{1}, {0.25}}})), {-0.25, 0});
  equal(of("Sigmoid"), {0.268941F, 0.5});
  equal(of("TanH"), {-0.761594F, 0});
  equal(of("ELU", "elu_param { alpha: 2 }"), {-1.264241F, 0});
  equal(of("AbsVal"), {1, 0});
  equal(of("BNLL"), {0.313262F, 0.693147F});
  equal(of("Swish"), {-0.268941F, 0});
  equal(of("ReLU6"), {0, 0});
  equal(of("Power", "power_param { power: 2 scale: 3 shift: 1 }"), {4, 1});
  equal(of("Exp"), {0.367879F, 1});
  equal(of("Exp", "exp_param { base: 2 shift: 1 }"), {1, 2});
  equal(of("Log", "log_param { base: 2 shift: 2 }"), {0, 1});
  equal(of("Dropout"), {-1, 0});
}

TEST_CASE("caffe: operators on several blobs") {
  const std::string half =
      "layer { name: 'h' type: 'Power' bottom: 'x' top: 'h' power_param { scale: 0.5 } }\n";
  const auto both = [&](const std::string& type, const std::string& rest) {
    return net(half + "layer { name: 'b' type: '" + type + "' bottom: 'x' bottom: 'h' top: 'b' " +
                   rest + " }",
               "dim: 1 dim: 2 dim: 1 dim: 1");
  };
  equal(run(both("Eltwise", "")), {1.5, 3});
  equal(run(both("Eltwise", "eltwise_param { operation: SUM coeff: 1 coeff: -2 }")), {0, 0});
  equal(run(both("Eltwise", "eltwise_param { operation: PROD }")), {0.5, 2});
  equal(run(both("Eltwise", "eltwise_param { operation: MAX }")), {1, 2});
  equal(run(both("Concat", "")), {1, 2, 0.5, 1});
  equal(run(both("Concat", "concat_param { axis: 2 }")), {1, 0.5, 2, 1});
  refused(both("Eltwise", "eltwise_param { operation: PROD coeff: 1 coeff: 2 }"), "caffe.attribute",
          "coefficients");
  const std::string sliced =
      "layer { name: 's' type: 'Slice' bottom: 'x' top: 'a' top: 'b' slice_param { slice_point: 1 "
      "} "
      "}\nlayer { name: 'q' type: 'Silence' bottom: 'a' }";
  equal(run(net(sliced)), {7, 8, 9, 10, 11, 12});
  const std::string cropped =
      "layer { name: 'p' type: 'Pooling' bottom: 'x' top: 'p' pooling_param { kernel_size: 2 } }\n"
      "layer { name: 'c' type: 'Crop' bottom: 'x' bottom: 'p' top: 'c' crop_param { axis: 2 "
      "offset: "
      "1 } }";
  equal(run(net(cropped)), {5, 6, 11, 12});
}

TEST_CASE("caffe: layouts, softmax and reductions") {
  equal(run(net(layer("Permute", "permute_param { order: 0 order: 2 order: 3 order: 1 }"))),
        {1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 12});
  equal(run(net(layer("Reshape", "reshape_param { shape { dim: 0 dim: 3 dim: -1 dim: 1 } }"))),
        {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  equal(run(net(layer("Flatten"))), {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  equal(run(net(layer("ArgMax"), "dim: 1 dim: 4")), {3});
  equal(run(net(layer("Reduction", "reduction_param { operation: MEAN axis: 1 coeff: 2 }"))), {13});
  equal(run(net(layer("Upsample", "upsample_param { scale: 2 }"), "dim: 1 dim: 1 dim: 1 dim: 2")),
        {1, 1, 2, 2, 1, 1, 2, 2});
  equal(run(net(layer("Softmax"), "dim: 1 dim: 2")), {0.268941F, 0.731059F});
  equal(
      run(net("layer { name: 'l0' type: 'Split' bottom: 'x' top: 'a' top: 'b' }", "dim: 1 dim: 2")),
      {1, 2});
}

TEST_CASE("caffe: layers of the training phase are left out, losses become what they train") {
  const std::string text = net(layer("ReLU", "include { phase: TRAIN }", 1) +
                                   "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'x' }\n" +
                                   layer("Accuracy", "exclude { phase: TEST }", 2),
                               "dim: 1 dim: 2");
  equal(run(text), {0.268941F, 0.731059F});
}

TEST_CASE("caffe: the older generation of files is read") {
  equal(run("input: 'data' input_dim: 1 input_dim: 2 input_dim: 1 input_dim: 1\n"
            "layers { name: 'r' type: RELU bottom: 'data' top: 'data' }"),
        {1, 2});
  const auto blobs = decode_caffemodel(
      field(2, field(4, "r") + field(6, std::string("\x08\x01\x10\x01\x18\x01\x20\x02", 8) +
                                            field(5, std::string(8, '\0')))),
      "old.caffemodel");
  if (!blobs.ok()) FAIL(blobs.errors().text());
  REQUIRE(blobs->at("r")[0].dims == std::vector<int64_t>{1, 1, 1, 2});
}

TEST_CASE("caffe: bad prototxts are refused with file and line") {
  refused("layer {\n name: 'a'", "caffe.syntax", "test.prototxt:2");
  refused("layer { name: 'a }", "caffe.syntax", "without an end");
  refused("layer { name 'a' }", "caffe.syntax", "after 'name'");
  refused("layer { } }", "caffe.syntax", "'}'");
  refused("name: 'n' 5", "caffe.syntax", "after '5'");
  refused(net("\n" + layer("Python")), "caffe.layer", "test.prototxt:3: layer 'l0'");
  refused(net(layer("Slice", "slice_param { slice_point: 1 }")), "caffe.attribute", "slice points");
  refused(net("layer { name: 'r' type: 'ReLU' bottom: 'gone' top: 'r' }"), "caffe.missing", "gone");
  refused(net(layer("Convolution", "convolution_param { num_output: one kernel_size: 1 }")),
          "caffe.attribute", "'one'");
  refused(net(layer("ReLU"), "dim: 1 dim: 2 dim: 3 dim: 4 dim: 5"), "caffe.shape", "5 dimensions");
  refused("layer { name: 'x' type: 'Input' top: 'x' }", "caffe.shape", "no shape");
  refused("", "caffe.missing", "0 layers");
}

TEST_CASE("caffe: weights that are missing or of another size are refused; a seed makes them up") {
  const std::string text =
      net(layer("Convolution", "convolution_param { num_output: 2 kernel_size: 1 }"));
  refused(text, "caffe.weights", "no weights for blob 0 of [2x2x1x1]");
  refused(text, "caffe.weights", "blob 0 is [2x3]", one_blob({{{2, 3}, {1, 2, 3, 4, 5, 6}}}));
  CaffeOptions options;
  options.weights_seed = 7;
  const auto a = import_caffe(text, "test", {}, options);
  const auto b = import_caffe(text, "test", {}, options);
  if (!a.ok()) FAIL(a.errors().text());
  REQUIRE(a->notes.size() == 1);
  REQUIRE(a->notes[0].find("2 blobs have made-up weights (seed 7)") == 0);
  REQUIRE(a->tensor(a->nodes[0].inputs[1]).values == b->tensor(b->nodes[0].inputs[1]).values);
  options.weights_seed = 8;
  const auto c = import_caffe(text, "test", {}, options);
  REQUIRE(a->tensor(a->nodes[0].inputs[1]).values != c->tensor(c->nodes[0].inputs[1]).values);
}

TEST_CASE("caffe: weight files are read, and refused when they are none") {
  const std::string model =
      field(100, field(1, "l0") + field(2, "Scale") + field(7, blob_bytes({2}, {1.5, 2.5})));
  const auto blobs = decode_caffemodel(model, "a.caffemodel");
  if (!blobs.ok()) FAIL(blobs.errors().text());
  REQUIRE(blobs->at("l0")[0].values == std::vector<float>{1.5, 2.5});
  const auto bad = [](const std::string& bytes, const std::string& text) {
    const auto r = decode_caffemodel(bytes, "a.caffemodel");
    REQUIRE(!r.ok());
    INFO(r.errors().text());
    REQUIRE(r.errors().has("caffe.weights"));
    REQUIRE(r.errors().text().find(text) != std::string::npos);
  };
  bad("", "no layer");
  bad(field(100, field(1, "l0") + field(7, blob_bytes({3}, {1, 2}))), "[3] with 2 values");
  bad("\xff\xff", "truncated");
  for (size_t n = 0; n < model.size(); ++n) {  // a cut file is an error or empty, never a crash
    const auto cut = decode_caffemodel(model.substr(0, n), "cut");
    REQUIRE((!cut.ok() || n == 0));
  }
  REQUIRE(read_caffemodel("no/such.caffemodel").errors().has("caffe.open"));
  REQUIRE(read_network("no/such.prototxt").errors().has("caffe.open"));
}

TEST_CASE("caffe: options that do not belong to the kind of file are refused") {
  REQUIRE(read_network("a.caffemodel").errors().has("network.option"));
  NetworkOptions options;
  options.weights_seed = 1;
  REQUIRE(read_network("a.onnx", options).errors().has("network.option"));
}
