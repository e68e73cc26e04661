// libFuzzer's entry to fuzz/csb_target.hpp.
#include "fuzz/csb_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dlavp::fuzz::run_csb({data, size});
  return 0;
}
