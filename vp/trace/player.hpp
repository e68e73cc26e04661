// Player: a SystemC module that plays a Trace: the register bus's master, the interrupt's handler
// and the checker of memory. One register write a cycle back to back; cycles are counted from the
// last D_OP_ENABLE write to the interrupt line of the last awaited completion.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <systemc>

#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <set>

#include "models/nvdla/nvdla.hpp"
#include "vp/memory/storage.hpp"
#include "vp/trace/trace.hpp"

namespace dlavp::trace {

class Player final : public sc_core::sc_module {
 public:
  tlm_utils::simple_initiator_socket<Player> csb;
  sc_core::sc_in<bool> interrupt;

  /// `secondary` is null where there is no second memory. `stop` is called once, when the trace has
  /// ended, well or not.
  Player(
      const sc_core::sc_module_name& name, const Trace& trace, nvdla::Nvdla& dut,
      vp::Storage& primary, vp::Storage* secondary,
      std::function<void()> stop = [] { sc_core::sc_stop(); });

  /// Everything awaited has come. False after a simulation that ran out of events or failed.
  [[nodiscard]] bool finished() const { return finished_; }
  /// What went wrong, in order; empty if the trace passed.
  [[nodiscard]] const Diagnostics& failures() const { return failures_; }
  /// What a trace that did not finish waits for.
  [[nodiscard]] std::string awaited() const;
  /// From the last D_OP_ENABLE write to the last awaited interrupt; nothing if either is missing.
  [[nodiscard]] std::optional<sim::Cycle> run_cycles() const;

 private:
  void drive();
  void handle_interrupts();
  void check_end();
  [[nodiscard]] bool run(const Command& command);
  [[nodiscard]] bool read_until(const RegCheck& check, const std::string& place);
  void wait_for_line();
  void match_interrupts();
  void reach(const std::string& sync);
  void check(const CheckCrc& check, const std::string& place);
  void check(const CheckBytes& check, const std::string& place);
  uint32_t access(bool write, uint32_t address, uint32_t value);
  [[nodiscard]] vp::Storage* memory(RamType ram, uint64_t address, uint64_t bytes,
                                    const std::string& place);
  [[nodiscard]] sim::Cycle now() const;
  void fail(const std::string& id, const std::string& place, const std::string& message);

  struct Awaited {
    IntrNotify notify;
    bool done = false;
  };

  const Trace& trace_;
  nvdla::Nvdla& dut_;
  vp::Storage& primary_;
  vp::Storage* secondary_;
  const std::function<void()> stop_;
  sc_core::sc_mutex bus_;
  sc_core::sc_event progress_;
  std::deque<Awaited> awaited_;
  std::array<uint32_t, 32> occurred_{};  ///< interrupts seen and not yet awaited, by status bit
  std::set<std::string> reached_;
  std::vector<const Command*> checks_;  ///< not yet due
  std::string blocked_;                 ///< what the driver stands at
  Diagnostics failures_;
  bool driven_ = false, finished_ = false, stopped_ = false;
  std::optional<sim::Cycle> last_enable_, last_completion_;
};

}  // namespace dlavp::trace
