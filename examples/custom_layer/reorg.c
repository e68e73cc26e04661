/* Blocks of stride x stride pixels become channels. */
#include "core_layer.h"

static bool check(const CoreCall* call) {
  const CoreTensor* x = &call->inputs[0];
  const int32_t stride = call->params[0];
  if (stride >= 1 && x->size[CORE_AXIS_H] % (uint32_t)stride == 0 &&
      x->size[CORE_AXIS_W] % (uint32_t)stride == 0)
    return true;
  return core_fail(call, "stride %d does not divide %u x %u", (int)stride,
                   (unsigned)x->size[CORE_AXIS_H], (unsigned)x->size[CORE_AXIS_W]);
}

static void run(const CoreCall* call) {
  const CoreTensor *x = &call->inputs[0], *y = &call->outputs[0];
  const uint32_t stride = (uint32_t)call->params[0], channels = x->size[CORE_AXIS_C];
  for (uint32_t c = 0; c < y->size[CORE_AXIS_C]; ++c) {
    const uint32_t row = c / channels / stride, column = c / channels % stride;
    for (uint32_t h = 0; h < y->size[CORE_AXIS_H]; ++h)
      for (uint32_t w = 0; w < y->size[CORE_AXIS_W]; ++w)
        core_store(y, c, h, w, core_real(x, c % channels, h * stride + row, w * stride + column));
  }
}

DLAVP_CORE_LAYER(reorg, "Reorg", check, run);
