// The CDP's two tables for a curve over sums of squares.
#pragma once

#include <functional>

#include "compiler/schedule/layer.hpp"

namespace dlavp::compiler {

struct LrnTable {
  Lut lut;
  double step = 1;   ///< real value of one step of a table entry
  double worst = 0;  ///< largest error, as a share of the curve's value there
};

/// LO covers the small sums closely, LE all up to `largest`; the split with the least relative
/// error is taken. Precondition: `curve` is positive and falls.
[[nodiscard]] LrnTable make_lrn_table(const std::function<double(double)>& curve, double largest);

}  // namespace dlavp::compiler
