// Ram: a memory with a TLM-2.0 target socket, its bytes in a Storage, its time in a MemoryTiming
// (fixed latency, bandwidth or DRAM). Gives DMI. Plain accesses pay the latency of one beat and
// take no bandwidth; who competes asks with TimingOnly (the accelerator, and the core behind
// CoreMemory).
#pragma once

#include <tlm_utils/simple_target_socket.h>
#include <systemc>
#include <tlm>

#include "models/nvdla/tlm_memory.hpp"
#include "vp/memory/storage.hpp"
#include "vp/platform_config.hpp"

namespace dlavp::vp {

class Ram final : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<Ram> socket;

  /// `clock` is the one in whose cycles `config` counts. Addresses on the socket are relative to
  /// the memory's start.
  Ram(const sc_core::sc_module_name& name, uint64_t bytes, const MemoryConfig& config,
      nvdla::Clock clock);
  /// The same over a `timing` that other memories share, in which this one begins at `offset`: they
  /// are parts of one memory, and wait for one another.
  Ram(const sc_core::sc_module_name& name, uint64_t bytes, const MemoryConfig& config,
      nvdla::Clock clock, std::shared_ptr<mcif::MemoryTiming> timing, uint64_t offset);

  [[nodiscard]] Storage& storage() { return storage_; }

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void time_only(tlm::tlm_generic_payload& payload, nvdla::TimingOnly& timing,
                 sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  bool direct_memory(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);

  Storage storage_;
  nvdla::Clock clock_;
  std::shared_ptr<mcif::MemoryTiming> timing_;
  const uint64_t offset_;  ///< of this memory in what `timing_` is about
  sc_core::sc_time core_latency_;
};

/// The timing that `config` asks for, in cycles of a clock of `clock_hz`.
[[nodiscard]] std::unique_ptr<mcif::MemoryTiming> make_memory_timing(const MemoryConfig& config,
                                                                     double clock_hz);

}  // namespace dlavp::vp
