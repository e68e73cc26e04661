/* The parameter block of an operation that runs on the platform's core. A CPU operation of type
 * DLA_EMU_CORE names, by address-list index and offset, one such block in constant memory: header,
 * tensors (inputs, then outputs), reals, parameters, table, without gaps; the block starts at a
 * multiple of 8. An extension of this project: a loadable without such operations is unchanged.
 * docs/firmware.md says what each kernel computes. Plain C, little endian, packed. */
#ifndef DLAVP_COMPILER_LOADABLE_CORE_BLOCK_H
#define DLAVP_COMPILER_LOADABLE_CORE_BLOCK_H

#include "compiler/loadable/dla_descriptors.h"
#include "sw/kit/core_layer.h"

enum {
  CORE_MAGIC = 0x45524f43, /* "CORE" */
  CORE_VERSION = 1,
  CORE_MAX_RANK = 8
};

/* DlaEmuOp.op_type; the union of such an operation holds a DlaCoreReference. */
enum { DLA_EMU_CORE = 64 };

typedef struct DLA_PACKED {
  int16_t address; /* in the task's address list */
  uint16_t reserved0;
  uint32_t offset;
  uint32_t bytes; /* of the whole block */
} DlaCoreReference;
DLA_SIZE(DlaCoreReference, 12);

/* DlaCoreHeader.kernel */
enum {
  CORE_CUSTOM = 0, /* a registered function, by name */
  CORE_TABLE = 1,
  CORE_BINARY = 2,
  CORE_MAP = 3,
  CORE_RESIZE = 4,
  CORE_REORDER = 5,
  CORE_REDUCE = 6,
  CORE_NORMALISE = 7,
  CORE_SOFTMAX = 8,
  CORE_ARGUMENT = 9,
  CORE_LRN = 10,
  CORE_POOL = 11,
  CORE_KERNELS = 12
};

/* TensorListEntry.data_type of an int32 output: the published format has no code for it. */
enum { CORE_TENSOR_INT32 = 16 };

typedef struct DLA_PACKED {
  uint32_t magic;
  uint16_t version;
  uint16_t kernel;
  uint16_t num_inputs;
  uint16_t num_outputs;
  uint32_t num_reals;  /* of 8 bytes */
  uint32_t num_params; /* of 4 bytes, signed */
  uint32_t table_bytes;
  char name[CORE_NAME_BYTES]; /* of a custom kernel, padded with zeros */
} DlaCoreHeader;
DLA_SIZE(DlaCoreHeader, 56);

/* Feature layout: channel c is lane c % (atom / element) of surface c / (atom / element). Real
 * value = scale x stored value. */
typedef struct DLA_PACKED {
  int16_t address; /* in the task's address list */
  uint16_t element; /* bytes of an element: CORE_INT8 or CORE_INT32 */
  uint32_t offset;
  uint32_t width, height, channels;
  uint32_t line_stride, surface_stride;
  uint32_t atom; /* bytes */
  double scale;
} DlaCoreTensor;
DLA_SIZE(DlaCoreTensor, 40);

#endif
