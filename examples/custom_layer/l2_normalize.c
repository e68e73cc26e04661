/* Each pixel's channels divided by their length, times a factor a channel. */
#include "core_layer.h"

static bool check(const CoreCall* call) {
  const CoreTensor *x = &call->inputs[0], *factors = &call->inputs[1];
  if (factors->size[CORE_AXIS_C] == x->size[CORE_AXIS_C] &&
      core_elements(factors) == x->size[CORE_AXIS_C])
    return true;
  return core_fail(call, "%u factors, expected one for each of %u channels",
                   (unsigned)core_elements(factors), (unsigned)x->size[CORE_AXIS_C]);
}

static void run(const CoreCall* call) {
  const CoreTensor *x = &call->inputs[0], *factors = &call->inputs[1], *y = &call->outputs[0];
  const double epsilon = call->reals[0];
  for (uint32_t h = 0; h < x->size[CORE_AXIS_H]; ++h)
    for (uint32_t w = 0; w < x->size[CORE_AXIS_W]; ++w) {
      double squares = epsilon;
      for (uint32_t c = 0; c < x->size[CORE_AXIS_C]; ++c) {
        const double value = core_real(x, c, h, w);
        squares += value * value;
      }
      const double inverse = 1 / core_sqrt(squares);
      for (uint32_t c = 0; c < x->size[CORE_AXIS_C]; ++c)
        core_store(y, c, h, w, core_real(x, c, h, w) * inverse * core_real(factors, c, 0, 0));
    }
}

DLAVP_CORE_LAYER(l2_normalize, "L2Normalize", check, run);
