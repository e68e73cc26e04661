// Operations of the core: the firmware's own code (its host build) on the interpreter's memory. It
// is what runs on the platform, and shares nothing with the compiler's interpreter.
#include "tests/reference/loadable_core.hpp"

#include "core_run.h"

namespace dlavp::reference {

Diagnostics run_core(const loadable::Loadable& loadable, const loadable::Task& task,
                     const DlaEmuOp& operation, const std::string& place,
                     std::map<uint16_t, std::vector<uint8_t>>& memories) {
  std::vector<TaskAddress> addresses;
  for (const uint16_t id : task.address_list) {
    const loadable::Address* a = loadable.address(id);
    std::vector<uint8_t>& memory = memories.at(a->mem_id);
    addresses.push_back({reinterpret_cast<uintptr_t>(memory.data() + a->offset),
                         memory.size() - a->offset, DLA_DOMAIN_SYSTEM});
  }
  Task run{};
  run.num_addresses = static_cast<uint32_t>(addresses.size());
  run.addresses = addresses.data();
  FwError error;
  fw_error_clear(&error);
  for (const bool apply : {false, true}) {
    if (!core_operation(&run, &operation, apply, &error))
      return Diagnostics(Error{"reference.core", place, error.text});
  }
  return {};
}

}  // namespace dlavp::reference
