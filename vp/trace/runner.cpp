#include "vp/trace/runner.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>

#include "models/common/hw_config.hpp"
#include "models/common/timing_params.hpp"
#include "vp/memory/ram.hpp"
#include "vp/trace/player.hpp"
#include "vp/trace/trace.hpp"

namespace dlavp::trace {

namespace {

// Traces place their surfaces anywhere: the memories span the whole address space.
constexpr uint64_t kMemoryBytes = ~uint64_t{0};

void add_errors(Outcome& outcome, const Diagnostics& errors) {
  for (const Error& e : errors.errors()) outcome.reasons.push_back(e.text());
}

void describe(const nvdla::Accelerator& accelerator, Outcome& outcome) {
  static constexpr const char* kOrder[] = {"CONV", "PDP", "CDP", "SDP"};
  const std::vector<OpRecord>& records = accelerator.operations();
  for (const OpRecord& r : records) outcome.macs += r.macs;
  for (const char* unit : kOrder) {
    const auto last = std::find_if(records.rbegin(), records.rend(),
                                   [unit](const OpRecord& r) { return r.unit == unit; });
    if (last == records.rend()) continue;
    outcome.unit = unit;
    for (size_t c = 0; c < sim::kCauses; ++c)
      if (last->cycles.parts()[c] != 0)
        outcome.causes.emplace_back(sim::kCauseNames[c], last->cycles.parts()[c]);
    return;
  }
}

void simulate(const Trace& trace, const HwConfig& hw, const TimingParams& timing,
              bool check_hazards, Outcome& outcome) {
  const nvdla::Clock clock{sc_core::sc_time(1, sc_core::SC_NS)};
  MemoryConfig memory;
  memory.latency_cycles = outcome.mem_latency;
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  nvdla::Nvdla dut("nvdla", hw, timing, clock.period);
  if (check_hazards) dut.accelerator().check_hazards();
  vp::Ram primary("primary", kMemoryBytes, memory, clock);
  std::unique_ptr<vp::Ram> secondary;
  if (hw.secondary_memif)
    secondary = std::make_unique<vp::Ram>("secondary", kMemoryBytes, memory, clock);
  Player player("player", trace, dut, primary.storage(),
                secondary ? &secondary->storage() : nullptr);
  sc_core::sc_signal<bool> line("line");
  player.csb.bind(dut.csb);
  player.interrupt(line);
  dut.interrupt(line);
  dut.dbb.bind(primary.socket);
  if (secondary) dut.cvsram.bind(secondary->socket);
  const std::clock_t begun = std::clock();
  sc_core::sc_start();
  outcome.seconds = static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
  outcome.simulated_cycles = clock.floor(sc_core::sc_time_stamp());
  describe(dut.accelerator(), outcome);

  outcome.read_beats = dut.accelerator().read_beats();
  outcome.write_beats = dut.accelerator().write_beats();
  add_errors(outcome, player.failures());
  add_errors(outcome, dut.accelerator().hazards());
  outcome.bad_input = !dut.accelerator().program_errors().empty();
  if (!player.finished() && player.failures().empty())
    outcome.reasons.push_back(
        fmt::format("never finished: awaits {} [trace.unfinished]", player.awaited()));
  outcome.passed = outcome.reasons.empty();
  if (player.finished()) outcome.cycles = player.run_cycles();
}

std::string to_text(const Outcome& o) {
  nlohmann::json j{{"config", o.config},   {"trace", o.trace},         {"latency", o.mem_latency},
                   {"passed", o.passed},   {"bad_input", o.bad_input}, {"internal", o.internal},
                   {"read", o.read_beats}, {"write", o.write_beats},   {"reasons", o.reasons}};
  if (o.cycles) j["cycles"] = *o.cycles;
  j["unit"] = o.unit;
  j["macs"] = o.macs;
  j["simulated"] = o.simulated_cycles;
  j["seconds"] = o.seconds;
  j["causes"] = o.causes;
  return j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Outcome from_text(const std::string& text, const Job& job, int status) {
  Outcome o;
  o.config = job.config;
  o.trace = job.dir.filename().string();
  o.mem_latency = job.mem_latency;
  const auto j = nlohmann::json::parse(text, nullptr, false);
  if (j.is_discarded()) {
    o.internal = true;
    o.reasons.push_back(fmt::format("the simulation ended without a result, {} {}",
                                    WIFSIGNALED(status) ? "signal" : "exit code",
                                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
    return o;
  }
  o.config = j["config"];
  o.trace = j["trace"];
  o.passed = j["passed"];
  o.bad_input = j["bad_input"];
  o.internal = j["internal"];
  o.read_beats = j["read"];
  o.write_beats = j["write"];
  o.reasons = j["reasons"].get<std::vector<std::string>>();
  if (j.contains("cycles")) o.cycles = j["cycles"];
  o.unit = j["unit"];
  o.macs = j["macs"];
  o.simulated_cycles = j["simulated"];
  o.seconds = j["seconds"];
  o.causes = j["causes"].get<std::vector<std::pair<std::string, uint64_t>>>();
  return o;
}

struct Child {
  pid_t pid = -1;
  int fd = -1;
  size_t job = 0;
  std::string text;
};

Child start(const std::vector<Job>& jobs, size_t index) {
  int ends[2];
  DLAVP_CHECK(pipe(ends) == 0, "pipe: {}", std::strerror(errno));
  std::fflush(nullptr);
  const pid_t pid = fork();
  DLAVP_CHECK(pid >= 0, "fork: {}", std::strerror(errno));
  if (pid == 0) {
    close(ends[0]);
    const std::string text = to_text(play(jobs[index]));
    for (size_t done = 0; done < text.size();) {
      const ssize_t n = write(ends[1], text.data() + done, text.size() - done);
      if (n <= 0) _exit(1);
      done += static_cast<size_t>(n);
    }
    _exit(0);
  }
  close(ends[1]);
  return {pid, ends[0], index, {}};
}

/// Takes what a child has written; true when it has closed its end.
bool drain(Child& child) {
  char part[4096];
  const ssize_t n = read(child.fd, part, sizeof part);
  if (n > 0) child.text.append(part, static_cast<size_t>(n));
  return n <= 0 && !(n < 0 && errno == EINTR);
}

}  // namespace

Outcome play(const Job& job) {
  Outcome outcome;
  outcome.config = job.config;
  outcome.trace = job.dir.filename().string();
  outcome.mem_latency = job.mem_latency;
  const auto refuse = [&](const Diagnostics& errors) {
    add_errors(outcome, errors);
    outcome.bad_input = true;
    return outcome;
  };
  try {
    const auto hw = load_hw_config(job.config);
    if (!hw) return refuse(hw.errors());
    outcome.config = hw->name;
    const auto timing = TimingParams::load(*hw);
    if (!timing) return refuse(timing.errors());
    const auto trace = load_trace(job.dir, *hw);
    if (!trace) return refuse(trace.errors());
    simulate(*trace, *hw, *timing, job.check_hazards, outcome);
  } catch (const std::exception& e) {
    outcome.passed = false;
    outcome.internal = true;
    outcome.reasons.emplace_back(e.what());
  }
  return outcome;
}

std::vector<Outcome> play_all(const std::vector<Job>& jobs, unsigned processes,
                              const std::function<void(size_t)>& progress) {
  std::vector<Outcome> outcomes(jobs.size());
  std::vector<Child> children;
  size_t next = 0, done = 0;
  while (done < jobs.size()) {
    while (children.size() < processes && next < jobs.size())
      children.push_back(start(jobs, next++));
    std::vector<pollfd> fds;
    for (const Child& child : children) fds.push_back({child.fd, POLLIN, 0});
    if (poll(fds.data(), fds.size(), -1) < 0) continue;
    for (size_t i = fds.size(); i-- > 0;) {
      if (fds[i].revents == 0 || !drain(children[i])) continue;
      int status = 0;
      close(children[i].fd);
      waitpid(children[i].pid, &status, 0);
      outcomes[children[i].job] = from_text(children[i].text, jobs[children[i].job], status);
      children.erase(children.begin() + static_cast<std::ptrdiff_t>(i));
      progress(++done);
    }
  }
  return outcomes;
}

}  // namespace dlavp::trace
