// Files of samples: .npy in its element types, images, folders, and what is wrong with bad ones.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "compiler/data/npy.hpp"
#include "compiler/data/samples.hpp"
#include "compiler/quantise/scale_table.hpp"
#include "compiler/tests/networks.hpp"

using namespace dlavp;
using namespace dlavp::compiler;
using dlavp::compiler::testing::NetworkBuilder;

namespace {

namespace fs = std::filesystem;

/// A folder of its own for each test, removed at its end.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / fmt::format("dlavp_data_test_{}", getpid())) {
    fs::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return (path_ / name).string();
  }
  [[nodiscard]] std::string text() const { return path_.string(); }

 private:
  fs::path path_;
};

Graph network(Shape shape) {
  NetworkBuilder b(1);
  return b.finish(b.relu(b.input(shape)));
}

std::string npy(const std::string& header, const std::string& data) {
  std::string out("\x93NUMPY\x01\x00", 8);
  out += static_cast<char>(header.size());
  out += '\0';
  return out + header + data;
}

template <typename T>
void refused(const Result<T>& result, const char* id, const std::string& text) {
  REQUIRE(!result.ok());
  INFO(result.errors().text());
  REQUIRE(result.errors().has(id));
  REQUIRE(result.errors().text().find(text) != std::string::npos);
}

}  // namespace

TEST_CASE("npy: what is written is read back") {
  const auto array = decode_npy(encode_npy({1, 2, 3}, {1, -2, 3, -4, 5, -128}), "a.npy");
  REQUIRE(array.ok());
  REQUIRE(array->shape == std::vector<size_t>{1, 2, 3});
  REQUIRE(array->values == std::vector<float>{1, -2, 3, -4, 5, -128});
}

TEST_CASE("npy: broken arrays are refused with the file's name and what is wrong") {
  refused(decode_npy("P5 8 8 255", "a.npy"), "npy.format", "a.npy: not a .npy array");
  const std::string good = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", "abcd");
  REQUIRE(decode_npy(good, "a.npy").ok());
  refused(decode_npy(good.substr(0, 30), "a.npy"), "npy.format", "header is truncated");
  refused(decode_npy(good.substr(0, good.size() - 1), "a.npy"), "npy.format",
          "3 bytes of data, 4 expected for 4");
  refused(decode_npy(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (4,), }", "abcd"), "a"),
          "npy.format", "Fortran order");
  refused(decode_npy(npy("{'descr': '|u1', 'shape': (99999999, 99999999), }", ""), "a"),
          "npy.format", "too large");
  refused(decode_npy(npy("{'descr': '|u1', }", ""), "a"), "npy.format", "no shape");
  refused(decode_npy(npy("{'descr': '>f4', 'shape': (1,), }", "abcd"), "a"), "npy.type", "'>f4'");
  refused(decode_npy(npy("{'descr': '<c8', 'shape': (1,), }", "abcdabcd"), "a"), "npy.type", "c8");
  refused(read_npy("no/such/array.npy"), "npy.open", "no/such/array.npy: cannot be opened");
}

TEST_CASE("samples: a batch of arrays and a folder of them are read") {
  const Folder folder;
  const Graph g = network({1, 1, 2, 2});
  const std::string one = encode_npy({1, 2, 2}, {1, 2, 3, 4});
  const std::string path = folder.file("b.npy", encode_npy({2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  REQUIRE(load_samples(g, path)->size() == 2);
  static_cast<void>(folder.file("c.npy", one));
  const auto all = load_samples(g, folder.text());
  REQUIRE(all.ok());
  REQUIRE(all->size() == 3);
  REQUIRE((*all)[1][0] == std::vector<float>{5, 6, 7, 8});
}

TEST_CASE("samples: wrong files are refused with their name and both sizes") {
  const Folder folder;
  const Graph g = network({1, 1, 2, 2});
  refused(load_samples(g, folder.text()), "calibrate.path", "has no .npy");
  refused(load_samples(g, "no/such/folder"), "calibrate.path", "no/such/folder: does not exist");
  refused(load_samples(g, folder.file("a.npy", encode_npy({3}, {1, 2, 3}))), "calibrate.shape",
          "shape 3, the network takes 1x1x2x2");
  const std::string picture = folder.file("p.pgm", std::string("P5 3 1 255\n") + "abc");
  refused(load_samples(g, picture), "calibrate.shape",
          "image 1x3 (height x width), the network takes 2x2");
  refused(load_samples(g, folder.file("q.png", "no picture")), "image.read", "q.png");
  refused(load_samples(network({1, 7, 1, 3}), picture), "calibrate.shape", "7 channels");
  NetworkBuilder b(1);
  const TensorId x = b.input({1, 1, 2, 2});
  b.graph().inputs.push_back(b.graph().add_tensor("second", {1, 1, 2, 2}));
  refused(load_samples(b.finish(b.sum(x, b.graph().inputs[1])), picture), "calibrate.inputs",
          "2 inputs");
}

TEST_CASE(
    "scale table: entries name inputs, nodes or tensors, and come back from a calibrated graph") {
  NetworkBuilder b(2);
  Graph g = b.finish(b.relu(b.input({1, 2, 2, 2})));
  const auto table = decode_scale_table(
      R"({"input": {"scale": 0.5, "min": 0, "max": 0, "offset": 0}, "n0": {"scale": 0.25}})", "t");
  REQUIRE(table.ok());
  REQUIRE(apply_scale_table(g, *table, "t").value() == 2);
  REQUIRE(calibrate(g, b.samples(1), {}).ok());
  REQUIRE(g.tensor(g.inputs[0]).quantisation == Quantisation{0.5});
  REQUIRE(g.tensor(g.outputs[0]).quantisation == Quantisation{0.25});
  const auto back = decode_scale_table(encode_scale_table(g), "back");
  REQUIRE(back.ok());
  REQUIRE(back->at("input") == Quantisation{0.5});
}

TEST_CASE("scale table: broken tables are refused with what they say") {
  Graph g = network({1, 1, 2, 2});
  refused(decode_scale_table("[]", "t.json"), "calibrate.table", "is no JSON object");
  refused(decode_scale_table(R"({"a": {"scale": -1}})", "t.json"), "calibrate.table",
          "'a': scale -1");
  refused(apply_scale_table(g, {{"other", {1.0}}}, "t.json"), "calibrate.table",
          "none of its 1 entries");
  refused(read_scale_table("no/such/table.json"), "calibrate.open", "no/such/table.json");
}

TEST_CASE("calibrate: entropy and percentile clip a rare outlier, min-max does not") {
  NetworkBuilder b(3);
  const Graph g = b.finish(b.relu(b.input({1, 1, 100, 100})));
  Samples samples = b.samples(1);
  samples[0][0][0] = 40;
  const auto scale_by = [&](CalibrationMethod method) {
    Graph copy = g;
    CalibrationOptions options;
    options.method = method;
    options.percentile = 0.999;
    options.zero_points = false;
    REQUIRE(calibrate(copy, samples, options).ok());
    return copy.tensor(copy.inputs[0]).quantisation->scale * 127;
  };
  REQUIRE(scale_by(CalibrationMethod::kMinMax) == Approx(40));
  REQUIRE(scale_by(CalibrationMethod::kPercentile) < 1.1);
  REQUIRE(scale_by(CalibrationMethod::kEntropy) < 4);
}
