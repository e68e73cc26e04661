// NVIDIA's LeNet loadables, one operation at a time, against cycles and beats counted on the RTL.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "vp/serial/serial_run.hpp"

using namespace dlavp;

namespace {

std::string data_folder() {
  const char* folder = std::getenv("DLAVP_NVDLA_DATA");
  return folder ? folder : DLAVP_NVDLA_DATA_DEFAULT;
}

std::vector<uint8_t> bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Row {
  std::string loadable, config;
  uint32_t latency = 0;
  uint64_t operations = 0, cycles = 0, reads = 0, writes = 0;
};

// network,loadable,config,mem_latency,schedule,operations,macs,sum_run_cycles,total_cycles,
// read_beats,write_beats
std::vector<Row> rows(const std::string& network) {
  std::ifstream in(data_folder() + "/rtl_networks.csv");
  std::vector<Row> out;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::vector<std::string> f;
    for (std::string field; std::getline(fields, field, ',');) f.push_back(field);
    if (f.size() < 11 || f[0] != network || f[4] != "serial") continue;
    out.push_back({f[1], f[2], static_cast<uint32_t>(std::stoul(f[3])), std::stoull(f[5]),
                   std::stoull(f[7]), std::stoull(f[9]), std::stoull(f[10])});
  }
  return out;
}

}  // namespace

TEST_CASE("serial: LeNet's operations take the RTL's beats and, within 2 %, its cycles") {
  const std::vector<Row> all = rows("lenet");
  if (all.empty()) {
    WARN("skipped: no data");
    return;
  }
  for (const Row& row : all) {
    CAPTURE(row.loadable);
    const auto hw = load_hw_config(row.config);
    REQUIRE(hw.ok());
    const auto timing = TimingParams::load(*hw);
    REQUIRE(timing.ok());
    const std::vector<uint8_t> loadable = bytes_of(data_folder() + "/" + row.loadable);
    const auto result = vp::run_serial(*hw, *timing, loadable, row.latency);
    REQUIRE(result.ok());
    CHECK(result->operations.size() == row.operations);
    CHECK(result->read_beats() == row.reads);
    CHECK(result->write_beats() == row.writes);
    const auto cycles = static_cast<double>(result->run_cycles());
    CHECK(std::abs(cycles / static_cast<double>(row.cycles) - 1) < 0.02);
    CHECK(result->total_cycles > result->run_cycles());
  }
}

// What a whole operation leaves out shows most where latency decides, as in LeNet's small layers.
TEST_CASE("serial: fast timing is within 5 % of cycle timing, beats equal, function on or off") {
  std::vector<Row> all = rows("lenet");
  if (all.empty()) {
    WARN("skipped: no data");
    return;
  }
  for (const char* config : {"nv_small", "nv_large"})
    all.push_back({fmt::format("peer_loadables/resnet18_{}_int8_perfilter.nvdla", config), config,
                   32, 0, 0, 0, 0});
  for (const Row& row : all) {
    CAPTURE(row.loadable);
    const auto hw = load_hw_config(row.config);
    REQUIRE(hw.ok());
    const auto timing = TimingParams::load(*hw);
    REQUIRE(timing.ok());
    const std::vector<uint8_t> loadable = bytes_of(data_folder() + "/" + row.loadable);
    const auto run = [&](RunMode mode) {
      const auto result = vp::run_serial(*hw, *timing, loadable, row.latency, mode);
      REQUIRE(result.ok());
      return *result;
    };
    const auto exact = run({TimingMode::kCycle, false});
    const auto fast = run({TimingMode::kFast, false});
    CHECK(fast.operations.size() == exact.operations.size());
    CHECK(fast.read_beats() == exact.read_beats());
    CHECK(fast.write_beats() == exact.write_beats());
    CHECK(
        std::abs(static_cast<double>(fast.run_cycles()) / static_cast<double>(exact.run_cycles()) -
                 1) < 0.05);
    if (row.operations == 0) continue;  // the small ones only
    CHECK(run({TimingMode::kCycle, true}).run_cycles() == exact.run_cycles());
    CHECK(run({TimingMode::kFast, true}).run_cycles() == fast.run_cycles());
  }
}

TEST_CASE("serial: what is no loadable is refused") {
  const auto hw = load_hw_config("nv_small");
  REQUIRE(hw.ok());
  const auto timing = TimingParams::load(*hw);
  REQUIRE(timing.ok());
  const std::vector<uint8_t> bytes(64, 7);
  const auto result = vp::run_serial(*hw, *timing, bytes, 32);
  REQUIRE_FALSE(result.ok());
  CHECK(result.errors().has("run.firmware"));
}

TEST_CASE("serial: an operation that takes longer than the limit is given up") {
  const std::vector<Row> all = rows("lenet");
  if (all.empty()) {
    WARN("skipped: no data");
    return;
  }
  const auto hw = load_hw_config(all[0].config);
  REQUIRE(hw.ok());
  const auto timing = TimingParams::load(*hw);
  REQUIRE(timing.ok());
  const std::vector<uint8_t> loadable = bytes_of(data_folder() + "/" + all[0].loadable);
  const auto result = vp::run_serial(*hw, *timing, loadable, 32, {}, 100);
  REQUIRE_FALSE(result.ok());
  CHECK(result.errors().has("run.unfinished"));
  CHECK(result.errors().errors()[0].message.find("SDP group 0") != std::string::npos);
}
