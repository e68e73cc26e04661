// Hardware configurations: the published ones load, each rule is provoked, each complaint has its
// place.
#include "models/common/hw_config.hpp"

#include <catch2/catch.hpp>
#include <sstream>

#include "models/common/tests/temp_file.hpp"

using namespace dlavp;

namespace {

std::string published(const std::string& name) {
  std::stringstream text;
  text << std::ifstream(std::filesystem::path(DLAVP_SOURCE_DIR) / "configs/hardware" /
                        (name + ".yaml"))
              .rdbuf();
  return text.str();
}

/// The text of `name` with every `key: ...` line in `changes` replaced ("" removes it, a new key is
/// appended).
std::string changed(const std::string& name,
                    const std::vector<std::pair<std::string, std::string>>& changes) {
  std::stringstream in(published(name));
  std::string out, line;
  std::vector<bool> done(changes.size());
  while (std::getline(in, line)) {
    for (size_t i = 0; i < changes.size(); ++i)
      if (line.starts_with(changes[i].first + ":")) {
        line = changes[i].second.empty() ? "" : changes[i].first + ": " + changes[i].second;
        done[i] = true;
      }
    out += line + "\n";
  }
  for (size_t i = 0; i < changes.size(); ++i)
    if (!done[i]) out += changes[i].first + ": " + changes[i].second + "\n";
  return out;
}

Diagnostics errors_of(const std::string& text) {
  const test::TempDir dir;
  const auto config = load_hw_config(dir.write("c.yaml", text).string());
  return config ? Diagnostics() : config.errors();
}

}  // namespace

TEST_CASE("hw_config: the seven published configurations load by name, sorted by multipliers") {
  CHECK(published_configs() ==
        std::vector<std::string>{"nv_small", "nv_small_256", "nv_small_256_full", "nv_medium_512",
                                 "nv_medium_1024_full", "nv_full", "nv_large"});
  const auto small = load_hw_config("nv_small");
  REQUIRE(small);
  CHECK(small->macs() == 64);
  CHECK(small->cbuf_bytes() == 128 * 1024);
  CHECK_FALSE(small->secondary_memif);
  const auto large = load_hw_config("nv_large");
  REQUIRE(large);
  CHECK(large->macs() == 2048);
  CHECK(large->secondary_memif->width_bytes() == 32);
  CHECK(large->sdp_ew_throughput == 4);
  const auto full = load_hw_config("nv_full");
  REQUIRE(full);
  CHECK(full->hw == 1);
  CHECK(full->supports_feature(DataType::kFp16));
}

TEST_CASE("hw_config: a legal configuration of its own loads from a file") {
  CHECK(errors_of(changed("nv_small", {{"name", "own"},
                                       {"mac_atomic_c_size", "16"},
                                       {"cbuf_bank_width", "16"},
                                       {"cbuf_bank_depth", "256"}}))
            .text() == "");
}

TEST_CASE("hw_config: an unknown name lists the known ones") {
  const auto config = load_hw_config("nv_tiny");
  REQUIRE_FALSE(config);
  CHECK(config.errors().has("hw_config.name"));
  CHECK(config.errors().text().find("nv_medium_512") != std::string::npos);
}

TEST_CASE("hw_config: every error of a file is listed with its line and column") {
  const Diagnostics errors =
      errors_of("name: x\nhw: 2\nmac_atomic_c_size: 24\nturbo: 1\nsdp_bs: 3\n");
  CHECK(errors.text().find("c.yaml:3:20: mac_atomic_c_size is 24, expected a power of two") !=
        std::string::npos);
  CHECK(errors.text().find("c.yaml:4:1: turbo is not a known key") != std::string::npos);
  CHECK(errors.text().find("c.yaml:5:9: sdp_bs is '3', expected true or false") !=
        std::string::npos);
  CHECK(errors.has("hw_config.missing"));
}

TEST_CASE("hw_config: files that are no configuration are refused") {
  CHECK(errors_of("a: [1, 2").has("hw_config.syntax"));
  CHECK(errors_of("- 1\n").has("hw_config.type"));
  CHECK(errors_of("").has("hw_config.type"));
  CHECK(load_hw_config("/nonexistent/x.yaml").errors().has("hw_config.file"));
  CHECK(load_hw_config("/tmp/").errors().has("hw_config.file"));
}

namespace {

struct Case {
  std::string id, key;
  std::vector<std::pair<std::string, std::string>> changes;
  std::string base = "nv_small";
};

void check_rules(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Diagnostics errors = errors_of(changed(c.base, c.changes));
    INFO(c.id << " " << c.key << "\n" << errors.text());
    CHECK(errors.has(c.id));
    CHECK(errors.text().find(c.key) != std::string::npos);
    for (const Error& e : errors.errors()) CHECK(e.place.find("c.yaml:") != std::string::npos);
  }
}

}  // namespace

