// Core: the SystemC module around iss::Cpu. Ports, all to be bound by the platform:
//
//   bus            TLM-2.0 initiator (b_transport, DMI). Instruction fetches, loads and stores of
//                  1, 2, 4 or 8 bytes, naturally aligned. Memory that grants DMI is accessed by
//                  pointer; every access without DMI synchronises the core with simulated time
//                  first, calls b_transport with zero delay and then spends the annotated delay.
//   irq_software, irq_timer, irq_external   level interrupt inputs (mip.MSIP, MTIP, MEIP).
//
// Time: instructions cost what the cost table says, in periods of the clock; the core runs ahead
// until the next pending SystemC event, at most one quantum, so interrupts arrive at the cycle they
// happen, give or take a basic block. wfi sleeps on the interrupt inputs and costs no simulation
// events. When all processes sleep sc_start returns: `sleeping()` tells that the core still waits.
//
// Ending: a platform device calls `stop(code)` (vp/devices/test_finisher.hpp does on a guest's
// write); the core retires no further instruction and `stopped_event()` fires.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <cstdint>
#include <optional>
#include <systemc>
#include <tlm>
#include <vector>

#include "vp/iss/cpu.hpp"

namespace dlavp::iss {

struct CoreParams {
  sc_core::sc_time clock_period{1, sc_core::SC_NS};
  sc_core::sc_time quantum{10, sc_core::SC_US};     ///< longest run without looking at SystemC
  sc_core::sc_time time_tick{100, sc_core::SC_NS};  ///< of the `time` CSR; as the CLINT's mtime
  bool stop_at_events = true;  ///< false: run whole quanta past pending events (faster, coarser)
  CpuOptions cpu;
};

class Core : public sc_core::sc_module, private Bus {
 public:
  tlm_utils::simple_initiator_socket<Core> bus{"bus"};
  sc_core::sc_in<bool> irq_software{"irq_software"};
  sc_core::sc_in<bool> irq_timer{"irq_timer"};
  sc_core::sc_in<bool> irq_external{"irq_external"};

  Core(const sc_core::sc_module_name& name, const CoreParams& params, const CostTable& costs);

  /// Ends the program. Callable from any process, also from inside the core's own bus access.
  void stop(int exit_code);
  [[nodiscard]] bool stopped() const { return exit_code_.has_value(); }
  [[nodiscard]] std::optional<int> exit_code() const { return exit_code_; }
  [[nodiscard]] const sc_core::sc_event& stopped_event() const { return stopped_event_; }
  /// In wfi with no enabled interrupt pending.
  [[nodiscard]] bool sleeping() const { return sleeping_; }

  /// Registers and counters; set the pc before the simulation starts, if not by CpuOptions.
  [[nodiscard]] Cpu& cpu() { return cpu_; }
  [[nodiscard]] const Cpu& cpu() const { return cpu_; }
  [[nodiscard]] uint64_t sleep_cycles() const { return sleep_cycles_; }
  /// Accesses that went through b_transport.
  [[nodiscard]] uint64_t bus_accesses() const { return bus_accesses_; }
  [[nodiscard]] uint64_t bus_errors() const { return bus_errors_; }

 private:
  struct Range {
    uint64_t first = 0, last = 0;
    [[nodiscard]] bool contains(uint64_t a) const { return first <= a && a <= last; }
  };

  bool load(uint64_t address, unsigned bytes, uint64_t& value) override;
  bool store(uint64_t address, unsigned bytes, uint64_t value) override;
  DmiRegion dmi(uint64_t address) override;
  uint64_t time() override;

  void run();
  void sleep();
  void update_interrupts();
  void synchronise();
  void settle();
  [[nodiscard]] uint64_t window_cycles() const;
  bool transport(tlm::tlm_command command, uint64_t address, unsigned bytes, uint8_t* data);
  void invalidate(sc_dt::uint64 first, sc_dt::uint64 last);
  [[nodiscard]] uint64_t cycles_of(const sc_core::sc_time& t) const;

  CoreParams params_;
  Cpu cpu_;
  tlm::tlm_generic_payload payload_;
  std::vector<DmiRegion> regions_;
  std::vector<Range> denied_;
  sc_core::sc_event wake_event_, stopped_event_;
  std::optional<int> exit_code_;
  uint64_t synchronised_cycles_ = 0, sleep_cycles_ = 0, bus_accesses_ = 0, bus_errors_ = 0;
  bool sleeping_ = false;
};

}  // namespace dlavp::iss
