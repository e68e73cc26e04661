// Exponential, logarithm and power as docs/firmware.md defines them for the core, operation by
// operation, so that the interpreter's bytes are the firmware's on every machine.
#pragma once

namespace dlavp::compiler {

[[nodiscard]] double core_exp(double x);
[[nodiscard]] double core_log(double x);
[[nodiscard]] double core_pow(double x, double p);

}  // namespace dlavp::compiler
