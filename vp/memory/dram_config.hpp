// DramConfig: one DRAM channel with its controller, from configs/platform/memory/*.yaml: what a
// data sheet says, in the units in which it says it.
#pragma once

#include <string>

#include "models/common/result.hpp"

namespace dlavp {

struct DramConfig {
  std::string name;
  double clock_hz = 0;  ///< of the commands; data move on both edges
  uint32_t channel_bits = 64, banks = 8, bank_groups = 1, row_bytes = 8192, burst_length = 8;
  /// Clocks: command to first data, and between two column commands.
  uint32_t read = 0, write = 0, column_same_group = 0, column_other_group = 0;
  /// Nanoseconds, as the data sheet names them.
  double rcd = 0, rp = 0, ras = 0, rrd_same_group = 0, rrd_other_group = 0, faw = 0, wr = 0,
         wtr_same_group = 0, wtr_other_group = 0, rtp = 0, rfc = 0, refi = 0;
  /// Of the controller: port to command queue, data to port; bursts it keeps of what was read;
  /// bursts it collects before it writes.
  double request_ns = 0, response_ns = 0;
  uint32_t read_buffers = 0, write_queue = 0;

  [[nodiscard]] uint32_t burst_bytes() const { return channel_bits / 8 * burst_length; }
  /// Bytes a second at the pins.
  [[nodiscard]] double peak_bandwidth() const { return clock_hz * 2 * channel_bits / 8; }
};

/// Loads a part: a name in configs/platform/memory ("ddr3_1600") or the path of a YAML file.
/// Errors ("memory.*"): every violated rule with its place.
Result<DramConfig> load_dram_config(const std::string& name_or_path);

}  // namespace dlavp
