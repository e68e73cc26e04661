// Platform files: the shipped ones load, each rule is provoked, complaints have their place.
#include "vp/platform_config.hpp"

#include <catch2/catch.hpp>
#include <sstream>

#include "models/common/tests/temp_file.hpp"

using namespace dlavp;

namespace {

/// The default platform's text with `from` replaced by `to`.
Diagnostics errors_with(const std::string& from, const std::string& to) {
  std::stringstream text;
  text << std::ifstream(std::filesystem::path(DLAVP_SOURCE_DIR) / "configs/platform/default.yaml")
              .rdbuf();
  std::string content = text.str();
  const size_t at = content.find(from);
  REQUIRE(at != std::string::npos);
  content.replace(at, from.size(), to);
  const test::TempDir dir;
  const auto config = load_platform_config(dir.write("p.yaml", content).string());
  return config ? Diagnostics() : config.errors();
}

}  // namespace

TEST_CASE("platform_config: the shipped platforms load by name") {
  const auto config = load_platform_config("default");
  REQUIRE(config);
  CHECK(config->dram_window.base == 0x80000000);
  CHECK(config->dram.latency_cycles == 32);
  CHECK(config->nvdla_clock_hz == 1e9);
  CHECK(load_platform_config("dram")->dram.kind == MemoryKind::kDram);
  CHECK(load_platform_config("dram")->dram.dram.name == "ddr3_1600");
  CHECK(load_platform_config("contention")->core.traffic == CoreTraffic::kCached);
  CHECK(load_platform_config("nowhere").errors().has("platform.name"));
}

TEST_CASE("platform_config: each broken rule is refused with its place") {
  struct Case {
    std::string id, from, to;
  };
  const std::vector<Case> cases = {
      {"range", "core_hz: 1.0e9", "core_hz: 0"},
      {"type", "core_hz: 1.0e9", "core_hz: fast"},
      {"missing", "name: default", ""},
      {"memory_kind", "kind: fixed", "kind: magic"},
      {"range", "latency: 32", "latency: 0"},
      {"missing", "{kind: fixed, latency: 32}", "{kind: dram}"},
      {"range", "{kind: fixed, latency: 32}", "{kind: bandwidth, latency: 1, bytes_per_cycle: 0}"},
      {"core_traffic", "  sram: {kind", "  core: {traffic: wild}\n  sram: {kind"},
      {"core_cache", "  sram: {kind",
       "  core: {traffic: cached, bytes: 1000, line_bytes: 64, ways: 4}\n  sram: {kind"},
      {"unknown_key", "latency: 32}", "latency: 32, colour: red}"},
      {"alignment", "base: 0x10000000", "base: 0x10000001"},
      {"overlap", "base: 0x10000000", "base: 0x0c000000"},
      {"range", "size: 0x40000000", "size: 0x7ffffffffffff000"},
      {"range", "size: 0x00040000", "size: 0x00010000"},
      {"range", "nvdla: 1}", "nvdla: 0}"},
      {"timing", "name: default", "name: default\ntiming: slow"},
      {"range", "  sram: {base",
       "  more_nvdla: [{base: 0x31000000, size: 0x10000, interrupt: 2}]\n  sram: {base"},
      {"overlap", "  sram: {base",
       "  more_nvdla: [{base: 0x30020000, size: 0x40000, interrupt: 2}]\n  sram: {base"},
      {"interrupt", "  sram: {base",
       "  more_nvdla: [{base: 0x31000000, size: 0x40000, interrupt: 1}]\n  sram: {base"},
      {"syntax", "name: default", "name: ["},
  };
  for (const Case& c : cases) {
    const Diagnostics errors = errors_with(c.from, c.to);
    INFO(c.id << ": " << c.to << "\n" << errors.text());
    CHECK(errors.has("platform." + c.id));
    for (const Error& e : errors.errors()) CHECK(e.place.find("p.yaml:") != std::string::npos);
  }
}

TEST_CASE("platform_config: a memory in short") {
  CHECK(parse_memory("fixed:7")->latency_cycles == 7);
  CHECK(parse_memory("bandwidth:20:2.5")->bytes_per_cycle == 2.5);
  CHECK(parse_memory("lpddr4_3200")->dram.burst_length == 16);
  CHECK(parse_memory("ddr3_1600")->text() == "ddr3_1600, 12.8 GB/s at the pins");
  for (const char* wrong : {"fixed:0", "fixed:", "fixed:3x", "bandwidth:3", "bandwidth:3:0"})
    CHECK(parse_memory(wrong).errors().has("platform.memory"));
  CHECK(parse_memory("sdram").errors().has("memory.name"));
}
