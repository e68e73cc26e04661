/* Register access to the accelerator, and register values built from checked fields. The
 * accessors are given by whoever links this code: the firmware's memory-mapped CSB, a test's model.
 */
#ifndef DLAVP_SW_CSB_H
#define DLAVP_SW_CSB_H

#include "fw_error.h"
#include "nvdla_regs.h"

#ifdef __cplusplus
extern "C" {
#endif

void fw_csb_write(uint32_t offset, uint32_t value);
uint32_t fw_csb_read(uint32_t offset);

/* One aligned load takes both; the value comes first, so that it needs no shift. */
typedef struct __attribute__((aligned(8))) {
  uint32_t value;
  uint32_t offset;
} RegWrite;

enum { REG_MAX_WRITES = 192 }; /* of one operation */

/* The register program of an operation under construction. Every value is checked against its
 * field, nothing reaches the hardware: a loadable is refused before its first operation runs, and
 * the program is played later, when its register group is free. */
typedef struct {
  FwError* error;
  RegWrite* writes; /* REG_MAX_WRITES */
  uint32_t* count;
} RegPass;

static inline void reg_write(const RegPass* pass, uint32_t offset, uint32_t value) {
  if (*pass->count == REG_MAX_WRITES) {
    fw_fail(pass->error, FW_E_FIELD, "an operation of more than %d registers", (int)REG_MAX_WRITES);
    return;
  }
  RegWrite* write = &pass->writes[(*pass->count)++];
  write->offset = offset;
  write->value = value;
}

/* Plays a register program; given, like the two accessors, by whoever links this code. */
void fw_csb_play(const RegWrite* writes, uint32_t count);

void reg_misfit(const RegPass* pass, int64_t value, int64_t low, int64_t high, const char* name);

/* `value` moved to a field; a value that does not fit is an error that names the field. */
static inline uint32_t reg_field(const RegPass* pass, int64_t value, unsigned shift, uint32_t mask,
                                 const char* name) {
  if ((uint64_t)value > mask >> shift) reg_misfit(pass, value, 0, mask >> shift, name);
  return ((uint32_t)value << shift) & mask;
}

/* The same for a two's-complement field: as many bits as the mask has, signed or unsigned. */
static inline uint32_t reg_signed(const RegPass* pass, int64_t value, unsigned shift, uint32_t mask,
                                  const char* name) {
  const int64_t high = mask >> shift, low = -(high / 2) - 1;
  if (value < low || value > high) reg_misfit(pass, value, low, high, name);
  return ((uint32_t)value << shift) & mask;
}

#define FIELD(pass, reg, field, value) \
  reg_field((pass), (int64_t)(value), reg##_##field##_SHIFT, reg##_##field##_MASK, #reg "." #field)
#define SIGNED_FIELD(pass, reg, field, value) \
  reg_signed((pass), (int64_t)(value), reg##_##field##_SHIFT, reg##_##field##_MASK, #reg "." #field)
#define WRITE(pass, unit, reg, value) reg_write((pass), unit##_BASE + unit##_##reg, (value))

#ifdef __cplusplus
}
#endif
#endif
