/* Making and naming the firmware's errors. */
#include "fw_error.h"

#include <stdarg.h>
#include <stdio.h>

static const char* const kNames[FW_E_COUNT] = {"ok",
                                               "boot.block",
                                               "loadable.container",
                                               "loadable.list",
                                               "loadable.memory",
                                               "loadable.blob",
                                               "loadable.binding",
                                               "loadable.task",
                                               "loadable.version",
                                               "loadable.network",
                                               "loadable.dependency",
                                               "loadable.address",
                                               "loadable.field",
                                               "loadable.unsupported",
                                               "loadable.emu",
                                               "run.deadlock",
                                               "run.timeout",
                                               "run.trap"};

const char* fw_code_name(FwCode code) {
  return (unsigned)code < (unsigned)FW_E_COUNT ? kNames[code] : "unknown";
}

bool fw_fail(FwError* error, FwCode code, const char* format, ...) {
  if (error->code != FW_OK) return false;
  error->code = code;
  va_list args;
  va_start(args, format);
  vsnprintf(error->text, sizeof error->text, format, args);
  va_end(args);
  return false;
}
