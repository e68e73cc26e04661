/* What the firmware and its host agree on: the boot block that the host fills before the core
 * leaves reset, and the result block that the firmware writes. Plain C, fixed layout, little
 * endian; shared by the firmware (RISC-V) and by the virtual platform's host side. */
#ifndef DLAVP_SW_FW_ABI_H
#define DLAVP_SW_FW_ABI_H

#include <stdint.h>

#ifdef __cplusplus
#define FW_ABI_ASSERT(condition) static_assert(condition, #condition)
#else
#define FW_ABI_ASSERT(condition) _Static_assert(condition, #condition)
#endif

enum {
  FW_BOOT_MAGIC = 0x544f4f42,   /* "BOOT" */
  FW_RESULT_MAGIC = 0x544c5352, /* "RSLT" */
  FW_ABI_VERSION = 1,
  FW_BOOT_OFFSET = 0x100, /* of the boot block from the image's first byte */
  FW_MAX_BINDINGS = 16,
  FW_ERROR_TEXT = 160,
  FW_ENGINE_CPU =
      6 /* `engine` of operations that the core itself runs; 0 to 5 as in the descriptors */
};

/* FwBoot.features: what this accelerator has. */
enum {
  FW_HAS_BDMA = 1 << 0,
  FW_HAS_RUBIK = 1 << 1,
  FW_HAS_CDP = 1 << 2,
  FW_HAS_PDP = 1 << 3,
  FW_HAS_SDP_EW = 1 << 4,
  FW_HAS_SDP_LUT = 1 << 5,
  FW_HAS_CVIF = 1 << 6,
  FW_HAS_WINOGRAD = 1 << 7,
  FW_HAS_COMPRESSION = 1 << 8,
  FW_HAS_BATCH = 1 << 9,
  FW_HAS_INT16 = 1 << 10,
  FW_HAS_FP16 = 1 << 11
};

/* A network input that the host has put in memory already, in the tensor's own layout. */
typedef struct {
  uint64_t address;
  uint64_t bytes;
  uint32_t bind_id;
  uint32_t reserved;
} FwBinding;

typedef struct {
  uint32_t magic;
  uint32_t version;
  uint64_t loadable_address, loadable_bytes;
  uint64_t heap_address,
      heap_bytes; /* memory entries of the system domain, and the firmware's own tables */
  uint64_t sram_address, sram_bytes; /* memory entries of the SRAM domain; 0: there is none */
  uint64_t result_address, result_bytes;
  uint64_t watchdog_ticks; /* of the CLINT's timer, without any progress; 0: no watchdog */
  uint64_t csb_address, clint_address, plic_address, uart_address;
  uint64_t exit_address; /* the firmware stores its error code here as its last act */
  uint32_t plic_source;
  uint32_t features;
  uint32_t memory_atom_bytes;
  uint32_t cbuf_entry_bytes;
  uint32_t cbuf_banks;
  uint32_t address_bits; /* of the accelerator's memory interface */
  uint32_t num_inputs;
  uint32_t reserved;
  FwBinding inputs[FW_MAX_BINDINGS];
} FwBoot;
FW_ABI_ASSERT(sizeof(FwBoot) == 152 + 24 * FW_MAX_BINDINGS);

enum { FW_STATE_STARTED = 1, FW_STATE_RUNNING = 2, FW_STATE_DONE = 3, FW_STATE_FAILED = 4 };

/* Times are mcycle of the core; 0: it did not come to that. */
typedef struct {
  uint32_t task;
  uint32_t index; /* in the task's operation list */
  uint32_t engine;
  uint32_t group;
  uint64_t programmed, enabled, done;
} FwOperationInfo;
FW_ABI_ASSERT(sizeof(FwOperationInfo) == 40);

typedef struct {
  uint32_t task;
  uint32_t interface;
  uint64_t started, done;
} FwTaskInfo;
FW_ABI_ASSERT(sizeof(FwTaskInfo) == 24);

/* Followed by num_tasks FwTaskInfo and num_operations FwOperationInfo. */
typedef struct {
  uint32_t magic;
  uint32_t version;
  uint32_t state;
  uint32_t error_code;
  int32_t error_task;
  int32_t error_operation;
  char error_text[FW_ERROR_TEXT];
  uint32_t num_tasks;
  uint32_t num_operations;
  uint32_t num_outputs;
  uint32_t reserved;
  uint64_t boot_cycle;  /* the firmware started */
  uint64_t ready_cycle; /* the loadable is checked and laid out; the first task starts */
  uint64_t done_cycle;
  uint64_t sleep_cycles; /* cycles in WFI between ready and done */
  FwBinding outputs[FW_MAX_BINDINGS];
} FwResult;
FW_ABI_ASSERT(sizeof(FwResult) == 232 + 24 * FW_MAX_BINDINGS);

#endif
