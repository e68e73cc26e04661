// From a calibrated float graph to the int8 layer program.
#pragma once

#include "compiler/quantise/calibrate.hpp"
#include "compiler/schedule/layer.hpp"
#include "models/common/hw_config.hpp"

namespace dlavp::compiler {

enum class InputMode : uint8_t { kAuto, kImage, kFeature };

struct QuantiseOptions {
  InputMode input_mode = InputMode::kAuto;
};

/// Quantises weights (one scale a kernel) and chooses every stage's multipliers and shifts; what
/// `hw` has no unit for becomes a layer of the core.
/// Precondition: the graph went through the standard passes and `calibrate`.
/// Errors: lower.unsupported (with the node, its shapes and what would work), quantise.factor.
Result<LayerProgram> quantise(const HwConfig& hw, const Graph& graph,
                              const std::vector<InputRange>& ranges,
                              const QuantiseOptions& options = {});

/// One row of the accuracy report: signal to quantisation noise of a layer's output in dB.
struct LayerQuality {
  std::string name;
  Quantisation quantisation;
  double clipped = 0;  ///< share of values at the ends of the int8 range, zeros aside
  double sqnr_db = 0;
};

/// Compares the int8 interpretation with the float one over `samples` (at most `limit` of them).
std::vector<LayerQuality> measure_quality(const Graph& graph, const LayerProgram& program,
                                          const Samples& samples, size_t limit = 8);

}  // namespace dlavp::compiler
