/* Reading and checking the lists of a loadable. */
#include "loadable.h"

#include <string.h>

#include "compiler/loadable/dla_descriptors.h"

enum {
  ROOT_VERSION,
  ROOT_TASKS,
  ROOT_MEMORIES,
  ROOT_ADDRESSES,
  ROOT_EVENTS,
  ROOT_BLOBS,
  ROOT_TENSORS,
  ROOT_RELOCS,
  ROOT_SUBMITS
};

static bool scalar16(const FbBuffer* b, const FbTable* t, unsigned field, uint16_t* out) {
  uint64_t v;
  if (!fb_scalar(b, t, field, 2, &v)) return false;
  *out = (uint16_t)v;
  return true;
}

static bool scalar32(const FbBuffer* b, const FbTable* t, unsigned field, uint32_t* out) {
  uint64_t v;
  if (!fb_scalar(b, t, field, 4, &v)) return false;
  *out = (uint32_t)v;
  return true;
}

static bool scalar8(const FbBuffer* b, const FbTable* t, unsigned field, uint8_t* out) {
  uint64_t v;
  if (!fb_scalar(b, t, field, 1, &v)) return false;
  *out = (uint8_t)v;
  return true;
}

bool loadable_task(const Loadable* l, uint32_t position, LoadableTask* out) {
  const FbBuffer* b = &l->buffer;
  FbTable t;
  return fb_table_at(b, &l->tasks, position, &t) && scalar16(b, &t, 0, &out->id) &&
         scalar32(b, &t, 1, &out->interface) && fb_vector(b, &t, 3, 2, &out->addresses) &&
         fb_vector(b, &t, 4, 2, &out->pre_actions) && fb_vector(b, &t, 5, 2, &out->post_actions);
}

bool loadable_memory(const Loadable* l, uint32_t position, LoadableMemory* out) {
  const FbBuffer* b = &l->buffer;
  FbTable t;
  return fb_table_at(b, &l->memories, position, &t) && scalar16(b, &t, 0, &out->id) &&
         scalar8(b, &t, 1, &out->domain) && scalar16(b, &t, 2, &out->flags) &&
         fb_scalar(b, &t, 3, 8, &out->bytes) && scalar32(b, &t, 4, &out->alignment) &&
         fb_vector(b, &t, 5, 4, &out->contents) && fb_vector(b, &t, 6, 8, &out->offsets) &&
         scalar16(b, &t, 7, &out->bind_id) && scalar16(b, &t, 8, &out->tensor_id);
}

bool loadable_address(const Loadable* l, uint32_t position, LoadableAddress* out) {
  const FbBuffer* b = &l->buffer;
  FbTable t;
  return fb_table_at(b, &l->addresses, position, &t) && scalar16(b, &t, 0, &out->id) &&
         scalar16(b, &t, 1, &out->memory) && fb_scalar(b, &t, 2, 8, &out->offset) &&
         fb_scalar(b, &t, 3, 8, &out->bytes);
}

bool loadable_blob(const Loadable* l, uint32_t position, LoadableBlob* out) {
  const FbBuffer* b = &l->buffer;
  FbTable t;
  return fb_table_at(b, &l->blobs, position, &t) && fb_string(b, &t, 0, &out->name) &&
         fb_scalar(b, &t, 1, 8, &out->bytes) && scalar32(b, &t, 2, &out->interface) &&
         scalar32(b, &t, 3, &out->sub_interface) && fb_bytes(b, &t, 4, 3, out->version) &&
         fb_vector(b, &t, 5, 1, &out->data);
}

