// Reading networks and turning files into tensors: layouts, scales, and every wrong input by name.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "compiler/loadable/tests/small_loadable.hpp"
#include "vp/host/npy.hpp"
#include "vp/host/tensor_io.hpp"

namespace dlavp::vp {

namespace {

std::filesystem::path scratch(const std::string& name) {
  const auto folder = std::filesystem::temp_directory_path() / "dlavp_host_io_test";
  std::filesystem::create_directories(folder);
  return folder / name;
}

std::filesystem::path write(const std::string& name, const std::string& bytes) {
  std::ofstream(scratch(name), std::ios::binary) << bytes;
  return scratch(name);
}

IoTensor image_tensor(uint32_t format, uint32_t width, uint32_t height, uint32_t line) {
  IoTensor t;
  t.name = "data";
  t.described = true;
  t.pixel_format = format;
  t.channels = format == 0 ? 1 : 4;
  t.width = width;
  t.height = height;
  t.line_bytes = line;
  t.bytes = uint64_t{line} * height;
  return t;
}

IoTensor feature_tensor(uint32_t channels, uint32_t width, uint32_t height) {
  IoTensor t = image_tensor(36, width, height, width * 8);
  t.feature = true;
  t.channels = channels;
  t.surface_bytes = t.line_bytes * height;
  t.bytes = uint64_t{t.surface_bytes} * ((channels + 7) / 8);
  return t;
}

const std::string kPgm("P5\n2 2\n255\n\x00\x7f\x80\xff", 15);

}  // namespace

/// A .npy file of one row of floats.
std::string npy_of_floats(const std::vector<float>& values) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                       std::to_string(values.size()) + ",), }";
  header.resize(117, ' ');
  header += '\n';
  const auto* bytes = reinterpret_cast<const char*>(values.data());
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header +
         std::string(bytes, values.size() * sizeof(float));
}

