// How fast the accelerator simulates, function and `cycle` timing together, on one core: simulated
// cycles and MACs a second of single operations (register traces) and of whole networks (loadables,
// one operation at a time), and how many times that is the speed of the Verilated RTL. Reading
// files is not counted. Other timing modes by --timing, without function by --no-function; --json
// for programs. Usage: accelerator_bench [--repeat N] [--timing MODE] [--no-function] [--json]
// CONFIG TRACE_DIR|LOADABLE...
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "models/mcif/memory_timing.hpp"
#include "models/nvdla/accelerator.hpp"
#include "vp/serial/serial_run.hpp"
#include "vp/trace/trace.hpp"

namespace {

using namespace dlavp;

constexpr uint32_t kLatency = 32;

/// Seconds of CPU time of this process, its worker threads included: a shared machine must not
/// count.
double seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Speed {
  uint64_t cycles = 0;
  double seconds = 0;
  uint64_t macs = 0;
};

/// The registers of a trace, one a cycle, until nothing happens any more.
Speed play(const HwConfig& hw, const TimingParams& timing, const trace::Trace& trace,
           RunMode mode) {
  SparseMemory primary, secondary;
  mcif::FixedLatencyMemory primary_timing(kLatency), secondary_timing(kLatency);
  nvdla::Accelerator accelerator(hw, timing,
                                 {&primary, &secondary, &primary_timing, &secondary_timing}, mode);
  sim::EventQueue& events = accelerator.events();
  for (const trace::Command& command : trace.commands)
    if (const auto* load = std::get_if<trace::MemLoad>(&command.action))
      for (const trace::Packet& packet : load->packets)
        static_cast<void>((load->ram == RamType::kMc ? primary : secondary)
                              .write(load->address + packet.offset, packet.bytes));
  events.run_until(uint64_t{hw.cbuf_bank_number} * hw.cbuf_bank_depth);
  const sim::Cycle first = events.now();
  const double start = seconds();
  for (const trace::Command& command : trace.commands)
    if (const auto* write = std::get_if<trace::RegWrite>(&command.action)) {
      accelerator.csb_write(write->address, write->value);
      events.run_until(events.now() + 1);
    }
  while (events.run_next()) {
  }
  Speed speed{events.now() - first, seconds() - start, 0};
  for (const OpRecord& record : accelerator.operations()) speed.macs += record.macs;
  return speed;
}

Speed play_loadable(const HwConfig& hw, const TimingParams& timing,
                    const std::vector<uint8_t>& loadable, RunMode mode) {
  const double start = seconds();
  const auto result = vp::run_serial(hw, timing, loadable, kLatency, mode);
  if (!result.ok()) {
    for (const Error& error : result.errors().errors())
      fmt::print(stderr, "{}: {}\n", error.id, error.message);
    std::exit(2);
  }
  return {result->total_cycles, seconds() - start, 0};
}

/// Cycles a second of the Verilated RTL on such a machine.
double rtl_speed(const HwConfig& hw) { return hw.mac_atomic_c_size <= 8 ? 121e3 : 11e3; }

struct Options {
  int repeat = 3;
  RunMode mode;
  bool json = false;
  std::vector<std::string> rest;  ///< the configuration, then what is played
};

Options parse(const std::vector<std::string>& args) {
  Options o;
  for (size_t i = 0; i < args.size(); ++i)
    if (args[i] == "--repeat" && i + 1 < args.size())
      o.repeat = std::max(1, std::stoi(args[++i]));
    else if (args[i] == "--timing" && i + 1 < args.size())
      o.mode.timing = parse_timing_mode(args[++i]).value();
    else if (args[i] == "--no-function")
      o.mode.function = false;
    else if (args[i] == "--json")
      o.json = true;
    else
      o.rest.push_back(args[i]);
  return o;
}

/// The best of some runs of a trace's folder or a loadable.
std::optional<Speed> measure(const HwConfig& hw, const TimingParams& timing,
                             const std::filesystem::path& path, const Options& o) {
  std::ifstream in(path, std::ios::binary);
  const bool folder = std::filesystem::is_directory(path);
  const std::vector<uint8_t> loadable =
      folder ? std::vector<uint8_t>{}
             : std::vector<uint8_t>{std::istreambuf_iterator<char>(in), {}};
  const auto trace = folder ? trace::load_trace(path, hw) : Result<trace::Trace>(trace::Trace{});
  if (!trace) return std::nullopt;
  Speed best;
  for (int k = 0; k < o.repeat; ++k) {
    const Speed speed =
        folder ? play(hw, timing, *trace, o.mode) : play_loadable(hw, timing, loadable, o.mode);
    if (best.cycles == 0 || speed.seconds < best.seconds) best = speed;
  }
  return best;
}

int run(const std::vector<std::string>& args) {
  const Options o = parse(args);
  if (o.rest.size() < 2) {
    fmt::print(stderr,
               "accelerator_bench [--repeat N] [--timing MODE] [--no-function] [--json] CONFIG "
               "TRACE_DIR|LOADABLE...\n");
    return 2;
  }
  const auto hw = load_hw_config(o.rest[0]);
  if (!hw) return 2;
  const auto timing = TimingParams::load(*hw);
  if (!timing) return 2;
  auto rows = nlohmann::json::array();
  if (!o.json)
    fmt::print("{:<46} {:>12} {:>9} {:>14} {:>9}\n", hw->name, "cycles", "seconds",
               "Mcycles/second", "x RTL");
  for (size_t i = 1; i < o.rest.size(); ++i) {
    const std::filesystem::path path(o.rest[i]);
    const auto best = measure(*hw, *timing, path, o);
    if (!best) return 2;
    const double rate = static_cast<double>(best->cycles) / best->seconds;
    if (o.json)
      rows.push_back({{"name", path.filename().string()},
                      {"cycles", best->cycles},
                      {"seconds", best->seconds},
                      {"macs", best->macs}});
    else
      fmt::print("{:<46} {:>12} {:>9.3f} {:>14.1f} {:>9.0f}\n", path.filename().string(),
                 best->cycles, best->seconds, rate / 1e6, rate / rtl_speed(*hw));
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  if (o.json)
    fmt::print("{}\n",
               nlohmann::json{{"rows", rows}, {"peak_memory_mib", usage.ru_maxrss / 1024}}.dump());
  else
    fmt::print("best of {}, CPU time of one core, memory latency {}, peak memory {} MiB\n",
               o.repeat, kLatency, usage.ru_maxrss / 1024);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return run({argv + 1, argv + argc}); }

// SystemC's library, which the trace reader's neighbours link, wants one.
extern "C" int sc_main(int /*argc*/, char** /*argv*/) { return 0; }
