// Loader and rules of PlatformConfig.
#include "vp/platform_config.hpp"

#include <bit>
#include <cstdio>

#include "models/common/hw_config.hpp"
#include "models/common/yaml_reader.hpp"

namespace dlavp {

namespace {

using yaml::MapReader;
using yaml::Need;

constexpr uint64_t kMaxAddress = INT64_MAX;
constexpr uint32_t kMaxLatency = 100000;
constexpr double kMaxBytesPerCycle = 4096;

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

/// Errors of a part's file are not of this one's places: they are added as they are.
MemoryConfig memory(MapReader& parent, const std::string& key, Diagnostics& errors) {
  MemoryConfig m;
  auto in = parent.map(key);
  if (!in) return m;
  const std::string kind = in->text("kind").value_or("fixed");
  if (kind == "dram") {
    m.kind = MemoryKind::kDram;
    if (const auto part = in->text("part")) {
      const auto dram = load_dram_config(*part);
      if (dram)
        m.dram = *dram;
      else
        errors.append(dram.errors());
    }
  } else if (kind == "bandwidth") {
    m.kind = MemoryKind::kBandwidth;
    m.latency_cycles = positive(*in, "latency", kMaxLatency);
    m.bytes_per_cycle = in->real("bytes_per_cycle").value_or(1);
    if (!(m.bytes_per_cycle > 0 && m.bytes_per_cycle <= kMaxBytesPerCycle))
      in->error("range", "bytes_per_cycle",
                fmt::format("bytes_per_cycle is {}, expected above 0 and at most {}",
                            m.bytes_per_cycle, kMaxBytesPerCycle));
  } else if (kind == "fixed") {
    m.latency_cycles = positive(*in, "latency", kMaxLatency);
  } else {
    in->error("memory_kind", "kind",
              fmt::format("kind is '{}', expected fixed, bandwidth or dram", kind));
    return m;
  }
  in->finish();
  return m;
}

CoreCacheConfig core_cache(MapReader& parent) {
  CoreCacheConfig c;
  auto in = parent.map("core", Need::kOptional);
  if (!in) return c;
  const std::string traffic = in->text("traffic").value_or("free");
  if (traffic == "cached") {
    c.traffic = CoreTraffic::kCached;
    c.bytes = positive(*in, "bytes", 1 << 26);
    c.line_bytes = positive(*in, "line_bytes", 4096);
    c.ways = positive(*in, "ways", 64);
    const uint64_t set = uint64_t{c.line_bytes} * c.ways;
    if (!std::has_single_bit(c.line_bytes) || c.line_bytes < 8 || c.bytes % set != 0 ||
        !std::has_single_bit(c.bytes / set))
      in->error(
          "core_cache", "bytes",
          fmt::format("{} bytes in {} ways of {}-byte lines: expected lines of a power of two, "
                      "8 or more, and a power of two of sets",
                      c.bytes, c.ways, c.line_bytes));
  } else if (traffic == "uncached") {
    c.traffic = CoreTraffic::kUncached;
  } else if (traffic != "free") {
    in->error("core_traffic", "traffic",
              fmt::format("traffic is '{}', expected free, cached or uncached", traffic));
    return c;
  }
  in->finish();
  return c;
}

struct NamedWindow {
  std::string name;
  Window window;
};

/// The window that `in` describes with its base and size.
Window read_window(MapReader* in, const std::string& key, std::vector<NamedWindow>& all) {
  const auto base = in->unsigned_integer("base", Need::kRequired, kMaxAddress);
  const auto size = in->unsigned_integer("size", Need::kRequired, kMaxAddress);
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

Window window(MapReader& parent, const std::string& key, std::vector<NamedWindow>& all) {
  auto in = parent.map(key);
  if (!in) return {};
  const Window w = read_window(&*in, key, all);
  in->finish();
  return w;
}

void check_registers(MapReader& in, const std::string& key, const std::string& name,
                     const Window& w) {
  constexpr uint64_t kRegisterBytes = 0x20000;
  if (w.size != 0 && w.size < kRegisterBytes)
    in.error("range", key,
             fmt::format("{} has {:#x} bytes, expected at least {:#x} for its registers", name,
                         w.size, kRegisterBytes));
}

void more_nvdla(MapReader& map, PlatformConfig& c, std::vector<NamedWindow>& all) {
  for (MapReader& in : map.maps("more_nvdla", Need::kOptional)) {
    const std::string name = fmt::format("nvdla {}", c.more_nvdla.size() + 2);
    NvdlaInstance instance;
    instance.window = read_window(&in, name, all);
    check_registers(in, "size", name, instance.window);
    instance.irq = positive(in, "interrupt", 63);
    in.finish();
    c.more_nvdla.push_back(instance);
  }
}

void read(MapReader& in, PlatformConfig& c, Diagnostics& errors) {
  c.name = in.text("name").value_or("");
  if (auto clocks = in.map("clocks")) {
    c.core_clock_hz = clock(*clocks, "core_hz");
    c.nvdla_clock_hz = clock(*clocks, "nvdla_hz");
    clocks->finish();
  }
  if (auto memories = in.map("memory")) {
    c.dram = memory(*memories, "dram", errors);
    c.sram = memory(*memories, "sram", errors);
    c.core = core_cache(*memories);
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
    more_nvdla(*map, c, all);
    map->finish();
    check_registers(*map, "nvdla", "nvdla", c.nvdla_window);
  }
  if (const auto timing = in.text("timing", Need::kOptional)) {
    if (const auto mode = parse_timing_mode(*timing))
      c.mode.timing = *mode;
    else
      in.error("timing", "timing",
               fmt::format("timing is '{}', expected cycle, fast or none", *timing));
  }
  if (auto interrupts = in.map("interrupts")) {
    c.nvdla_irq = positive(*interrupts, "nvdla", 63);
    for (size_t i = 0; i < c.more_nvdla.size(); ++i)
      for (size_t k = 0; k <= i; ++k)
        if (const uint32_t other = k == 0 ? c.nvdla_irq : c.more_nvdla[k - 1].irq;
            c.more_nvdla[i].irq == other)
          interrupts->error(
              "interrupt", "nvdla",
              fmt::format("interrupt {} is nvdla {}'s and nvdla {}'s", other, k + 1, i + 2));
    interrupts->finish();
  }
}

}  // namespace

std::string MemoryConfig::text() const {
  switch (kind) {
    case MemoryKind::kFixed:
      return fmt::format("fixed latency {}", latency_cycles);
    case MemoryKind::kBandwidth:
      return fmt::format("latency {}, {:g} bytes a cycle", latency_cycles, bytes_per_cycle);
    case MemoryKind::kDram:
      return fmt::format("{}, {:g} GB/s at the pins", dram.name, dram.peak_bandwidth() / 1e9);
  }
  return "";
}

Result<MemoryConfig> parse_memory(const std::string& text) {
  MemoryConfig m;
  const std::string kind = text.substr(0, text.find(':'));
  if (kind != "fixed" && kind != "bandwidth") {
    const auto dram = load_dram_config(text);
    if (!dram) return dram.errors();
    m.kind = MemoryKind::kDram;
    m.dram = *dram;
    return m;
  }
  const bool fixed = kind == "fixed";
  m.kind = fixed ? MemoryKind::kFixed : MemoryKind::kBandwidth;
  int used = 0;
  const std::string rest = text.substr(kind.size());
  const int got =
      fixed ? std::sscanf(rest.c_str(), ":%u%n", &m.latency_cycles, &used)
            : std::sscanf(rest.c_str(), ":%u:%lf%n", &m.latency_cycles, &m.bytes_per_cycle, &used);
  const bool whole = got == (fixed ? 1 : 2) && static_cast<size_t>(used) == rest.size();
  if (!whole || m.latency_cycles == 0 || m.latency_cycles > kMaxLatency ||
      (!fixed && !(m.bytes_per_cycle > 0 && m.bytes_per_cycle <= kMaxBytesPerCycle)))
    return Error{"platform.memory", "",
                 fmt::format("'{}', expected fixed:LATENCY with 1 to {} cycles, "
                             "bandwidth:LATENCY:BYTES with up to {} bytes a cycle, or a part",
                             text, kMaxLatency, kMaxBytesPerCycle)};
  return m;
}

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
  read(in, config, errors);
  in.finish();
  if (!errors.empty()) return errors;
  return config;
}

}  // namespace dlavp
