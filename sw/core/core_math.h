/* Exponential, logarithm, power and rounding for what runs on the core (docs/firmware.md): basic
 * arithmetic on doubles only, so that the same source gives the same bytes on every machine. */
#ifndef DLAVP_SW_CORE_MATH_H
#define DLAVP_SW_CORE_MATH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

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
