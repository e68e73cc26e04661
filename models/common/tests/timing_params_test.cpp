// Timing parameters: resolving by size, and each complaint.
#include "models/common/timing_params.hpp"

#include <catch2/catch.hpp>

#include "models/common/tests/temp_file.hpp"

using namespace dlavp;

namespace {

Result<TimingParams> load(const std::string& text, const char* config = "nv_small") {
  const test::TempDir dir;
  dir.write("pdp.yaml", text);
  return TimingParams::load(*load_hw_config(config), dir.path());
}

}  // namespace

TEST_CASE("timing_params: a plain value and one chosen by a size") {
  const std::string text =
      "first: {value: -3, provenance: spec, source: manual}\n"
      "second: {by: memory_atomic_size, values: {8: 20, 16: 18}, provenance: rtl}\n";
  CHECK(load(text)->get("pdp.first") == -3);
  CHECK(load(text)->get("pdp.second") == 20);
  CHECK(load(text, "nv_medium_512")->get("pdp.second") == 18);
  CHECK(load(text, "nv_large")->get("pdp.second") == 18);
}

TEST_CASE("timing_params: a unit that is not there needs no figures") {
  HwConfig hw = *load_hw_config("nv_small");
  hw.pdp = hw.cdp = hw.sdp_bn = false;
  hw.pdp_throughput = hw.cdp_throughput = hw.sdp_bn_throughput = 0;
  REQUIRE(validate(hw).empty());
  const auto params = TimingParams::load(hw);
  INFO((params ? "" : params.errors().text()));
  CHECK(params.ok());
}

TEST_CASE("timing_params: an unknown name is an internal error") {
  CHECK_THROWS_AS(load("a: {value: 1, provenance: rtl}\n")->get("pdp.b"), InternalError);
}

TEST_CASE("timing_params: each kind of broken entry is refused with its place") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"timing.missing", "a: {value: 1}\n"},
      {"timing.missing", "a: {provenance: rtl}\n"},
      {"timing.provenance", "a: {value: 1, provenance: guessed}\n"},
      {"timing.type", "a: {value: soon, provenance: rtl}\n"},
      {"timing.type", "a: 5\n"},
      {"timing.type", "a: {by: hw, values: [1], provenance: rtl}\n"},
      {"timing.type", "a: {by: hw, values: {x: 1}, provenance: rtl}\n"},
      {"timing.by", "a: {by: colour, values: {1: 1}, provenance: rtl}\n"},
      {"timing.no_value", "a: {by: memory_atomic_size, values: {16: 1}, provenance: rtl}\n"},
      {"timing.ambiguous", "a: {value: 1, by: hw, values: {1: 1}, provenance: rtl}\n"},
      {"timing.unknown_key", "a: {value: 1, provenance: rtl, unit: s}\n"},
      {"timing.duplicate_key", "a: {value: 1, provenance: rtl}\na: {value: 2, provenance: rtl}\n"},
      {"timing.syntax", "a: {value: 1\n"},
  };
  for (const auto& [id, text] : cases) {
    const auto params = load(text);
    INFO(id << "\n" << text);
    REQUIRE_FALSE(params);
    INFO(params.errors().text());
    CHECK(params.errors().has(id));
    CHECK(params.errors().errors().front().place.find("pdp.yaml:") != std::string::npos);
  }
}

TEST_CASE(
    "timing_params: a missing folder is an error, the shipped files load for every configuration") {
  CHECK(
      TimingParams::load(*load_hw_config("nv_small"), "/nonexistent").errors().has("timing.file"));
  for (const std::string& name : published_configs()) {
    const auto params = TimingParams::load(*load_hw_config(name));
    INFO(name << (params ? "" : params.errors().text()));
    CHECK(params.ok());
  }
}
