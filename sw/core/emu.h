/* The published operations that run on the core: softmax and power on int8 tensors
 * (and half floats) in NC/xHWx layout with scale factors. Only basic arithmetic on floats, so that
 * the same source gives the same bytes on every machine. */
#ifndef DLAVP_SW_EMU_H
#define DLAVP_SW_EMU_H

#include "task.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Checks (apply unset) or runs operation `index` of a CPU task. */
bool emu_operation(const Task* task, uint32_t index, bool apply, FwError* error);

/* e^x, ln x and x^p, to about 14 digits. */
double emu_exp(double x);
double emu_log(double x);
double emu_pow(double x, double p);
/* To int8: nearest, ties away from zero, saturated; NaN gives 0. */
int8_t emu_to_int8(double x);

#ifdef __cplusplus
}
#endif
#endif
