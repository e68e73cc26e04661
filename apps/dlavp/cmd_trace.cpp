// dlavp trace: plays register traces and compares results and cycles.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "apps/dlavp/cli.hpp"
#include "apps/dlavp/commands.hpp"
#include "apps/dlavp/network_validation.hpp"
#include "apps/dlavp/validation.hpp"
#include "models/common/hw_config.hpp"
#include "vp/trace/runner.hpp"

namespace dlavp::app {

namespace {

namespace po = boost::program_options;
using nlohmann::ordered_json;
using trace::Outcome;

const trace::RtlRow* rtl_of(const trace::RtlTable& rtl, const Outcome& o) {
  const auto found = rtl.find({o.config, o.trace, o.mem_latency});
  return found == rtl.end() ? nullptr : &found->second;
}

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

std::string joined(const std::vector<std::string>& reasons, const char* separator) {
  std::string text;
  for (const std::string& reason : reasons) text += (text.empty() ? "" : separator) + reason;
  return text;
}

/// The rows of `compared` at one latency, or all.
ErrorSummary summary_at(const std::vector<Compared>& compared, std::optional<uint32_t> latency) {
  std::vector<const Compared*> part;
  for (const Compared& row : compared)
    if (!latency || row.outcome->mem_latency == *latency) part.push_back(&row);
  return summarise(part);
}

std::optional<double> if_any(const ErrorSummary& s, double value) {
  return s.rows == 0 ? std::nullopt : std::optional(value);
}

ordered_json groups_json(const std::vector<Compared>& compared) {
  auto groups = ordered_json::array();
  for (const ErrorGroup& g : group(compared))
    groups.push_back({{"unit", g.unit},
                      {"config", g.config},
                      {"mem_latency", g.mem_latency},
                      {"rows", g.summary.rows},
                      {"median_abs_error", g.summary.median},
                      {"worst_abs_error", g.summary.worst},
                      {"beats_equal", g.summary.beats_equal}});
  return groups;
}

void print_json(const trace::RtlTable& rtl, const std::vector<Compared>& compared,
                const std::vector<Outcome>& outcomes) {
  auto results = ordered_json::array();
  size_t passed = 0;
  for (const Outcome& o : outcomes) {
    const trace::RtlRow* row = rtl_of(rtl, o);
    passed += o.passed ? 1 : 0;
    results.push_back(
        {{"config", o.config},
         {"trace", o.trace},
         {"mem_latency", o.mem_latency},
         {"unit", o.unit},
         {"passed", o.passed},
         {"cycles", or_null(o.cycles)},
         {"rtl_cycles", row ? ordered_json(row->cycles) : ordered_json(nullptr)},
         {"read_beats", o.read_beats},
         {"write_beats", o.write_beats},
         {"reason", o.passed ? ordered_json(nullptr) : ordered_json(joined(o.reasons, "; "))}});
  }
  const ErrorSummary errors = summary_at(compared, std::nullopt);
  const ordered_json summary{{"passed", passed},
                             {"failed", outcomes.size() - passed},
                             {"median_abs_error", or_null(if_any(errors, errors.median))},
                             {"worst_abs_error", or_null(if_any(errors, errors.worst))},
                             {"groups", groups_json(compared)}};
  fmt::print("{}\n", ordered_json{{"results", results}, {"summary", summary}}.dump(
                         2, ' ', false, ordered_json::error_handler_t::replace));
}

void print_row(const trace::RtlTable& rtl, const Outcome& o) {
  const trace::RtlRow* row = rtl_of(rtl, o);
  std::optional<double> error;
  if (row && o.cycles && row->cycles != 0)
    error = static_cast<double>(*o.cycles) / static_cast<double>(row->cycles) - 1;
  std::string line = fmt::format(
      "{:<20}{:<44}{:>5}  {:<4}{:>11}{:>11}{:>9}{:>9}{:>9}", o.config, o.trace, o.mem_latency,
      o.passed ? "pass" : "FAIL", o.cycles ? std::to_string(*o.cycles) : "-",
      row ? std::to_string(row->cycles) : "-", error ? fmt::format("{:+.2f} %", *error * 100) : "-",
      o.read_beats, o.write_beats);
  if (row && o.passed && (row->read_beats != o.read_beats || row->write_beats != o.write_beats))
    line += fmt::format("  beats on RTL: {} read, {} written", row->read_beats, row->write_beats);
  fmt::print("{}\n", line);
  for (const std::string& reason : o.reasons) fmt::print("    {}\n", reason);
}

void print_table(const trace::RtlTable& rtl, const std::vector<Compared>& compared,
                 const std::vector<Outcome>& outcomes, const std::vector<uint32_t>& latencies) {
  fmt::print("{:<20}{:<44}{:>5}  {:<4}{:>11}{:>11}{:>9}{:>9}{:>9}\n", "configuration", "trace",
             "lat.", "", "cycles", "RTL", "error", "read", "written");
  for (const Outcome& o : outcomes) print_row(rtl, o);
  const auto passed = static_cast<size_t>(
      std::count_if(outcomes.begin(), outcomes.end(), [](const Outcome& o) { return o.passed; }));
  fmt::print(
      "\n{} passed, {} failed; one clock, memory of fixed latency, one beat a cycle a port\n",
      passed, outcomes.size() - passed);
  for (const uint32_t latency : latencies) {
    const ErrorSummary errors = summary_at(compared, latency);
    if (errors.rows == 0) continue;
    fmt::print(
        "cycle error at latency {}: median {:.2f} %, worst {:.2f} % ({} traces with RTL cycles)\n",
        latency, errors.median * 100, errors.worst * 100, errors.rows);
  }
  if (!compared.empty()) print_groups(compared);
}

/// Writes the page, or says why not.
int write_report(const Cli& cli, const std::vector<Compared>& compared,
                 const std::vector<Outcome>& outcomes,
                 const std::map<std::string, std::string>& notes) {
  const std::string path = cli.text("report");
  std::string networks, command = "dlavp trace TRACES --rtl-cycles CYCLES";
  if (cli.has("rtl-networks")) {
    const auto table = trace::load_rtl_networks(cli.text("rtl-networks"));
    if (!table) return fail(table.errors());
    const auto played = play_networks(*table);
    if (!played) return fail(played.errors());
    networks = network_section(*played);
    command += " --rtl-networks NETWORKS";
  }
  std::ofstream out(path, std::ios::binary);
  out << validation_page(outcomes, compared, notes, networks, command + " --report PAGE");
  out.close();
  return out ? kDone : fail("trace.report", path, "cannot be written");
}

int exit_code(const std::vector<Outcome>& outcomes) {
  const auto any = [&](bool Outcome::*flag) {
    return std::any_of(outcomes.begin(), outcomes.end(),
                       [flag](const Outcome& o) { return o.*flag; });
  };
  for (const Outcome& o : outcomes)
    if (o.bad_input || o.internal)
      for (const std::string& reason : o.reasons)
        fmt::print(stderr, "dlavp: error: {}: {}\n", o.trace, reason);
  if (any(&Outcome::internal)) return kInternalError;
  if (any(&Outcome::bad_input)) return kBadInput;
  const bool all =
      std::all_of(outcomes.begin(), outcomes.end(), [](const Outcome& o) { return o.passed; });
  return all ? kDone : kNotSo;
}

/// The notes for the page; complains where there can be no page.
std::map<std::string, std::string> check_report(const Cli& cli, Diagnostics& errors) {
  std::map<std::string, std::string> notes;
  if (cli.has("notes")) {
    if (auto read = load_notes(cli.text("notes")))
      notes = *read;
    else
      errors.append(read.errors());
  }
  if (!cli.has("report")) return notes;
  const std::filesystem::path path = cli.text("report");
  std::error_code ignored;
  if (cli.has("rtl-networks"))
    if (const auto table = trace::load_rtl_networks(cli.text("rtl-networks")); !table)
      errors.append(table.errors());
  if (!cli.has("rtl-cycles"))
    errors.add("trace.report", "--report",
               "needs --rtl-cycles: the page is about their difference");
  if (std::filesystem::is_directory(path, ignored) ||
      (path.has_parent_path() && !std::filesystem::is_directory(path.parent_path(), ignored)))
    errors.add("trace.report", path.string(), "is no file in a folder that exists");
  return notes;
}

void add_options(Cli& cli) {
  cli.add()("config", po::value<std::string>(),
            "hardware configuration: a name, or the path of a YAML file")(
      "mem-latency", po::value<std::vector<int64_t>>()->composing(),
      "latency of the memory in cycles (32); may be repeated")(
      "rtl-cycles", po::value<std::string>(), "CSV of cycles measured on RTL to compare with")(
      "report", po::value<std::string>(),
      "write a page: errors per unit and configuration, histogram, worst cases, speed")(
      "rtl-networks", po::value<std::string>(),
      "CSV of whole networks measured on RTL, for the page")(
      "notes", po::value<std::string>(),
      "YAML with the mechanisms behind deviations, for the page's worst cases")(
      "timing", po::value<std::string>(),
      "cycle, fast (each operation in closed form) or none (function only)")(
      "together",
      "play all traces at the same time, each on an accelerator of its own, behind one memory")(
      "memory", po::value<std::string>(),
      "the memory: fixed:LATENCY, bandwidth:LATENCY:BYTES or a part (ddr3_1600, ...)")(
      "check-hazards",
      "a trace fails when operations in flight read or write what another one in flight writes")(
      "jobs,j", po::value<int64_t>(), "simulations at a time (as many as processors)");
  cli.add_json();
  cli.positional("dir", -1);
}

/// What the options ask for.
struct Setup {
  std::vector<uint32_t> latencies;
  std::map<std::string, std::string> notes;
  trace::RtlTable rtl;
  std::vector<trace::Job> jobs;
};

/// The value of a Result, or its errors added to others.
template <typename T>
std::optional<T> take(Result<T> result, Diagnostics& errors) {
  if (result) return std::move(*result);
  errors.append(result.errors());
  return std::nullopt;
}

/// The jobs; a bad configuration is an error once, not once a trace.
void find_jobs(const Cli& cli, Setup& s, Diagnostics& errors) {
  const auto timing = parse_timing_mode(cli.text("timing", "cycle"));
  if (!timing)
    errors.add("trace.timing", "--timing",
               fmt::format("is {}, expected cycle, fast or none", cli.text("timing")));
  std::optional<MemoryConfig> memory;
  if (cli.has("memory")) memory = take(parse_memory(cli.text("memory")), errors);
  const std::vector<std::string> names = cli.texts("dir");
  s.jobs =
      take(trace::find_jobs({names.begin(), names.end()}, cli.text("config"), s.latencies), errors)
          .value_or(std::vector<trace::Job>{});
  std::set<std::string> seen;
  for (trace::Job& job : s.jobs) {
    job.check_hazards = cli.has("check-hazards");
    job.timing = timing.value_or(TimingMode::kCycle);
    job.memory = memory;
    if (!seen.insert(job.config).second) continue;
    if (const auto hw = load_hw_config(job.config); !hw) errors.append(hw.errors());
  }
}

Setup set_up(const Cli& cli, Diagnostics& errors) {
  Setup s;
  for (const int64_t latency : cli.integers("mem-latency", {32})) {
    if (latency < 1 || latency > 100000)
      errors.add("cli.range", "--mem-latency", fmt::format("is {}, expected 1 to 100000", latency));
    s.latencies.push_back(static_cast<uint32_t>(latency));
  }
  if (!cli.has("dir"))
    errors.add("cli.missing", "dlavp trace", "no folder is given; see dlavp trace --help");
  s.notes = check_report(cli, errors);
  if (cli.has("rtl-cycles"))
    s.rtl =
        take(trace::load_rtl_cycles(cli.text("rtl-cycles")), errors).value_or(trace::RtlTable{});
  if (cli.has("together") && s.latencies.size() > 1)
    errors.add("trace.together", "--mem-latency", "is given twice, --together takes one memory");
  if (cli.has("together") && cli.has("report"))
    errors.add("trace.together", "--report", "is about traces alone, not --together");
  find_jobs(cli, s, errors);
  return s;
}

/// Plays all at the same time and tells what that costs each; `alone`: what each took by itself.
int together(const Cli& cli, const std::vector<trace::Job>& jobs,
             const std::vector<Outcome>& alone) {
  const std::vector<Outcome> outcomes = trace::play_together(jobs);
  auto results = ordered_json::array();
  if (!cli.json())
    fmt::print("{:<20}{:<44}  {:<4}{:>12}{:>12}{:>8}{:>9}{:>9}\n", "configuration", "trace", "",
               "alone", "together", "ratio", "read", "written");
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& o = outcomes[i];
    const bool timed = o.cycles && alone[i].cycles && *alone[i].cycles != 0;
    const double ratio =
        timed ? static_cast<double>(*o.cycles) / static_cast<double>(*alone[i].cycles) : 0;
    if (cli.json())
      results.push_back(
          {{"config", o.config},
           {"trace", o.trace},
           {"passed", o.passed},
           {"cycles_alone", or_null(alone[i].cycles)},
           {"cycles", or_null(o.cycles)},
           {"read_beats", o.read_beats},
           {"write_beats", o.write_beats},
           {"reason", o.passed ? ordered_json() : ordered_json(joined(o.reasons, "; "))}});
    else
      fmt::print("{:<20}{:<44}  {:<4}{:>12}{:>12}{:>8}{:>9}{:>9}\n", o.config, o.trace,
                 o.passed ? "pass" : "FAIL",
                 alone[i].cycles ? std::to_string(*alone[i].cycles) : "-",
                 o.cycles ? std::to_string(*o.cycles) : "-",
                 timed ? fmt::format("{:.3f}", ratio) : "-", o.read_beats, o.write_beats);
  }
  MemoryConfig fixed;
  fixed.latency_cycles = jobs.front().mem_latency;
  const std::string memory = jobs.front().memory.value_or(fixed).text();
  if (cli.json())
    fmt::print("{}\n", ordered_json{{"memory", memory}, {"results", results}}.dump(2));
  else
    fmt::print("\none clock, one memory for all: {}; who asks first is served first\n", memory);
  return exit_code(outcomes);
}

}  // namespace

