// What the accelerator gives each of its units, and what units tell it. No SystemC.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/common/cube.hpp"
#include "models/common/hw_config.hpp"
#include "models/common/memory.hpp"
#include "models/common/result.hpp"
#include "models/common/run_mode.hpp"
#include "models/common/timing_params.hpp"
#include "models/mcif/dma_port.hpp"
#include "models/nvdla/memory_claims.hpp"
#include "models/sim/cycle_account.hpp"
#include "models/sim/event_queue.hpp"
#include "models/sim/stream.hpp"

namespace dlavp {

/// Interrupt sources of GLB; each has a status bit per register group.
enum class IntrSource : uint8_t { kSdp, kCdp, kPdp, kBdma, kRubik, kCdmaDat, kCdmaWt, kCacc };

/// One executed operation, for reports and tables. Cycles are of the accelerator's clock.
struct OpRecord {
  std::string unit;  ///< "CONV", "SDP", "PDP", "CDP", ...
  unsigned group = 0;
  sim::Cycle enabled = 0;  ///< D_OP_ENABLE was written (the last of the unit's sub-units)
  sim::Cycle started = 0;  ///< the group became the consumer's and work began
  sim::Cycle done = 0;     ///< completion (the interrupt, where the unit raises one)
  std::string summary;     ///< one line: sizes and mode
  uint64_t read_beats = 0, write_beats = 0;
  uint64_t macs = 0;                       ///< useful multiply-adds
  std::map<std::string, uint64_t> stalls;  ///< cycles by cause
  sim::CycleAccount cycles;                ///< from `started` to `done`, every one of them
};

/// Units whose activity a timeline can show.
enum class ActivityUnit : uint8_t { kConv, kSdp, kPdp, kCdp };
inline constexpr size_t kActivityUnits = 4;

/// Collects what happens; implemented by the accelerator's owner.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void operation_done(const OpRecord& record) = 0;
  /// The guest programmed a unit illegally, or used something not modelled: the operation is
  /// refused (it never completes) and the run is to end with these errors.
  virtual void program_error(const Diagnostics& errors) = 0;
};

/// An on-the-fly link between two units: time in `atoms`, function in `cubes` (one an operation, in
/// order).
template <typename T>
struct Link {
  Link(sim::EventQueue& events, uint32_t capacity, sim::Cycle data_latency,
       sim::Cycle credit_latency)
      : atoms(events, capacity, data_latency, credit_latency) {}
  /// The producer begins an operation.
  void push_cube(std::shared_ptr<LazyCube<T>> cube) {
    cubes.push_back(std::move(cube));
    if (on_cube) on_cube();
  }
  sim::Stream atoms;
  std::deque<std::shared_ptr<LazyCube<T>>> cubes;
  std::function<void()> on_cube;
};

struct UnitContext {
  const HwConfig& hw;
  const TimingParams& timing;
  sim::EventQueue& events;
  MemorySpaces memory;                    ///< function
  mcif::MemoryInterface* mcif = nullptr;  ///< time, primary
  mcif::MemoryInterface* cvif = nullptr;  ///< time, secondary; null without CVIF
  std::function<void(IntrSource, unsigned group)> raise_interrupt;
  Observer* observer = nullptr;
  MemoryWatcher* const* watcher_slot = nullptr;  ///< filled when somebody wants to watch
  /// Filled, a unit a slot, when somebody wants a timeline.
  const std::array<sim::Activity*, kActivityUnits>* activity_slots = nullptr;

  RunMode mode{};
  Worker* worker = nullptr;  ///< computes functions beside the simulation; null: none

  [[nodiscard]] sim::Activity* activity(ActivityUnit unit) const {
    return activity_slots ? (*activity_slots)[static_cast<size_t>(unit)] : nullptr;
  }
  [[nodiscard]] MemoryWatcher* watcher() const { return watcher_slot ? *watcher_slot : nullptr; }
  [[nodiscard]] mcif::MemoryInterface& interface(RamType type) const {
    mcif::MemoryInterface* m = type == RamType::kMc ? mcif : cvif;
    DLAVP_CHECK(m != nullptr, "ram type {} has no memory interface", static_cast<int>(type));
    return *m;
  }
};

}  // namespace dlavp
