// Runs a compiled network on the platform and compares every output with the int8 interpreter's,
// and the interpreter's with the float network's.
#pragma once

#include "apps/dlavp/run_report.hpp"
#include "compiler/driver/compile.hpp"

namespace dlavp::app {

struct CheckedOutput {
  std::string name;
  compiler::Quantisation quantisation;
  std::vector<int8_t> values;  ///< the interpreter's
  std::vector<float> exact;    ///< in floating point
  double sqnr_db = 0;          ///< of the one against the other
};

struct CheckRun {
  std::vector<CheckedOutput> outputs;
  uint64_t values = 0;     ///< compared
  uint64_t different = 0;  ///< of them
  std::string first;       ///< the first that differs, with both values
  RunTotals totals;
  double float_seconds = 0, interpreter_seconds = 0, platform_seconds = 0;
};

/// `sample`: real values of each input; `firmware`: see vp::Session. Errors: those of the platform
/// ("run.*", the firmware's).
Result<CheckRun> check_run(const HwConfig& hw, const PlatformConfig& platform,
                           const compiler::Compiled& network,
                           const std::vector<std::vector<float>>& sample,
                           std::span<const uint8_t> firmware = {});

}  // namespace dlavp::app