bool loadable_tensor(const Loadable* l, uint32_t position, LoadableTensor* out) {
  const FbBuffer* b = &l->buffer;
  FbTable t;
  uint32_t dims[4];
  bool ok = fb_table_at(b, &l->tensors, position, &t) && fb_string(b, &t, 0, &out->name) &&
            scalar16(b, &t, 1, &out->id) && scalar16(b, &t, 2, &out->memory) &&
            fb_scalar(b, &t, 3, 8, &out->bytes) && fb_scalar(b, &t, 4, 8, &out->offset) &&
            scalar8(b, &t, 5, &out->data_format) && scalar8(b, &t, 6, &out->data_type) &&
            scalar8(b, &t, 7, &out->category) && scalar8(b, &t, 8, &out->pixel_format) &&
            scalar8(b, &t, 9, &out->pixel_mapping);
  for (unsigned i = 0; ok && i < 4; ++i) ok = scalar32(b, &t, 10 + i, &dims[i]);
  for (unsigned i = 0; ok && i < 8; ++i) ok = scalar32(b, &t, 14 + i, &out->strides[i]);
  if (!ok) return false;
  out->n = (int32_t)dims[0];
  out->c = (int32_t)dims[1];
  out->h = (int32_t)dims[2];
  out->w = (int32_t)dims[3];
  return true;
}

bool loadable_submit(const Loadable* l, uint32_t position, uint16_t* id, FbVector* tasks) {
  FbTable t;
  return fb_table_at(&l->buffer, &l->submits, position, &t) && scalar16(&l->buffer, &t, 0, id) &&
         fb_vector(&l->buffer, &t, 1, 2, tasks);
}

/* Lists are written in id order, so the position is tried first. */
#define BY_ID(list, reader)                                                   \
  if (id < l->list.count && reader(l, id, out) && out->id == id) return true; \
  for (uint32_t i = 0; i < l->list.count; ++i)                                \
    if (reader(l, i, out) && out->id == id) return true;                      \
  return false

bool loadable_memory_by_id(const Loadable* l, uint32_t id, LoadableMemory* out) {
  BY_ID(memories, loadable_memory);
}
bool loadable_task_by_id(const Loadable* l, uint32_t id, LoadableTask* out) {
  BY_ID(tasks, loadable_task);
}
bool loadable_address_by_id(const Loadable* l, uint32_t id, LoadableAddress* out) {
  BY_ID(addresses, loadable_address);
}

static int compare(const FbBuffer* b, const FbVector* x, const FbVector* y) {
  const uint32_t shorter = x->count < y->count ? x->count : y->count;
  const int order = memcmp(b->data + x->position, b->data + y->position, shorter);
  return order ? order : (x->count > y->count) - (x->count < y->count);
}

bool loadable_blob_by_name(const Loadable* l, const FbVector* name, LoadableBlob* out) {
  /* Writers sort the blobs by name; if this one did not, every blob is looked at. */
  uint32_t low = 0, high = l->blobs.count;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (!loadable_blob(l, middle, out)) return false;
    const int order = compare(&l->buffer, &out->name, name);
    if (order == 0) return true;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  for (uint32_t i = 0; i < l->blobs.count; ++i)
    if (loadable_blob(l, i, out) && compare(&l->buffer, &out->name, name) == 0) return true;
  return false;
}

bool loadable_tensor_of(const Loadable* l, const LoadableMemory* memory, LoadableTensor* out) {
  for (uint32_t i = 0; i < l->tensors.count; ++i)
    if (loadable_tensor(l, i, out) && out->id == memory->tensor_id && out->memory == memory->id)
      return true;
  for (uint32_t i = 0; i < l->tensors.count; ++i)
    if (loadable_tensor(l, i, out) && out->memory == memory->id) return true;
  return false;
}

static bool broken(FwError* error, const char* list, uint32_t position) {
  return fw_fail(error, FW_E_CONTAINER, "%s %u lies outside of the file", list, (unsigned)position);
}

