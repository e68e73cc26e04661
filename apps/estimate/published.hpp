// The networks whose figures NVIDIA published, as layer tables built from their architecture, with
// the conventions of each network's page, and a reader of published figures to hold against them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/estimate/sheet.hpp"
#include "models/common/result.hpp"

namespace dlavp::estimate {

/// "alexnet", "googlenet", "resnet50".
[[nodiscard]] std::vector<std::string> published_networks();
[[nodiscard]] std::optional<SheetNetwork> published_network(const std::string& name);

/// One published figure and what the formulas give for it.
struct PublishedFigure {
  std::string source, network, note;
  SheetMachine machine;
  SheetRules rules;
  std::optional<double> fps, cycles;  ///< as published
  unsigned fps_decimals = 0, cycle_decimals = 0;
  double our_fps = 0, our_cycles = 0;
  [[nodiscard]] bool equal() const;  ///< to the digits that were published
};

/// Reads a CSV of published figures (columns source, network, macs, cbuf_kib, dram_gb_per_s,
/// clock_mhz, bytes_per_elem, fc_batch, sram, fps, cycles, note), takes the rows whose source is
/// "primer" or "spreadsheet", and evaluates them. A note may say "Winograd credit removed" and
/// "kernels padded to a multiple of N". Errors: "estimate.published" with the line.
Result<std::vector<PublishedFigure>> check_published(const std::string& path);

}  // namespace dlavp::estimate
