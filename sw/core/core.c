/* What the kernels share, and their table. */
#include "core.h"

#include <string.h>

#include "emu.h"

const CoreKernel core_kernels[CORE_KERNELS] = {
    [CORE_TABLE] = {"table", core_table_check, core_table_run},
    [CORE_BINARY] = {"binary", core_binary_check, core_binary_run},
    [CORE_MAP] = {"map", core_map_check, core_map_run},
    [CORE_RESIZE] = {"resize", core_resize_check, core_resize_run},
    [CORE_REORDER] = {"reorder", core_reorder_check, core_reorder_run},
    [CORE_REDUCE] = {"reduce", core_reduce_check, core_reduce_run},
    [CORE_NORMALISE] = {"normalise", core_normalise_check, core_normalise_run},
    [CORE_SOFTMAX] = {"softmax", core_softmax_check, core_softmax_run},
    [CORE_ARGUMENT] = {"argument", core_argument_check, core_argument_run},
    [CORE_LRN] = {"lrn", core_lrn_check, core_lrn_run},
    [CORE_POOL] = {"pool", core_pool_check, core_pool_run},
};

int8_t core_to_int8(double x) { return emu_to_int8(x); }
double core_exp(double x) { return emu_exp(x); }
double core_log(double x) { return emu_log(x); }
double core_pow(double x, double p) { return emu_pow(x, p); }

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

bool core_expect(const CoreCall* call, uint32_t inputs, uint64_t params, uint64_t reals,
                 uint64_t table_bytes) {
  if (call->num_inputs == inputs && call->num_outputs == 1 && call->num_params == params &&
      call->num_reals == reals && call->table_bytes == table_bytes)
    return true;
  return fw_fail(call->error, FW_E_EMU,
                 "core layer %s: %u inputs, %u outputs, %u parameters, %u reals, %u table bytes; "
                 "expected %u, 1, %llu, %llu, %llu",
                 call->name, (unsigned)call->num_inputs, (unsigned)call->num_outputs,
                 (unsigned)call->num_params, (unsigned)call->num_reals, (unsigned)call->table_bytes,
                 (unsigned)inputs, (unsigned long long)params, (unsigned long long)reals,
                 (unsigned long long)table_bytes);
}

bool core_expect_types(const CoreCall* call, uint32_t output) {
  for (uint32_t i = 0; i < call->num_inputs; ++i)
    if (call->inputs[i].element != CORE_INT8)
      return fw_fail(call->error, FW_E_EMU, "core layer %s: input %u has elements of %u bytes",
                     call->name, (unsigned)i, (unsigned)call->inputs[i].element);
  if (call->outputs[0].element != output)
    return fw_fail(call->error, FW_E_EMU,
                   "core layer %s: the output has elements of %u bytes, expected %u", call->name,
                   (unsigned)call->outputs[0].element, (unsigned)output);
  return true;
}
