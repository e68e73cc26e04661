#include "vp/soc/router.hpp"

#include <algorithm>

namespace dlavp::vp {

Router::Router(const sc_core::sc_module_name& name, unsigned number_of_inputs,
               std::vector<Window> windows)
    : sc_module(name),
      inputs("in", number_of_inputs),
      outputs("out", static_cast<unsigned>(windows.size())),
      windows_(std::move(windows)) {
  for (unsigned i = 0; i < inputs.size(); ++i) {
    inputs[i].register_b_transport(this, &Router::b_transport, static_cast<int>(i));
    inputs[i].register_transport_dbg(this, &Router::transport_dbg, static_cast<int>(i));
    inputs[i].register_get_direct_mem_ptr(this, &Router::get_direct_mem_ptr, static_cast<int>(i));
  }
  for (unsigned i = 0; i < outputs.size(); ++i)
    outputs[i].register_invalidate_direct_mem_ptr(this, &Router::invalidate, static_cast<int>(i));
}

int Router::find(uint64_t address) const {
  for (size_t i = 0; i < windows_.size(); ++i)
    if (windows_[i].contains(address)) return static_cast<int>(i);
  return -1;
}

void Router::b_transport(int, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const uint64_t address = payload.get_address();
  const int to = find(address);
  if (to < 0) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  payload.set_address(address - windows_[static_cast<size_t>(to)].base);
  outputs[static_cast<size_t>(to)]->b_transport(payload, delay);
  payload.set_address(address);
}

unsigned Router::transport_dbg(int, tlm::tlm_generic_payload& payload) {
  const uint64_t address = payload.get_address();
  const int to = find(address);
  if (to < 0) return 0;
  payload.set_address(address - windows_[static_cast<size_t>(to)].base);
  const unsigned bytes = outputs[static_cast<size_t>(to)]->transport_dbg(payload);
  payload.set_address(address);
  return bytes;
}

bool Router::get_direct_mem_ptr(int, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  const uint64_t address = payload.get_address();
  const int to = find(address);
  if (to < 0) return false;
  const Window& window = windows_[static_cast<size_t>(to)];
  payload.set_address(address - window.base);
  const bool granted = outputs[static_cast<size_t>(to)]->get_direct_mem_ptr(payload, dmi);
  payload.set_address(address);
  // Granted or denied, the range is the target's: move it into this map, no further than the
  // window.
  dmi.set_start_address(window.base + std::min<uint64_t>(dmi.get_start_address(), window.size - 1));
  dmi.set_end_address(window.base + std::min<uint64_t>(dmi.get_end_address(), window.size - 1));
  return granted;
}

void Router::invalidate(int output, sc_dt::uint64 first, sc_dt::uint64 last) {
  const Window& window = windows_[static_cast<size_t>(output)];
  last = std::min<sc_dt::uint64>(last, window.size - 1);
  for (Input& input : inputs)
    input->invalidate_direct_mem_ptr(window.base + first, window.base + last);
}

}  // namespace dlavp::vp
