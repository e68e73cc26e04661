// NVIDIA's published performance spreadsheet as formulas: a roofline per layer, the larger of
// multiplier cycles and memory cycles. Source: NVDLA_OpenSource_Performance.xlsx of the public
// hardware repository, and the primer's performance table, which comes out of the same formulas.
// It leaves out what the spreadsheet leaves out: pooling and element-wise operations of their own,
// the filling of pipelines and buffers, latency, the control of the operations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dlavp::estimate {

enum class LayerKind : uint8_t { kConv, kConvAdd, kFullyConnected };

/// Pooling that the spreadsheet takes to be free behind the layer; only the output shrinks.
struct SheetPool {
  uint32_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
};

struct SheetLayer {
  std::string name;
  LayerKind kind = LayerKind::kConv;
  uint32_t channels = 0, height = 0, width = 0;  ///< of the input
  uint32_t kernels = 0, kernel_h = 1, kernel_w = 1;
  uint32_t stride_h = 1, stride_w = 1;
  bool padded = false;  ///< the output has the input's size over the stride
  std::optional<SheetPool> pool;
  uint32_t groups = 1;               ///< the layer is done that often; sizes are those of one group
  bool winograd_weights = true;      ///< a 3x3 layer's weights are counted in their 4x4 form
  bool output_also_to_dram = false;  ///< with an SRAM: the output is counted on both memories

  [[nodiscard]] bool winograd() const { return kernel_h == 3 && kernel_w == 3; }
  [[nodiscard]] uint64_t macs() const;  ///< of all groups, for one frame
  [[nodiscard]] uint32_t conv_height() const;
  [[nodiscard]] uint32_t conv_width() const;
};

/// Memory behind the second port: feature maps live there.
struct SheetSram {
  double kib = 4096, read_gb_per_s = 25, write_gb_per_s = 25;
};

struct SheetMachine {
  uint32_t macs = 2048;
  double cbuf_kib = 512;
  double dram_gb_per_s = 10;  ///< reads and writes together
  double clock_mhz = 1000;
  uint32_t element_bytes = 1;
  uint32_t fc_batch = 16;  ///< frames that share the weights of a fully connected layer
  std::optional<SheetSram> sram;
};

/// In what the spreadsheet's pages differ from each other, and what of it one may take away.
struct SheetRules {
  uint32_t channel_multiple = 16;         ///< channels are padded to this in memory and multipliers
  uint32_t kernel_multiple = 128;         ///< kernels are padded to this in the multipliers
  uint32_t sram_kernel_multiple = 16;     ///< the same in the half of a page that has an SRAM
  bool winograd_credit = true;            ///< 3x3 layers take 2.25 times fewer multiplier cycles
  bool refetch = true;                    ///< what does not fit the buffer is read again and again
  bool refetch_by_least_weights = false;  ///< which side is read again: by 32 kernels, not by all
  uint32_t lines_beyond_kernel = 0;       ///< input lines held besides a kernel's height
  bool batched_fc_weights = false;  ///< DRAM traffic of fully connected weights is shared by batch
  bool sram_batches = false;        ///< with an SRAM, frames that fit it share the conv weights
  double bytes_per_kib = 1000;      ///< the pages divide KiB by GB/s as if they were kB
};

struct SheetNetwork {
  std::string name;
  std::vector<SheetLayer> layers;
  SheetRules rules;
  bool knows_sram = true;  ///< the published page's SRAM half follows the rules here
};

struct SheetRow {
  double dram_kib = 0, sram_read_kib = 0, sram_write_kib = 0;
  double mac_cycles = 0, dram_cycles = 0, sram_cycles = 0, cycles = 0;
  [[nodiscard]] const char* bound() const;
};

struct SheetEstimate {
  std::vector<SheetRow> rows;  ///< one a layer
  double cycles = 0;           ///< for one frame
  [[nodiscard]] double fps(double clock_mhz) const { return clock_mhz * 1e6 / cycles; }
};

[[nodiscard]] SheetEstimate evaluate(const SheetNetwork& network, const SheetMachine& machine);

}  // namespace dlavp::estimate
