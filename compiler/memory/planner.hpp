// Places buffers in one region so that those alive together do not overlap.
#pragma once

#include <cstdint>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp::compiler {

struct PlanRequest {
  uint64_t size = 0;              ///< bytes
  std::vector<size_t> conflicts;  ///< requests that may be alive at the same time (symmetric)
};

struct MemoryPlan {
  std::vector<uint64_t> offsets;
  uint64_t bytes = 0;  ///< of the region
};

/// Largest first, each into the tightest gap between the conflicting buffers already placed.
[[nodiscard]] MemoryPlan plan_memory(const std::vector<PlanRequest>& requests, uint64_t alignment);

/// Conflicting buffers that overlap, and offsets that are misaligned.
[[nodiscard]] Diagnostics verify_plan(const std::vector<PlanRequest>& requests,
                                      const MemoryPlan& plan, uint64_t alignment);

}  // namespace dlavp::compiler
