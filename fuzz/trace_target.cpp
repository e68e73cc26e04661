// The readers of both forms of traces, with their data files.
#include <algorithm>
#include <array>

#include "fuzz/input_targets.hpp"
#include "fuzz/temp_folder.hpp"
#include "vp/trace/trace.hpp"

namespace dlavp::fuzz {

namespace {

const HwConfig& config(unsigned index) {
  static const std::array<HwConfig, 3> kConfigs = {load_hw_config("nv_small").value(),
                                                   load_hw_config("nv_large").value(),
                                                   load_hw_config("nv_full").value()};
  return kConfigs[index % kConfigs.size()];
}

}  // namespace

bool run_trace(std::span<const uint8_t> input) {
  static const TempFolder folder;
  if (input.empty()) return false;
  const bool txn = (input[0] & 1) != 0;
  const HwConfig& hw = config(input[0] >> 1);
  const auto end = std::find(input.begin() + 1, input.end(), 0xff);
  static_cast<void>(folder.write("a.dat", {end == input.end() ? end : end + 1, input.end()}));
  const auto file = folder.write(txn ? "input.txn" : "t.cfg", {input.begin() + 1, end});
  const auto trace = txn ? trace::parse_txn(file, hw) : trace::parse_cfg(file, hw);
  if (!trace) {
    DLAVP_CHECK(!trace.errors().errors().front().id.empty(), "an error without an id");
    return false;
  }
  DLAVP_CHECK(!trace->commands.empty(), "a trace without commands");
  return true;
}

}  // namespace dlavp::fuzz
