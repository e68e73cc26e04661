// Nvdla: the SystemC module around one Accelerator: CSB target, DBB and CVSRAM initiators,
// interrupt. It keeps the accelerator's event queue in step with SystemC's time, running ahead only
// while nothing outside could notice. Register accesses happen at exact times, so the result does
// not depend on any initiator's quantum.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <systemc>
#include <tlm>

#include "models/nvdla/accelerator.hpp"
#include "models/nvdla/tlm_memory.hpp"

namespace dlavp::nvdla {

class Nvdla final : public sc_core::sc_module {
 public:
  /// Registers, 32-bit accesses from an SC_THREAD: an access synchronises the initiator (waits out
  /// its delay), a read adds the bus's round trip to the delay, a write one cycle.
  tlm_utils::simple_target_socket<Nvdla> csb;
  /// Memory: see TlmMemory and TimingOnly. The target must not block.
  tlm_utils::simple_initiator_socket<Nvdla> dbb;
  /// The second memory port; may stay unbound where the configuration has none.
  tlm_utils::simple_initiator_socket_optional<Nvdla> cvsram;
  sc_core::sc_out<bool> interrupt;

  Nvdla(const sc_core::sc_module_name& name, const HwConfig& hw, const TimingParams& timing,
        sc_core::sc_time clock_period, RunMode mode = {});

  [[nodiscard]] Accelerator& accelerator() { return accelerator_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  /// The cycle in which the interrupt line last changed.
  [[nodiscard]] sim::Cycle interrupt_cycle() const { return line_cycle_; }

 private:
  void end_of_elaboration() override;
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void catch_up();
  void step();
  void run_ahead();

  Clock clock_;
  const sim::Cycle read_cycles_, write_cycles_;
  TlmMemory primary_, secondary_;
  TlmTiming primary_timing_, secondary_timing_;
  Accelerator accelerator_;
  sc_core::sc_event register_access_;
  bool line_ = false, line_changed_ = false;
  sim::Cycle line_cycle_ = 0;
};

}  // namespace dlavp::nvdla
