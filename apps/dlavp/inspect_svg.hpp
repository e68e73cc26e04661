// A loadable as a picture: its layers from top to bottom in the order of execution, with the units
// that compute them, lanes for data that skip layers, and beside them what lies in the memories.
#pragma once

#include <string>

#include "apps/dlavp/inspect_graph.hpp"

namespace dlavp::app {

/// A complete SVG file without anything to load.
[[nodiscard]] std::string loadable_svg(const LoadableGraph& graph, const std::string& title);

}  // namespace dlavp::app
