// CoreMemory: stands between a core and the interconnect where the core's traffic to DRAM is to
// compete with the accelerator's: no direct pointers into DRAM, and each access - or each miss of
// the cache in front of it - asks the memory for its time. Everything else passes through.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <optional>
#include <systemc>
#include <tlm>

#include "models/nvdla/tlm_memory.hpp"
#include "vp/memory/core_cache.hpp"

namespace dlavp::vp {

class CoreMemory final : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<CoreMemory> in;
  tlm_utils::simple_initiator_socket<CoreMemory> out;

  /// Accesses to `dram` are `config.traffic` (not free). `beat_bytes`: width of the core's port.
  CoreMemory(const sc_core::sc_module_name& name, const Window& dram, const CoreCacheConfig& config,
             uint32_t beat_bytes);

  struct Statistics {
    uint64_t accesses = 0;  ///< loads, stores and first fetches of code in DRAM
    uint64_t read_bytes = 0, written_bytes = 0;  ///< that the memory was asked for
    sc_core::sc_time waited;
  };
  [[nodiscard]] const Statistics& statistics() const { return statistics_; }
  [[nodiscard]] const std::optional<CoreCache>& cache() const { return cache_; }

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool direct_memory(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  void invalidate(sc_dt::uint64 first, sc_dt::uint64 last) {
    in->invalidate_direct_mem_ptr(first, last);
  }
  sc_core::sc_time ask(tlm::tlm_command command, uint64_t address, uint32_t bytes);

  const Window dram_;
  const uint32_t beat_bytes_, line_bytes_;
  std::optional<CoreCache> cache_;
  Statistics statistics_;
};

}  // namespace dlavp::vp
