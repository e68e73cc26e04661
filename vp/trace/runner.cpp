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

/// What several accelerators share.
struct Channel {
  MemoryConfig config;
  std::shared_ptr<mcif::MemoryTiming> primary, secondary;
  unsigned playing = 0;  ///< traces that have not ended
};

/// Accelerators see one memory in parts of this size, so that their surfaces are not in one place.
constexpr uint64_t kPartBytes = uint64_t{1} << 48;

/// A trace with all that it is played on.
struct Input {
  HwConfig hw;
  TimingParams timing;
  Trace trace;
};

/// One accelerator with its memories and the player of its trace.
class Station {
 public:
  Station(const Input& input, const Job& job, unsigned number, Channel& channel)
      : clock_{sc_core::sc_time(1, sc_core::SC_NS)},
        dut_(named("nvdla", number).c_str(), input.hw, input.timing, clock_.period,
             {job.timing, true}),
        primary_(named("primary", number).c_str(), kMemoryBytes, channel.config, clock_,
                 channel.primary, number * kPartBytes),
        line_(named("line", number).c_str()) {
    if (input.hw.secondary_memif)
      secondary_.emplace(named("secondary", number).c_str(), kMemoryBytes, channel.config, clock_,
                         channel.secondary, number * kPartBytes);
    if (job.check_hazards) dut_.accelerator().check_hazards();
    player_.emplace(named("player", number).c_str(), input.trace, dut_, primary_.storage(),
                    secondary_ ? &secondary_->storage() : nullptr, [&channel] {
                      if (--channel.playing == 0) sc_core::sc_stop();
                    });
    player_->csb.bind(dut_.csb);
    player_->interrupt(line_);
    dut_.interrupt(line_);
    dut_.dbb.bind(primary_.socket);
    if (secondary_) dut_.cvsram.bind(secondary_->socket);
  }

  void report(Outcome& outcome) {
    outcome.simulated_cycles = clock_.floor(sc_core::sc_time_stamp());
    describe(dut_.accelerator(), outcome);
    outcome.read_beats = dut_.accelerator().read_beats();
    outcome.write_beats = dut_.accelerator().write_beats();
    add_errors(outcome, player_->failures());
    add_errors(outcome, dut_.accelerator().hazards());
    outcome.bad_input = !dut_.accelerator().program_errors().empty();
    if (!player_->finished() && player_->failures().empty())
      outcome.reasons.push_back(
          fmt::format("never finished: awaits {} [trace.unfinished]", player_->awaited()));
    outcome.passed = outcome.reasons.empty();
    if (player_->finished() && dut_.accelerator().mode().timed())
      outcome.cycles = player_->run_cycles();
  }

 private:
  static std::string named(const char* what, unsigned number) {
    return number == 0 ? what : fmt::format("{}_{}", what, number);
  }

  const nvdla::Clock clock_;
  nvdla::Nvdla dut_;
  vp::Ram primary_;
  std::optional<vp::Ram> secondary_;
  sc_core::sc_signal<bool> line_;
  std::optional<Player> player_;
};

/// Plays `inputs`, one a job, at the same time.
void simulate(const std::vector<Input>& inputs, const std::vector<Job>& jobs,
              std::vector<Outcome>& outcomes) {
  Channel channel;
  channel.config.latency_cycles = jobs.front().mem_latency;
  if (jobs.front().memory) channel.config = *jobs.front().memory;
  constexpr double kClockHz = 1e9;
  channel.primary = vp::make_memory_timing(channel.config, kClockHz);
  channel.secondary = vp::make_memory_timing(channel.config, kClockHz);
  channel.playing = static_cast<unsigned>(jobs.size());
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  std::vector<std::unique_ptr<Station>> stations;
  for (unsigned i = 0; i < jobs.size(); ++i)
    stations.push_back(std::make_unique<Station>(inputs[i], jobs[i], i, channel));
  const std::clock_t begun = std::clock();
  sc_core::sc_start();
  for (size_t i = 0; i < jobs.size(); ++i) {
    outcomes[i].seconds = static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
    stations[i]->report(outcomes[i]);
  }
}

/// The job's trace and configuration.
Result<Input> load(const Job& job) {
  const auto hw = load_hw_config(job.config);
  if (!hw) return hw.errors();
  const auto timing = TimingParams::load(*hw);
  if (!timing) return timing.errors();
  const auto trace = load_trace(job.dir, *hw);
  if (!trace) return trace.errors();
  return Input{*hw, *timing, *trace};
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

std::vector<Outcome> play_together(const std::vector<Job>& jobs) {
  std::vector<Outcome> outcomes(jobs.size());
  std::vector<Input> inputs;
  bool all = true;
  for (size_t i = 0; i < jobs.size(); ++i) {
    outcomes[i].config = jobs[i].config;
    outcomes[i].trace = jobs[i].dir.filename().string();
    outcomes[i].mem_latency = jobs[i].mem_latency;
    auto input = load(jobs[i]);
    outcomes[i].bad_input = !input;
    all = all && input;
    if (!input) {
      add_errors(outcomes[i], input.errors());
      continue;
    }
    outcomes[i].config = input->hw.name;
    inputs.push_back(std::move(*input));
  }
  if (!all) return outcomes;
  try {
    simulate(inputs, jobs, outcomes);
  } catch (const std::exception& e) {
    for (Outcome& outcome : outcomes) {
      outcome.passed = false;
      outcome.internal = true;
      outcome.reasons.emplace_back(e.what());
    }
  }
  return outcomes;
}

Outcome play(const Job& job) { return play_together({job}).front(); }

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
