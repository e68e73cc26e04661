// Best fit by size.
#include "compiler/memory/planner.hpp"

#include <algorithm>
#include <numeric>

namespace dlavp::compiler {
namespace {

uint64_t round_up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

/// The start of the smallest gap that holds `size` between `taken` ([begin, end), any order).
uint64_t best_gap(std::vector<std::pair<uint64_t, uint64_t>> taken, uint64_t size,
                  uint64_t alignment) {
  std::sort(taken.begin(), taken.end());
  uint64_t free_from = 0;
  uint64_t best = ~uint64_t{0};
  uint64_t best_size = ~uint64_t{0};
  for (const auto& [begin, end] : taken) {
    if (begin >= free_from + size && begin - free_from < best_size) {
      best = free_from;
      best_size = begin - free_from;
    }
    free_from = std::max(free_from, round_up(end, alignment));
  }
  return best_size == ~uint64_t{0} ? free_from : best;
}

}  // namespace

MemoryPlan plan_memory(const std::vector<PlanRequest>& requests, uint64_t alignment) {
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return requests[a].size > requests[b].size; });
  MemoryPlan plan;
  plan.offsets.assign(requests.size(), 0);
  std::vector<bool> placed(requests.size());
  for (size_t i : order) {
    std::vector<std::pair<uint64_t, uint64_t>> taken;
    for (size_t other : requests[i].conflicts) {
      if (placed[other])
        taken.emplace_back(plan.offsets[other], plan.offsets[other] + requests[other].size);
    }
    plan.offsets[i] = best_gap(std::move(taken), requests[i].size, alignment);
    placed[i] = true;
    plan.bytes = std::max(plan.bytes, round_up(plan.offsets[i] + requests[i].size, alignment));
  }
  return plan;
}

Diagnostics verify_plan(const std::vector<PlanRequest>& requests, const MemoryPlan& plan,
                        uint64_t alignment) {
  Diagnostics out;
  for (size_t i = 0; i < requests.size(); ++i) {
    const uint64_t begin = plan.offsets[i];
    const uint64_t end = begin + requests[i].size;
    if (begin % alignment != 0) {
      out.add("memory.alignment", fmt::format("buffer {}", i),
              fmt::format("offset {}, alignment {}", begin, alignment));
    }
    if (end > plan.bytes)
      out.add("memory.region", fmt::format("buffer {}", i),
              fmt::format("ends at {} of {}", end, plan.bytes));
    for (size_t other : requests[i].conflicts) {
      if (other <= i || requests[i].size == 0 || requests[other].size == 0) continue;
      const uint64_t other_begin = plan.offsets[other];
      if (begin < other_begin + requests[other].size && other_begin < end) {
        out.add("memory.overlap", fmt::format("buffers {} and {}", i, other),
                fmt::format("[{}, {}) and [{}, {})", begin, end, other_begin,
                            other_begin + requests[other].size));
      }
    }
  }
  return out;
}

}  // namespace dlavp::compiler
