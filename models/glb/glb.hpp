// GLB: the accelerator's interrupt controller (mask, set, status) and its one interrupt line.
// Hardware manual: "Interrupt and GLB registers"; priorities and delays as in the RTL's GLB_ic.
// Clock gating and the error registers of GEC are left out: the published RTL has none.
#pragma once

#include <deque>
#include <functional>

#include "models/nvdla/unit.hpp"
#include "models/nvdla/unit_context.hpp"

namespace dlavp::glb {

/// Bit of `source` and `group` in S_INTR_MASK, S_INTR_SET and S_INTR_STATUS.
[[nodiscard]] constexpr unsigned status_bit(IntrSource source, unsigned group) {
  switch (source) {
    case IntrSource::kSdp:
      return 0 + group;
    case IntrSource::kCdp:
      return 2 + group;
    case IntrSource::kPdp:
      return 4 + group;
    case IntrSource::kBdma:
      return 6 + group;
    case IntrSource::kRubik:
      return 8 + group;
    case IntrSource::kCdmaDat:
      return 16 + group;
    case IntrSource::kCdmaWt:
      return 18 + group;
    case IntrSource::kCacc:
      return 20 + group;
  }
  return 32;
}

class Glb final : public Unit {
 public:
  Glb(const HwConfig& hw, const TimingParams& timing, sim::EventQueue& events);

  /// The done pulse of a unit, in the present cycle.
  void raise(IntrSource source, unsigned group);
  /// Called whenever the interrupt line changes, in the cycle in which it does.
  void on_line(std::function<void(bool)> callback) { on_line_ = std::move(callback); }
  [[nodiscard]] bool line() const { return line_; }

  std::vector<regs::RegBlock*> reg_blocks() override { return {&regs_}; }
  /// No done pulse or line change is under way (status bits may be set).
  [[nodiscard]] bool idle() const override { return pulses_.empty() && levels_.empty(); }

 private:
  struct Pulse {
    sim::Cycle at;
    uint32_t bits;
  };
  struct Level {
    sim::Cycle at;
    bool high;
  };
  void set_status(uint32_t bits);
  void arrive();
  void update_line();
  void drive_line();

  sim::EventQueue& events_;
  regs::RegBlock regs_;
  uint32_t present_ = 0;  ///< status bits of the units that exist
  sim::Cycle status_delay_, line_delay_;
  std::deque<Pulse> pulses_;
  std::deque<Level> levels_;
  bool wanted_ = false, line_ = false;
  sim::Event status_event_, line_event_;
  std::function<void(bool)> on_line_;
};

}  // namespace dlavp::glb
