/* Opening a task and reading its descriptors. */
#include "task.h"

#include <string.h>

/* Interface version of the blob at the start of the memory entry that address `id` lies in. */
static bool blob_version(const Loadable* loadable, uint16_t id, uint8_t* version) {
  LoadableAddress address;
  LoadableMemory memory;
  LoadableBlob blob;
  FbVector name;
  if (!loadable_address_by_id(loadable, id, &address) ||
      !loadable_memory_by_id(loadable, address.memory, &memory))
    return false;
  for (uint32_t i = 0; i < memory.contents.count; ++i) {
    if (fb_u64(&loadable->buffer, memory.offsets.position + 8 * i) != address.offset) continue;
    if (!fb_string_at(&loadable->buffer, &memory.contents, i, &name) ||
        !loadable_blob_by_name(loadable, &name, &blob))
      continue;
    memcpy(version, blob.version, 3);
    return true;
  }
  return false;
}

bool task_bytes(const Task* task, int32_t index, uint64_t offset, uint64_t extent, const char* what,
                uint8_t** out, FwError* error) {
  if (index < 0 || (uint32_t)index >= task->num_addresses)
    return fw_fail(error, FW_E_ADDRESS, "%s: address index %d, the task has %u addresses", what,
                   (int)index, (unsigned)task->num_addresses);
  const TaskAddress* a = &task->addresses[index];
  if (offset > a->room || extent > a->room - offset)
    return fw_fail(error, FW_E_ADDRESS,
                   "%s: %llu bytes at offset %llu of address %d, its memory has %llu", what,
                   (unsigned long long)extent, (unsigned long long)offset, (int)index,
                   (unsigned long long)a->room);
  *out = (uint8_t*)fw_pointer(a->address + offset);
  return true;
}

bool task_resolve(const Task* task, const DlaCube* cube, uint64_t extent, uint32_t alignment,
                  const char* what, uint64_t* address, FwError* error) {
  uint8_t* bytes = 0;
  if (!task_bytes(task, cube->address, cube->offset, extent, what, &bytes, error)) return false;
  const TaskAddress* a = &task->addresses[cube->address];
  if (cube->type != a->domain)
    return fw_fail(error, FW_E_ADDRESS, "%s: memory type %u, address %d lies in %s", what,
                   (unsigned)cube->type, (int)cube->address,
                   a->domain == DLA_DOMAIN_SRAM ? "SRAM" : "DRAM");
  *address = a->address + cube->offset;
  if (*address % alignment)
    return fw_fail(error, FW_E_ADDRESS, "%s: address 0x%llx, expected a multiple of %u", what,
                   (unsigned long long)*address, (unsigned)alignment);
  const uint32_t bits = task->boot->address_bits;
  if (bits < 64 && ((*address + extent - 1) >> bits) != 0)
    return fw_fail(error, FW_E_ADDRESS,
                   "%s: address 0x%llx and %llu bytes, the accelerator has %u address bits", what,
                   (unsigned long long)*address, (unsigned long long)extent, (unsigned)bits);
  return true;
}

static bool open_list(const Task* task, int32_t index, uint64_t count, uint64_t stride,
                      uint64_t last, const char* what, const uint8_t** out, FwError* error) {
  uint8_t* bytes = 0;
  /* The last entry may be cut after its own type's bytes; the compiler writes whole strides. */
  const uint64_t extent = count == 0 ? 0 : (count - 1) * stride + last;
  if (!task_bytes(task, index, 0, extent, what, &bytes, error)) return false;
  *out = bytes;
  return true;
}

static bool open_dla(Task* task, const uint8_t* version, FwError* error) {
  uint8_t* bytes = 0;
  if (version[0] != 0 || version[1] < 10 || version[1] > 12)
    return fw_fail(error, FW_E_VERSION, "descriptor version %u.%u.%u, expected 0.10 to 0.12",
                   (unsigned)version[0], (unsigned)version[1], (unsigned)version[2]);
  task->cube_bytes = version[1] < 12 ? sizeof(DlaCubeV11) : sizeof(DlaCube);
  if (!task_bytes(task, 0, 0, sizeof(DlaNetwork), "network descriptor", &bytes, error))
    return false;
  memcpy(&task->network, bytes, sizeof task->network);
  const DlaNetwork* n = &task->network;
  if (n->dynamic_roi || n->num_rois != 1)
    return fw_fail(error, FW_E_UNSUPPORTED,
                   "network descriptor: %u regions of interest, dynamic %u; expected 1, 0",
                   (unsigned)n->num_rois, (unsigned)n->dynamic_roi);
  if (n->num_operations == 0) return true;
  return open_list(task, n->dependency_graph_index, n->num_operations, sizeof(DlaDependency),
                   sizeof(DlaDependency), "dependency graph", &task->dependencies, error) &&
         open_list(task, n->operation_desc_index, n->num_operations, DLA_OPERATION_STRIDE,
                   DLA_OPERATION_STRIDE, "operation list", &task->operations, error) &&
         open_list(task, n->surface_desc_index, n->num_operations, DLA_SURFACE_STRIDE,
                   DLA_SURFACE_STRIDE, "surface list", &task->surfaces, error) &&
         (n->num_luts == 0 || open_list(task, n->lut_data_index, n->num_luts, sizeof(DlaLut),
                                        sizeof(DlaLut), "LUT list", &task->luts, error));
}

