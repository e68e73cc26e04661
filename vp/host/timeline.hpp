// A run as a timeline: Chrome trace events (JSON), which Perfetto and chrome://tracing open, with
// tracks for the register groups of the units, the core's tasks and operations, interrupts, and
// counters of what the units and the DMA clients do; and the same operations as VCD signals.
#pragma once

#include <memory>
#include <ostream>

#include "vp/host/session.hpp"

namespace dlavp::vp {

/// Listens to an accelerator from its construction on.
class TimelineRecorder {
 public:
  explicit TimelineRecorder(nvdla::Accelerator& accelerator);
  ~TimelineRecorder();
  TimelineRecorder(const TimelineRecorder&) = delete;
  TimelineRecorder& operator=(const TimelineRecorder&) = delete;

  /// Chrome trace events of one run.
  void write_json(std::ostream& out, const RunResult& result, const Network& network,
                  const PlatformConfig& platform) const;

 private:
  struct Activities;
  nvdla::Accelerator& accelerator_;
  std::unique_ptr<Activities> activities_;
};

/// The operations of one run as value changes: a unit's group is busy, an operation completes.
void write_vcd(std::ostream& out, const RunResult& result, const PlatformConfig& platform);

}  // namespace dlavp::vp
