// Router: the interconnect. Several initiators, one address map, targets that see addresses from
// the start of their window. Passes on blocking transport (also timing-only transactions, which
// must not block), debug transport and DMI. It adds no time: the memories and devices do.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

#include "vp/platform_config.hpp"

namespace dlavp::vp {

class Router final : public sc_core::sc_module {
 public:
  using Input = tlm_utils::simple_target_socket_tagged<Router>;
  using Output = tlm_utils::simple_initiator_socket_tagged<Router>;

  /// `windows` do not overlap; output i serves windows[i].
  Router(const sc_core::sc_module_name& name, unsigned inputs, std::vector<Window> windows);

  sc_core::sc_vector<Input> inputs;
  sc_core::sc_vector<Output> outputs;

 private:
  /// Output of an address, -1: none.
  [[nodiscard]] int find(uint64_t address) const;
  void b_transport(int input, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(int input, tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(int input, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  void invalidate(int output, sc_dt::uint64 first, sc_dt::uint64 last);

  std::vector<Window> windows_;
};

}  // namespace dlavp::vp
