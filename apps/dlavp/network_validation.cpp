#include "apps/dlavp/network_validation.hpp"

#include <fmt/format.h>

#include <ctime>
#include <fstream>
#include <iterator>

#include "vp/serial/serial_run.hpp"

namespace dlavp::app {

namespace {

struct Timed {
  vp::SerialResult result;
  double seconds = 0;
};

Result<Timed> timed_run(const trace::RtlNetwork& network, const HwConfig& hw,
                        const TimingParams& timing, const std::vector<uint8_t>& loadable,
                        RunMode mode) {
  const std::clock_t begun = std::clock();
  auto result = vp::run_serial(hw, timing, loadable, network.mem_latency, mode);
  if (!result) return result.errors();
  return Timed{std::move(*result), static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC};
}

double relative(uint64_t value, uint64_t to) {
  return static_cast<double>(value) / static_cast<double>(to) - 1;
}

}  // namespace

Result<std::vector<PlayedNetwork>> play_networks(const std::vector<trace::RtlNetwork>& networks) {
  std::vector<PlayedNetwork> out;
  for (const trace::RtlNetwork& network : networks) {
    const auto hw = load_hw_config(network.config);
    if (!hw) return hw.errors();
    const auto timing = TimingParams::load(*hw);
    if (!timing) return timing.errors();
    std::ifstream in(network.loadable, std::ios::binary);
    if (!in) return Error{"rtl_networks.loadable", network.loadable.string(), "cannot be read"};
    const std::vector<uint8_t> loadable{std::istreambuf_iterator<char>(in), {}};
    const auto cycle = timed_run(network, *hw, *timing, loadable, {});
    if (!cycle) return cycle.errors();
    const auto fast = timed_run(network, *hw, *timing, loadable, {TimingMode::kFast, false});
    if (!fast) return fast.errors();
    const vp::SerialResult& r = cycle->result;
    out.push_back({network, r.run_cycles(), r.total_cycles, r.read_beats(), r.write_beats(),
                   cycle->seconds, fast->result.run_cycles(), fast->seconds});
  }
  return out;
}

std::string network_section(const std::vector<PlayedNetwork>& networks) {
  if (networks.empty()) return "";
  std::string out =
      "\n## Whole networks\n\nOne operation at a time; the sum over operations from the last "
      "enable "
      "to the interrupt.\n`fast` is the closed form per operation, its error against the cycles "
      "here, its time without function.\nSeconds are of processor time.\n\n"
      "| Network | Configuration | Latency | Operations | Here | RTL | Error | Beats equal | "
      "Seconds "
      "| Million cycles a second | Fast | Error | Seconds |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const PlayedNetwork& n : networks) {
    const bool equal = n.read_beats == n.rtl.read_beats && n.write_beats == n.rtl.write_beats;
    out += fmt::format(
        "| {} | {} | {} | {} | {} | {} | {:+.3f} % | {} | {:.2f} | {:.1f} | {} | {:+.2f} % | "
        "{:.3f} "
        "|\n",
        n.rtl.network, n.rtl.config, n.rtl.mem_latency, n.rtl.operations, n.run_cycles,
        n.rtl.run_cycles, 100 * relative(n.run_cycles, n.rtl.run_cycles), equal ? "yes" : "no",
        n.seconds, static_cast<double>(n.total_cycles) / n.seconds / 1e6, n.fast_cycles,
        100 * relative(n.fast_cycles, n.run_cycles), n.fast_seconds);
  }
  return out;
}

}  // namespace dlavp::app
