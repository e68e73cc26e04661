/* The kernels of layers that run on the core: tensors as the accelerator lays them out, a kernel by
 * number or a registered function by name, parameters from a block of the loadable (core_block.h).
 * Everything is checked before the first operation of a loadable runs; a kernel then reads and
 * writes inside of its tensors only. docs/firmware.md defines each kernel. */
#ifndef DLAVP_SW_CORE_H
#define DLAVP_SW_CORE_H

#include "compiler/loadable/core_block.h"
#include "fw_error.h"
#include "sw/kit/core_layer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Wrong numbers of inputs, parameters, reals or table bytes are named. */
bool core_expect(const CoreCall* call, uint32_t inputs, uint64_t params, uint64_t reals,
                 uint64_t table_bytes);
/* All tensors are int8 (the output, if `output` says so, int32). */
bool core_expect_types(const CoreCall* call, uint32_t output);

/* The kernels of core_block.h; index 0 is empty. */
extern const CoreKernel core_kernels[CORE_KERNELS];
bool core_table_check(const CoreCall* call);
void core_table_run(const CoreCall* call);
bool core_binary_check(const CoreCall* call);
void core_binary_run(const CoreCall* call);
bool core_map_check(const CoreCall* call);
void core_map_run(const CoreCall* call);
bool core_resize_check(const CoreCall* call);
void core_resize_run(const CoreCall* call);
bool core_reorder_check(const CoreCall* call);
void core_reorder_run(const CoreCall* call);
bool core_reduce_check(const CoreCall* call);
void core_reduce_run(const CoreCall* call);
bool core_normalise_check(const CoreCall* call);
void core_normalise_run(const CoreCall* call);
bool core_softmax_check(const CoreCall* call);
void core_softmax_run(const CoreCall* call);
bool core_argument_check(const CoreCall* call);
void core_argument_run(const CoreCall* call);
bool core_lrn_check(const CoreCall* call);
void core_lrn_run(const CoreCall* call);
bool core_pool_check(const CoreCall* call);
void core_pool_run(const CoreCall* call);

#ifdef __cplusplus
}
#endif
#endif
