// dlavp configs: lists the published hardware configurations, or checks and shows given ones.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/dlavp/cli.hpp"
#include "apps/dlavp/commands.hpp"
#include "models/common/hw_config.hpp"

namespace dlavp::app {

namespace {

const char* name_of(DataType type) {
  return type == DataType::kInt8 ? "int8" : type == DataType::kInt16 ? "int16" : "fp16";
}

nlohmann::ordered_json memif_json(const MemifConfig& memif) {
  return {{"latency", memif.latency},
          {"max_burst_length", memif.max_burst_length},
          {"width", memif.width_bits}};
}

nlohmann::ordered_json to_json(const HwConfig& c) {
  nlohmann::ordered_json j;
  j["name"] = c.name;
  j["hw"] = c.hw;
  for (const DataType type : c.feature_data_types) j["data_types"].push_back(name_of(type));
  j["macs"] = c.macs();
  j["mac_atomic_c_size"] = c.mac_atomic_c_size;
  j["mac_atomic_k_size"] = c.mac_atomic_k_size;
  j["memory_atomic_size"] = c.memory_atomic_size;
  j["cbuf_bytes"] = c.cbuf_bytes();
  j["cbuf_bank_number"] = c.cbuf_bank_number;
  j["cbuf_bank_width"] = c.cbuf_bank_width;
  j["cbuf_bank_depth"] = c.cbuf_bank_depth;
  j["throughput"] = {{"sdp_bs", c.sdp_bs_throughput},
                     {"sdp_bn", c.sdp_bn_throughput},
                     {"sdp_ew", c.sdp_ew_throughput},
                     {"pdp", c.pdp_throughput},
                     {"cdp", c.cdp_throughput}};
  j["features"] = {{"weight_compression", c.weight_compression},
                   {"winograd", c.winograd},
                   {"batch", c.batch},
                   {"sdp_lut", c.sdp_lut},
                   {"sdp_ew", c.sdp_ew},
                   {"pdp", c.pdp},
                   {"cdp", c.cdp},
                   {"bdma", c.bdma},
                   {"rubik", c.rubik}};
  j["primary_memif"] = memif_json(c.primary_memif);
  j["secondary_memif"] =
      c.secondary_memif ? memif_json(*c.secondary_memif) : nlohmann::ordered_json(nullptr);
  return j;
}

void print_table(const std::vector<HwConfig>& configs) {
  fmt::print("{:<22}{:>3}{:>7}{:>6}{:>6}{:>6}{:>10}{:>10}{:>10}  {}\n", "configuration", "hw",
             "MACs", "C", "K", "atom", "CBUF KiB", "bus bits", "2nd bus", "features");
  for (const HwConfig& c : configs) {
    std::string features;
    for (const DataType type : c.feature_data_types) features += std::string(name_of(type)) + " ";
    const std::pair<bool, const char*> flags[] = {
        {c.sdp_ew, "EW"},   {c.sdp_lut, "LUT"},       {c.pdp, "PDP"},   {c.cdp, "CDP"},
        {c.batch, "batch"}, {c.winograd, "winograd"}, {c.bdma, "BDMA"}, {c.rubik, "Rubik"}};
    for (const auto& [there, label] : flags)
      if (there) features += std::string(label) + " ";
    features.pop_back();
    fmt::print("{:<22}{:>3}{:>7}{:>6}{:>6}{:>6}{:>10}{:>10}{:>10}  {}\n", c.name, c.hw, c.macs(),
               c.mac_atomic_c_size, c.mac_atomic_k_size, c.memory_atomic_size,
               c.cbuf_bytes() / 1024, c.primary_memif.width_bits,
               c.secondary_memif ? std::to_string(c.secondary_memif->width_bits) : "-", features);
  }
}

}  // namespace

int cmd_configs(const std::vector<std::string>& args) {
  Cli cli("configs", "[CONFIG...] [--json]",
          "Lists the published hardware configurations. With arguments (names, or paths of YAML "
          "files) checks\n"
          "those instead: every error is printed with its place.",
          {"dlavp configs", "dlavp configs nv_small --json", "dlavp configs my_design.yaml"});
  cli.add_json();
  cli.positional("config", -1);
  if (const auto exit = cli.parse(args)) return *exit;

  const std::vector<std::string> names =
      cli.has("config") ? cli.texts("config") : published_configs();
  std::vector<HwConfig> configs;
  Diagnostics errors;
  for (const std::string& name : names) {
    const auto config = load_hw_config(name);
    if (config)
      configs.push_back(*config);
    else
      errors.append(config.errors());
  }
  if (names.empty())
    errors.add("configs.none", (config_dir() / "hardware").string(),
               "there are no configurations here");
  if (!errors.empty()) return fail(errors);
  if (cli.json()) {
    auto list = nlohmann::ordered_json::array();
    for (const HwConfig& config : configs) list.push_back(to_json(config));
    fmt::print("{}\n", nlohmann::ordered_json{{"configs", list}}.dump(2));
  } else {
    print_table(configs);
  }
  return kDone;
}

}  // namespace dlavp::app
