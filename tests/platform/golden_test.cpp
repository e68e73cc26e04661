// NVIDIA's regression loadables through firmware, core and accelerator equal their goldens byte for
// byte; networks of NVIDIA's compiler equal the independent interpreter of the same loadable.
#include <catch2/catch.hpp>

#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "compiler/loadable/loadable.hpp"
#include "tests/platform/platform_fixture.hpp"
#include "tests/reference/loadable_interpreter.hpp"

namespace dlavp::platform_test {

namespace {

/// A golden's values lie channel by channel; they were read from the output as if its atoms had 32
/// bytes, whatever the configuration, with the strides of the header.
size_t golden_differences(const std::vector<uint8_t>& golden, const std::vector<uint8_t>& output) {
  uint32_t header[9];
  REQUIRE(golden.size() > sizeof header);
  std::memcpy(header, golden.data(), sizeof header);
  const uint32_t width = header[3], height = header[4], channels = header[5];
  REQUIRE(golden.size() == sizeof header + size_t{width} * height * channels);
  size_t differences = 0, i = sizeof header;
  for (uint32_t c = 0; c < channels; ++c)
    for (uint32_t y = 0; y < height; ++y)
      for (uint32_t x = 0; x < width; ++x, ++i) {
        const size_t at =
            size_t{c / 32} * header[7] + size_t{y} * header[6] + size_t{x} * 32 + c % 32;
        differences += at >= output.size() || output[at] != golden[i];
      }
  return differences;
}

void check_golden(const std::string& config, const std::string& loadable, const std::string& golden,
                  RunMode mode = {}) {
  if (no_data()) return;
  Platform platform(config, 32, mode);
  const auto outcome = platform.run(data_file("kmd_loadables/" + loadable), {});
  if (const auto* failure = std::get_if<vp::RunFailure>(&outcome)) FAIL(failure->errors.text());
  const auto& result = std::get<vp::RunResult>(outcome);
  REQUIRE(result.outputs.size() == 1);
  CHECK(golden_differences(data_file("kmd_loadables/golden/" + golden + "/dla/o_000000.dimg"),
                           result.outputs[0]) == 0);
  for (const vp::RanOperation& op : result.operations) CHECK(op.record.has_value());
}

void check_network(Platform& platform, const std::string& config, const std::string& name) {
  const auto bytes = data_file("peer_loadables/" + name + ".nvdla");
  const auto network = vp::read_network(bytes, name);
  REQUIRE(network);
  const unsigned seed = 7;
  const auto inputs = random_inputs(*network, seed);
  const auto outcome = platform.run(bytes, inputs);
  if (const auto* failure = std::get_if<vp::RunFailure>(&outcome)) FAIL(failure->errors.text());
  const auto& result = std::get<vp::RunResult>(outcome);
  const auto loadable = loadable::read_loadable(bytes);
  REQUIRE(loadable);
  reference::LoadableInterpreter oracle(*loadable, *reference::machine_named(config));
  for (size_t i = 0; i < inputs.size(); ++i) {
    // The oracle binds the tensor, the platform the memory entry, which may be longer.
    uint64_t tensor_bytes = inputs[i].size();
    for (const loadable::Tensor& t : loadable->tensors)
      if (t.name == network->inputs[i].name) tensor_bytes = t.size;
    REQUIRE(oracle
                .bind_input(static_cast<uint16_t>(network->inputs[i].bind_id),
                            std::span(inputs[i]).first(tensor_bytes))
                .empty());
  }
  if (const Diagnostics errors = oracle.run(); !errors.empty()) FAIL(errors.text());
  REQUIRE(result.outputs.size() >= 1);
  for (size_t k = 0; k < result.outputs.size(); ++k) {
    const auto expected = oracle.output(static_cast<uint16_t>(network->outputs[k].bind_id));
    REQUIRE(expected);
    REQUIRE(expected->size() <= result.outputs[k].size());
    size_t differences = 0;
    for (size_t i = 0; i < expected->size(); ++i)
      differences += (*expected)[i] != result.outputs[k][i];
    INFO(name << ", output " << k << " of " << expected->size() << " bytes");
    CHECK(differences == 0);
  }
}

// Networks that the accelerator refuses, and what it says: a deconvolution needs Rubik; three-line
// windows on 128 output columns do not fit the line buffer (on the RTL such an operation hangs).
const std::map<std::string, std::string> kRefused = {
    {"u_deconv2x2s2_nv_small_int8", "RUBIK"},
    {"u_pool_wide_nv_small_int8", "pdp.line_buffer"},
};

void check_refused(const std::string& config, const std::string& name) {
  if (no_data()) return;
  Platform platform(config);
  const auto bytes = data_file("peer_loadables/" + name + ".nvdla");
  const auto network = vp::read_network(bytes, name);
  REQUIRE(network);
  const auto outcome = platform.run(bytes, random_inputs(*network, 7));
  REQUIRE(std::holds_alternative<vp::RunFailure>(outcome));
  const std::string text = std::get<vp::RunFailure>(outcome).errors.text();
  INFO(name << ": " << text);
  REQUIRE(text.find(kRefused.at(name)) != std::string::npos);
}

/// Every network of the folder for `config` but ResNet-50, which has tests of its own.
void check_networks(const std::string& config, size_t at_least, RunMode mode = {}) {
  if (no_data()) return;
  Platform platform(config, 32, mode);
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(data_folder() + "/peer_loadables")) {
    const std::string name = entry.path().stem();
    if (name.find("_" + config + "_int8") != std::string::npos && !name.starts_with("resnet50"))
      names.insert(name);
  }
  REQUIRE(names.size() >= at_least);
  for (const std::string& name : names)
    if (!kRefused.contains(name)) check_network(platform, config, name);
}

}  // namespace

