/* In the shared library of a layer: the layers that the linker gathered. */
#include <stddef.h>

#include "core_layer.h"

extern const CoreKernel __start_dlavp_core_layers[] __attribute__((weak));
extern const CoreKernel __stop_dlavp_core_layers[] __attribute__((weak));

const CoreKernel* dlavp_host_layers(size_t* count);

const CoreKernel* dlavp_host_layers(size_t* count) {
  *count = __start_dlavp_core_layers
               ? (size_t)(__stop_dlavp_core_layers - __start_dlavp_core_layers)
               : 0;
  return __start_dlavp_core_layers;
}
