/* Bounds-checked FlatBuffer access; the format is that of FlatBuffers' "internals" page. */
#include "flatbuf.h"

#include <string.h>

static bool inside(const FbBuffer* buffer, uint64_t position, uint64_t bytes) {
  return position <= buffer->bytes && bytes <= buffer->bytes - position;
}

uint16_t fb_u16(const FbBuffer* buffer, uint32_t position) {
  const uint8_t* p = buffer->data + position;
  return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t fb_u32(const FbBuffer* buffer, uint32_t position) {
  return (uint32_t)fb_u16(buffer, position) | (uint32_t)fb_u16(buffer, position + 2) << 16;
}

uint64_t fb_u64(const FbBuffer* buffer, uint32_t position) {
  return (uint64_t)fb_u32(buffer, position) | (uint64_t)fb_u32(buffer, position + 4) << 32;
}

static bool open_table(const FbBuffer* buffer, uint64_t position, FbTable* table) {
  if (position % 4 || !inside(buffer, position, 4)) return false;
  const int64_t vtable = (int64_t)position - (int32_t)fb_u32(buffer, (uint32_t)position);
  if (vtable < 0 || vtable % 2 || !inside(buffer, (uint64_t)vtable, 4)) return false;
  table->position = (uint32_t)position;
  table->vtable = (uint32_t)vtable;
  table->vtable_bytes = fb_u16(buffer, table->vtable);
  table->table_bytes = fb_u16(buffer, table->vtable + 2);
  return table->vtable_bytes >= 4 && table->vtable_bytes % 2 == 0 && table->table_bytes >= 4 &&
         inside(buffer, table->vtable, table->vtable_bytes) &&
         inside(buffer, table->position, table->table_bytes);
}

bool fb_root(const FbBuffer* buffer, FbTable* table) {
  return inside(buffer, 0, 8) && open_table(buffer, fb_u32(buffer, 0), table);
}

/* Position of an inline field of `bytes`; 0 if it is absent. False: it leaves the table. */
static bool locate(const FbBuffer* buffer, const FbTable* table, unsigned field, unsigned bytes,
                   uint32_t* out) {
  const uint32_t slot = 4 + 2 * field;
  *out = 0;
  if (slot + 2 > table->vtable_bytes) return true;
  const uint32_t offset = fb_u16(buffer, table->vtable + slot);
  if (offset == 0) return true;
  if (offset < 4 || offset + bytes > table->table_bytes) return false;
  *out = table->position + offset;
  return true;
}

bool fb_scalar(const FbBuffer* buffer, const FbTable* table, unsigned field, unsigned bytes,
               uint64_t* out) {
  uint32_t at;
  *out = 0;
  if (!locate(buffer, table, field, bytes, &at)) return false;
  for (unsigned i = 0; at != 0 && i < bytes; ++i) *out |= (uint64_t)buffer->data[at + i] << (8 * i);
  return true;
}

bool fb_bytes(const FbBuffer* buffer, const FbTable* table, unsigned field, unsigned bytes,
              uint8_t* out) {
  uint32_t at;
  memset(out, 0, bytes);
  /* Old writers count a struct of three bytes short in the table's size: the buffer's end decides.
   */
  if (!locate(buffer, table, field, 0, &at) || !inside(buffer, at, bytes)) return false;
  if (at != 0) memcpy(out, buffer->data + at, bytes);
  return true;
}

static bool open_vector(const FbBuffer* buffer, uint64_t position, unsigned element_bytes,
                        FbVector* out) {
  if (position % 4 || !inside(buffer, position, 4)) return false;
  out->position = (uint32_t)position + 4;
  out->count = fb_u32(buffer, (uint32_t)position);
  out->element_bytes = element_bytes;
  return inside(buffer, out->position, (uint64_t)out->count * element_bytes);
}

bool fb_vector(const FbBuffer* buffer, const FbTable* table, unsigned field, unsigned element_bytes,
               FbVector* out) {
  uint32_t at;
  memset(out, 0, sizeof *out);
  out->element_bytes = element_bytes;
  if (!locate(buffer, table, field, 4, &at)) return false;
  return at == 0 || open_vector(buffer, (uint64_t)at + fb_u32(buffer, at), element_bytes, out);
}

bool fb_string(const FbBuffer* buffer, const FbTable* table, unsigned field, FbVector* out) {
  return fb_vector(buffer, table, field, 1, out);
}

bool fb_table_at(const FbBuffer* buffer, const FbVector* vector, uint32_t index, FbTable* out) {
  const uint32_t at = vector->position + 4 * index;
  return index < vector->count && open_table(buffer, (uint64_t)at + fb_u32(buffer, at), out);
}

bool fb_string_at(const FbBuffer* buffer, const FbVector* vector, uint32_t index, FbVector* out) {
  const uint32_t at = vector->position + 4 * index;
  return index < vector->count && open_vector(buffer, (uint64_t)at + fb_u32(buffer, at), 1, out);
}
