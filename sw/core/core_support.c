/* What a layer may call, on the core and on the host. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core_math.h"
#include "fw_error.h"
#include "sw/kit/core_layer.h"

int8_t core_to_int8(double x) { return emu_to_int8(x); }
double core_exp(double x) { return emu_exp(x); }
double core_log(double x) { return emu_log(x); }
double core_pow(double x, double p) { return emu_pow(x, p); }

bool core_fail(const CoreCall* call, const char* format, ...) {
  char text[FW_ERROR_TEXT];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return fw_fail(call->error, FW_E_EMU, "core layer %s: %s", call->name, text);
}

double core_real(const CoreTensor* t, uint32_t c, uint32_t h, uint32_t w) {
  const uint8_t* at = core_at(t, c, h, w);
  if (t->element == CORE_INT8) return (int8_t)*at * t->scale;
  if (t->element == CORE_INT32) {
    int32_t value;
    memcpy(&value, at, sizeof value);
    return value * t->scale;
  }
  double value;
  memcpy(&value, at, sizeof value);
  return value;
}

void core_store(const CoreTensor* t, uint32_t c, uint32_t h, uint32_t w, double value) {
  uint8_t* at = core_at(t, c, h, w);
  if (t->element == CORE_INT8) {
    *at = (uint8_t)core_to_int8(value / t->scale);
  } else if (t->element == CORE_INT32) {
    const double steps = value / t->scale;
    const int32_t rounded = !(steps == steps)        ? 0
                            : steps >= 2147483647.0  ? INT32_MAX
                            : steps <= -2147483648.0 ? INT32_MIN
                                                     : (int32_t)(steps + (steps < 0 ? -0.5 : 0.5));
    memcpy(at, &rounded, sizeof rounded);
  } else {
    memcpy(at, &value, sizeof value);
  }
}
