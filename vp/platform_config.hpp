// PlatformConfig: the system around one NVDLA - clocks, memories, address map - from
// configs/platform/*.yaml, validated once. Sizes of the accelerator itself are in HwConfig.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/common/result.hpp"
#include "models/common/run_mode.hpp"
#include "vp/memory/dram_config.hpp"

namespace dlavp {

enum class MemoryKind : uint8_t { kFixed, kBandwidth, kDram };

/// One memory behind an AXI port of the accelerator. Cycles are of the accelerator's clock.
struct MemoryConfig {
  MemoryKind kind = MemoryKind::kFixed;
  uint32_t latency_cycles = 32;  ///< kFixed, kBandwidth
  double bytes_per_cycle = 0;    ///< kBandwidth
  DramConfig dram;               ///< kDram
  [[nodiscard]] std::string text() const;
};

/// What the core's accesses to DRAM cost the memory.
enum class CoreTraffic : uint8_t { kFree, kCached, kUncached };
struct CoreCacheConfig {
  CoreTraffic traffic = CoreTraffic::kFree;
  uint32_t bytes = 16384, line_bytes = 64, ways = 4;  ///< kCached
};

/// A window of the address map.
struct Window {
  uint64_t base = 0, size = 0;
  [[nodiscard]] bool contains(uint64_t address) const { return address - base < size; }
};

/// One accelerator beside the first, all of the same configuration.
struct NvdlaInstance {
  Window window;
  uint32_t irq = 0;  ///< PLIC source
};

struct PlatformConfig {
  std::string name;
  double core_clock_hz = 0, nvdla_clock_hz = 0;
  MemoryConfig dram;  ///< behind DBB, shared with the core
  MemoryConfig sram;  ///< behind the secondary interface
  CoreCacheConfig core;
  RunMode mode;  ///< of the accelerator
  Window dram_window, sram_window, nvdla_window, clint_window, plic_window, uart_window;
  uint32_t nvdla_irq = 1;                 ///< PLIC source
  std::vector<NvdlaInstance> more_nvdla;  ///< the firmware knows the first one only
};

/// Loads a platform: a name in configs/platform ("default") or the path of a YAML file.
/// Errors ("platform.*"): every violated rule with its place.
Result<PlatformConfig> load_platform_config(const std::string& name_or_path);

/// A memory in short, as an option of a command: "fixed:32" (latency), "bandwidth:32:4" (latency,
/// bytes a cycle), "ddr3_1600" (a part's name or file). Errors: "platform.memory", "memory.*".
Result<MemoryConfig> parse_memory(const std::string& text);

}  // namespace dlavp
