// The cycle estimate of the core: how many cycles an instruction of each class takes. Read from
// configs/iss/*.yaml; an in-order single-issue pipeline with caches that hit, nothing finer.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

#include "models/common/result.hpp"
#include "vp/iss/instructions.hpp"

namespace dlavp::iss {

struct CostTable {
  std::array<uint32_t, static_cast<size_t>(CostClass::kCount)> cycles{};
  uint32_t branch_taken = 0;  ///< a conditional branch that jumps (not: `cycles[kBranch]`)
  uint32_t trap = 0;          ///< entering an exception or interrupt handler

  [[nodiscard]] uint32_t of(CostClass c) const { return cycles[static_cast<size_t>(c)]; }
  /// Every instruction one cycle: the table of tests that count instructions.
  static CostTable unit_costs();
  /// Reads a table. Errors: missing, unknown and duplicate classes, a cost outside 1..1000, an
  /// entry without provenance, each with its place.
  static Result<CostTable> load(const std::filesystem::path& file);
};

/// The name of a class in the file, for example "fp_add".
[[nodiscard]] std::string_view cost_class_name(CostClass c);

}  // namespace dlavp::iss
