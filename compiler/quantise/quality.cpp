// Signal to quantisation noise of every layer, int8 against float.
#include <cmath>
#include <map>

#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/interpreter/int8_interpreter.hpp"
#include "compiler/quantise/quantise.hpp"

namespace dlavp::compiler {

std::vector<LayerQuality> measure_quality(const Graph& graph, const LayerProgram& program,
                                          const Samples& samples, size_t limit) {
  struct Sums {
    double signal = 0, noise = 0;
    uint64_t clipped = 0, count = 0;
  };
  std::map<TensorId, TensorId> reference;  // layer tensor to graph tensor, by name
  std::map<std::string, TensorId> by_name;
  for (TensorId id = 0; id < graph.tensors.size(); ++id) by_name[graph.tensor(id).name] = id;
  for (const Layer& layer : program.layers) {
    auto it = by_name.find(program.tensors[layer.output].name);
    if (it != by_name.end()) reference[layer.output] = it->second;
  }
  std::vector<Sums> sums(program.tensors.size());
  for (size_t s = 0; s < std::min(limit, samples.size()); ++s) {
    const FloatValues real = interpret_float(graph, samples[s]);
    const Int8Values ints = interpret_int8_real(program, samples[s]);
    for (const auto& [layer_id, graph_id] : reference) {
      Sums& sum = sums[layer_id];
      const Quantisation& q = program.tensors[layer_id].quantisation;
      const int lowest = q.zero_point == 0 ? -127 : -128;
      for (size_t i = 0; i < ints[layer_id].size(); ++i) {
        const double expected = double{real[graph_id][i]};
        const int v = ints[layer_id][i];
        const double error = q.real(v) - expected;
        sum.signal += expected * expected;
        sum.noise += error * error;
        sum.clipped += v != q.zero_point && (v == 127 || v <= lowest) ? 1 : 0;
        ++sum.count;
      }
    }
  }
  std::vector<LayerQuality> out;
  for (const Layer& layer : program.layers) {
    const Sums& sum = sums[layer.output];
    if (sum.count == 0) continue;
    constexpr double kBest = 120;
    const double db =
        sum.noise > 0 && sum.signal > 0 ? 10 * std::log10(sum.signal / sum.noise) : kBest;
    out.push_back({layer.name, program.tensors[layer.output].quantisation,
                   static_cast<double>(sum.clipped) / static_cast<double>(sum.count),
                   std::min(db, kBest)});
  }
  return out;
}

}  // namespace dlavp::compiler
