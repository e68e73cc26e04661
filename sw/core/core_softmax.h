/* Softmax of int8 values, for the published CPU operation and for kernel 8. The formula, with its
 * order of operations, is in docs/firmware.md. */
#ifndef DLAVP_SW_CORE_SOFTMAX_H
#define DLAVP_SW_CORE_SOFTMAX_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SOFTMAX_VALUES = 256 };

typedef struct {
  double in_scale, out_scale;
  bool logarithm;
  int32_t zero_point;           /* of the results */
  double step;                  /* e^-in_scale */
  int32_t reference;            /* the value whose power is 1 */
  double power[SOFTMAX_VALUES]; /* by stored byte */
} Softmax;

/* `count` values in runs of `run` bytes; the runs begin `in_step` and `out_step` bytes apart. */
typedef struct {
  const uint8_t* in;
  uint8_t* out;
  uint32_t count, run;
  uint64_t in_step, out_step;
} SoftmaxPart;

void softmax_open(Softmax* s, double in_scale, double out_scale, bool logarithm,
                  int32_t zero_point);
/* The values of one part are normalised among each other. */
void softmax_part(Softmax* s, const SoftmaxPart* part);

#ifdef __cplusplus
}
#endif
#endif