/* A blob's name or a content's name without bytes names nothing (NVIDIA's tests write such). */
static bool check_memory(const Loadable* l, const LoadableMemory* m, FwError* error) {
  const unsigned id = m->id;
  if (m->domain > DLA_DOMAIN_SRAM)
    return fw_fail(error, FW_E_MEMORY, "memory %u: domain %u, expected 0 or 1", id,
                   (unsigned)m->domain);
  if (m->alignment & (m->alignment - 1) || m->alignment > (1u << 20))
    return fw_fail(error, FW_E_MEMORY,
                   "memory %u: alignment %u, expected a power of two up to 1048576", id,
                   (unsigned)m->alignment);
  if (m->bytes == 0 || m->bytes > UINT32_MAX)
    return fw_fail(error, FW_E_MEMORY, "memory %u: size %llu, expected 1 to 4294967295", id,
                   (unsigned long long)m->bytes);
  if (m->contents.count != m->offsets.count)
    return fw_fail(error, FW_E_MEMORY, "memory %u: %u contents, %u offsets", id,
                   (unsigned)m->contents.count, (unsigned)m->offsets.count);
  for (uint32_t i = 0; i < m->contents.count; ++i) {
    FbVector name;
    LoadableBlob blob;
    if (!fb_string_at(&l->buffer, &m->contents, i, &name)) return broken(error, "content name", i);
    if (name.count == 0) continue;
    if (!loadable_blob_by_name(l, &name, &blob))
      return fw_fail(error, FW_E_BLOB, "memory %u: content %u names no blob", id, (unsigned)i);
    const uint64_t offset = fb_u64(&l->buffer, m->offsets.position + 8 * i);
    if (offset > m->bytes || blob.data.count > m->bytes - offset)
      return fw_fail(error, FW_E_BLOB, "memory %u: blob of %u bytes at %llu, the entry has %llu",
                     id, (unsigned)blob.data.count, (unsigned long long)offset,
                     (unsigned long long)m->bytes);
  }
  return true;
}

static bool check_memories(const Loadable* l, FwError* error) {
  for (uint32_t i = 0; i < l->blobs.count; ++i) {
    LoadableBlob blob;
    if (!loadable_blob(l, i, &blob)) return broken(error, "blob", i);
    if (blob.bytes != blob.data.count)
      return fw_fail(error, FW_E_BLOB, "blob %u: size %llu, its data have %u bytes", (unsigned)i,
                     (unsigned long long)blob.bytes, (unsigned)blob.data.count);
  }
  for (uint32_t i = 0; i < l->memories.count; ++i) {
    LoadableMemory m;
    if (!loadable_memory(l, i, &m)) return broken(error, "memory", i);
    if (!check_memory(l, &m, error)) return false;
  }
  return true;
}

static bool check_addresses(const Loadable* l, FwError* error) {
  for (uint32_t i = 0; i < l->addresses.count; ++i) {
    LoadableAddress a;
    LoadableMemory m;
    if (!loadable_address(l, i, &a)) return broken(error, "address", i);
    if (!loadable_memory_by_id(l, a.memory, &m))
      return fw_fail(error, FW_E_LIST, "address %u: memory %u does not exist", (unsigned)a.id,
                     (unsigned)a.memory);
    /* Its size is not looked at: NVIDIA's compiler writes the memory's, wherever the address is. */
    if (a.offset > m.bytes)
      return fw_fail(error, FW_E_ADDRESS, "address %u: offset %llu, memory %u has %llu bytes",
                     (unsigned)a.id, (unsigned long long)a.offset, (unsigned)m.id,
                     (unsigned long long)m.bytes);
  }
  return true;
}

static bool check_actions(const Loadable* l, const LoadableTask* task, const FbVector* actions,
                          FwError* error) {
  for (uint32_t k = 0; k < actions->count; ++k) {
    const unsigned event = fb_u16(&l->buffer, actions->position + 2 * k);
    if (event >= l->events.count)
      return fw_fail(error, FW_E_TASK, "task %u: event %u, there are %u", (unsigned)task->id, event,
                     (unsigned)l->events.count);
  }
  return true;
}

