// HwConfig: the sizes and features of one NVDLA, validated once; everything downstream takes it
// by const reference. Parameter names follow the published specs. Source of the seven published
// configurations: configs/hardware/*.yaml.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp {

enum class DataType : uint8_t { kInt8, kInt16, kFp16 };

/// One memory interface (MCIF or CVIF) of the accelerator.
struct MemifConfig {
  uint32_t latency = 0;           ///< cycles the design was sized for; sets client FIFO depths
  uint32_t max_burst_length = 1;  ///< beats
  uint32_t width_bits = 64;       ///< data bus
  [[nodiscard]] uint32_t width_bytes() const { return width_bits / 8; }
};

struct HwConfig {
  std::string name;
  int hw = 2;  ///< register unit bases: 1 = nv_full generation, 2 = nv_small to nv_large
  std::vector<DataType> feature_data_types, weight_data_types;
  bool weight_compression = false, winograd = false, batch = false;
  bool sdp_lut = false, sdp_bs = true, sdp_bn = true, sdp_ew = false;
  bool bdma = false, rubik = false, rubik_contract = false, rubik_reshape = false;
  bool pdp = true, cdp = true, retiming = false;
  uint32_t mac_atomic_c_size = 0;   ///< channels of one multiply-add (elements)
  uint32_t mac_atomic_k_size = 0;   ///< kernels computed at once
  uint32_t memory_atomic_size = 0;  ///< bytes of one memory atom
  uint32_t max_batch_size = 0;      ///< 0: no batch
  uint32_t cbuf_bank_number = 0;
  uint32_t cbuf_bank_width = 0;  ///< bytes of one entry
  uint32_t cbuf_bank_depth = 0;  ///< entries of one bank
  uint32_t sdp_bs_throughput = 0, sdp_bn_throughput = 0, sdp_ew_throughput = 0;  ///< elements a cycle
  uint32_t pdp_throughput = 0, cdp_throughput = 0;                               ///< elements a cycle
  MemifConfig primary_memif;
  std::optional<MemifConfig> secondary_memif;  ///< absent: no CVIF
  uint32_t mem_address_width = 32;             ///< bits

  [[nodiscard]] uint32_t macs() const { return mac_atomic_c_size * mac_atomic_k_size; }
  [[nodiscard]] uint64_t cbuf_bytes() const {
    return uint64_t{cbuf_bank_number} * cbuf_bank_width * cbuf_bank_depth;
  }
  [[nodiscard]] uint64_t bank_bytes() const { return uint64_t{cbuf_bank_width} * cbuf_bank_depth; }
  [[nodiscard]] bool supports_feature(DataType t) const {
    for (DataType d : feature_data_types)
      if (d == t) return true;
    return false;
  }
};

/// Loads a hardware configuration: a published name ("nv_small") or the path of a YAML file.
/// Errors: every violated rule, each with file, line and column.
Result<HwConfig> load_hw_config(const std::string& name_or_path);

/// Every rule of a legal configuration that `config` violates (place left empty).
[[nodiscard]] Diagnostics validate(const HwConfig& config);

/// Names of the configurations shipped in configs/hardware, sorted by multipliers.
[[nodiscard]] std::vector<std::string> published_configs();

/// Folder of the shipped configs/: DLAVP_CONFIG_DIR if set, the installed or the source one otherwise.
[[nodiscard]] std::filesystem::path config_dir();

}  // namespace dlavp
