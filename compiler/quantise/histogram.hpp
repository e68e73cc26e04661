// Magnitudes of a tensor over all samples, and the range that int8 should cover.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "compiler/quantise/calibrate.hpp"

namespace dlavp::compiler {

struct Histogram {
  double low = 0, high = 0;  ///< the range, with zero; set before `count`
  std::vector<uint64_t> bins;

  [[nodiscard]] double largest() const { return std::max(-low, high); }
  void count(const std::vector<float>& values);
  /// The magnitude up to which int8 should tell values apart.
  [[nodiscard]] double range(const CalibrationOptions& options) const;
};

}  // namespace dlavp::compiler