static bool check_tasks(const Loadable* l, FwError* error) {
  for (uint32_t i = 0; i < l->tasks.count; ++i) {
    LoadableTask t;
    if (!loadable_task(l, i, &t)) return broken(error, "task", i);
    if (t.interface != DLA_INTERFACE_DLA && t.interface != DLA_INTERFACE_EMU)
      return fw_fail(error, FW_E_TASK, "task %u: interface %u, expected 1 or 2", (unsigned)t.id,
                     (unsigned)t.interface);
    if (t.addresses.count == 0)
      return fw_fail(error, FW_E_TASK, "task %u: empty address list", (unsigned)t.id);
    for (uint32_t k = 0; k < t.addresses.count; ++k) {
      LoadableAddress a;
      const uint16_t id = fb_u16(&l->buffer, t.addresses.position + 2 * k);
      if (!loadable_address_by_id(l, id, &a))
        return fw_fail(error, FW_E_TASK, "task %u: address %u does not exist", (unsigned)t.id,
                       (unsigned)id);
    }
    if (!check_actions(l, &t, &t.pre_actions, error) ||
        !check_actions(l, &t, &t.post_actions, error))
      return false;
  }
  for (uint32_t i = 0; i < l->submits.count; ++i) {
    uint16_t id;
    FbVector tasks;
    LoadableTask t;
    if (!loadable_submit(l, i, &id, &tasks)) return broken(error, "submit entry", i);
    for (uint32_t k = 0; k < tasks.count; ++k)
      if (!loadable_task_by_id(l, fb_u16(&l->buffer, tasks.position + 2 * k), &t))
        return fw_fail(error, FW_E_LIST, "submit %u: task %u does not exist", (unsigned)id,
                       (unsigned)fb_u16(&l->buffer, tasks.position + 2 * k));
  }
  for (uint32_t i = 0; i < l->tensors.count; ++i) {
    LoadableTensor tensor;
    if (!loadable_tensor(l, i, &tensor)) return broken(error, "tensor", i);
  }
  return true;
}

/* Lists longer than this are no loadable's; the bound keeps every check short. */
enum { MAX_ENTRIES = 8192 };

bool loadable_open(Loadable* l, const void* data, uint64_t bytes, FwError* error) {
  memset(l, 0, sizeof *l);
  if (bytes < 8 || bytes > INT32_MAX)
    return fw_fail(error, FW_E_CONTAINER, "file of %llu bytes, expected 8 to 2147483647",
                   (unsigned long long)bytes);
  l->buffer.data = (const uint8_t*)data;
  l->buffer.bytes = (uint32_t)bytes;
  const FbBuffer* b = &l->buffer;
  FbTable root;
  if (!fb_root(b, &root))
    return fw_fail(error, FW_E_CONTAINER, "no loadable: the root table is outside of the file");
  if (!fb_bytes(b, &root, ROOT_VERSION, 3, l->version))
    return fw_fail(error, FW_E_CONTAINER, "the version lies outside of the file");
  const struct {
    unsigned field;
    FbVector* vector;
    const char* name;
    bool needed;
  } lists[] = {{ROOT_TASKS, &l->tasks, "task", true},
               {ROOT_MEMORIES, &l->memories, "memory", true},
               {ROOT_ADDRESSES, &l->addresses, "address", true},
               {ROOT_EVENTS, &l->events, "event", false},
               {ROOT_BLOBS, &l->blobs, "blob", true},
               {ROOT_TENSORS, &l->tensors, "tensor", false},
               {ROOT_SUBMITS, &l->submits, "submit", true}};
  for (unsigned i = 0; i < sizeof lists / sizeof lists[0]; ++i) {
    if (!fb_vector(b, &root, lists[i].field, 4, lists[i].vector))
      return fw_fail(error, FW_E_CONTAINER, "the %s list lies outside of the file", lists[i].name);
    if (lists[i].vector->count > MAX_ENTRIES || (lists[i].needed && lists[i].vector->count == 0))
      return fw_fail(error, FW_E_LIST, "the %s list has %u entries, expected 1 to %u",
                     lists[i].name, (unsigned)lists[i].vector->count, (unsigned)MAX_ENTRIES);
  }
  if (l->version[0] != 0 || l->version[1] > 7)
    return fw_fail(error, FW_E_VERSION, "loadable version %u.%u, expected up to 0.7",
                   (unsigned)l->version[0], (unsigned)l->version[1]);
  return check_memories(l, error) && check_addresses(l, error) && check_tasks(l, error);
}
