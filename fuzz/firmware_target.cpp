// The firmware's core, compiled for the host, and the host's own look at the same loadable.
#include "fuzz/input_targets.hpp"
#include "sw/tests/fake_accelerator.hpp"
#include "vp/host/network.hpp"

namespace dlavp::fuzz {

bool run_firmware(std::span<const uint8_t> input) {
  constexpr size_t kHeapBytes = size_t{1} << 18;
  fw_test::reset_fake();
  fw_test::Machine machine({input.begin(), input.end()}, 8, fw_test::Machine::kSmall, kHeapBytes);
  const FwError error = machine.run();
  DLAVP_CHECK(fw_test::fake().violations.empty(), "{}", fw_test::fake().violations.front());
  DLAVP_CHECK((error.code == FW_OK) == (machine.result().state == FW_STATE_DONE),
              "code {}, state {}", static_cast<int>(error.code), machine.result().state);
  // What the firmware runs the host refuses for its own blob of names and scales only.
  const auto network = vp::read_network(input, "input");
  if (!network && error.code == FW_OK)
    for (const Error& refused : network.errors().errors())
      DLAVP_CHECK(refused.id == "run.info", "the host refuses what the firmware ran: {}",
                  refused.text());
  return error.code == FW_OK;
}

}  // namespace dlavp::fuzz
