// Loader and rules of PlatformConfig.
#include "vp/platform_config.hpp"

#include <bit>

#include "models/common/hw_config.hpp"
#include "models/common/yaml_reader.hpp"

namespace dlavp {

namespace {

using yaml::MapReader;
using yaml::Need;

constexpr uint64_t kMaxAddress = INT64_MAX;

double clock(MapReader& in, const std::string& key) {
  const double hz = in.real(key).value_or(1);
  if (!(hz > 0 && hz <= 1e11))
    in.error("range", key, fmt::format("{} is {}, expected more than 0 and at most 1e11", key, hz));
  return hz;
}

uint32_t positive(MapReader& in, const std::string& key, uint32_t max) {
  const auto value = in.unsigned_integer(key, Need::kRequired, max);
  if (value && *value == 0)
    in.error("range", key, fmt::format("{} is 0, expected 1 to {}", key, max));
  return static_cast<uint32_t>(value.value_or(1));
}

DramConfig dram(MapReader& in) {
  DramConfig d;
  d.banks = positive(in, "banks", 64);
  d.row_bytes = positive(in, "row_bytes", 1 << 16);
  d.row_hit_cycles = positive(in, "row_hit", 10000);
  d.row_miss_cycles = positive(in, "row_miss", 10000);
  d.bytes_per_cycle = positive(in, "bytes_per_cycle", 1024);
  d.write_ack_cycles = positive(in, "write_ack", 10000);
  const std::pair<const char*, uint32_t> powers[] = {
      {"banks", d.banks}, {"row_bytes", d.row_bytes}, {"bytes_per_cycle", d.bytes_per_cycle}};
  for (const auto& [key, value] : powers)
    if (!std::has_single_bit(value))
      in.error("power_of_two", key, fmt::format("{} is {}, expected a power of two", key, value));
  if (d.row_miss_cycles < d.row_hit_cycles)
    in.error(
        "dram", "row_miss",
        fmt::format("row_miss is {}, less than row_hit {}", d.row_miss_cycles, d.row_hit_cycles));
  return d;
}

MemoryConfig memory(MapReader& parent, const std::string& key) {
  MemoryConfig m;
  auto in = parent.map(key);
  if (!in) return m;
  const std::string kind = in->text("kind").value_or("fixed");
  if (kind == "dram") {
    m.kind = MemoryKind::kDram;
    m.dram = dram(*in);
  } else if (kind == "fixed") {
    m.latency_cycles = positive(*in, "latency", 100000);
  } else {
    in->error("memory_kind", "kind", fmt::format("kind is '{}', expected fixed or dram", kind));
    return m;
  }
  in->finish();
  return m;
}

struct NamedWindow {
  std::string name;
  Window window;
};

Window window(MapReader& parent, const std::string& key, std::vector<NamedWindow>& all) {
  auto in = parent.map(key);
  if (!in) return {};
  const auto base = in->unsigned_integer("base", Need::kRequired, kMaxAddress);
  const auto size = in->unsigned_integer("size", Need::kRequired, kMaxAddress);
  in->finish();
  if (!base || !size) return {};
  if (*size == 0 || *size % 4096 != 0 || *base % 4096 != 0) {
    in->error("alignment", "base",
              fmt::format("{} at {:#x}, size {:#x}: expected multiples of 4096, size not 0", key,
                          *base, *size));
    return {};
  }
  if (*size > kMaxAddress - *base) {
    in->error(
        "range", "size",
        fmt::format("{} at {:#x}, size {:#x}: ends beyond the address space", key, *base, *size));
    return {};
  }
  const Window w{*base, *size};
  for (const NamedWindow& other : all)
    if (w.base < other.window.base + other.window.size && other.window.base < w.base + w.size)
      in->error("overlap", "base",
                fmt::format("{} at {:#x}, size {:#x} overlaps {} at {:#x}, size {:#x}", key, w.base,
                            w.size, other.name, other.window.base, other.window.size));
  all.push_back({key, w});
  return w;
}

void read(MapReader& in, PlatformConfig& c) {
  c.name = in.text("name").value_or("");
  if (auto clocks = in.map("clocks")) {
    c.core_clock_hz = clock(*clocks, "core_hz");
    c.nvdla_clock_hz = clock(*clocks, "nvdla_hz");
    clocks->finish();
  }
  if (auto memories = in.map("memory")) {
    c.dram = memory(*memories, "dram");
    c.sram = memory(*memories, "sram");
    memories->finish();
  }
  if (auto map = in.map("address_map")) {
    std::vector<NamedWindow> all;
    c.clint_window = window(*map, "clint", all);
    c.plic_window = window(*map, "plic", all);
    c.uart_window = window(*map, "uart", all);
    c.nvdla_window = window(*map, "nvdla", all);
    c.sram_window = window(*map, "sram", all);
    c.dram_window = window(*map, "dram", all);
    map->finish();
    if (c.nvdla_window.size != 0 && c.nvdla_window.size < 0x20000)
      map->error("range", "nvdla",
                 fmt::format("nvdla has {:#x} bytes, expected at least 0x20000 for its registers",
                             c.nvdla_window.size));
  }
  if (auto interrupts = in.map("interrupts")) {
    c.nvdla_irq = positive(*interrupts, "nvdla", 63);
    interrupts->finish();
  }
}

}  // namespace

Result<PlatformConfig> load_platform_config(const std::string& name_or_path) {
  std::filesystem::path path = name_or_path;
  const bool is_name = name_or_path.find('/') == std::string::npos && path.extension() != ".yaml" &&
                       path.extension() != ".yml";
  if (is_name) path = config_dir() / "platform" / (name_or_path + ".yaml");
  if (is_name && !std::filesystem::exists(path))
    return Error{
        "platform.name", "",
        fmt::format("no platform '{}' in {}", name_or_path, (config_dir() / "platform").string())};
  const auto root = yaml::load_map(path, "platform");
  if (!root) return root.errors();
  Diagnostics errors;
  MapReader in(*root, path.string(), "platform", errors);
  PlatformConfig config;
  read(in, config);
  in.finish();
  if (!errors.empty()) return errors;
  return config;
}

}  // namespace dlavp
