// What one network takes from its compiler's loadable and from ours, on the same platform.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "apps/dlavp/timed_run.hpp"

namespace dlavp::app {

struct CompareCase {
  std::string name;      ///< of the row
  TimedNetwork network;  ///< `input_mode` is found, not given
  std::string peer;      ///< the other compiler's loadable
  HwConfig hw;
};

/// What a loadable took. Cycles are of the accelerator's clock.
struct CompareSide {
  uint64_t operations = 0, core_operations = 0;  ///< of the accelerator, of the core
  uint64_t cycles = 0;      ///< from the first enable to the accelerator's last completion
  uint64_t all_cycles = 0;  ///< until the core has seen the last operation done, its own included
  uint64_t beats = 0;       ///< read and written
  std::string input;        ///< "pixels" or "feature data"
  std::vector<std::array<uint32_t, 3>> sizes;  ///< of the inputs: channels, height, width
};

struct CompareRow {
  std::string name, config;
  std::optional<CompareSide> ours, peer;
  std::string ours_refused, peer_refused;  ///< why there is no figure
  std::vector<std::string> notes;          ///< what differs beside the compilers
  std::string cut;  ///< how much of an input the peer leaves out; empty: none, or not known

  [[nodiscard]] bool both() const { return ours && peer; }
  /// Both compute the network.
  [[nodiscard]] bool alike() const { return both() && cut.empty(); }
  /// Ours needs more cycles for the same work, or does not compile what the peer runs.
  [[nodiscard]] bool worse() const;
};

/// Compiles and runs; each run in a process of its own. Inputs are zeros. Ours runs also where the
/// peer's is refused.
[[nodiscard]] CompareRow compare_one(const CompareCase& c, const PlatformConfig& platform);

/// A folder of loadables, <network>_<configuration>[_...].nvdla, with the networks of another:
/// <network>.prototxt or .onnx, where they are with .caffemodel and .calib.json. `only`: one
/// configuration, empty for all. Errors: compare.folder, compare.network.
Result<std::vector<CompareCase>> compare_cases(const std::string& peers,
                                               const std::string& networks,
                                               const std::string& only);

/// Fills in the files beside a network that are there.
[[nodiscard]] TimedNetwork with_neighbours(const std::string& path);

}  // namespace dlavp::app
