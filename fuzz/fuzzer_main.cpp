// libFuzzer's entry to one target; the build names it.
#include "fuzz/csb_target.hpp"
#include "fuzz/input_targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static_cast<void>(dlavp::fuzz::DLAVP_FUZZ_TARGET({data, size}));
  return 0;
}
