// RegisterTarget: what the memory-mapped devices share. A TLM-2.0 target socket whose transport
// checks command, size, alignment and range, then calls the device's read and write.
#pragma once

#include <tlm_utils/simple_target_socket.h>
#include <cstdint>
#include <systemc>
#include <tlm>

namespace dlavp::devices {

class RegisterTarget : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<RegisterTarget> socket{"socket"};

 protected:
  /// `size_bytes` of registers; `access_time` is annotated to every access.
  RegisterTarget(const sc_core::sc_module_name& name, uint64_t size_bytes,
                 const sc_core::sc_time& access_time);

  /// Reads `bytes` (1, 2, 4 or 8, naturally aligned) at `offset`; false: address error.
  virtual bool read(uint64_t offset, unsigned bytes, uint64_t& value) = 0;
  virtual bool write(uint64_t offset, unsigned bytes, uint64_t value) = 0;
  /// Reads without side effects, for debuggers.
  virtual bool peek(uint64_t offset, unsigned bytes, uint64_t& value) = 0;

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  [[nodiscard]] tlm::tlm_response_status check(const tlm::tlm_generic_payload& payload) const;

  uint64_t size_bytes_;
  sc_core::sc_time access_time_;
};

}  // namespace dlavp::devices
