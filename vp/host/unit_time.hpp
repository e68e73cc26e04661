// Where each unit's cycles went over a whole run: the causes of its operations, and of the time
// between them. The parts of a unit sum up to the run's length exactly.
#pragma once

#include <string>
#include <vector>

#include "models/nvdla/unit_context.hpp"

namespace dlavp::vp {

struct UnitTime {
  std::string unit;
  uint64_t operations = 0;
  uint64_t total = 0;                ///< first enable of any unit to the last completion
  sim::CycleAccount::Parts parts{};  ///< of its operations; overlap is 0: it is counted once
  uint64_t start = 0;                ///< an operation is enabled and has not begun
  uint64_t others = 0;               ///< nothing is enabled, other units work
  uint64_t core = 0;                 ///< nothing is enabled anywhere: the core answers and programs
};

/// One a unit, in order of first appearance. `records` in order of completion.
[[nodiscard]] std::vector<UnitTime> unit_times(const std::vector<OpRecord>& records);

}  // namespace dlavp::vp
