/* The published operations that run on the core: softmax and power on int8 tensors
 * (and half floats) in NC/xHWx layout with scale factors. */
#ifndef DLAVP_SW_EMU_H
#define DLAVP_SW_EMU_H

#include "core_math.h"
#include "task.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Checks (apply unset) or runs operation `index` of a CPU task. */
bool emu_operation(const Task* task, uint32_t index, bool apply, FwError* error);

#ifdef __cplusplus
}
#endif
#endif
