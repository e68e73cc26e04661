/* Register programs of the engines: each function translates one descriptor into the writes of a
 * register group, checking everything on the way. */
#ifndef DLAVP_SW_PROGRAM_H
#define DLAVP_SW_PROGRAM_H

#include "csb.h"
#include "task.h"

#ifdef __cplusplus
extern "C" {
#endif

bool program_conv(const Task* task, const TaskOperation* op, const RegPass* pass);
bool program_sdp(const Task* task, const TaskOperation* op, const RegPass* pass);
bool program_pdp(const Task* task, const TaskOperation* op, const RegPass* pass);
bool program_cdp(const Task* task, const TaskOperation* op, const RegPass* pass);
/* Any engine; an engine that the accelerator lacks is an error that names it. */
bool program_operation(const Task* task, const TaskOperation* op, const RegPass* pass);

/* Does the operation use the engine's read DMA (a register group of its own)? */
bool program_uses_rdma(const TaskOperation* op);
/* Index of the LUT that the operation needs, -1: none. */
int32_t program_lut_index(const TaskOperation* op);
/* Loads a LUT into SDP or CDP (`engine`), which must be idle. */
void program_lut(uint8_t engine, const DlaLut* lut);

const char* program_engine_name(unsigned engine);

/* Shared by the engines. */
static inline uint32_t low32(uint64_t x) { return (uint32_t)x; }
static inline uint32_t high32(uint64_t x) { return (uint32_t)(x >> 32); }
/* Sizes 1 to 8192 in each direction. */
bool program_cube_size(const DlaCube* cube, const char* what, FwError* error);
/* Bytes that a feature cube spans, from its first to its last atom; `atom_scale` bytes of operand
 * an element. */
uint64_t program_cube_extent(const Task* task, const DlaCube* cube, unsigned atom_scale);
/* A feature cube in memory: sizes, strides, extent, address. */
bool program_feature(const Task* task, const DlaCube* cube, const char* what, uint64_t* address,
                     FwError* error);
bool program_int8(const Task* task, unsigned precision, const char* what, FwError* error);

#ifdef __cplusplus
}
#endif
#endif
