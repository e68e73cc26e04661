// Magnitudes of a tensor over all samples, and the range that int8 should cover.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/quantise/calibrate.hpp"

namespace dlavp::compiler {

struct Histogram {
  double largest = 0;  ///< set before `count`
  std::vector<uint64_t> bins;

  void count(const std::vector<float>& values);
  [[nodiscard]] double range(const CalibrationOptions& options) const;
};

}  // namespace dlavp::compiler
