// Loader of configs/timing/*.yaml: resolves each entry for one HwConfig and checks its provenance.
#include "models/common/timing_params.hpp"

#include <algorithm>

#include "models/common/yaml_reader.hpp"

namespace dlavp {

namespace {

using yaml::MapReader;
using yaml::Need;

std::map<std::string, int64_t> parameters(const HwConfig& hw) {
  const MemifConfig secondary = hw.secondary_memif.value_or(MemifConfig{0, 0, 0});
  return {{"hw", hw.hw},
          {"macs", hw.macs()},
          {"mac_atomic_c_size", hw.mac_atomic_c_size},
          {"mac_atomic_k_size", hw.mac_atomic_k_size},
          {"memory_atomic_size", hw.memory_atomic_size},
          {"max_batch_size", hw.max_batch_size},
          {"cbuf_bank_number", hw.cbuf_bank_number},
          {"cbuf_bank_width", hw.cbuf_bank_width},
          {"cbuf_bank_depth", hw.cbuf_bank_depth},
          {"sdp_ew", hw.sdp_ew ? 1 : 0},
          {"sdp_bs_throughput", hw.sdp_bs_throughput},
          {"sdp_bn_throughput", hw.sdp_bn_throughput},
          {"sdp_ew_throughput", hw.sdp_ew_throughput},
          {"pdp_throughput", hw.pdp_throughput},
          {"cdp_throughput", hw.cdp_throughput},
          {"primary_memif_latency", hw.primary_memif.latency},
          {"primary_memif_max_burst_length", hw.primary_memif.max_burst_length},
          {"primary_memif_width", hw.primary_memif.width_bits},
          {"secondary_memif", hw.secondary_memif ? 1 : 0},
          {"secondary_memif_latency", secondary.latency},
          {"secondary_memif_max_burst_length", secondary.max_burst_length},
          {"secondary_memif_width", secondary.width_bits},
          {"mem_address_width", hw.mem_address_width}};
}

std::optional<int64_t> value_of(MapReader& entry, const std::string& key, const YAML::Node& node) {
  const auto value = yaml::to_integer(node);
  if (!value) entry.error("type", key, fmt::format("{} is not an integer", key));
  return value;
}

/// `by` and `values`: the value of the largest key that is not above the configured size.
std::optional<int64_t> select(MapReader& entry, const std::map<std::string, int64_t>& sizes) {
  const auto by = entry.text("by");
  const YAML::Node values = entry.node("values");
  if (!by || values.IsNull()) return std::nullopt;
  const auto size = sizes.find(*by);
  if (size == sizes.end()) {
    entry.error(
        "by", "by",
        fmt::format("by is '{}', which is not a parameter of a hardware configuration", *by));
    return std::nullopt;
  }
  if (!values.IsMap() || values.size() == 0) {
    entry.error("type", "values", "values is not a map from sizes to integers");
    return std::nullopt;
  }
  std::map<int64_t, int64_t> table;
  bool good = true;
  for (const auto& row : values) {
    const auto key = value_of(entry, "values", row.first),
               value = value_of(entry, "values", row.second);
    good = good && key && value;
    if (key && value && !table.emplace(*key, *value).second)
      entry.error("duplicate_key", "values", fmt::format("values has {} twice", *key));
  }
  if (!good) return std::nullopt;
  // A size of 0 belongs to a part that is not there: nothing reads its figures.
  if (size->second == 0) return table.begin()->second;
  const auto above = table.upper_bound(size->second);
  if (above == table.begin()) {
    entry.error("no_value", "values",
                fmt::format("no value for {} {}, the smallest is for {}", *by, size->second,
                            table.begin()->first));
    return std::nullopt;
  }
  return std::prev(above)->second;
}

std::optional<int64_t> resolve(MapReader& entry, const std::map<std::string, int64_t>& sizes) {
  const auto provenance = entry.text("provenance");
  if (provenance && *provenance != "rtl" && *provenance != "spec" && *provenance != "assumed")
    entry.error("provenance", "provenance",
                fmt::format("provenance is '{}', expected rtl, spec or assumed", *provenance));
  entry.text("source", Need::kOptional);
  const YAML::Node value = entry.node("value", Need::kOptional);
  const bool has_by = !entry.node("by", Need::kOptional).IsNull() ||
                      !entry.node("values", Need::kOptional).IsNull();
  std::optional<int64_t> resolved;
  if (!value.IsNull() && has_by)
    entry.error("ambiguous", "value", "value and by are both given, expected one of them");
  else if (!value.IsNull())
    resolved = value_of(entry, "value", value);
  else
    resolved = has_by ? select(entry, sizes) : std::nullopt;
  if (value.IsNull() && !has_by) entry.error("missing", "", "neither value nor by is given");
  entry.finish();
  return resolved;
}

}  // namespace

Result<TimingParams> TimingParams::load(const HwConfig& hw, const std::filesystem::path& dir) {
  std::error_code failed;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(dir, failed))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  if (failed) return Error{"timing.file", dir.string(), failed.message()};
  std::sort(files.begin(), files.end());
  const auto sizes = parameters(hw);
  TimingParams params;
  Diagnostics errors;
  for (const auto& file : files) {
    const auto root = yaml::load_map(file, "timing");
    if (!root) {
      errors.append(root.errors());
      continue;
    }
    MapReader reader(*root, file.string(), "timing", errors);
    for (const auto& item : *root) {
      if (!item.first.IsScalar()) continue;
      const std::string name = item.first.Scalar();
      auto entry = reader.map(name);
      if (!entry) continue;
      if (const auto value = resolve(*entry, sizes))
        params.values_[file.stem().string() + "." + name] = *value;
    }
    reader.finish();
  }
  if (!errors.empty()) return errors;
  return params;
}

int64_t TimingParams::get(const std::string& name) const {
  const auto found = values_.find(name);
  DLAVP_CHECK(found != values_.end(), "no timing parameter '{}'", name);
  return found->second;
}

}  // namespace dlavp
