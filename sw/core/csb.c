/* The error of a value that its register field cannot hold. */
#include "csb.h"

void reg_misfit(const RegPass* pass, int64_t value, int64_t low, int64_t high, const char* name) {
  fw_fail(pass->error, FW_E_FIELD, "%s: value %lld, expected %lld to %lld", name, (long long)value,
          (long long)low, (long long)high);
}
