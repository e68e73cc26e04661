#include "models/nvdla/tlm_memory.hpp"

#include <algorithm>
#include <cstring>

namespace dlavp::nvdla {

void TlmMemory::invalidate(uint64_t first, uint64_t last) {
  for (auto it = regions_.begin(); it != regions_.end();)
    it = it->first <= last && first <= it->second.last ? regions_.erase(it) : std::next(it);
}

TlmMemory::Region* TlmMemory::region(uint64_t address, bool write, uint64_t& first) {
  const auto usable = [&](const Region& r) { return write ? r.writable : r.readable; };
  auto above = regions_.upper_bound(address);
  if (above != regions_.begin()) {
    auto& [start, found] = *std::prev(above);
    first = start;
    if (address <= found.last && usable(found)) return &found;
  }
  tlm::tlm_generic_payload request;
  request.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  request.set_address(address);
  tlm::tlm_dmi dmi;
  if (!target_->get_direct_mem_ptr(request, dmi)) return nullptr;
  if (address < dmi.get_start_address() || address > dmi.get_end_address()) return nullptr;
  first = dmi.get_start_address();
  Region& made = regions_[first];
  made = {dmi.get_end_address(), dmi.get_dmi_ptr(), dmi.is_read_allowed(), dmi.is_write_allowed()};
  return usable(made) ? &made : nullptr;
}

// Where there is no direct pointer: the range is there if the target hands over its every byte.
bool TlmMemory::mapped(uint64_t address, size_t bytes) {
  std::vector<uint8_t> scratch(bytes);
  tlm::tlm_generic_payload probe;
  probe.set_command(tlm::TLM_READ_COMMAND);
  probe.set_address(address);
  probe.set_data_ptr(scratch.data());
  probe.set_data_length(static_cast<unsigned>(bytes));
  probe.set_streaming_width(static_cast<unsigned>(bytes));
  return target_->transport_dbg(probe) == bytes;
}

bool TlmMemory::access(uint64_t address, uint8_t* data, size_t bytes, bool write) {
  if (address + bytes < address) return false;
  // All of the range must be there before a byte moves.
  for (const bool move : {false, true})
    for (size_t done = 0; done < bytes;) {
      uint64_t first = 0;
      Region* direct = region(address + done, write, first);
      size_t n = bytes - done;
      if (direct) n = std::min<uint64_t>(n, direct->last - (address + done) + 1);
      if (!direct && !move && !mapped(address + done, n)) return false;
      if (!direct && move) {
        tlm::tlm_generic_payload payload;
        payload.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
        payload.set_address(address + done);
        payload.set_data_ptr(data + done);
        payload.set_data_length(static_cast<unsigned>(n));
        payload.set_streaming_width(static_cast<unsigned>(n));
        if (target_->transport_dbg(payload) != n) return false;
      } else if (move) {
        uint8_t* at = direct->data + (address + done - first);
        write ? std::memcpy(at, data + done, n) : std::memcpy(data + done, at, n);
      }
      done += n;
    }
  return true;
}

TlmTiming::~TlmTiming() { payload_.clear_extension(&timing_); }

sim::Cycle TlmTiming::send(tlm::tlm_command command, sim::Cycle at, uint64_t address,
                           uint32_t beats, uint32_t beat_bytes) {
  DLAVP_CHECK(target_ != nullptr, "a memory port without a target");
  timing_.has_first_beat = false;
  timing_.beats = beats;
  timing_.period = clock_.period;
  timing_.direct = nullptr;
  payload_.set_command(command);
  payload_.set_address(address);
  payload_.set_data_ptr(nullptr);
  payload_.set_data_length(beats * beat_bytes);
  payload_.set_streaming_width(beats * beat_bytes);
  payload_.set_byte_enable_ptr(nullptr);
  payload_.set_dmi_allowed(false);
  payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  payload_.set_extension(&timing_);
  const sc_core::sc_time now = sc_core::sc_time_stamp(), start = clock_.time(at);
  DLAVP_CHECK(start >= now || clock_.ceil(now) <= at, "memory access at cycle {}, SystemC is at {}",
              at, now.to_string());
  sc_core::sc_time delay = start > now ? start - now : sc_core::SC_ZERO_TIME;
  target_->b_transport(payload_, delay);
  if (timing_.direct != nullptr) {
    const uint64_t first = address - timing_.target_address;
    direct_ = {timing_.direct, first, first + (timing_.target_bytes - 1), timing_.direct_offset};
  }
  // Where nothing answers, hardware would get an error response at once; the bytes decide what
  // follows.
  return clock_.ceil(now + delay);
}

mcif::MemoryTiming::Beats TlmTiming::read(sim::Cycle at, uint64_t address, uint32_t beats,
                                          uint32_t beat_bytes) {
  if (direct_.covers(address)) {
    const Beats beats_at =
        direct_.timing->read(at, address - direct_.first + direct_.offset, beats, beat_bytes);
    return {std::max(beats_at.first, at), std::max(beats_at.last, at)};
  }
  const sim::Cycle last = send(tlm::TLM_READ_COMMAND, at, address, beats, beat_bytes);
  const sim::Cycle first = timing_.has_first_beat
                               ? clock_.ceil(sc_core::sc_time_stamp() + timing_.first_beat)
                               : (last >= at + beats - 1 ? last - (beats - 1) : at);
  return {std::max(first, at), std::max(last, at)};
}

sim::Cycle TlmTiming::write(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes) {
  if (direct_.covers(address))
    return std::max(
        direct_.timing->write(at, address - direct_.first + direct_.offset, beats, beat_bytes), at);
  return std::max(send(tlm::TLM_WRITE_COMMAND, at, address, beats, beat_bytes), at);
}

}  // namespace dlavp::nvdla