static bool open_emu(Task* task, FwError* error) {
  uint8_t* bytes = 0;
  if (!task_bytes(task, 0, 0, 6, "CPU network descriptor", &bytes, error)) return false;
  memcpy(&task->emu, bytes, 6);
  const DlaEmuNetwork* n = &task->emu;
  return open_list(task, n->operation_desc_index, n->num_operations, sizeof(DlaEmuOp),
                   sizeof(DlaEmuOp), "CPU operation list", &task->emu_operations, error) &&
         open_list(task, n->operation_buffer_desc_index, n->num_operations, sizeof(DlaEmuBuffers),
                   sizeof(DlaEmuBuffer) + 26, "CPU buffer list", &task->emu_buffers, error);
}

bool task_open(Task* task, const MemoryPlan* plan, Arena* arena, const LoadableTask* entry,
               FwError* error) {
  uint8_t version[3] = {0, 0, 0};
  memset(task, 0, sizeof *task);
  task->id = entry->id;
  task->interface = entry->interface;
  task->boot = plan->boot;
  task->num_addresses = entry->addresses.count;
  task->addresses = (TaskAddress*)arena_table(arena, task->num_addresses * sizeof(TaskAddress));
  if (!task->addresses)
    return fw_fail(error, FW_E_MEMORY, "no room for %u addresses", (unsigned)task->num_addresses);
  const FbBuffer* buffer = &plan->loadable->buffer;
  for (uint32_t i = 0; i < task->num_addresses; ++i) {
    LoadableAddress address;
    const uint16_t id = fb_u16(buffer, entry->addresses.position + 2 * i);
    const PlacedMemory* memory;
    if (!loadable_address_by_id(plan->loadable, id, &address) ||
        !(memory = memory_plan_find(plan, address.memory)))
      return fw_fail(error, FW_E_TASK, "address %u does not exist", (unsigned)id);
    task->addresses[i].address = memory->address + address.offset;
    task->addresses[i].room = memory->bytes - address.offset;
    task->addresses[i].domain = memory->domain;
  }
  if (task->interface == DLA_INTERFACE_EMU) return open_emu(task, error);
  if (!blob_version(plan->loadable, fb_u16(buffer, entry->addresses.position), version))
    return fw_fail(error, FW_E_TASK, "no blob holds the network descriptor");
  return open_dla(task, version, error);
}

void task_dependency(const Task* task, uint32_t index, DlaDependency* out) {
  memcpy(out, task->dependencies + (size_t)index * sizeof *out, sizeof *out);
}

void task_lut(const Task* task, uint32_t index, DlaLut* out) {
  memcpy(out, task->luts + (size_t)index * sizeof *out, sizeof *out);
}

static void widen_cube(const uint8_t* from, DlaCube* to) {
  DlaCubeV11 old;
  memcpy(&old, from, sizeof old);
  to->type = old.type;
  to->address = old.address;
  to->offset = 0;
  to->size = old.size;
  to->width = old.width;
  to->height = old.height;
  to->channel = old.channel;
  to->reserved0 = 0;
  to->line_stride = old.line_stride;
  to->surf_stride = old.surf_stride;
  to->plane_stride = old.plane_stride;
}

void task_operation(const Task* task, uint32_t index, uint8_t type, TaskOperation* out) {
  static const uint8_t cubes[DLA_ENGINE_COUNT] = {0, 5, 5, 2, 2, 2};
  out->index = index;
  out->type = type;
  memcpy(&out->operation, task->operations + (size_t)index * DLA_OPERATION_STRIDE,
         DLA_OPERATION_STRIDE);
  const uint8_t* from = task->surfaces + (size_t)index * DLA_SURFACE_STRIDE;
  if (task->cube_bytes == sizeof(DlaCube) || cubes[type] == 0) {
    memcpy(&out->surface, from, DLA_SURFACE_STRIDE);
    return;
  }
  /* The cubes come first in every surface; what follows them moves up behind the wider cubes. */
  const uint32_t old_bytes = cubes[type] * task->cube_bytes,
                 new_bytes = cubes[type] * (uint32_t)sizeof(DlaCube);
  memcpy((uint8_t*)&out->surface + new_bytes, from + old_bytes, DLA_SURFACE_STRIDE - new_bytes);
  for (unsigned i = 0; i < cubes[type]; ++i) {
    DlaCube cube;
    widen_cube(from + i * task->cube_bytes, &cube);
    memcpy((uint8_t*)&out->surface + i * sizeof cube, &cube, sizeof cube);
  }
}
