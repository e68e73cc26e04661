/* Placing and filling the memory entries of a loadable. */
#include "memory_plan.h"

#include <string.h>

#include "compiler/loadable/dla_descriptors.h"

enum { ARENA_GAP = 256, MINIMUM_ALIGNMENT = 256 };

uint64_t arena_take(Arena* arena, uint64_t bytes, uint64_t alignment) {
  if (alignment < 8) alignment = 8;
  const uint64_t start = (arena->next + alignment - 1) & ~(alignment - 1);
  if (start < arena->next || start > arena->end || bytes > arena->end - start ||
      arena->end - start - bytes < ARENA_GAP)
    return 0;
  arena->next = start + bytes + ARENA_GAP;
  return start;
}

void* arena_table(Arena* arena, uint64_t bytes) {
  const uint64_t address = arena_take(arena, bytes, 8);
  if (address == 0) return 0;
  memset(fw_pointer(address), 0, (size_t)bytes);
  return fw_pointer(address);
}

const PlacedMemory* memory_plan_find(const MemoryPlan* plan, uint32_t id) {
  if (id < plan->count && plan->memories[id].id == id) return &plan->memories[id];
  for (uint32_t i = 0; i < plan->count; ++i)
    if (plan->memories[i].id == id) return &plan->memories[i];
  return 0;
}

static const FwBinding* binding_of(const FwBoot* boot, const LoadableMemory* memory) {
  for (uint32_t i = 0; i < boot->num_inputs; ++i)
    if (boot->inputs[i].bind_id == memory->bind_id) return &boot->inputs[i];
  return 0;
}

/* Copies the blobs in, later ones over earlier ones; what none covers is zeroed. */
static void fill(const Loadable* loadable, const LoadableMemory* memory, uint8_t* to) {
  uint64_t set = 0; /* bytes from the start that have their value */
  for (uint32_t i = 0; i < memory->contents.count; ++i) {
    FbVector name;
    LoadableBlob blob;
    if (!fb_string_at(&loadable->buffer, &memory->contents, i, &name) || name.count == 0 ||
        !loadable_blob_by_name(loadable, &name, &blob))
      continue;
    const uint64_t offset = fb_u64(&loadable->buffer, memory->offsets.position + 8 * i);
    if (offset > set) memset(to + set, 0, (size_t)(offset - set));
    if (offset + blob.data.count > set) set = offset + blob.data.count;
    memcpy(to + offset, loadable->buffer.data + blob.data.position, blob.data.count);
  }
  memset(to + set, 0, (size_t)(memory->bytes - set));
}

static bool place(MemoryPlan* plan, const LoadableMemory* memory, PlacedMemory* out,
                  FwError* error) {
  out->id = memory->id;
  out->domain = memory->domain;
  out->bytes = memory->bytes;
  if (memory->flags & DLA_MEMORY_INPUT) {
    const FwBinding* input = binding_of(plan->boot, memory);
    if (!input)
      return fw_fail(error, FW_E_BINDING, "input %u (memory %u) was not given",
                     (unsigned)memory->bind_id, (unsigned)memory->id);
    if (input->bytes < memory->bytes)
      return fw_fail(error, FW_E_BINDING, "input %u has %llu bytes, memory %u needs %llu",
                     (unsigned)memory->bind_id, (unsigned long long)input->bytes,
                     (unsigned)memory->id, (unsigned long long)memory->bytes);
    out->address = input->address;
    return true;
  }
  const bool in_sram = memory->domain == DLA_DOMAIN_SRAM;
  if (in_sram && plan->boot->sram_bytes == 0)
    return fw_fail(error, FW_E_MEMORY, "memory %u wants SRAM, this platform has none",
                   (unsigned)memory->id);
  const uint64_t alignment =
      memory->alignment > MINIMUM_ALIGNMENT ? memory->alignment : MINIMUM_ALIGNMENT;
  out->address = arena_take(in_sram ? &plan->sram : &plan->heap, memory->bytes, alignment);
  if (out->address == 0)
    return fw_fail(error, FW_E_MEMORY, "memory %u: no room for %llu bytes in %s",
                   (unsigned)memory->id, (unsigned long long)memory->bytes,
                   in_sram ? "SRAM" : "DRAM");
  fill(plan->loadable, memory, (uint8_t*)fw_pointer(out->address));
  return true;
}

bool memory_plan_build(MemoryPlan* plan, const Loadable* loadable, const FwBoot* boot,
                       FwError* error) {
  memset(plan, 0, sizeof *plan);
  plan->loadable = loadable;
  plan->boot = boot;
  plan->heap.next = boot->heap_address;
  plan->heap.end = boot->heap_address + boot->heap_bytes;
  plan->sram.next = boot->sram_address;
  plan->sram.end = boot->sram_address + boot->sram_bytes;
  plan->count = loadable->memories.count;
  plan->memories = (PlacedMemory*)arena_table(&plan->heap, plan->count * sizeof(PlacedMemory));
  if (!plan->memories) return fw_fail(error, FW_E_MEMORY, "no room for the firmware's tables");
  for (uint32_t i = 0; i < plan->count; ++i) {
    LoadableMemory memory;
    if (!loadable_memory(loadable, i, &memory))
      return fw_fail(error, FW_E_CONTAINER, "memory %u", (unsigned)i);
    if (!place(plan, &memory, &plan->memories[i], error)) return false;
  }
  return true;
}

void memory_plan_outputs(const MemoryPlan* plan, FwResult* result) {
  for (uint32_t i = 0; i < plan->count; ++i) {
    LoadableMemory memory;
    if (!loadable_memory(plan->loadable, i, &memory) || !(memory.flags & DLA_MEMORY_OUTPUT))
      continue;
    if (result->num_outputs == FW_MAX_BINDINGS) return;
    FwBinding* out = &result->outputs[result->num_outputs++];
    out->bind_id = memory.bind_id;
    out->address = plan->memories[i].address;
    out->bytes = memory.bytes;
  }
}
