#include "vp/memory/dram_config.hpp"

#include <bit>

#include "models/common/hw_config.hpp"
#include "models/common/yaml_reader.hpp"

namespace dlavp {

namespace {

using yaml::MapReader;
using yaml::Need;

void whole(MapReader& in, const char* key, uint32_t& out, uint32_t max, bool power_of_two = false) {
  const auto value = in.unsigned_integer(key, Need::kRequired, max);
  if (!value) return;
  out = static_cast<uint32_t>(*value);
  if (out == 0)
    in.error("range", key, fmt::format("{} is 0, expected 1 to {}", key, max));
  else if (power_of_two && !std::has_single_bit(out))
    in.error("power_of_two", key, fmt::format("{} is {}, expected a power of two", key, out));
}

void real(MapReader& in, const char* key, double& out, double max) {
  const auto value = in.real(key);
  if (!value) return;
  out = *value;
  if (!(out > 0 && out <= max))
    in.error("range", key, fmt::format("{} is {}, expected above 0 and at most {}", key, out, max));
}

void read_nanoseconds(MapReader& parent, DramConfig& d) {
  auto in = parent.map("ns");
  if (!in) return;
  const std::pair<const char*, double*> fields[] = {{"rcd", &d.rcd},
                                                    {"rp", &d.rp},
                                                    {"ras", &d.ras},
                                                    {"rrd_same_group", &d.rrd_same_group},
                                                    {"rrd_other_group", &d.rrd_other_group},
                                                    {"faw", &d.faw},
                                                    {"wr", &d.wr},
                                                    {"wtr_same_group", &d.wtr_same_group},
                                                    {"wtr_other_group", &d.wtr_other_group},
                                                    {"rtp", &d.rtp},
                                                    {"rfc", &d.rfc},
                                                    {"refi", &d.refi}};
  for (const auto& [key, field] : fields) real(*in, key, *field, 1e6);
  if (d.refi <= d.rfc + d.rcd + d.ras)
    in->error("refresh", "refi",
              fmt::format("refi is {}, expected more than rfc {} and a row's ras {} and rcd {}",
                          d.refi, d.rfc, d.ras, d.rcd));
  in->finish();
}

void read(MapReader& in, DramConfig& d) {
  d.name = in.text("name").value_or("");
  in.text("provenance");
  in.text("source");
  real(in, "clock_hz", d.clock_hz, 1e11);
  if (auto o = in.map("organisation")) {
    whole(*o, "channel_bits", d.channel_bits, 1024, true);
    whole(*o, "banks", d.banks, 64, true);
    whole(*o, "bank_groups", d.bank_groups, 16, true);
    whole(*o, "row_bytes", d.row_bytes, 1 << 20, true);
    whole(*o, "burst_length", d.burst_length, 64, true);
    if (d.channel_bits < 8 || d.bank_groups > d.banks || d.row_bytes < d.burst_bytes())
      o->error(
          "organisation", "banks",
          fmt::format("{} banks in {} groups, rows of {} bytes, bursts of {}: expected no more "
                      "groups than banks and no burst longer than a row",
                      d.banks, d.bank_groups, d.row_bytes, d.burst_bytes()));
    o->finish();
  }
  if (auto c = in.map("clocks")) {
    whole(*c, "read", d.read, 1000);
    whole(*c, "write", d.write, 1000);
    whole(*c, "column_same_group", d.column_same_group, 1000);
    whole(*c, "column_other_group", d.column_other_group, 1000);
    c->finish();
  }
  read_nanoseconds(in, d);
  if (auto c = in.map("controller")) {
    c->text("provenance");
    real(*c, "request_ns", d.request_ns, 1e6);
    real(*c, "response_ns", d.response_ns, 1e6);
    whole(*c, "read_buffers", d.read_buffers, 1024);
    whole(*c, "write_queue", d.write_queue, 1024);
    c->finish();
  }
}

}  // namespace

Result<DramConfig> load_dram_config(const std::string& name_or_path) {
  std::filesystem::path path = name_or_path;
  const bool is_name = name_or_path.find('/') == std::string::npos && path.extension() != ".yaml" &&
                       path.extension() != ".yml";
  const std::filesystem::path folder = config_dir() / "platform" / "memory";
  if (is_name) path = folder / (name_or_path + ".yaml");
  if (is_name && !std::filesystem::exists(path))
    return Error{"memory.name", "",
                 fmt::format("no part '{}' in {}", name_or_path, folder.string())};
  const auto root = yaml::load_map(path, "memory");
  if (!root) return root.errors();
  Diagnostics errors;
  MapReader in(*root, path.string(), "memory", errors);
  DramConfig config;
  read(in, config);
  in.finish();
  if (!errors.empty()) return errors;
  return config;
}

}  // namespace dlavp
