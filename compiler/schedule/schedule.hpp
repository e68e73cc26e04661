// Layers to hardware operations: tiles, layouts, constants, order, memory.
#pragma once

#include "compiler/schedule/conv_plan.hpp"
#include "compiler/schedule/hw_program.hpp"
#include "models/common/hw_config.hpp"

namespace dlavp::compiler {

/// Everything the emitter needs. Errors: schedule.limit (a size no register holds), schedule.cbuf,
/// schedule.pool, schedule.config (the configuration lacks int8, SDP stages or PDP).
Result<HwProgram> schedule(const HwConfig& hw, const LayerProgram& program,
                           const ScheduleOptions& options = {});

/// Violated rules of a scheduled program: tiles that miss or repeat output rows, operations without
/// an order between a write and a read, live buffers that overlap, misaligned views.
[[nodiscard]] Diagnostics verify(const HwConfig& hw, const LayerProgram& layers,
                                 const HwProgram& program);

[[nodiscard]] std::string text(const HwProgram& program);

}  // namespace dlavp::compiler
