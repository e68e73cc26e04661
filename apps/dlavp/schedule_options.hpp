// The options of commands that compile about the schedule: a level, and a switch for each
// optimisation.
#pragma once

#include "apps/dlavp/cli.hpp"
#include "compiler/schedule/conv_plan.hpp"

namespace dlavp::app {

void add_schedule_options(Cli& cli);

/// Errors: cli.range.
[[nodiscard]] compiler::ScheduleOptions schedule_options(const Cli& cli, Diagnostics& wrong);

}  // namespace dlavp::app
