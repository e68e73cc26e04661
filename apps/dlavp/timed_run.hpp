// A loadable's or network's time on the platform, for commands that want a figure and not results:
// inputs are zeros, which no cycle depends on.
#pragma once

#include <string>

#include "compiler/driver/compile.hpp"
#include "vp/host/session.hpp"

namespace dlavp::app {

/// A network (ONNX or prototxt) to be timed.
struct TimedNetwork {
  std::string path = {};
  std::string weights = {};  ///< of a prototxt; those that are not given are made up
  std::string scales = {};   ///< a calibration table; what it lacks comes from random inputs
  compiler::InputMode input_mode = compiler::InputMode::kAuto;
  compiler::ScheduleOptions schedule = {};
};

/// Errors: those of the front ends and of the table.
Result<compiler::Graph> read_for_time(const TimedNetwork& network);

/// Errors: as above, and those of the compiler.
Result<std::vector<uint8_t>> compile_for_time(const TimedNetwork& network, const HwConfig& hw);

/// Runs `loadable` once. One call a process. Errors: those of reading and running it, and
/// "run.never_finished".
Result<vp::RunResult> time_loadable(const std::vector<uint8_t>& loadable, const std::string& place,
                                    const HwConfig& hw, const PlatformConfig& platform);

/// The accelerator's time from the first enable to the last completion, by what was at work.
struct TimeSplit {
  uint64_t total = 0;
  uint64_t conv = 0;    ///< a convolution, whatever ran beside it
  uint64_t others = 0;  ///< no convolution, but another unit
  uint64_t idle = 0;    ///< nothing: the core programs the next operation
};
[[nodiscard]] TimeSplit split_time(const std::vector<OpRecord>& records);

}  // namespace dlavp::app
