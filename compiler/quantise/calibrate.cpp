// Ranges over the float interpretation of the samples, and which tensors share one.
#include "compiler/quantise/calibrate.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/quantise/histogram.hpp"

namespace dlavp::compiler {
namespace {

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

/// Tensors that hold the same values in other places: one scale serves all.
class Groups {
 public:
  explicit Groups(const Graph& graph)
      : parent_(graph.tensors.size()), fixed_(graph.tensors.size()) {
    for (TensorId id = 0; id < parent_.size(); ++id) {
      parent_[id] = id;
      fixed_[id] = graph.tensor(id).fixed_scale;
    }
    for (const Node& node : graph.nodes) {
      if (!keeps_values(node)) continue;
      for (TensorId id : node.inputs) {
        if (!graph.tensor(id).constant) join(id, node.output);
      }
    }
  }
  [[nodiscard]] TensorId of(TensorId id) const {
    while (parent_[id] != id) id = parent_[id];
    return id;
  }
  [[nodiscard]] const std::optional<double>& fixed(TensorId id) const { return fixed_[of(id)]; }

 private:
  static bool keeps_values(const Node& node) {
    const auto* reduce = node.as<ReduceOp>();
    const auto* resize = node.as<ResizeOp>();
    return node.as<PoolOp>() != nullptr || node.as<FlattenOp>() != nullptr ||
           node.as<ReorderOp>() != nullptr || node.as<ConcatOp>() != nullptr ||
           node.as<SliceOp>() != nullptr || node.as<PadOp>() != nullptr || resize != nullptr ||
           (reduce != nullptr &&
            (reduce->kind == ReduceKind::kMax || reduce->kind == ReduceKind::kMin));
  }
  void join(TensorId a, TensorId b) {
    a = of(a);
    b = of(b);
    // Two prescribed scales stay two: a copy between them rescales.
    if (a == b || (fixed_[a] && fixed_[b] && *fixed_[a] != *fixed_[b])) return;
    if (fixed_[b]) std::swap(a, b);
    parent_[b] = a;
  }
  std::vector<TensorId> parent_;
  std::vector<std::optional<double>> fixed_;
};

/// An answer of the network: its scale holds any probability, whatever the samples gave.
bool is_answer(const Graph& graph, const Groups& groups, const Node& node) {
  const auto* softmax = node.as<SoftmaxOp>();
  return softmax != nullptr && !softmax->log && groups.of(node.output) == node.output &&
         std::count(graph.outputs.begin(), graph.outputs.end(), node.output) != 0;
}

/// Nothing is left that the samples would decide.
bool all_prescribed(const Graph& graph, const Groups& groups) {
  const auto fixed = [&](TensorId id) { return groups.fixed(id).has_value(); };
  return std::all_of(graph.inputs.begin(), graph.inputs.end(), fixed) &&
         std::all_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
           return fixed(node.output) || is_answer(graph, groups, node);
         });
}

void assign_scales(Graph& graph, const Groups& groups, const std::vector<Histogram>& histograms,
                   const CalibrationOptions& options) {
  std::map<TensorId, double> group_scales;
  const auto set = [&](TensorId id) {
    const TensorId group = groups.of(id);
    if (groups.fixed(id)) {
      graph.tensor(id).scale = *groups.fixed(id);
      return;
    }
    const auto [it, fresh] = group_scales.try_emplace(group, 0);
    if (fresh) {
      const double range = histograms[group].range(options);
      it->second = range > 0 ? range / 127 : 1.0 / 127;
    }
    graph.tensor(id).scale = it->second;
  };
  for (TensorId id : graph.inputs) set(id);
  for (const Node& node : graph.nodes) {
    set(node.output);
    if (!groups.fixed(node.output) && is_answer(graph, groups, node))
      graph.tensor(node.output).scale = kSoftmaxScale;
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
  const Groups groups(graph);
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
        h.largest = std::max(h.largest, std::abs(double{v}));
      }
    }
  }
  for (size_t s = 0; two_passes && s < used; ++s) {
    const FloatValues values = interpret_float(graph, samples[s]);
    for (TensorId id = 0; id < values.size(); ++id) histograms[groups.of(id)].count(values[id]);
  }
  assign_scales(graph, groups, histograms, options);
  return input_ranges(graph, samples);
}

}  // namespace dlavp::compiler
