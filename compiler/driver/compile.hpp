// The whole compiler as one call.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler/emit/emit.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/quantise/quantise.hpp"
#include "compiler/schedule/schedule.hpp"

namespace dlavp::compiler {

struct CompileOptions {
  CalibrationOptions calibration;
  QuantiseOptions quantise;
  ScheduleOptions schedule;
  EmitOptions emit;
  /// Called before each stage with its name and its share of the way there (0 to 1).
  std::function<void(const std::string& stage, double done)> progress;
  bool measure = true;  ///< fill `quality`
};

struct Compiled {
  Graph graph;  ///< after the passes, calibrated
  std::vector<PassStatistic> passes;
  std::vector<LayerQuality> quality;
  LayerProgram layers;
  HwProgram program;
  loadable::Loadable loadable;
  std::vector<uint8_t> bytes;  ///< the file
};

/// Compiles a well-formed graph for `hw`. Everything that is wrong with the network for this
/// configuration is an error; nothing is written anywhere.
Result<Compiled> compile_graph(const HwConfig& hw, Graph graph, const Samples& samples,
                               const CompileOptions& options = {});

}  // namespace dlavp::compiler
