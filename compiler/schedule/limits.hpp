// Sizes that no register of the accelerator holds, checked before anything is scheduled.
#pragma once

#include "compiler/schedule/layer.hpp"
#include "models/common/hw_config.hpp"

namespace dlavp::compiler {

/// All layers that `hw` cannot run: schedule.limit, schedule.config.
[[nodiscard]] Diagnostics check_limits(const HwConfig& hw, const LayerProgram& program);

}  // namespace dlavp::compiler
