// A compiler graph as layers of the spreadsheet: one a convolution, with what the spreadsheet takes
// to be free behind it (scale, ReLU, pooling) and the addition that it counts as traffic.
#pragma once

#include "apps/estimate/sheet.hpp"
#include "compiler/ir/graph.hpp"

namespace dlavp::estimate {

/// `graph` after the compiler's passes (compiler::run_passes). Errors: "estimate.no_layer" if there
/// is nothing to estimate.
Result<SheetNetwork> from_graph(const compiler::Graph& graph, const std::string& place);

}  // namespace dlavp::estimate
