// PlatformConfig: the system around one NVDLA - clocks, memories, address map - from
// configs/platform/*.yaml, validated once. Sizes of the accelerator itself are in HwConfig.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp {

/// A simple DRAM: banks with one open row each behind one data bus. Cycles are of the accelerator's
/// clock.
struct DramConfig {
  uint32_t banks = 8;
  uint32_t row_bytes = 2048;
  uint32_t row_hit_cycles = 20;    ///< request to first beat, row open
  uint32_t row_miss_cycles = 50;   ///< close the row, open another
  uint32_t bytes_per_cycle = 8;    ///< of the data bus
  uint32_t write_ack_cycles = 20;  ///< last beat to response
};

enum class MemoryKind : uint8_t { kFixed, kDram };

/// One memory behind an AXI port of the accelerator.
struct MemoryConfig {
  MemoryKind kind = MemoryKind::kFixed;
  uint32_t latency_cycles = 32;  ///< kFixed
  DramConfig dram;               ///< kDram
};

/// A window of the address map.
struct Window {
  uint64_t base = 0, size = 0;
  [[nodiscard]] bool contains(uint64_t address) const { return address - base < size; }
};

struct PlatformConfig {
  std::string name;
  double core_clock_hz = 0, nvdla_clock_hz = 0;
  MemoryConfig dram;  ///< behind DBB, shared with the core
  MemoryConfig sram;  ///< behind the secondary interface
  Window dram_window, sram_window, nvdla_window, clint_window, plic_window, uart_window;
  uint32_t nvdla_irq = 1;  ///< PLIC source
};

/// Loads a platform: a name in configs/platform ("default") or the path of a YAML file.
/// Errors ("platform.*"): every violated rule with its place.
Result<PlatformConfig> load_platform_config(const std::string& name_or_path);

}  // namespace dlavp
