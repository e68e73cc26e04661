// The reference interpreter itself: its arithmetic on known cases, a pooling done by hand, its
// refusals, and the published goldens of NVIDIA's regression loadables.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "compiler/loadable/tests/small_loadable.hpp"
#include "tests/reference/loadable_ops.hpp"

using namespace dlavp;
using namespace dlavp::reference;
using loadable::testing::small_loadable;
namespace fs = std::filesystem;

namespace {

constexpr Machine kSmall{8, 8, 8};

std::vector<uint8_t> bytes_of_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

fs::path data_folder() {
  const char* set = std::getenv("DLAVP_NVDLA_DATA");
  return set != nullptr ? set : DLAVP_NVDLA_DATA_DEFAULT;
}

/// A golden image: its values lie channel by channel and were read from the output as if the atom
/// were 32 bytes, whatever the configuration.
struct Golden {
  uint32_t width = 0, height = 0, channels = 0, line = 0, surface = 0;
  std::vector<uint8_t> values;
};

Golden read_golden(const fs::path& path) {
  const std::vector<uint8_t> file = bytes_of_file(path);
  uint32_t header[9];
  REQUIRE(file.size() > sizeof(header));
  std::memcpy(header, file.data(), sizeof(header));
  REQUIRE(header[0] == 0x474d4944);
  return {header[3], header[4], header[5],
          header[6], header[7], {file.begin() + sizeof(header), file.end()}};
}

size_t differences(const Golden& g, const std::vector<uint8_t>& out) {
  constexpr uint32_t kAtom = 32;
  size_t different = 0;
  for (uint32_t c = 0; c < g.channels; ++c)
    for (uint32_t y = 0; y < g.height; ++y)
      for (uint32_t x = 0; x < g.width; ++x) {
        const size_t at =
            size_t{c / kAtom} * g.surface + size_t{y} * g.line + x * kAtom + c % kAtom;
        const size_t in_golden = (size_t{c} * g.height + y) * g.width + x;
        if (at >= out.size() || out[at] != g.values[in_golden]) ++different;
      }
  return different;
}

void check_regression(const std::string& folder, const std::string& name, const char* config) {
  const fs::path root = data_folder() / "kmd_loadables";
  if (!fs::exists(root)) {
    std::cout << "skipped: no data\n";
    return;
  }
  const auto l = loadable::read_loadable(bytes_of_file(root / folder / (name + "_fbuf")));
  REQUIRE(l.ok());
  LoadableInterpreter interpreter(*l, *machine_named(config));
  const Diagnostics errors = interpreter.run();
  INFO(errors.text());
  REQUIRE(errors.empty());
  size_t compared = 0;
  for (const auto& entry : fs::directory_iterator(root / "golden"))
    if (entry.path().filename().string().starts_with(name + "_")) {
      const Golden golden = read_golden(entry.path() / "dla" / "o_000000.dimg");
      CHECK(golden.values.size() == 2048);
      CHECK(differences(golden, *interpreter.output(0)) == 0);
      ++compared;
    }
  CHECK(compared == 1);
}

}  // namespace

TEST_CASE("reference: halves are rounded away from zero") {
  CHECK(divide_pow2(3, 1) == 2);
  CHECK(divide_pow2(-3, 1) == -2);
  CHECK(divide_pow2(-1, 1) == -1);
  CHECK(divide_pow2(-1, 2) == 0);
  CHECK(divide_pow2(5, 0) == 5);
  CHECK(limit(200, 8) == 127);
  CHECK(limit(-200, 8) == -128);
  CHECK(low_bits(0x1ff, 8) == -1);
  CHECK(low_bits(-129, 8) == 127);
}

TEST_CASE("reference: a 2x2 maximum pool gives what one works out by hand") {
  const loadable::Loadable l = small_loadable();
  LoadableInterpreter interpreter(l, kSmall);
  std::vector<uint8_t> input(128);
  for (size_t pixel = 0; pixel < 16; ++pixel)
    for (size_t c = 0; c < 8; ++c)
      input[pixel * 8 + c] = static_cast<uint8_t>(c % 2 == 0 ? pixel : -pixel);
  REQUIRE(interpreter.bind_input(0, input).empty());
  size_t watched = 0;
  interpreter.set_watch(
      [&watched](uint16_t, size_t, std::span<const uint8_t> bytes) { watched += bytes.size(); });
  REQUIRE(interpreter.run().empty());
  const std::vector<uint8_t> out = *interpreter.output(0);
  REQUIRE(out.size() == 32);
  CHECK(watched == 32);
  CHECK(+out[0] == 5);                      // largest of 0, 1, 4, 5
  CHECK(static_cast<int8_t>(out[1]) == 0);  // largest of 0, -1, -4, -5
  CHECK(+out[3 * 8] == 15);                 // largest of 10, 11, 14, 15
  CHECK(static_cast<int8_t>(out[3 * 8 + 1]) == -10);
}

TEST_CASE("reference: an input of the wrong size is refused") {
  const loadable::Loadable l = small_loadable();
  LoadableInterpreter interpreter(l, kSmall);
  CHECK(interpreter.bind_input(0, std::vector<uint8_t>(127)).has("reference.input"));
  CHECK(interpreter.bind_input(1, std::vector<uint8_t>(128)).has("reference.input"));
  CHECK(interpreter.output(3).errors().has("reference.output"));
  CHECK(machine_named("nv_tiny").errors().has("reference.config"));
}

