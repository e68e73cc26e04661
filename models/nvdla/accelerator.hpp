// Accelerator: one NVDLA, its units wired together by HwConfig, on one event queue. No SystemC: the
// shell (nvdla.hpp) and tests drive it. Hardware manual: "Unit description", address map.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "models/glb/glb.hpp"
#include "models/mcif/mcif.hpp"
#include "models/nvdla/hazards.hpp"
#include "models/nvdla/unit.hpp"
#include "models/nvdla/unit_context.hpp"

namespace dlavp::nvdla {

/// What an accelerator is attached to: bytes and time of each memory port. The secondary ones are
/// null where the configuration has no second port.
struct MemoryPorts {
  Memory* primary = nullptr;
  Memory* secondary = nullptr;
  mcif::MemoryTiming* primary_timing = nullptr;
  mcif::MemoryTiming* secondary_timing = nullptr;
};

class Accelerator final : private Observer {
 public:
  Accelerator(const HwConfig& hw, const TimingParams& timing, const MemoryPorts& ports,
              RunMode mode = {});
  ~Accelerator() override;
  Accelerator(const Accelerator&) = delete;
  Accelerator& operator=(const Accelerator&) = delete;

  /// CSB accesses at the event queue's present cycle, after that cycle's events. `address` is a
  /// byte address in the accelerator's window. Where no unit answers reads give 0 and writes do
  /// nothing; a write to a unit of this generation that is not there is a program error
  /// ("nvdla.absent_unit", "nvdla.unsupported_unit").
  [[nodiscard]] uint32_t csb_read(uint32_t address) const;
  void csb_write(uint32_t address, uint32_t value);

  /// As after power-up, at the same cycle; what was going on, or refused, is forgotten. The memory
  /// ports and callbacks stay.
  void reset();

  /// Another one after a reset.
  [[nodiscard]] sim::EventQueue& events() { return *events_; }
  /// Called inside the event queue, in the cycle in which the interrupt line changes.
  void on_interrupt(std::function<void(bool high)> callback) {
    on_interrupt_ = std::move(callback);
  }
  [[nodiscard]] bool interrupt() const { return glb_->line(); }
  /// Called inside the event queue or a CSB write when a unit refuses its program.
  void on_program_error(std::function<void(const Diagnostics&)> callback) {
    on_program_error_ = std::move(callback);
  }

  /// From now on compares the memory of operations in flight (off by default).
  void check_hazards() { watcher_ = &hazard_checker_; }
  /// What that found so far.
  [[nodiscard]] const Diagnostics& hazards() const { return hazard_checker_.found(); }

  /// From now on every part of a unit's operations is added to `activity` as well (a series a
  /// cause); null ends it.
  void watch_activity(ActivityUnit unit, sim::Activity* activity) {
    activities_[static_cast<size_t>(unit)] = activity;
  }
  /// From now on every beat of the primary or the secondary port is added (a series a client); null
  /// ends it.
  void watch_memory(sim::Activity* reads, sim::Activity* writes, bool secondary) {
    mcif::Mcif* port = secondary ? cvif_.get() : mcif_.get();
    if (port) port->watch(reads, writes);
  }

  /// Operations completed so far, in order of completion.
  [[nodiscard]] const std::vector<OpRecord>& operations() const { return operations_; }
  /// Everything that units refused so far.
  [[nodiscard]] const Diagnostics& program_errors() const { return program_errors_; }
  /// Names of the register blocks with an operation enabled or queued, for messages.
  [[nodiscard]] std::vector<std::string> busy_blocks() const;
  [[nodiscard]] bool idle() const;
  /// Data beats over both memory ports.
  [[nodiscard]] uint64_t read_beats() const;
  [[nodiscard]] uint64_t write_beats() const;
  [[nodiscard]] const HwConfig& hw() const { return hw_; }
  [[nodiscard]] RunMode mode() const { return mode_; }

 private:
  struct Wiring;  ///< the units of the datapath; defined where they are known

  void operation_done(const OpRecord& record) override;
  void program_error(const Diagnostics& errors) override;
  void build();
  void map_registers(Unit& unit);
  void refuse_absent(uint32_t address);

  static constexpr uint32_t kPageBytes = 0x1000, kWindowBytes = 0x40000;

  const HwConfig hw_;
  const TimingParams timing_;
  const MemoryPorts ports_;
  const RunMode mode_;
  std::unique_ptr<sim::EventQueue> events_;
  std::unique_ptr<Worker> worker_;
  HazardChecker hazard_checker_;
  MemoryWatcher* watcher_ = nullptr;
  std::array<sim::Activity*, kActivityUnits> activities_{};
  std::unique_ptr<glb::Glb> glb_;
  std::unique_ptr<mcif::Mcif> mcif_, cvif_;
  std::unique_ptr<Wiring> wiring_;
  std::vector<Unit*> units_;
  std::array<regs::RegBlock*, kWindowBytes / kPageBytes> pages_{};
  std::vector<OpRecord> operations_;
  Diagnostics program_errors_;
  std::function<void(bool)> on_interrupt_;
  std::function<void(const Diagnostics&)> on_program_error_;
};

}  // namespace dlavp::nvdla
