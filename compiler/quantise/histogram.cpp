// Percentile and entropy over bins of equal width.
#include "compiler/quantise/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

namespace dlavp::compiler {
namespace {

constexpr size_t kBins = 2048;
constexpr size_t kLevels = 128;  ///< magnitudes of int8
constexpr size_t kStep = 16;     ///< bins between two ranges that are tried

double percentile_range(const Histogram& h, double share) {
  const auto total =
      static_cast<double>(std::accumulate(h.bins.begin(), h.bins.end(), uint64_t{0}));
  uint64_t sum = 0;
  for (size_t i = 0; i < h.bins.size(); ++i) {
    sum += h.bins[i];
    if (static_cast<double>(sum) >= share * total)
      return h.largest() * static_cast<double>(i + 1) / kBins;
  }
  return h.largest();
}

/// Kullback-Leibler divergence of the first `count` bins, the rest clipped into the last of them,
/// from what remains of them in kLevels levels.
double divergence(std::span<const uint64_t> bins, size_t count) {
  std::vector<double> p(bins.begin(), bins.begin() + static_cast<std::ptrdiff_t>(count));
  for (size_t i = count; i < bins.size(); ++i) p.back() += static_cast<double>(bins[i]);
  std::vector<double> q(count);
  for (size_t level = 0; level < kLevels; ++level) {
    const size_t begin = level * count / kLevels, end = (level + 1) * count / kLevels;
    double sum = 0;
    size_t used = 0;
    for (size_t i = begin; i < end; ++i) {
      sum += static_cast<double>(bins[i]);
      used += bins[i] != 0 ? 1 : 0;
    }
    for (size_t i = begin; i < end && used != 0; ++i) {
      if (bins[i] != 0) q[i] = sum / static_cast<double>(used);
    }
  }
  const double p_sum = std::accumulate(p.begin(), p.end(), 0.0);
  const double q_sum = std::accumulate(q.begin(), q.end(), 0.0);
  if (p_sum <= 0 || q_sum <= 0) return INFINITY;
  constexpr double kLeast = 1e-9;  // a bin that is empty in q only
  double out = 0;
  for (size_t i = 0; i < count; ++i) {
    if (p[i] > 0) out += p[i] / p_sum * std::log(p[i] / p_sum / std::max(q[i] / q_sum, kLeast));
  }
  return out;
}

double entropy_range(const Histogram& h) {
  // The exact zeros of a ReLU say nothing about where to clip.
  std::vector<uint64_t> bins = h.bins;
  bins[0] = bins[1];
  size_t best = bins.size();
  double least = INFINITY;
  for (size_t count = kLevels; count <= bins.size(); count += kStep) {
    const double d = divergence(bins, count);
    if (d >= least) continue;
    least = d;
    best = count;
  }
  return h.largest() * static_cast<double>(best) / kBins;
}

}  // namespace

void Histogram::count(const std::vector<float>& values) {
  const double most = largest();
  if (most <= 0) return;
  bins.resize(kBins);
  for (float v : values) {
    const auto bin = static_cast<size_t>(std::abs(double{v}) / most * kBins);
    ++bins[std::min(bin, kBins - 1)];
  }
}

double Histogram::range(const CalibrationOptions& options) const {
  if (bins.empty()) return largest();
  switch (options.method) {
    case CalibrationMethod::kMinMax:
      return largest();
    case CalibrationMethod::kPercentile:
      return percentile_range(*this, options.percentile);
    case CalibrationMethod::kEntropy:
      return entropy_range(*this);
  }
  return largest();
}

}  // namespace dlavp::compiler
