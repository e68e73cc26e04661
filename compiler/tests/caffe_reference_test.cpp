// The published small Caffe networks: the float interpretation of prototxt and caffemodel agrees
// with their references, before and after the passes. Skipped without the data.
#include <zlib.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "compiler/data/npy.hpp"
#include "compiler/frontend/read_network.hpp"
#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/passes/passes.hpp"
#include "models/common/read_file.hpp"

using namespace dlavp;
using namespace dlavp::compiler;

namespace fs = std::filesystem;

namespace {

std::string inflated(std::string packed, size_t size) {
  std::string out(size, '\0');
  z_stream stream{};
  constexpr int kRaw = -15;
  REQUIRE(inflateInit2(&stream, kRaw) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  REQUIRE(code == Z_STREAM_END);
  return out;
}

/// The arrays of an .npz: a zip archive whose members are stored or deflated.
std::map<std::string, NpyArray> read_npz(const std::string& path) {
  const auto bytes = read_file(path, "npz.open");
  REQUIRE(bytes.ok());
  const std::string& z = *bytes;
  const auto number = [&](size_t at, size_t size) {
    uint64_t v = 0;
    for (size_t i = size; i-- > 0;) v = v << 8U | static_cast<unsigned char>(z.at(at + i));
    return v;
  };
  std::map<std::string, NpyArray> out;
  // The central directory's end record is the last 22 bytes of a file without a comment.
  REQUIRE(z.size() > 22);
  const size_t end = z.size() - 22;
  REQUIRE(number(end, 4) == 0x06054b50);
  size_t at = number(end + 16, 4);
  for (uint64_t i = 0; i < number(end + 10, 2); ++i) {
    const uint64_t method = number(at + 10, 2);
    const size_t packed = number(at + 20, 4);
    const size_t size = number(at + 24, 4);
    const size_t name_size = number(at + 28, 2);
    const size_t local = number(at + 42, 4);
    const std::string name = z.substr(at + 46, name_size);
    const size_t data = local + 30 + number(local + 26, 2) + number(local + 28, 2);
    std::string member = z.substr(data, packed);
    if (method != 0) {
      constexpr uint64_t kDeflated = 8;
      REQUIRE(method == kDeflated);
      member = inflated(z.substr(data, packed), size);
    }
    const auto array = decode_npy(member, name);
    if (!array.ok()) FAIL(array.errors().text());
    out[name.substr(0, name.size() - 4)] = *array;
    at += 46 + name_size + number(at + 30, 2) + number(at + 32, 2);
  }
  return out;
}

double snr(const std::vector<float>& actual, const std::vector<float>& expected) {
  double signal = 0;
  double noise = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    signal += double{expected[i]} * double{expected[i]};
    noise += std::pow(double{actual[i]} - double{expected[i]}, 2);
  }
  return noise == 0 ? 300 : 10 * std::log10(signal / noise);
}

}  // namespace

TEST_CASE("caffe: the published networks give their reference values") {
  const char* given = std::getenv("DLAVP_NVDLA_DATA");
  const fs::path folder = fs::path(given != nullptr ? given : DLAVP_NVDLA_DATA_DEFAULT) / "caffe";
  size_t compared = 0;
  if (fs::is_directory(folder)) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string file = entry.path().filename().string();
      if (file.size() < 8 || file.substr(file.size() - 8) != ".ref.npz") continue;
      const std::string name = file.substr(0, file.size() - 8);
      // Its reference divides windows that the image's end clips by the whole kernel; Caffe, and
      // this front end, by their part inside the padded image.
      if (name == "u_pool_ave") continue;
      INFO(name);
      const auto reference = read_npz(entry.path().string());
      NetworkOptions options;
      options.weights = (folder / (name + ".caffemodel")).string();
      const auto graph = read_network((folder / (name + ".prototxt")).string(), options);
      if (!graph.ok()) FAIL(graph.errors().text());
      Graph after = *graph;
      run_passes(after);
      for (const Graph& g : {*graph, after}) {
        const FloatValues values = interpret_float(g, {reference.at("input").values});
        for (TensorId id = 0; id < g.tensors.size(); ++id) {
          const auto it = reference.find("L_" + g.tensor(id).name);
          // In-place layers share a blob: only the one that the reference names has its values.
          if (it == reference.end() || it->second.values.size() != values[id].size()) continue;
          INFO(g.tensor(id).name);
          REQUIRE(snr(values[id], it->second.values) > 100);
          ++compared;
        }
      }
    }
  }
  if (compared == 0) WARN("skipped: no data");
}