TEST_CASE("platform: the golden of CONV on nv_small") {
  check_golden("nv_small", "CONV/CONV_D_L0_0_small_fbuf", "CONV_D_L0_0_small_3c77f6");
}
TEST_CASE("platform: the golden of CONV on nv_large") {
  check_golden("nv_large", "CONV/CONV_D_L0_0_large_fbuf", "CONV_D_L0_0_large_f394b6");
}
TEST_CASE("platform: the golden of SDP on nv_small") {
  check_golden("nv_small", "SDP/SDP_X1_L0_0_small_fbuf", "SDP_X1_L0_0_small_c9894d");
}
TEST_CASE("platform: the golden of SDP on nv_large") {
  check_golden("nv_large", "SDP/SDP_X1_L0_0_large_fbuf", "SDP_X1_L0_0_large_4486c3");
}
TEST_CASE("platform: the golden of PDP on nv_small") {
  check_golden("nv_small", "PDP/PDP_L0_0_small_fbuf", "PDP_L0_0_small_fbdf76");
}
TEST_CASE("platform: the golden of PDP on nv_large") {
  check_golden("nv_large", "PDP/PDP_L0_0_large_fbuf", "PDP_L0_0_large_a57d22");
}
TEST_CASE("platform: the golden of CDP on nv_small") {
  check_golden("nv_small", "CDP/CDP_L0_0_small_fbuf", "CDP_L0_0_small_4531af");
}
TEST_CASE("platform: the golden of CDP on nv_large") {
  check_golden("nv_large", "CDP/CDP_L0_0_large_fbuf", "CDP_L0_0_large_fe3167");
}
TEST_CASE("platform: every int8 network of NVIDIA's compiler on nv_small equals the interpreter") {
  check_networks("nv_small", 30);
}

TEST_CASE("platform: every int8 network of NVIDIA's compiler on nv_large equals the interpreter") {
  check_networks("nv_large", 3);
}

TEST_CASE("platform: NVIDIA's ResNet-50 on nv_small equals the interpreter") {
  if (no_data()) return;
  Platform platform("nv_small");
  check_network(platform, "nv_small", "resnet50_nv_small_int8_perfilter");
}

TEST_CASE("platform: NVIDIA's ResNet-50 on nv_large equals the interpreter") {
  if (no_data()) return;
  Platform platform("nv_large");
  check_network(platform, "nv_large", "resnet50_nv_large_int8_perfilter");
}

TEST_CASE("platform: fast timing gives the networks' bytes on nv_small") {
  check_networks("nv_small", 30, {TimingMode::kFast, true});
}

TEST_CASE("platform: fast timing gives the networks' bytes on nv_large") {
  check_networks("nv_large", 3, {TimingMode::kFast, true});
}

TEST_CASE("platform: without timing the networks' bytes are the same on nv_small") {
  check_networks("nv_small", 30, {TimingMode::kNone, true});
}

TEST_CASE("platform: without timing the golden of PDP on nv_large") {
  check_golden("nv_large", "PDP/PDP_L0_0_large_fbuf", "PDP_L0_0_large_a57d22",
               {TimingMode::kNone, true});
}

TEST_CASE("platform: a network that needs Rubik is refused where there is none") {
  check_refused("nv_small", "u_deconv2x2s2_nv_small_int8");
}

TEST_CASE("platform: a pooling too wide for the line buffer is refused") {
  check_refused("nv_small", "u_pool_wide_nv_small_int8");
}

TEST_CASE("platform: a run after a refused one sees nothing of it") {
  if (no_data()) return;
  Platform platform("nv_small");
  const auto wide = data_file("peer_loadables/u_pool_wide_nv_small_int8.nvdla");
  const auto network = vp::read_network(wide, "u_pool_wide");
  REQUIRE(network);
  for (int round = 0; round < 2; ++round) {
    const auto outcome = platform.run(wide, random_inputs(*network, 7));
    REQUIRE(std::holds_alternative<vp::RunFailure>(outcome));
    CHECK(std::get<vp::RunFailure>(outcome).errors.has("pdp.line_buffer"));
    check_network(platform, "nv_small", "u_relu_only_nv_small_int8_feat");
  }
}

}  // namespace dlavp::platform_test
