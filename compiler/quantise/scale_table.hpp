// Calibration tables in the JSON form of NVIDIA's compiler: for each layer and input
// "name": {"scale": s, "min": 0, "max": 0, "offset": z}, real value = s x (int8 - z). NVIDIA's
// compiler knows z = 0 only.
#pragma once

#include <map>
#include <string>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

using ScaleTable = std::map<std::string, Quantisation>;

/// Errors: calibrate.table (no JSON, an entry without a positive scale or with an
/// offset that no int8 value is).
Result<ScaleTable> decode_scale_table(const std::string& text, const std::string& place);
/// Errors: as above, and calibrate.open.
Result<ScaleTable> read_scale_table(const std::string& path);

/// Prescribes the quantisation of a graph that no pass has changed yet: an entry names an input, a
/// node (its output is meant) or a tensor. Returns how many activations it found. Errors:
/// calibrate.table, if no entry belongs to the graph.
Result<size_t> apply_scale_table(Graph& graph, const ScaleTable& table, const std::string& place);

/// The table of a calibrated graph, by tensor name.
[[nodiscard]] std::string encode_scale_table(const Graph& graph);

}  // namespace dlavp::compiler
