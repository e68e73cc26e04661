// The options of dlavp compile about scales: where they come from and where they go.
#pragma once

#include "apps/dlavp/cli.hpp"
#include "compiler/quantise/calibrate.hpp"
#include "compiler/quantise/scale_table.hpp"

namespace dlavp::app {

void add_calibration_options(Cli& cli);

/// Errors: compile.option.
[[nodiscard]] compiler::CalibrationOptions calibration_options(const Cli& cli, Diagnostics& wrong);

/// Applies --scales to a network as it was read; nothing without that option.
[[nodiscard]] Diagnostics apply_scales(const Cli& cli, compiler::Graph& graph);

}  // namespace dlavp::app