TEST_CASE("host: a grey picture fills an R8 image line by line") {
  const auto bytes = load_input(write("a.pgm", kPgm), image_tensor(0, 2, 2, 8));
  REQUIRE(bytes);
  CHECK(*bytes == std::vector<uint8_t>{0, 0x7f, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("host: packed pixels have their channels in the order of the format") {
  const auto picture = write("a.ppm", std::string("P6\n1 1\n255\n\x01\x02\x03", 14));
  CHECK(*load_input(picture, image_tensor(12, 1, 1, 8)) ==
        std::vector<uint8_t>{1, 2, 3, 0, 0, 0, 0, 0});
  CHECK(*load_input(picture, image_tensor(13, 1, 1, 8)) ==
        std::vector<uint8_t>{3, 2, 1, 0, 0, 0, 0, 0});
  CHECK(*load_input(picture, image_tensor(14, 1, 1, 8)) ==
        std::vector<uint8_t>{0, 1, 2, 3, 0, 0, 0, 0});
  CHECK(*load_input(picture, image_tensor(15, 1, 1, 8)) ==
        std::vector<uint8_t>{0, 3, 2, 1, 0, 0, 0, 0});
}

TEST_CASE("host: a grey picture serves all colours of a colour network, one of a grey network") {
  const auto picture = write("g.pgm", std::string("P5\n1 1\n255\n\x09", 12));
  IoTensor t = image_tensor(12, 1, 1, 4);
  CHECK(*load_input(picture, t) == std::vector<uint8_t>{9, 9, 9, 0});
  t.network_channels = 1;
  CHECK(*load_input(picture, t) == std::vector<uint8_t>{9, 0, 0, 0});
}

TEST_CASE("host: pixels become int8 features by mean and scale") {
  IoTensor t = feature_tensor(1, 2, 2);
  t.scale = 2.0F;
  t.mean = {128};
  const auto bytes = load_input(write("b.pgm", kPgm), t);
  REQUIRE(bytes);
  // (0 - 128) / 2, (127 - 128) / 2 away from zero, 0, (255 - 128) / 2
  CHECK(unpack_output(t, *bytes) == std::vector<int8_t>{-64, -1, 0, 64});
}

TEST_CASE("host: real values become pixels by scale and zero point, what is beyond saturates") {
  IoTensor t = image_tensor(12, 3, 1, 16);
  t.network_channels = 1;
  t.scale = 0.5F;
  t.zero_point = 100;
  const auto file = write("r.npy", npy_of_floats({-2.0F, 0.0F, 90.0F}));
  CHECK(*load_input(file, t) ==
        std::vector<uint8_t>{96, 0, 0, 0, 100, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("host: stored values lie where the same values from a file do") {
  IoTensor image = image_tensor(12, 2, 1, 8);
  image.network_channels = 3;
  CHECK(pack_stored(image, std::vector<uint8_t>{1, 2, 3, 4, 5, 6}) ==
        std::vector<uint8_t>{1, 3, 5, 0, 2, 4, 6, 0});
  const IoTensor feature = feature_tensor(9, 1, 2);
  const std::vector<uint8_t> values{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 255};
  const auto back = unpack_output(feature, pack_stored(feature, values));
  REQUIRE(back.size() == values.size());
  for (size_t i = 0; i < back.size(); ++i) CHECK(static_cast<uint8_t>(back[i]) == values[i]);
}

TEST_CASE("host: an int8 array survives the way through NC/xHWx and back") {
  const IoTensor t = feature_tensor(11, 3, 2);
  std::vector<int8_t> values(66);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int8_t>(i * 3 - 90);
  REQUIRE(save_npy(scratch("c.npy"), {1, 11, 2, 3}, values).empty());
  const auto bytes = load_input(scratch("c.npy"), t);
  REQUIRE(bytes);
  CHECK(bytes->size() == 96);
  CHECK(unpack_output(t, *bytes) == values);
  CHECK(save_output(scratch("d.npy"), t, *bytes).empty());
  CHECK(load_npy(scratch("d.npy"))->shape == std::vector<uint64_t>{11, 2, 3});
}

TEST_CASE("host: each item of a batch is an input of its own") {
  const IoTensor t = feature_tensor(2, 1, 2);
  REQUIRE(save_npy(scratch("batch.npy"), {3, 2, 2, 1},
                   std::vector<int8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
              .empty());
  REQUIRE(inputs_in(scratch("batch.npy")) == 3);
  REQUIRE(inputs_in(scratch("none.npy")) == 1);
  CHECK(unpack_output(t, *load_input(scratch("batch.npy"), t, 0)) ==
        std::vector<int8_t>{1, 2, 3, 4});
  CHECK(unpack_output(t, *load_input(scratch("batch.npy"), t, 2)) ==
        std::vector<int8_t>{9, 10, 11, 12});
  const auto beyond = load_input(scratch("batch.npy"), t, 3);
  REQUIRE_FALSE(beyond);
  CHECK(beyond.errors().has("run.input"));
}

TEST_CASE("host: wrong inputs are refused with the file and both sizes") {
  const IoTensor t = image_tensor(0, 3, 2, 8);
  const auto message = [&](const std::filesystem::path& file) {
    const auto r = load_input(file, t);
    REQUIRE_FALSE(r);
    return r.errors().errors()[0].text();
  };
  CHECK_THAT(message(scratch("none.pgm")), Catch::Contains("cannot open"));
  CHECK_THAT(message(write("a.pgm", kPgm)), Catch::Contains("2 x 2 pixels, input data has 3 x 2"));
  CHECK_THAT(message(write("text.png", "no picture")), Catch::Contains("cannot read this picture"));
  CHECK_THAT(message(write("short.raw", "abc")), Catch::Contains("3 bytes, input data has 16"));
  CHECK_THAT(message(write("short.dimg", "abc")), Catch::Contains("no .dimg"));
  CHECK_THAT(message(write("text.npy", "not an array")), Catch::Contains("npy.header"));
  CHECK_THAT(message(write("cut.npy", std::string("\x93NUMPY\x01\x00\xff\x00{", 11) + "  ")),
             Catch::Contains("cut"));
}

TEST_CASE("host: arrays that are not there or not whole are refused by name") {
  CHECK(load_npy(scratch("none.npy")).errors().has("npy.file"));
  REQUIRE(save_npy(scratch("e.npy"), {4}, std::vector<int8_t>{1, 2, 3}).empty());
  CHECK(load_npy(scratch("e.npy")).errors().has("npy.size"));
}

TEST_CASE("host: a network's tensors, scales and labels are read from the loadable") {
  auto l = loadable::testing::small_loadable();
  const std::string info =
      R"({"config":"nv_small","inputs":[{"bind_id":0,"scale":0.5,"mean":[3],"shape":[1,8,4,4]}],)"
      R"("outputs":[{"bind_id":0,"name":"pooled","scale":0.25}],)"
      R"("operations":[{"task":0,"index":0,"name":"pool1","macs":12}],"labels":["a","b"]})";
  l.blobs.push_back({"dlavp-info", 0, 0, {}, {info.begin(), info.end()}});
  const auto network = read_network(write_loadable(l), "test");
  REQUIRE(network);
  REQUIRE(network->inputs.size() == 1);
  REQUIRE(network->outputs.size() == 1);
  CHECK(network->inputs[0].scale == 0.5F);
  CHECK(network->inputs[0].feature);
  CHECK(network->outputs[0].name == "pooled");
  CHECK(network->operation(0, 0)->name == "pool1");
  CHECK(network->operation(0, 1) == nullptr);
  CHECK(network->labels.size() == 2);
  HwConfig hw;
  hw.name = "nv_large";
  CHECK(check_config(*network, hw, "test").has("run.config"));
  hw.name = "nv_small";
  CHECK(check_config(*network, hw, "test").empty());
}

TEST_CASE(
    "host: a loadable without information shows its configuration by the atoms of its tensors") {
  const auto network = read_network(write_loadable(loadable::testing::small_loadable()), "test");
  REQUIRE(network);
  HwConfig hw;
  hw.name = "nv_large";
  hw.memory_atomic_size = 32;
  CHECK(check_config(*network, hw, "test").has("run.config"));
  hw.memory_atomic_size = 8;
  CHECK(check_config(*network, hw, "test").empty());
}

TEST_CASE("host: a broken loadable or broken information is an error by name") {
  CHECK(read_network(std::vector<uint8_t>(40, 0xff), "test").errors().has("loadable.container"));
  auto l = loadable::testing::small_loadable();
  l.blobs.push_back({"dlavp-info", 0, 0, {}, {'{'}});
  CHECK(read_network(write_loadable(l), "test").errors().has("run.info"));
}

}  // namespace dlavp::vp
