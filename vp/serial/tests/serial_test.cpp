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

/// A configuration, and one of NVIDIA's loadables for it.
struct Setup {
  HwConfig hw;
  TimingParams timing;
  std::vector<uint8_t> loadable;
  uint32_t latency = 0;

  explicit Setup(const Row& row)
      : hw(load_hw_config(row.config).value()),
        timing(TimingParams::load(hw).value()),
        loadable(bytes_of(data_folder() + "/" + row.loadable)),
        latency(row.latency) {}
  [[nodiscard]] vp::SerialResult run(RunMode mode = {}) const {
    const auto result = vp::run_serial(hw, timing, loadable, latency, mode);
    REQUIRE(result.ok());
    return *result;
  }
};

}  // namespace

TEST_CASE("serial: LeNet's operations take the RTL's beats and, within 2 %, its cycles") {
  const std::vector<Row> all = rows("lenet");
  if (all.empty()) {
    WARN("skipped: no data");
    return;
  }
  for (const Row& row : all) {
    CAPTURE(row.loadable);
    const vp::SerialResult result = Setup(row).run();
    CHECK(result.operations.size() == row.operations);
    CHECK(result.read_beats() == row.reads);
    CHECK(result.write_beats() == row.writes);
    const auto cycles = static_cast<double>(result.run_cycles());
    CHECK(std::abs(cycles / static_cast<double>(row.cycles) - 1) < 0.02);
    CHECK(result.total_cycles > result.run_cycles());
  }
}

TEST_CASE("serial: fast timing is within 2 % of cycle timing, beats equal, function on or off") {
  std::vector<Row> all = rows("lenet");
  if (all.empty()) {
    WARN("skipped: no data");
    return;
  }
  for (const char* network : {"resnet18", "resnet50"})
    for (const char* config : {"nv_small", "nv_large"})
      all.push_back({fmt::format("peer_loadables/{}_{}_int8_perfilter.nvdla", network, config),
                     config, 32, 0, 0, 0, 0});
  for (const Row& row : all) {
    CAPTURE(row.loadable);
    const Setup setup(row);
    const auto exact = setup.run({TimingMode::kCycle, false});
    const auto fast = setup.run({TimingMode::kFast, false});
    CHECK(fast.operations.size() == exact.operations.size());
    CHECK(fast.read_beats() == exact.read_beats());
    CHECK(fast.write_beats() == exact.write_beats());
    CHECK(
        std::abs(static_cast<double>(fast.run_cycles()) / static_cast<double>(exact.run_cycles()) -
                 1) < 0.02);
    if (row.operations == 0) continue;  // the small ones only
    CHECK(setup.run({TimingMode::kCycle, true}).run_cycles() == exact.run_cycles());
    CHECK(setup.run({TimingMode::kFast, true}).run_cycles() == fast.run_cycles());
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
  const Setup setup(all[0]);
  const auto result = vp::run_serial(setup.hw, setup.timing, setup.loadable, 32, {}, 100);
  REQUIRE_FALSE(result.ok());
  CHECK(result.errors().has("run.unfinished"));
  CHECK(result.errors().errors()[0].message.find("SDP group 0") != std::string::npos);
}