TEST_CASE("reference: what is left out ends in a named error") {
  const auto error_after = [](uint8_t engine, const std::function<void(DlaOperation&)>& change) {
    loadable::Loadable l = small_loadable();
    l.blobs[1].data[offsetof(DlaDependency, op_type)] = engine;
    DlaOperation op;
    std::memset(&op, 0, sizeof(op));
    change(op);
    std::memcpy(l.blobs[2].data.data(), &op, sizeof(op));
    if (engine == DLA_ENGINE_CONV) {  // a surface whose unused cubes name no address
      DlaConvSurface surface{};
      surface.src_data = surface.weight_data = loadable::testing::cube(1, 4, 4, 8);
      surface.dst_data = loadable::testing::cube(2, 2, 2, 8);
      std::memcpy(l.blobs[3].data.data(), &surface, sizeof(surface));
    }
    LoadableInterpreter interpreter(l, kSmall);
    return interpreter.run();
  };
  const auto nothing = [](DlaOperation&) {};
  CHECK(error_after(DLA_ENGINE_RUBIK, nothing).has("reference.unsupported_engine"));
  CHECK(error_after(DLA_ENGINE_CONV, nothing).has("reference.unsupported_conv"));
  CHECK(error_after(DLA_ENGINE_PDP, [](DlaOperation& op) {
          op.pdp.precision = DLA_FP16;
        }).has("reference.unsupported_pdp"));
  CHECK(error_after(DLA_ENGINE_SDP, [](DlaOperation& op) {
          op.sdp.src_precision = DLA_INT16;
        }).has("reference.unsupported_sdp"));
  CHECK(error_after(DLA_ENGINE_CDP, [](DlaOperation& op) {
          op.cdp.in_precision = DLA_INT16;
          op.cdp.lut_index = DLA_NO_INDEX;
        }).has("reference.unsupported_cdp"));
}

TEST_CASE("reference: operations that wait for each other are refused") {
  loadable::Loadable l = small_loadable();
  DlaDependency node;
  std::memcpy(&node, l.blobs[1].data.data(), sizeof(node));
  node.consumers[DLA_ENGINE_PDP] = {0, DLA_EVENT_COMPLETED, 0};
  std::memcpy(l.blobs[1].data.data(), &node, sizeof(node));
  LoadableInterpreter interpreter(l, kSmall);
  CHECK(interpreter.run().has("reference.order"));
}

TEST_CASE("reference: a stream that nobody feeds and a cube outside its memory are refused") {
  loadable::Loadable stream = small_loadable();
  DlaPairSurface surface;
  std::memcpy(&surface, stream.blobs[3].data.data(), sizeof(surface));
  surface.src_data.type = DLA_CUBE_STREAM;
  std::memcpy(stream.blobs[3].data.data(), &surface, sizeof(surface));
  CHECK(LoadableInterpreter(stream, kSmall).run().has("reference.stream"));

  loadable::Loadable outside = small_loadable();
  surface.src_data.type = DLA_CUBE_DRAM;
  surface.src_data.line_stride = 4096;
  std::memcpy(outside.blobs[3].data.data(), &surface, sizeof(surface));
  CHECK(LoadableInterpreter(outside, kSmall).run().has("reference.outside"));
}

TEST_CASE("reference: softmax of equal values is even, power follows its formula, both in int8") {
  std::vector<uint8_t> memory(32, 5);
  loadable::EmuEntry e{};
  e.operation.op_type = DLA_EMU_SOFTMAX;
  e.operation.input_scale_factor = 0.25F;
  e.operation.output_scale_factor = 1.0F / 128;
  for (DlaEmuBuffer* b : {&e.buffers.src_data, &e.buffers.dst_data}) {
    b->format = DLA_EMU_INT8_ATOM8;
    b->width = b->height = 1;
    b->channel = 10;
    b->line_stride = b->surf_stride = 8;
  }
  Region input(&memory, 0), output(&memory, 16);
  run_emu(e, input, output);
  CHECK(+memory[16] == 13);  // 128 / 10
  CHECK(+memory[25] == 13);
  CHECK(+memory[26] == 5);  // beyond the last channel nothing is written

  e.operation.op_type = DLA_EMU_POWER;
  e.operation.input_scale_factor = e.operation.output_scale_factor = 1.0F;
  e.operation.u.power.power = 2.0F;
  e.operation.u.power.scale = -2.0F;
  e.operation.u.power.shift = 1.0F;
  run_emu(e, input, output);
  CHECK(+memory[16] == 81);  // (1 - 2 * 5) squared
  CHECK_FALSE(output.outside());
}

TEST_CASE("reference: the nv_small regression loadables give their goldens") {
  check_regression("CONV", "CONV_D_L0_0_small", "nv_small");
  check_regression("SDP", "SDP_X1_L0_0_small", "nv_small");
  check_regression("PDP", "PDP_L0_0_small", "nv_small");
  check_regression("CDP", "CDP_L0_0_small", "nv_small");
}

TEST_CASE("reference: the nv_large regression loadables give their goldens") {
  check_regression("CONV", "CONV_D_L0_0_large", "nv_large");
  check_regression("SDP", "SDP_X1_L0_0_large", "nv_large");
  check_regression("PDP", "PDP_L0_0_large", "nv_large");
  check_regression("CDP", "CDP_L0_0_large", "nv_large");
}
