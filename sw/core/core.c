/* What the kernels share, and their table. */
#include "core.h"

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
