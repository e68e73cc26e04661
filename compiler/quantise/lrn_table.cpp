// Both tables are linear and begin just below zero: a sum at a table's start would count as
// outside.
#include "compiler/quantise/lrn_table.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/interpreter/lrn_interpreter.hpp"

namespace dlavp::compiler {
namespace {

constexpr int64_t kStart = -1;
constexpr double kLargestEntry = 32767;
constexpr int kProbes = 512;

void fill(std::vector<int16_t>& table, int8_t index, const std::function<double(double)>& curve,
          double step) {
  for (size_t i = 0; i < table.size(); ++i) {
    const auto at = static_cast<double>(kStart + (static_cast<int64_t>(i) << index));
    const double y = curve(std::max(at, 0.0)) / step;
    table[i] = static_cast<int16_t>(std::lround(std::clamp(y, 0.0, kLargestEntry)));
  }
}

int8_t index_for(size_t entries, double largest) {
  int8_t index = 0;
  while (std::ldexp(static_cast<double>(entries - 1), index) <= largest + 1) ++index;
  return index;
}

/// Probes lie closer where the sums are small.
double worst_error(const LrnTable& t, const std::function<double(double)>& curve, double largest) {
  double worst = 0;
  for (int i = 0; i <= kProbes; ++i) {
    const double share = static_cast<double>(i) / kProbes;
    const auto x = static_cast<int64_t>(largest * share * share * share);
    const double y = curve(static_cast<double>(x));
    const double got = static_cast<double>(cdp_look_up(t.lut, x)) * t.step;
    worst = std::max(worst, std::abs(got - y) / y);
  }
  return worst;
}

}  // namespace

LrnTable make_lrn_table(const std::function<double(double)>& curve, double largest) {
  LrnTable best;
  best.worst = -1;
  const int8_t all = index_for(257, largest);
  for (int8_t lo = 0; lo <= all; ++lo) {
    LrnTable t;
    t.step = curve(0) / kLargestEntry;
    t.lut.lo_index = lo;
    t.lut.le_index = index_for(65, largest);
    t.lut.lo_start = t.lut.le_start = kStart;
    t.lut.lo_end = kStart + (int64_t{256} << lo);
    t.lut.le_end = kStart + (int64_t{64} << t.lut.le_index);
    fill(t.lut.lo, t.lut.lo_index, curve, t.step);
    fill(t.lut.le, t.lut.le_index, curve, t.step);
    t.worst = worst_error(t, curve, largest);
    if (best.worst < 0 || t.worst < best.worst) best = std::move(t);
  }
  return best;
}

}  // namespace dlavp::compiler