TEST_CASE("hw_config: each impossible type, range and generation is refused by its own rule") {
  check_rules({
      {"hw_config.range", "hw", {{"hw", "3"}}},
      {"hw_config.range", "hw", {{"hw", "-1"}}},
      {"hw_config.type", "hw", {{"hw", "two"}}},
      {"hw_config.type", "cdp_throughput", {{"cdp_throughput", "\"1\""}}},
      {"hw_config.range", "int4", {{"feature_data_types", "[int8, int4]"}}},
      {"hw_config.range", "twice", {{"feature_data_types", "[int8, int8]"}}},
      {"hw_config.range", "feature_data_types is empty", {{"feature_data_types", "[]"}}},
      {"hw_config.type", "feature_data_types", {{"feature_data_types", "int8"}}},
      {"hw_config.data_types", "weight_data_types", {{"weight_data_types", "[int8]"}}, "nv_full"},
      {"hw_config.generation",
       "feature_data_types",
       {{"feature_data_types", "[int8, fp16]"}, {"weight_data_types", "[int8, fp16]"}}},
      {"hw_config.generation", "winograd", {{"winograd", "true"}}},
      {"hw_config.generation", "weight_compression", {{"weight_compression", "true"}}},
      {"hw_config.generation", "bdma", {{"bdma", "true"}}},
      {"hw_config.generation", "rubik", {{"rubik", "true"}}},
      {"hw_config.needs", "rubik_contract", {{"rubik", "false"}}, "nv_full"},
      {"hw_config.needs", "rubik_reshape", {{"rubik", "false"}}, "nv_full"},
      {"hw_config.needs", "batch", {{"batch", "true"}}},
      {"hw_config.range", "max_batch_size", {{"max_batch_size", "64"}}},
  });
}

TEST_CASE("hw_config: each impossible size or combination is refused by its own rule") {
  check_rules({
      {"hw_config.power_of_two", "mac_atomic_c_size", {{"mac_atomic_c_size", "12"}}},
      {"hw_config.power_of_two", "mac_atomic_k_size", {{"mac_atomic_k_size", "0"}}},
      {"hw_config.power_of_two", "memory_atomic_size", {{"memory_atomic_size", "9"}}},
      {"hw_config.atoms", "mac_atomic_k_size is 16, more than", {{"mac_atomic_k_size", "16"}}},
      {"hw_config.atoms", "mac_atomic_c_size is 8, less than", {{"memory_atomic_size", "16"}}},
      {"hw_config.atoms", "at most 4 times", {{"mac_atomic_c_size", "64"}}},
      {"hw_config.atoms", "must be equal", {{"mac_atomic_k_size", "16"}}, "nv_large"},
      {"hw_config.cbuf_entry", "cbuf_bank_width", {{"cbuf_bank_width", "16"}}},
      {"hw_config.power_of_two", "cbuf_bank_depth", {{"cbuf_bank_depth", "100"}}},
      {"hw_config.range", "cbuf_bank_depth", {{"cbuf_bank_depth", "32"}}},
      {"hw_config.range", "makes 32768 entries", {{"cbuf_bank_depth", "1024"}}},
      {"hw_config.range", "cbuf_bank_number", {{"cbuf_bank_number", "64"}}},
      {"hw_config.throughput", "pdp_throughput", {{"pdp_throughput", "3"}}},
      {"hw_config.throughput", "sdp_bs_throughput", {{"sdp_bs_throughput", "16"}}},
      {"hw_config.needs", "cdp_throughput is absent", {{"cdp_throughput", "null"}}},
      {"hw_config.needs", "sdp_ew_throughput is 1", {{"sdp_ew_throughput", "1"}}},
      {"hw_config.needs", "sdp_lut", {{"sdp_lut", "true"}}},
      {"hw_config.needs",
       "all false",
       {{"sdp_bs", "false"},
        {"sdp_bn", "false"},
        {"sdp_bs_throughput", ""},
        {"sdp_bn_throughput", ""}}},
      {"hw_config.bus_width", "primary_memif_width", {{"primary_memif_width", "128"}}, "nv_large"},
      {"hw_config.range", "primary_memif_width", {{"primary_memif_width", "32"}}},
      {"hw_config.range",
       "primary_memif_max_burst_length",
       {{"primary_memif_max_burst_length", "8"}}},
      {"hw_config.range", "primary_memif_latency", {{"primary_memif_latency", "0"}}},
      {"hw_config.missing", "secondary_memif_width", {{"secondary_memif_width", ""}}, "nv_large"},
      {"hw_config.secondary_memif", "secondary_memif_latency", {{"secondary_memif_latency", "64"}}},
      {"hw_config.range", "mem_address_width", {{"mem_address_width", "48"}}},
      {"hw_config.missing", "pdp is missing", {{"pdp", ""}}},
      {"hw_config.unknown_key", "colour", {{"colour", "red"}}},
  });
}

TEST_CASE("hw_config: a key given twice is refused") {
  CHECK(errors_of(published("nv_small") + "pdp: true\n").has("hw_config.duplicate_key"));
}

TEST_CASE("hw_config: validate accepts what it loaded and refuses what was changed") {
  auto config = load_hw_config("nv_medium_512");
  REQUIRE(config);
  CHECK(validate(*config).empty());
  config.value().memory_atomic_size = 64;
  CHECK(validate(*config).has("hw_config.atoms"));
}
