// Running traces: which traces a folder holds, one simulation each in a process of its own, and the
// comparison with cycles measured on RTL.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "models/common/result.hpp"
#include "models/common/run_mode.hpp"
#include "vp/platform_config.hpp"

namespace dlavp::trace {

/// One trace to be played.
struct Job {
  std::string config;  ///< name, or path of a file
  std::filesystem::path dir;
  uint32_t mem_latency = 32;
  bool check_hazards = false;
  TimingMode timing = TimingMode::kCycle;
  std::optional<MemoryConfig> memory = std::nullopt;  ///< in place of one of fixed latency
};

struct Outcome {
  std::string config, trace;
  uint32_t mem_latency = 0;
  bool passed = false;
  bool bad_input = false;  ///< the trace could not be read, or programs the hardware illegally
  bool internal = false;   ///< a bug in dlavp
  std::optional<uint64_t> cycles;
  uint64_t read_beats = 0, write_beats = 0;
  std::string unit;               ///< the first of CONV, PDP, CDP, SDP that had an operation
  uint64_t macs = 0;              ///< of all operations
  uint64_t simulated_cycles = 0;  ///< from reset to the end of the trace
  double seconds = 0;             ///< of processor time, from reset to the end of the trace
  /// Where the cycles of the unit's last operation went.
  std::vector<std::pair<std::string, uint64_t>> causes;
  std::vector<std::string> reasons;  ///< why it did not pass
};

/// The jobs of `dirs`: each a trace, a configuration's folder, or a folder of those. `config`
/// (empty: none given) overrides the configuration that a folder's name picks, and in a folder of
/// configurations selects one. Errors: "trace.dir", "trace.config".
Result<std::vector<Job>> find_jobs(const std::vector<std::filesystem::path>& dirs,
                                   const std::string& config,
                                   const std::vector<uint32_t>& latencies);

/// Plays one trace in this process; SystemC can be elaborated once in each.
Outcome play(const Job& job);

/// Plays all at the same time in this process, each on an accelerator of its own, behind one memory
/// (and one secondary memory where there is one) that the first job describes. Who asks first is
/// served first.
std::vector<Outcome> play_together(const std::vector<Job>& jobs);

/// Plays all in `processes` children at a time; outcomes come in the order of `jobs`. `progress`
/// is called after each.
std::vector<Outcome> play_all(const std::vector<Job>& jobs, unsigned processes,
                              const std::function<void(size_t)>& progress);

struct RtlRow {
  uint64_t cycles = 0, read_beats = 0, write_beats = 0;
};
/// By configuration, trace and memory latency.
using RtlTable = std::map<std::tuple<std::string, std::string, uint32_t>, RtlRow>;
/// A CSV file with the columns config, trace, mem_latency, run_cycles, read_beats, write_beats.
/// Errors: "rtl_cycles.*" with file:line.
Result<RtlTable> load_rtl_cycles(const std::filesystem::path& file);

}  // namespace dlavp::trace
