// Makes a failing random graph smaller. Each step is tried as long as the failure stays.
#include <algorithm>
#include <set>

#include "compiler/passes/passes.hpp"
#include "compiler/tests/random_graph.hpp"

namespace dlavp::compiler::testing {
namespace {

/// Drops what no output needs, inputs included.
bool tidy(Graph& g) {
  if (g.outputs.empty()) return false;
  while (remove_dead_nodes(g) != 0) {
  }
  std::set<TensorId> read(g.outputs.begin(), g.outputs.end());
  for (const Node& n : g.nodes) read.insert(n.inputs.begin(), n.inputs.end());
  std::erase_if(g.inputs, [&](TensorId id) { return !read.contains(id); });
  drop_unused_tensors(g);
  return !g.nodes.empty() && !g.inputs.empty() && g.verify().empty();
}

/// Graphs that are one step smaller, most promising first.
std::vector<Graph> smaller(const Graph& g) {
  std::vector<Graph> out;
  const auto keep = [&](Graph candidate) {
    if (tidy(candidate)) out.push_back(std::move(candidate));
  };
  for (const Node& n : g.nodes) {  // everything up to one node
    Graph cut = g;
    cut.outputs = {n.output};
    if (cut.outputs != g.outputs) keep(std::move(cut));
  }
  for (size_t i = 0; i < g.outputs.size() && g.outputs.size() > 1; ++i) {
    Graph fewer = g;
    fewer.outputs.erase(fewer.outputs.begin() + static_cast<std::ptrdiff_t>(i));
    keep(std::move(fewer));
  }
  for (size_t i = g.nodes.size(); i-- > 0;) {
    const Node& n = g.nodes[i];
    Graph headless = g;  // its result as an input
    headless.nodes.erase(headless.nodes.begin() + static_cast<std::ptrdiff_t>(i));
    headless.inputs.push_back(n.output);
    keep(std::move(headless));
    for (TensorId from : n.inputs) {  // the node left out
      if (g.tensor(from).constant || g.tensor(from).shape != g.tensor(n.output).shape) continue;
      Graph without = g;
      without.replace_uses(n.output, from);
      keep(std::move(without));
    }
  }
  return out;
}

}  // namespace

Graph shrink(Graph graph, const std::function<bool(const Graph&)>& fails) {
  for (bool progress = true; progress;) {
    progress = false;
    for (Graph& candidate : smaller(graph)) {
      if (candidate.nodes.size() + candidate.outputs.size() >=
              graph.nodes.size() + graph.outputs.size() ||
          !fails(candidate))
        continue;
      graph = std::move(candidate);
      progress = true;
      break;
    }
  }
  return graph;
}

}  // namespace dlavp::compiler::testing
