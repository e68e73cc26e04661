/* A FlatBuffer read in place, each step checked against the buffer's end: tables, scalars,
 * vectors, strings. No schema and no allocation. A field that is absent reads as its default
 * (0, or an empty vector); anything that points outside fails. */
#ifndef DLAVP_SW_FLATBUF_H
#define DLAVP_SW_FLATBUF_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const uint8_t* data;
  uint32_t bytes;
} FbBuffer;

typedef struct {
  uint32_t position, vtable;
  uint16_t vtable_bytes, table_bytes;
} FbTable;

/* `position` of the first element; the elements are inside the buffer. */
typedef struct {
  uint32_t position, count, element_bytes;
} FbVector;

/* Little-endian reads at a position that is known to be inside. */
uint16_t fb_u16(const FbBuffer* buffer, uint32_t position);
uint32_t fb_u32(const FbBuffer* buffer, uint32_t position);
uint64_t fb_u64(const FbBuffer* buffer, uint32_t position);

bool fb_root(const FbBuffer* buffer, FbTable* table);
/* Scalars of 1, 2, 4 or 8 bytes, zero extended. */
bool fb_scalar(const FbBuffer* buffer, const FbTable* table, unsigned field, unsigned bytes,
               uint64_t* out);
/* An inline struct of `bytes` one-byte members; zeros if absent. */
bool fb_bytes(const FbBuffer* buffer, const FbTable* table, unsigned field, unsigned bytes,
              uint8_t* out);
bool fb_vector(const FbBuffer* buffer, const FbTable* table, unsigned field, unsigned element_bytes,
               FbVector* out);
/* A string is a vector of bytes. */
bool fb_string(const FbBuffer* buffer, const FbTable* table, unsigned field, FbVector* out);
/* Elements of a vector of offsets (element_bytes 4): a table, a string. `index` < count. */
bool fb_table_at(const FbBuffer* buffer, const FbVector* vector, uint32_t index, FbTable* out);
bool fb_string_at(const FbBuffer* buffer, const FbVector* vector, uint32_t index, FbVector* out);

#ifdef __cplusplus
}
#endif
#endif
