// The order of a task's operations: who waits for whom, and what is therefore certain to be over
// before an operation starts.
#pragma once

#include <vector>

#include "compiler/schedule/hw_program.hpp"

namespace dlavp::compiler {

/// Which operations of a task are complete before another is enabled. The operations of one engine
/// complete in order, so a count for each engine says it all.
struct CompletedBefore {
  using Counts = std::array<uint32_t, kEngines>;
  std::vector<Counts> counts;    ///< by operation: how many of each engine are complete
  std::vector<Engine> engines;   ///< by operation
  std::vector<uint32_t> places;  ///< by operation: its place among its engine's operations

  [[nodiscard]] bool empty() const { return counts.empty(); }
  /// Operation `first` is complete before operation `second` is enabled.
  [[nodiscard]] bool operator()(size_t first, size_t second) const {
    return places[first] < counts[second][static_cast<size_t>(engines[first])];
  }
};

/// Fills consumers, fused_parent and dependencies of every operation. The firmware enables the
/// operations of one engine in order (each waits for the one before it to be enabled), has at most
/// two of an engine in flight, and starts a fused SDP before its convolution. Without `pipeline`
/// operations wait until what is before them is complete; only those joined on the fly run together.
CompletedBefore link_operations(HwTask& task, bool pipeline = true);

/// The same relation, derived from the links alone; what `verify` trusts.
[[nodiscard]] CompletedBefore completed_before(const HwTask& task);

}  // namespace dlavp::compiler
