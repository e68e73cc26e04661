// What a fuzzer runs on register programs: bytes become CSB accesses on an Accelerator with a small
// memory of several windows, then the event queue runs for a bounded time. Broken promises are
// thrown as InternalError. Unit description: "Programming"; it leaves out the SystemC shell.
#pragma once

#include <cstdint>
#include <span>

#include "models/common/result.hpp"
#include "models/sim/event_queue.hpp"

namespace dlavp::fuzz {

/// What happened, for tests of the target itself.
struct CsbRun {
  size_t enabled = 0, completed = 0, refused = 0;
  sim::Cycle cycles = 0;
  Diagnostics errors;
};

/// Promises: no internal error; a unit that refused its program completes no operation that began
/// later; no group completes more operations than were enabled and not refused.
CsbRun run_csb(std::span<const uint8_t> input);

}  // namespace dlavp::fuzz
