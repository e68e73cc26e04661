#include "vp/memory/ram.hpp"

#include <algorithm>
#include <cstring>

#include "models/mcif/memory_timing.hpp"
#include "vp/memory/bandwidth_memory.hpp"
#include "vp/memory/dram_timing.hpp"

namespace dlavp::vp {

namespace {

double hertz(const nvdla::Clock& clock) { return 1 / clock.period.to_seconds(); }

/// What a lone access waits for.
sc_core::sc_time idle_latency(const MemoryConfig& config, const nvdla::Clock& clock) {
  if (config.kind != MemoryKind::kDram) return clock.time(config.latency_cycles);
  vp::DramTiming idle(config.dram, hertz(clock));
  return clock.time(idle.read(0, 0, 1, 1).first);
}

}  // namespace

std::unique_ptr<mcif::MemoryTiming> make_memory_timing(const MemoryConfig& config,
                                                       double clock_hz) {
  switch (config.kind) {
    case MemoryKind::kDram:
      return std::make_unique<DramTiming>(config.dram, clock_hz);
    case MemoryKind::kBandwidth:
      return std::make_unique<BandwidthMemory>(config.latency_cycles, config.bytes_per_cycle);
    case MemoryKind::kFixed:
      break;
  }
  return std::make_unique<mcif::FixedLatencyMemory>(config.latency_cycles);
}

Ram::Ram(const sc_core::sc_module_name& name, uint64_t bytes, const MemoryConfig& config,
         nvdla::Clock clock)
    : Ram(name, bytes, config, clock, make_memory_timing(config, hertz(clock)), 0) {}

Ram::Ram(const sc_core::sc_module_name& name, uint64_t bytes, const MemoryConfig& config,
         nvdla::Clock clock, std::shared_ptr<mcif::MemoryTiming> timing, uint64_t offset)
    : sc_module(name),
      socket("socket"),
      storage_(bytes),
      clock_(clock),
      timing_(std::move(timing)),
      offset_(offset),
      core_latency_(idle_latency(config, clock)) {
  socket.register_b_transport(this, &Ram::b_transport);
  socket.register_transport_dbg(this, &Ram::transport_dbg);
  socket.register_get_direct_mem_ptr(this, &Ram::direct_memory);
}

void Ram::time_only(tlm::tlm_generic_payload& payload, nvdla::TimingOnly& timing,
                    sc_core::sc_time& delay) {
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  const sim::Cycle at = clock_.ceil(now + delay);
  const uint32_t beat_bytes = payload.get_data_length() / timing.beats;
  const uint64_t address = offset_ + payload.get_address();
  if (timing.period == clock_.period) {
    timing.direct = timing_.get();
    timing.target_address = payload.get_address();
    timing.target_bytes = storage_.size();
    timing.direct_offset = offset_;
  }
  sim::Cycle end = 0;
  if (payload.is_read()) {
    const auto beats = timing_->read(at, address, timing.beats, beat_bytes);
    timing.first_beat = clock_.time(beats.first) - now;
    timing.has_first_beat = true;
    end = beats.last;
  } else {
    end = timing_->write(at, address, timing.beats, beat_bytes);
  }
  delay = clock_.time(end) - now;
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

void Ram::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const uint64_t address = payload.get_address();
  const unsigned bytes = payload.get_data_length();
  if (nvdla::TimingOnly* timing = payload.get_extension<nvdla::TimingOnly>()) {
    // Whether the bytes are there is settled by the functional access.
    time_only(payload, *timing, delay);
    return;
  }
  if (!storage_.contains(address, bytes)) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  if (payload.get_streaming_width() < bytes) {
    payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  const uint8_t* enable = payload.get_byte_enable_ptr();
  uint8_t* data = payload.get_data_ptr();
  if (enable != nullptr) {
    for (unsigned i = 0; i < bytes; ++i) {
      if (enable[i % payload.get_byte_enable_length()] == 0) continue;
      if (payload.is_write()) storage_.write(address + i, {data + i, 1});
      if (payload.is_read()) storage_.read(address + i, {data + i, 1});
    }
  } else if (payload.is_write()) {
    storage_.write(address, {data, bytes});
  } else if (payload.is_read()) {
    storage_.read(address, {data, bytes});
  }
  delay += core_latency_;
  payload.set_dmi_allowed(true);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

unsigned Ram::transport_dbg(tlm::tlm_generic_payload& payload) {
  const uint64_t address = payload.get_address();
  if (address >= storage_.size()) return 0;
  const auto bytes = static_cast<unsigned>(
      std::min<uint64_t>(payload.get_data_length(), storage_.size() - address));
  if (payload.is_write()) storage_.write(address, {payload.get_data_ptr(), bytes});
  if (payload.is_read()) storage_.read(address, {payload.get_data_ptr(), bytes});
  return bytes;
}

bool Ram::direct_memory(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  dmi.init();
  if (payload.get_address() >= storage_.size()) return false;
  const Storage::Chunk chunk = storage_.chunk(payload.get_address());
  dmi.set_dmi_ptr(chunk.data);
  dmi.set_start_address(chunk.first);
  dmi.set_end_address(chunk.last);
  dmi.set_granted_access(tlm::tlm_dmi::DMI_ACCESS_READ_WRITE);
  dmi.set_read_latency(core_latency_);
  dmi.set_write_latency(core_latency_);
  return true;
}

}  // namespace dlavp::vp
