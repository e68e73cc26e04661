/* The lists of an NVDLA loadable, read in place and checked: every table of every list opens, and
 * what one list names in another exists. Of entries with the same id the first counts. The meaning
 * of the blobs (network descriptor, operations) is task.h's. Runs on any machine: the firmware and
 * the host's loader use the same code. */
#ifndef DLAVP_SW_LOADABLE_H
#define DLAVP_SW_LOADABLE_H

#include "flatbuf.h"
#include "fw_error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  FbBuffer buffer;
  uint8_t version[3];
  FbVector tasks, memories, addresses, events, blobs, tensors, submits;
} Loadable;

typedef struct {
  uint16_t id;
  uint32_t interface;
  FbVector addresses, pre_actions, post_actions; /* u16 each */
} LoadableTask;

typedef struct {
  uint16_t id, flags, bind_id, tensor_id;
  uint8_t domain;
  uint32_t alignment;
  uint64_t bytes;
  FbVector contents; /* blob names */
  FbVector offsets;  /* u64, one a name */
} LoadableMemory;

typedef struct {
  uint16_t id, memory;
  uint64_t offset, bytes;
} LoadableAddress;

typedef struct {
  FbVector name;
  uint64_t bytes;
  uint32_t interface, sub_interface;
  uint8_t version[3];
  FbVector data;
} LoadableBlob;

typedef struct {
  FbVector name;
  uint16_t id, memory;
  uint64_t bytes, offset;
  uint8_t data_format, data_type, category, pixel_format, pixel_mapping;
  int32_t n, c, h, w;
  uint32_t strides[8];
} LoadableTensor;

/* Opens and checks the lists of `bytes` bytes at `data`. */
bool loadable_open(Loadable* loadable, const void* data, uint64_t bytes, FwError* error);

/* Entry at a position of its list; cannot fail after loadable_open for positions below the count.
 */
bool loadable_task(const Loadable* loadable, uint32_t position, LoadableTask* out);
bool loadable_memory(const Loadable* loadable, uint32_t position, LoadableMemory* out);
bool loadable_address(const Loadable* loadable, uint32_t position, LoadableAddress* out);
bool loadable_blob(const Loadable* loadable, uint32_t position, LoadableBlob* out);
bool loadable_tensor(const Loadable* loadable, uint32_t position, LoadableTensor* out);
/* Tasks of one submit-list entry. */
bool loadable_submit(const Loadable* loadable, uint32_t position, uint16_t* id, FbVector* tasks);

/* By id or name; false: there is none. */
bool loadable_memory_by_id(const Loadable* loadable, uint32_t id, LoadableMemory* out);
bool loadable_task_by_id(const Loadable* loadable, uint32_t id, LoadableTask* out);
bool loadable_address_by_id(const Loadable* loadable, uint32_t id, LoadableAddress* out);
bool loadable_blob_by_name(const Loadable* loadable, const FbVector* name, LoadableBlob* out);
/* The tensor that lies in a memory entry: by the entry's tensor id where that names this entry,
 * else the first. */
bool loadable_tensor_of(const Loadable* loadable, const LoadableMemory* memory,
                        LoadableTensor* out);

#ifdef __cplusplus
}
#endif
#endif
