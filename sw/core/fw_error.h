/* The firmware's error codes and how an error is made. The code is stable, the text says what was
 * found and what was expected; the host prints both. */
#ifndef DLAVP_SW_FW_ERROR_H
#define DLAVP_SW_FW_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "fw_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  FW_OK = 0,
  FW_E_BOOT,        /* boot block: magic, version, sizes */
  FW_E_CONTAINER,   /* the FlatBuffer itself: an offset, a size or an alignment */
  FW_E_LIST,        /* a list of the loadable: missing, an id twice, a wrong count */
  FW_E_MEMORY,      /* a memory entry: domain, size, alignment, no room */
  FW_E_BLOB,        /* a blob: missing, or it does not fit its memory entry */
  FW_E_BINDING,     /* an input that the host did not give, or gave too small */
  FW_E_TASK,        /* a task: interface, address list, events */
  FW_E_VERSION,     /* an interface version that is not known */
  FW_E_NETWORK,     /* the network descriptor */
  FW_E_DEPENDENCY,  /* the dependency graph */
  FW_E_ADDRESS,     /* a cube lies outside of its memory entry, or is misaligned */
  FW_E_FIELD,       /* a descriptor field that does not fit its register or has no meaning */
  FW_E_UNSUPPORTED, /* legal, but this accelerator or this firmware lacks it */
  FW_E_EMU,         /* an operation of the core: type, format, address */
  FW_E_DEADLOCK,    /* operations are left, none of them can start */
  FW_E_TIMEOUT,     /* an operation never completed */
  FW_E_TRAP,        /* the core took an exception */
  FW_E_COUNT
} FwCode;

typedef struct FwError {
  FwCode code;
  int32_t task, operation; /* -1: none */
  char text[FW_ERROR_TEXT];
} FwError;

/* Short stable name: "loadable.container". */
const char* fw_code_name(FwCode code);

/* Fills `error` (the first error wins) and returns false. */
bool fw_fail(FwError* error, FwCode code, const char* format, ...)
    __attribute__((format(printf, 3, 4)));

static inline void fw_error_clear(FwError* error) {
  error->code = FW_OK;
  error->task = error->operation = -1;
  error->text[0] = 0;
}

#ifdef __cplusplus
}
#endif
#endif
