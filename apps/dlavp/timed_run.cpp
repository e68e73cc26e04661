#include "apps/dlavp/timed_run.hpp"

#include <algorithm>

#include "compiler/data/samples.hpp"
#include "compiler/frontend/read_network.hpp"
#include "compiler/quantise/scale_table.hpp"

namespace dlavp::app {

Result<compiler::Graph> read_for_time(const TimedNetwork& network) {
  compiler::NetworkOptions options;
  options.weights = network.weights;
  if (network.path.ends_with(".prototxt")) options.weights_seed = 1;
  auto graph = compiler::read_network(network.path, options);
  if (!graph || network.scales.empty()) return graph;
  const auto table = compiler::read_scale_table(network.scales);
  if (!table) return table.errors();
  const auto found = compiler::apply_scale_table(*graph, *table, network.scales);
  if (!found) return found.errors();
  return graph;
}

Result<std::vector<uint8_t>> compile_for_time(const TimedNetwork& network, const HwConfig& hw) {
  auto graph = read_for_time(network);
  if (!graph) return graph.errors();
  const compiler::Samples samples = compiler::random_samples(*graph, 1);
  compiler::CompileOptions options;
  options.quantise.input_mode = network.input_mode;
  options.schedule = network.schedule;
  options.measure = false;
  auto compiled = compiler::compile_graph(hw, std::move(graph).value(), samples, options);
  if (!compiled) return compiled.errors();
  return std::move(compiled).value().bytes;
}

Result<vp::RunResult> time_loadable(const std::vector<uint8_t>& loadable, const std::string& place,
                                    const HwConfig& hw, const PlatformConfig& platform) {
  const auto network = vp::read_network(loadable, place);
  if (!network) return network.errors();
  if (Diagnostics errors = check_config(*network, hw, place); !errors.empty()) return errors;
  const auto timing = TimingParams::load(hw);
  if (!timing) return timing.errors();
  auto session = vp::Session::create(hw, *timing, platform);
  if (!session) return session.errors();
  if (Diagnostics errors = (*session)->load(loadable, *network); !errors.empty()) return errors;
  std::vector<std::vector<uint8_t>> inputs;
  for (const vp::IoTensor& input : network->inputs) inputs.emplace_back(input.bytes);
  auto outcome = (*session)->run(inputs);
  if (auto* failure = std::get_if<vp::RunFailure>(&outcome)) return failure->errors;
  return std::move(std::get<vp::RunResult>(outcome));
}

TimeSplit split_time(const std::vector<OpRecord>& records) {
  // Cycles at which the number of units at work changes; convolutions count apart.
  struct Edge {
    sim::Cycle at;
    int conv, others;
  };
  std::vector<Edge> edges;
  sim::Cycle origin = sim::kNever;
  for (const OpRecord& r : records) {
    const int conv = r.unit == "CONV" ? 1 : 0;
    edges.push_back({r.started, conv, 1 - conv});
    edges.push_back({r.done, -conv, conv - 1});
    origin = std::min(origin, r.enabled);
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.at < b.at; });
  TimeSplit split;
  int conv = 0, others = 0;
  sim::Cycle at = origin;
  for (const Edge& e : edges) {
    (conv > 0 ? split.conv : others > 0 ? split.others : split.idle) += e.at - at;
    at = e.at;
    conv += e.conv;
    others += e.others;
  }
  split.total = split.conv + split.others + split.idle;
  return split;
}

}  // namespace dlavp::app
