/* Where the loadable's memory entries go: system entries in the heap, SRAM entries in SRAM, inputs
 * where the host has put them; blobs are copied in, everything else is zeroed. Also the small
 * bump allocator that the firmware's own tables come from. */
#ifndef DLAVP_SW_MEMORY_PLAN_H
#define DLAVP_SW_MEMORY_PLAN_H

#include "loadable.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint64_t next, end;
} Arena;

/* `bytes` at a multiple of `alignment` (a power of two; 0 as 1); 0 if there is no room. Every
 * allocation is followed by a gap, so that a DMA that reads whole atoms stays inside the arena. */
uint64_t arena_take(Arena* arena, uint64_t bytes, uint64_t alignment);
/* The same, zeroed, as memory of the core. */
void* arena_table(Arena* arena, uint64_t bytes);

typedef struct {
  uint16_t id;
  uint8_t domain;
  uint64_t address, bytes;
} PlacedMemory;

typedef struct {
  const Loadable* loadable;
  const FwBoot* boot;
  Arena heap, sram;
  uint32_t count;
  PlacedMemory* memories;
} MemoryPlan;

bool memory_plan_build(MemoryPlan* plan, const Loadable* loadable, const FwBoot* boot,
                       FwError* error);
const PlacedMemory* memory_plan_find(const MemoryPlan* plan, uint32_t id);
/* Lists the entries with the output flag in the result block. */
void memory_plan_outputs(const MemoryPlan* plan, FwResult* result);

static inline void* fw_pointer(uint64_t address) { return (void*)(uintptr_t)address; }

#ifdef __cplusplus
}
#endif
#endif
