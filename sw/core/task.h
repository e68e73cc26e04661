/* One task: its address list resolved to memory, its descriptor lists found and bounded, and
 * single operations read out of them in the newest layout. */
#ifndef DLAVP_SW_TASK_H
#define DLAVP_SW_TASK_H

#include "compiler/loadable/dla_descriptors.h"
#include "memory_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An entry of the task's address list. */
typedef struct {
  uint64_t address;
  uint64_t room; /* bytes from `address` to the end of its memory entry */
  uint8_t domain;
} TaskAddress;

typedef struct {
  uint16_t id;
  uint32_t interface;
  const FwBoot* boot;
  uint32_t num_addresses;
  TaskAddress* addresses;
  /* DLA */
  DlaNetwork network;
  uint32_t cube_bytes; /* 28 before interface 0.12, 32 since */
  const uint8_t *dependencies, *operations, *surfaces, *luts;
  /* EMU */
  DlaEmuNetwork emu;
  const uint8_t *emu_operations, *emu_buffers;
} Task;

/* One operation, cubes in the 0.12 layout. Aligned, so that the packed fields lie at their natural
 * alignment and are read in one access. */
typedef struct {
  DlaOperation operation __attribute__((aligned(8)));
  DlaSurface surface __attribute__((aligned(8)));
  uint32_t index;
  uint8_t type;
} TaskOperation;

/* Resolves a task's address list and finds its lists. */
bool task_open(Task* task, const MemoryPlan* plan, Arena* arena, const LoadableTask* entry,
               FwError* error);

/* The dependency-graph node of operation `index` (below the count). */
void task_dependency(const Task* task, uint32_t index, DlaDependency* out);
void task_operation(const Task* task, uint32_t index, uint8_t type, TaskOperation* out);
void task_lut(const Task* task, uint32_t index, DlaLut* out);

/* Address of a cube of which `extent` bytes are touched: the address index exists, the bytes lie
 * inside the memory entry and below the accelerator's address limit, the memory is the one that the
 * cube's type says, the address is a multiple of `alignment`. */
bool task_resolve(const Task* task, const DlaCube* cube, uint64_t extent, uint32_t alignment,
                  const char* what, uint64_t* address, FwError* error);
/* Address `index` of the list plus `offset`, `extent` bytes, for the core itself. */
bool task_bytes(const Task* task, int32_t index, uint64_t offset, uint64_t extent, const char* what,
                uint8_t** out, FwError* error);

#ifdef __cplusplus
}
#endif
#endif
