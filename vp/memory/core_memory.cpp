#include "vp/memory/core_memory.hpp"

namespace dlavp::vp {

CoreMemory::CoreMemory(const sc_core::sc_module_name& name, const Window& dram,
                       const CoreCacheConfig& config, uint32_t beat_bytes)
    : sc_module(name),
      in("in"),
      out("out"),
      dram_(dram),
      beat_bytes_(beat_bytes),
      line_bytes_(config.line_bytes) {
  DLAVP_CHECK(config.traffic != CoreTraffic::kFree, "{}: the core's traffic is free", this->name());
  if (config.traffic == CoreTraffic::kCached) cache_.emplace(config);
  in.register_b_transport(this, &CoreMemory::b_transport);
  in.register_get_direct_mem_ptr(this, &CoreMemory::direct_memory);
  out.register_invalidate_direct_mem_ptr(this, &CoreMemory::invalidate);
}

/// Asks the memory for the time of a transfer that begins now.
sc_core::sc_time CoreMemory::ask(tlm::tlm_command command, uint64_t address, uint32_t bytes) {
  nvdla::TimingOnly timing;
  timing.beats = (bytes + beat_bytes_ - 1) / beat_bytes_;
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_length(timing.beats * beat_bytes_);
  payload.set_streaming_width(timing.beats * beat_bytes_);
  payload.set_extension(&timing);
  sc_core::sc_time delay;
  out->b_transport(payload, delay);
  payload.clear_extension(&timing);
  (command == tlm::TLM_READ_COMMAND ? statistics_.read_bytes : statistics_.written_bytes) += bytes;
  return delay;
}

void CoreMemory::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const uint64_t address = payload.get_address();
  const unsigned bytes = payload.get_data_length();
  if (!dram_.contains(address)) return out->b_transport(payload, delay);
  // The memory serves in order of arrival: the core must not be ahead of the others.
  if (delay != sc_core::SC_ZERO_TIME) wait(delay);
  delay = sc_core::SC_ZERO_TIME;
  ++statistics_.accesses;
  if (out->transport_dbg(payload) != bytes) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  const bool write = payload.is_write();
  // Stores and written-back lines are posted; the core waits for what it reads.
  if (!cache_) {
    const sc_core::sc_time done =
        ask(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND, address, bytes);
    if (!write) delay = done;
  } else {
    const CoreCache::Outcome outcome = cache_->access(address - dram_.base, write);
    if (outcome.fill) delay = ask(tlm::TLM_READ_COMMAND, dram_.base + *outcome.fill, line_bytes_);
    if (outcome.write_back)
      static_cast<void>(ask(tlm::TLM_WRITE_COMMAND, dram_.base + *outcome.write_back, line_bytes_));
  }
  statistics_.waited += delay;
}

bool CoreMemory::direct_memory(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  if (!dram_.contains(payload.get_address())) return out->get_direct_mem_ptr(payload, dmi);
  dmi.init();
  dmi.set_start_address(dram_.base);
  dmi.set_end_address(dram_.base + dram_.size - 1);
  dmi.set_granted_access(tlm::tlm_dmi::DMI_ACCESS_READ_WRITE);  // memory, but without a pointer
  return false;
}

}  // namespace dlavp::vp
