/* CPU operations of type DLA_EMU_CORE. */
#ifndef DLAVP_SW_CORE_RUN_H
#define DLAVP_SW_CORE_RUN_H

#include "compiler/loadable/core_block.h"
#include "task.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Checks (apply unset) or runs the operation whose block `op` names. */
bool core_operation(const Task* task, const DlaEmuOp* op, bool apply, FwError* error);

#ifdef __cplusplus
}
#endif
#endif
