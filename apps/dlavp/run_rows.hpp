// The operations and the layers of a run, with their cycles, as tables and pages show them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "vp/host/session.hpp"

namespace dlavp::app {

/// One operation. Cycles are the accelerator's, for CPU operations the core's.
struct RunRow {
  uint32_t task = 0, index = 0;
  std::string name, engine;
  std::optional<size_t> layer;
  uint64_t start = 0, cycles = 0, bytes = 0, macs = 0;
  double utilisation = -1;  ///< of the multipliers; negative: the operation has none
  std::string summary;
  sim::CycleAccount::Parts parts{};  ///< of `cycles`, by cause
  FwOperationInfo core{};            ///< when the core programmed, enabled, and saw it done
};
[[nodiscard]] std::vector<RunRow> run_rows(const vp::RunResult& run, const vp::Network& network,
                                           const HwConfig& hw);

/// Multiply-adds of an operation that the network asks for; all that the multipliers do where the
/// loadable does not say.
[[nodiscard]] uint64_t network_macs(const vp::Network& network, const vp::RanOperation& op);

/// The operations of a layer. Cycles are the accelerator's, and those of all layers sum up to the
/// whole run's.
struct LayerRow {
  std::string name;
  std::vector<std::pair<std::string, size_t>> engines;  ///< and their numbers of operations
  uint64_t start = 0, done = 0;  ///< of its operations, after the first enable
  uint64_t cycles = 0;           ///< since all that was done before it was done
  uint64_t bytes = 0, macs = 0;
  double utilisation = -1;           ///< of the multipliers; negative: no multiply-adds
  sim::CycleAccount::Parts parts{};  ///< of the unit that worked longest, by cause
  [[nodiscard]] size_t operations() const;
};
/// In the order in which they are done; empty if the loadable does not name its layers.
/// `clocks`: the accelerator's clock over the core's.
[[nodiscard]] std::vector<LayerRow> layer_rows(const std::vector<RunRow>& rows,
                                               const vp::Network& network, const HwConfig& hw,
                                               double clocks);

/// When the accelerator was enabled first, by its clock.
[[nodiscard]] uint64_t first_enable(const vp::RunResult& run);

/// Where cycles went, as shares in percent, largest first; at most `most` of them.
[[nodiscard]] std::string cause_shares(const sim::CycleAccount::Parts& parts, size_t most);

}  // namespace dlavp::app
