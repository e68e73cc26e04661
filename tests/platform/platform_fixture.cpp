#include "tests/platform/platform_fixture.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

namespace dlavp::platform_test {

namespace {

PlatformConfig default_platform(uint32_t latency, RunMode mode) {
  PlatformConfig platform = platform_config("default");
  platform.dram.latency_cycles = platform.sram.latency_cycles = latency;
  platform.mode = mode;
  return platform;
}

}  // namespace

PlatformConfig platform_config(const std::string& name) {
  const auto loaded = load_platform_config(name);
  REQUIRE(loaded);
  return *loaded;
}

Platform::Platform(const std::string& config, uint32_t latency, RunMode mode)
    : Platform(config, default_platform(latency, mode)) {}

Platform::Platform(const std::string& config, const PlatformConfig& platform) {
  const auto hw = load_hw_config(config);
  REQUIRE(hw);
  const auto timing = TimingParams::load(*hw);
  REQUIRE(timing);
  auto created = vp::Session::create(*hw, *timing, platform);
  if (!created) FAIL(created.errors().text());
  session = std::move(*created);
}

std::variant<vp::RunResult, vp::RunFailure> Platform::run(
    const std::vector<uint8_t>& loadable, const std::vector<std::vector<uint8_t>>& inputs) {
  const auto read = vp::read_network(loadable, "test");
  if (!read) FAIL(read.errors().text());
  network = *read;
  REQUIRE(session->load(loadable, network).empty());
  return session->run(inputs);
}

std::string data_folder() {
  const char* folder = std::getenv("DLAVP_NVDLA_DATA");
  return folder ? folder : DLAVP_NVDLA_DATA_DEFAULT;
}

std::vector<uint8_t> data_file(const std::string& name) {
  std::ifstream in(data_folder() + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool no_data() {
  if (!data_file("README.md").empty()) return false;
  WARN("skipped: no data");
  return true;
}

std::vector<std::vector<uint8_t>> random_inputs(const vp::Network& network, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::vector<uint8_t>> inputs;
  for (const vp::IoTensor& t : network.inputs) {
    inputs.emplace_back(t.bytes);
    for (uint8_t& b : inputs.back()) b = static_cast<uint8_t>(random());
  }
  return inputs;
}

}  // namespace dlavp::platform_test
