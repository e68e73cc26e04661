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
      {"missing", "{kind: fixed, latency: 32}", "{kind: dram, banks: 8}"},
      {"power_of_two", "{kind: fixed, latency: 32}",
       "{kind: dram, banks: 3, row_bytes: 2048, row_hit: 1, row_miss: 2, bytes_per_cycle: 8, "
       "write_ack: 1}"},
      {"dram", "{kind: fixed, latency: 32}",
       "{kind: dram, banks: 4, row_bytes: 2048, row_hit: 3, row_miss: 2, bytes_per_cycle: 8, "
       "write_ack: 1}"},
      {"unknown_key", "latency: 32}", "latency: 32, colour: red}"},
      {"alignment", "base: 0x10000000", "base: 0x10000001"},
      {"overlap", "base: 0x10000000", "base: 0x0c000000"},
      {"range", "size: 0x40000000", "size: 0x7ffffffffffff000"},
      {"range", "size: 0x00040000", "size: 0x00010000"},
      {"range", "nvdla: 1}", "nvdla: 0}"},
      {"syntax", "name: default", "name: ["},
  };
  for (const Case& c : cases) {
    const Diagnostics errors = errors_with(c.from, c.to);
    INFO(c.id << ": " << c.to << "\n" << errors.text());
    CHECK(errors.has("platform." + c.id));
    for (const Error& e : errors.errors()) CHECK(e.place.find("p.yaml:") != std::string::npos);
  }
}
