// SerialRun: a loadable's operations one at a time on the accelerator alone: no core, no SystemC,
// one register write a cycle, a memory of fixed latency. It measures what the accelerator does with
// a network's registers, as RTL benches do; results are in memory as after a run of the platform.
// Register programs come from the firmware's own code, built for the host. Operations that the core
// would run itself (softmax) are left out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/common/hw_config.hpp"
#include "models/common/result.hpp"
#include "models/common/run_mode.hpp"
#include "models/common/timing_params.hpp"

namespace dlavp::vp {

/// An operation and what is fused to it (convolution, SDP and PDP on the fly).
struct SerialOperation {
  std::string engines;      ///< "CONV+SDP"
  uint32_t index = 0;       ///< of the first one in the task's list
  uint64_t run_cycles = 0;  ///< from its last enable to the last one's interrupt
  uint64_t read_beats = 0, write_beats = 0;
};

struct SerialResult {
  std::vector<SerialOperation> operations;
  uint64_t total_cycles = 0;  ///< from the first register write to the last interrupt
  [[nodiscard]] uint64_t run_cycles() const;
  [[nodiscard]] uint64_t read_beats() const;
  [[nodiscard]] uint64_t write_beats() const;
};

/// Plays every task. Inputs are zeros. Errors: "run.firmware" (the loadable is refused),
/// "run.memory", "run.unfinished" (an operation that never completes, or not within `limit` cycles)
/// and those of the units. One run at a time in a process.
Result<SerialResult> run_serial(const HwConfig& hw, const TimingParams& timing,
                                std::span<const uint8_t> loadable, uint32_t mem_latency,
                                RunMode mode = {}, uint64_t limit = uint64_t{1} << 40);

}  // namespace dlavp::vp
