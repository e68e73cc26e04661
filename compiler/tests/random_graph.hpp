// Seeded random graphs over every operator and attribute of the IR, and a shrinker that makes a
// failing one small. Values stay in ranges where an int8 network makes sense: functions that blow
// up (exp, reciprocal, powers) come behind one that bounds their input. Left out: custom operators.
#pragma once

#include <functional>
#include <map>
#include <random>
#include <string>

#include "compiler/ir/graph.hpp"
#include "compiler/quantise/calibrate.hpp"

namespace dlavp::compiler::testing {

/// A well-formed graph of 1 to 3 inputs, some ten nodes, and every loose end as an output.
Graph random_graph(uint32_t seed);

/// Inputs for it: pixels (whole numbers from 0 to 255) or reals, as the seed and the shape have it.
Samples random_samples(const Graph& graph, uint32_t seed, size_t count);

/// The graph with a prescribed scale and zero point (-100 to 100) for `share` percent of its
/// activations; ranges are those of the samples.
Graph prescribe_zero_points(Graph graph, const Samples& samples, uint32_t seed, uint32_t share);

/// The smallest graph found for which `fails` holds, by dropping ends, cutting beginnings off and
/// taking nodes out of the middle. Precondition: fails(graph).
Graph shrink(Graph graph, const std::function<bool(const Graph&)>& fails);

/// How often each operator occurs, by the name that the IR gives it, windows and kinds included.
std::map<std::string, size_t> operator_counts(const Graph& graph);

}  // namespace dlavp::compiler::testing
