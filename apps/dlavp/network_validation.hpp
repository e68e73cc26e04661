// Whole networks against their cycles on RTL, one operation at a time, in both timing modes, with
// the time that simulating them took; for the validation page.
#pragma once

#include <string>
#include <vector>

#include "models/common/result.hpp"
#include "vp/trace/rtl_table.hpp"

namespace dlavp::app {

struct PlayedNetwork {
  trace::RtlNetwork rtl;
  uint64_t run_cycles = 0, total_cycles = 0, read_beats = 0, write_beats = 0;
  double seconds = 0;        ///< of processor time: function and cycle timing
  uint64_t fast_cycles = 0;  ///< run_cycles in `fast` timing
  double fast_seconds = 0;   ///< of processor time: `fast` timing, function off
};

/// Plays each network. Errors: those of the loadable and the accelerator.
[[nodiscard]] Result<std::vector<PlayedNetwork>> play_networks(
    const std::vector<trace::RtlNetwork>& networks);

/// The page's section; empty without networks.
[[nodiscard]] std::string network_section(const std::vector<PlayedNetwork>& networks);

}  // namespace dlavp::app