int cmd_trace(const std::vector<std::string>& args) {
  Cli cli("trace", "DIR... [options]",
          "Plays NVDLA register traces (.cfg with .dat, or input.txn) on the model and checks the "
          "results.\n"
          "DIR is one trace, a configuration's folder of traces, or a folder of those; then each "
          "folder's\n"
          "name picks the configuration.",
          {"dlavp trace traces/nv_small --config nv_small",
           "dlavp trace traces --mem-latency 32 --mem-latency 128 --rtl-cycles rtl_cycles.csv",
           "dlavp trace traces/nv_small/sdp_8x8x32_bypass_int8_0 --json",
           "dlavp trace traces/nv_small/A traces/nv_large/B --together --memory ddr4_2400",
           "dlavp trace traces --timing fast --rtl-cycles rtl_cycles.csv"});
  add_options(cli);
  if (const auto exit = cli.parse(args)) return *exit;

  Diagnostics errors;
  const auto processors = static_cast<int64_t>(std::max(1u, std::thread::hardware_concurrency()));
  const auto jobs_at_once = cli.integer("jobs", processors, 1, 1024, errors);
  const Setup setup = set_up(cli, errors);
  if (!errors.empty()) return fail(errors);

  const bool terminal = isatty(STDERR_FILENO) != 0 && setup.jobs.size() > 1;
  const auto outcomes =
      trace::play_all(setup.jobs, static_cast<unsigned>(jobs_at_once), [&](size_t done) {
        if (terminal)
          fmt::print(stderr, "\r{}/{} traces{}", done, setup.jobs.size(),
                     done == setup.jobs.size() ? "\n" : "");
      });
  if (cli.has("together")) return together(cli, setup.jobs, outcomes);
  const std::vector<Compared> compared = compare(outcomes, setup.rtl);
  if (cli.json())
    print_json(setup.rtl, compared, outcomes);
  else
    print_table(setup.rtl, compared, outcomes, setup.latencies);
  const int code = exit_code(outcomes);
  if (code == kBadInput || !cli.has("report")) return code;
  const int written = write_report(cli, compared, outcomes, setup.notes);
  return written == kDone ? code : written;
}

}  // namespace dlavp::app
