// Min-max and percentile ranges over the float interpretation of the samples.
#include "compiler/quantise/calibrate.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/interpreter/float_interpreter.hpp"

namespace dlavp::compiler {
namespace {

constexpr size_t kBins = 2048;
constexpr double kSoftmaxScale = 1.0 / 127;

Diagnostics check_samples(const Graph& graph, const Samples& samples) {
  Diagnostics out;
  if (samples.empty()) out.add("calibrate.no_samples", "", "no sample inputs");
  for (size_t s = 0; s < samples.size() && out.empty(); ++s) {
    for (size_t i = 0; i < graph.inputs.size(); ++i) {
      const Tensor& t = graph.tensor(graph.inputs[i]);
      const auto place = fmt::format("sample {}, input '{}'", s, t.name);
      if (i >= samples[s].size() ||
          samples[s][i].size() != static_cast<size_t>(t.shape.elements())) {
        out.add("calibrate.sample_size", place,
                fmt::format("{} values, expected {} ({})",
                            i < samples[s].size() ? samples[s][i].size() : 0, t.shape.elements(),
                            t.shape.text()));
        break;
      }
      for (float v : samples[s][i]) {
        if (std::isfinite(v)) continue;
        out.add("calibrate.not_finite", place, fmt::format("contains {}", v));
        break;
      }
    }
  }
  return out;
}

/// Magnitudes of one tensor over all samples.
struct Histogram {
  double largest = 0;
  std::vector<uint64_t> bins;

  void count(const std::vector<float>& values) {
    if (largest <= 0) return;
    bins.resize(kBins);
    for (float v : values) {
      const auto bin = static_cast<size_t>(std::abs(double{v}) / largest * kBins);
      ++bins[std::min(bin, kBins - 1)];
    }
  }
  [[nodiscard]] double range(double percentile) const {
    if (percentile >= 1 || bins.empty()) return largest;
    uint64_t total = 0;
    for (uint64_t b : bins) total += b;
    uint64_t sum = 0;
    for (size_t i = 0; i < bins.size(); ++i) {
      sum += bins[i];
      if (static_cast<double>(sum) >= percentile * static_cast<double>(total)) {
        return largest * static_cast<double>(i + 1) / kBins;
      }
    }
    return largest;
  }
};

bool keeps_scale(const Node& node) {
  return node.as<PoolOp>() != nullptr || node.as<FlattenOp>() != nullptr;
}

void assign_scales(Graph& graph, const std::vector<Histogram>& histograms, double percentile) {
  const auto set = [&](TensorId id) {
    const double range = histograms[id].range(percentile);
    graph.tensor(id).scale = range > 0 ? range / 127 : 1.0 / 127;
  };
  for (TensorId id : graph.inputs) set(id);
  for (const Node& node : graph.nodes) {
    set(node.output);
    if (keeps_scale(node)) graph.tensor(node.output).scale = graph.tensor(node.inputs[0]).scale;
    if (node.as<SoftmaxOp>() != nullptr) graph.tensor(node.output).scale = kSoftmaxScale;
  }
}

std::vector<InputRange> input_ranges(const Graph& graph, const Samples& samples) {
  std::vector<InputRange> out(graph.inputs.size());
  for (size_t i = 0; i < out.size(); ++i) {
    out[i].min = out[i].max = samples[0][i][0];
    for (const auto& sample : samples) {
      for (float v : sample[i]) {
        out[i].min = std::min(out[i].min, double{v});
        out[i].max = std::max(out[i].max, double{v});
        out[i].integral = out[i].integral && v == std::floor(v);
      }
    }
  }
  return out;
}

}  // namespace

Result<std::vector<InputRange>> calibrate(Graph& graph, const Samples& samples,
                                          const CalibrationOptions& options) {
  if (Diagnostics wrong = check_samples(graph, samples); !wrong.empty()) return wrong;
  std::vector<Histogram> histograms(graph.tensors.size());
  const bool two_passes = options.percentile < 1;
  for (const auto& sample : samples) {
    const FloatValues values = interpret_float(graph, sample);
    for (TensorId id = 0; id < values.size(); ++id) {
      for (float v : values[id]) {
        if (!std::isfinite(v)) {
          return Error{"calibrate.not_finite", fmt::format("tensor '{}'", graph.tensor(id).name),
                       fmt::format("the float network computes {}", v)};
        }
        histograms[id].largest = std::max(histograms[id].largest, std::abs(double{v}));
      }
    }
  }
  for (size_t s = 0; two_passes && s < samples.size(); ++s) {
    const FloatValues values = interpret_float(graph, samples[s]);
    for (TensorId id = 0; id < values.size(); ++id) histograms[id].count(values[id]);
  }
  assign_scales(graph, histograms, options.percentile);
  return input_ranges(graph, samples);
}

}  // namespace dlavp::compiler
