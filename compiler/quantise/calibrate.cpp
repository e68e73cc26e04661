// Ranges over the float interpretation of the samples.
#include "compiler/quantise/calibrate.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/quantise/histogram.hpp"
#include "compiler/quantise/tensor_groups.hpp"

namespace dlavp::compiler {
namespace {

constexpr double kSoftmaxScale = 1.0 / 127;
constexpr double kWorthZeroPoint = 0.9;  ///< of the symmetric step

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

/// An answer of the network: its scale holds any probability, whatever the samples gave.
bool is_answer(const Graph& graph, const TensorGroups& groups, const Node& node) {
  const auto* softmax = node.as<SoftmaxOp>();
  return softmax != nullptr && !softmax->log && groups.of(node.output) == node.output &&
         std::count(graph.outputs.begin(), graph.outputs.end(), node.output) != 0;
}

/// Nothing is left that the samples would decide.
bool all_prescribed(const Graph& graph, const TensorGroups& groups) {
  const auto fixed = [&](TensorId id) { return groups.prescribed(id).has_value(); };
  return std::all_of(graph.inputs.begin(), graph.inputs.end(), fixed) &&
         std::all_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
           return fixed(node.output) || is_answer(graph, groups, node);
         });
}

/// The finest steps over the histogram's range: with a zero point where that gains something.
Quantisation quantisation_of(const Histogram& histogram, bool symmetric,
                             const CalibrationOptions& options) {
  const double range = histogram.range(options);
  const Quantisation even{range > 0 ? range / 127 : 1.0 / 127};
  const double low = std::max(histogram.low, -range), high = std::min(histogram.high, range);
  const double step = (high - low) / 255;
  if (symmetric || !options.zero_points || range <= 0 || step > kWorthZeroPoint * even.scale)
    return even;
  const double zero = std::clamp(std::round(-128 - low / step), -128.0, 127.0);
  return {step, static_cast<int32_t>(zero)};
}

/// Bright enough pixels are kept as they are.
Quantisation of_pixels(const Quantisation& q, const InputRange& range) {
  const bool bright = range.integral && range.max <= 255 && kWorthZeroPoint * range.max / 127 >= 1;
  return bright && q.zero_point == -128 ? Quantisation{1, -128} : q;
}

void assign_quantisations(Graph& graph, const TensorGroups& groups,
                          const std::vector<Histogram>& histograms,
                          const std::vector<InputRange>& ranges,
                          const CalibrationOptions& options) {
  std::map<TensorId, Quantisation> known;
  const auto set = [&](TensorId id) {
    std::optional<Quantisation>& out = graph.tensor(id).quantisation;
    const TensorId group = groups.of(id);
    if (groups.prescribed(id)) {
      out = groups.prescribed(id);
      return;
    }
    auto it = known.find(group);
    if (it == known.end()) {
      const auto found = quantisation_of(histograms[group], groups.symmetric(id), options);
      it = known.emplace(group, found).first;
    }
    out = it->second;
  };
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const TensorId id = graph.inputs[i];
    set(id);
    if (groups.prescribed(id)) continue;
    known[groups.of(id)] = of_pixels(*graph.tensor(id).quantisation, ranges[i]);
    set(id);
  }
  for (const Node& node : graph.nodes) {
    set(node.output);
    if (!groups.prescribed(node.output) && is_answer(graph, groups, node))
      graph.tensor(node.output).quantisation = Quantisation{kSoftmaxScale};
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
  const TensorGroups groups(graph);
  std::vector<Histogram> histograms(graph.tensors.size());
  const size_t used = all_prescribed(graph, groups) ? 0 : samples.size();
  const bool two_passes = options.method != CalibrationMethod::kMinMax;
  for (size_t s = 0; s < used; ++s) {
    const FloatValues values = interpret_float(graph, samples[s]);
    for (TensorId id = 0; id < values.size(); ++id) {
      for (float v : values[id]) {
        if (!std::isfinite(v)) {
          return Error{"calibrate.not_finite", fmt::format("tensor '{}'", graph.tensor(id).name),
                       fmt::format("the float network computes {}", v)};
        }
        Histogram& h = histograms[groups.of(id)];
        h.low = std::min(h.low, double{v});
        h.high = std::max(h.high, double{v});
      }
    }
  }
  for (size_t s = 0; two_passes && s < used; ++s) {
    const FloatValues values = interpret_float(graph, samples[s]);
    for (TensorId id = 0; id < values.size(); ++id) histograms[groups.of(id)].count(values[id]);
  }
  std::vector<InputRange> ranges = input_ranges(graph, samples);
  assign_quantisations(graph, groups, histograms, ranges, options);
  return ranges;
}

}  // namespace dlavp::compiler
