// Which activation buffers may be alive at the same time, from the order that the events guarantee
// (not from the order in the list: independent engines overlap).
#pragma once

#include <vector>

#include "compiler/memory/planner.hpp"
#include "compiler/schedule/dependencies.hpp"

namespace dlavp::compiler {

/// One request for each buffer of Region::kActivations, in the order of `ids`.
struct Liveness {
  std::vector<BufferId> ids;
  std::vector<PlanRequest> requests;
};

/// `before` holds one relation for each task (empty for CPU tasks); tasks are in sequence.
[[nodiscard]] Liveness analyse_liveness(const HwProgram& program,
                                        const std::vector<CompletedBefore>& before);

}  // namespace dlavp::compiler
