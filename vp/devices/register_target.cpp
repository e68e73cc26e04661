// Transport of the register devices.
#include "vp/devices/register_target.hpp"

#include <cstring>

namespace dlavp::devices {

RegisterTarget::RegisterTarget(const sc_core::sc_module_name& name, uint64_t size_bytes,
                               const sc_core::sc_time& access_time)
    : sc_module(name), size_bytes_(size_bytes), access_time_(access_time) {
  socket.register_b_transport(this, &RegisterTarget::b_transport);
  socket.register_transport_dbg(this, &RegisterTarget::transport_dbg);
  socket.register_get_direct_mem_ptr(this, &RegisterTarget::get_direct_mem_ptr);
}

tlm::tlm_response_status RegisterTarget::check(const tlm::tlm_generic_payload& payload) const {
  const unsigned bytes = payload.get_data_length();
  const uint64_t offset = payload.get_address();
  if (payload.get_byte_enable_ptr() != nullptr) return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) return tlm::TLM_BURST_ERROR_RESPONSE;
  if (payload.get_streaming_width() < bytes) return tlm::TLM_BURST_ERROR_RESPONSE;
  if (offset % bytes != 0 || offset >= size_bytes_ || size_bytes_ - offset < bytes) {
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  }
  return tlm::TLM_OK_RESPONSE;
}

void RegisterTarget::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  tlm::tlm_response_status status = check(payload);
  if (status == tlm::TLM_OK_RESPONSE) {
    const unsigned bytes = payload.get_data_length();
    uint64_t value = 0;
    bool ok = true;
    if (payload.is_write()) {
      std::memcpy(&value, payload.get_data_ptr(), bytes);
      ok = write(payload.get_address(), bytes, value);
    } else if (payload.is_read()) {
      ok = read(payload.get_address(), bytes, value);
      std::memcpy(payload.get_data_ptr(), &value, bytes);
    }
    if (!ok) status = tlm::TLM_ADDRESS_ERROR_RESPONSE;
  }
  delay += access_time_;
  payload.set_dmi_allowed(false);
  payload.set_response_status(status);
}

unsigned RegisterTarget::transport_dbg(tlm::tlm_generic_payload& payload) {
  if (check(payload) != tlm::TLM_OK_RESPONSE) return 0;
  const unsigned bytes = payload.get_data_length();
  uint64_t value = 0;
  if (payload.is_write()) {
    std::memcpy(&value, payload.get_data_ptr(), bytes);
    return write(payload.get_address(), bytes, value) ? bytes : 0;
  }
  if (!payload.is_read() || !peek(payload.get_address(), bytes, value)) return 0;
  std::memcpy(payload.get_data_ptr(), &value, bytes);
  return bytes;
}

bool RegisterTarget::get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi& dmi) {
  dmi.set_start_address(0);
  dmi.set_end_address(size_bytes_ - 1);
  dmi.allow_none();
  return false;
}

}  // namespace dlavp::devices
