/* Checked register fields. */
#include "csb.h"

uint32_t reg_field(const RegPass* pass, int64_t value, unsigned shift, uint32_t mask,
                   const char* name) {
  const int64_t limit = mask >> shift;
  if (value < 0 || value > limit) {
    fw_fail(pass->error, FW_E_FIELD, "%s: value %lld, expected 0 to %lld", name, (long long)value,
            (long long)limit);
    return 0;
  }
  return (uint32_t)value << shift;
}

uint32_t reg_signed(const RegPass* pass, int64_t value, unsigned shift, uint32_t mask,
                    const char* name) {
  const int64_t limit = mask >> shift;
  if (value < -(limit / 2) - 1 || value > limit) {
    fw_fail(pass->error, FW_E_FIELD, "%s: value %lld, expected %lld to %lld", name,
            (long long)value, (long long)(-(limit / 2) - 1), (long long)limit);
    return 0;
  }
  return ((uint32_t)value << shift) & mask;
}
