/* Register access to the accelerator, and register values built from checked fields. The two
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

/* A pass over an operation's registers. With `apply` unset nothing is written: the pass only checks
 * that every value fits its field, so that a loadable is refused before its first operation runs.
 */
typedef struct {
  bool apply;
  FwError* error;
} RegPass;

static inline void reg_write(const RegPass* pass, uint32_t offset, uint32_t value) {
  if (pass->apply) fw_csb_write(offset, value);
}

/* `value` moved to a field; a value that does not fit is an error that names the field. */
uint32_t reg_field(const RegPass* pass, int64_t value, unsigned shift, uint32_t mask,
                   const char* name);
/* The same for a two's-complement field: as many bits as the mask has, signed or unsigned. */
uint32_t reg_signed(const RegPass* pass, int64_t value, unsigned shift, uint32_t mask,
                    const char* name);

#define FIELD(pass, reg, field, value) \
  reg_field((pass), (int64_t)(value), reg##_##field##_SHIFT, reg##_##field##_MASK, #reg "." #field)
#define SIGNED_FIELD(pass, reg, field, value) \
  reg_signed((pass), (int64_t)(value), reg##_##field##_SHIFT, reg##_##field##_MASK, #reg "." #field)
#define WRITE(pass, unit, reg, value) reg_write((pass), unit##_BASE + unit##_##reg, (value))

#ifdef __cplusplus
}
#endif
#endif
