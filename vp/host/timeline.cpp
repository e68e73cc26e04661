#include "vp/host/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace dlavp::vp {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<const char*, kActivityUnits> kUnitNames = {"CONV", "SDP", "PDP", "CDP"};
constexpr std::array<const char*, mcif::kReadClients> kReadNames = {
    "BDMA",           "SDP input",      "PDP",       "CDP",         "Rubik", "SDP operands 1",
    "SDP operands 2", "SDP operands 3", "CDMA data", "CDMA weights"};
constexpr std::array<const char*, mcif::kWriteClients> kWriteNames = {"BDMA", "SDP", "PDP", "CDP",
                                                                      "Rubik"};
/// Processes of the trace: Perfetto shows one group of tracks for each.
enum Process : int { kAccelerator = 1, kCore, kUnitLoad, kDmaLoad };
constexpr int kInterruptTrack = 100;

struct Span {
  sim::Cycle from, until;
};

/// One event a line, so that a long trace needs no memory.
class Events {
 public:
  Events(std::ostream& out, const PlatformConfig& platform)
      : out_(out),
        cycle_us_(1e6 / platform.nvdla_clock_hz),
        core_us_(1e6 / platform.core_clock_hz) {
    out_ << "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  }
  void finish() { out_ << "\n]}\n"; }

  [[nodiscard]] double at(sim::Cycle cycle) const { return static_cast<double>(cycle) * cycle_us_; }
  /// Of the core, whose zero lies `core_zero` microseconds after the accelerator's.
  [[nodiscard]] double at_core(uint64_t cycle) const {
    return static_cast<double>(cycle) * core_us_ + core_zero_;
  }
  void align_core(uint64_t core_cycle, sim::Cycle cycle) {
    core_zero_ = at(cycle) - static_cast<double>(core_cycle) * core_us_;
  }
  void process(int pid, const std::string& name) {
    put({{"ph", "M"}, {"pid", pid}, {"name", "process_name"}, {"args", {{"name", name}}}});
  }
  void track(int pid, int tid, const std::string& name) {
    put({{"ph", "M"},
         {"pid", pid},
         {"tid", tid},
         {"name", "thread_name"},
         {"args", {{"name", name}}}});
  }
  void slice(int pid, int tid, const std::string& name, double from, double until, Json args) {
    put({{"ph", "X"},
         {"pid", pid},
         {"tid", tid},
         {"name", name},
         {"ts", from},
         {"dur", std::max(until - from, 0.0)},
         {"args", std::move(args)}});
  }
  void instant(int pid, int tid, const std::string& name, double at) {
    put({{"ph", "i"}, {"s", "p"}, {"pid", pid}, {"tid", tid}, {"name", name}, {"ts", at}});
  }
  void counter(int pid, const std::string& name, double at, Json values) {
    put({{"ph", "C"}, {"pid", pid}, {"name", name}, {"ts", at}, {"args", std::move(values)}});
  }

 private:
  void put(const Json& event) {
    out_ << (first_ ? "\n" : ",\n") << event.dump(-1, ' ', false, Json::error_handler_t::replace);
    first_ = false;
  }
  std::ostream& out_;
  const double cycle_us_, core_us_;
  double core_zero_ = 0;
  bool first_ = true;
};

std::string operation_name(const Network& network, const FwOperationInfo& op) {
  const OperationName* name = network.operation(op.task, op.index);
  return name && !name->name.empty() ? name->name : fmt::format("{}.{}", op.task, op.index);
}

Json arguments(const OpRecord& record) {
  Json args{{"summary", record.summary},
            {"cycles", record.done - record.started},
            {"enabled", record.enabled},
            {"read_beats", record.read_beats},
            {"write_beats", record.write_beats}};
  for (size_t c = 0; c < sim::kCauses; ++c)
    if (record.cycles.parts()[c] != 0) args[sim::kCauseNames[c]] = record.cycles.parts()[c];
  return args;
}

/// A track a unit and group; a group's slices do not overlap, or viewers would nest them.
void units(Events& events, const RunResult& result, const Network& network) {
  std::map<std::pair<std::string, unsigned>, std::pair<int, sim::Cycle>> tracks;
  events.process(kAccelerator, "NVDLA");
  std::map<sim::Cycle, std::string> names;  // of operations, by when their record ends
  for (const RanOperation& op : result.operations)
    if (op.record) names[op.record->done] = operation_name(network, op.firmware);
  for (const OpRecord& r : result.records) {
    const auto [found, made] = tracks.try_emplace({r.unit, r.group}, 0, 0);
    auto& [tid, end] = found->second;
    if (made) {
      tid = static_cast<int>(tracks.size());
      events.track(kAccelerator, tid, fmt::format("{} group {}", r.unit, r.group));
    }
    const auto name = names.find(r.done);
    events.slice(kAccelerator, tid, name == names.end() ? r.unit : name->second,
                 events.at(std::max(r.started, end)), events.at(r.done), arguments(r));
    end = r.done;
  }
  events.track(kAccelerator, kInterruptTrack, "interrupts");
  for (const OpRecord& r : result.records)
    events.instant(kAccelerator, kInterruptTrack, fmt::format("{} group {}", r.unit, r.group),
                   events.at(r.done));
}

void core(Events& events, const RunResult& result, const Network& network) {
  for (const RanOperation& op : result.operations) {
    if (!op.record || op.firmware.enabled == 0) continue;
    events.align_core(op.firmware.enabled, op.record->enabled);
    break;
  }
  enum : int { kTasks = 1, kOperations };
  events.process(kCore, "core");
  events.track(kCore, kTasks, "tasks");
  events.track(kCore, kOperations, "programming");
  for (size_t i = 0; i < result.tasks.size(); ++i)
    if (const FwTaskInfo& t = result.tasks[i]; t.done >= t.started)
      events.slice(kCore, kTasks, fmt::format("task {}", t.task), events.at_core(t.started),
                   events.at_core(t.done), Json::object());
  double end = -1e300;
  std::vector<FwOperationInfo> ops;
  for (const RanOperation& op : result.operations)
    if (op.firmware.programmed != 0) ops.push_back(op.firmware);
  std::sort(ops.begin(), ops.end(), [](const FwOperationInfo& a, const FwOperationInfo& b) {
    return a.programmed < b.programmed;
  });
  for (const FwOperationInfo& op : ops) {
    const double from = std::max(events.at_core(op.programmed), end);
    end =
        events.at_core(op.engine == FW_ENGINE_CPU ? op.done : std::max(op.enabled, op.programmed));
    events.slice(kCore, kOperations, operation_name(network, op), from, end,
                 {{"task", op.task}, {"index", op.index}, {"group", op.group}});
    end = std::max(end, from);
  }
}

/// Share of each stretch, of the stretches between `from` and `until`.
template <typename Values>
void counters(Events& events, int pid, const std::string& name, const sim::Activity& activity,
              const Span& run, const Values& values) {
  const sim::Cycle stretch = activity.stretch();
  for (sim::Cycle at = run.from / stretch * stretch; at < run.until; at += stretch)
    events.counter(pid, name, events.at(std::max(at, run.from)),
                   values(static_cast<size_t>(at / stretch)));
  events.counter(pid, name, events.at(run.until), values(~size_t{0}));
}

double share(const sim::Activity& activity, size_t series, size_t stretch) {
  const auto& counts = activity.counts(series);
  return stretch < counts.size()
             ? static_cast<double>(counts[stretch]) / static_cast<double>(activity.stretch())
             : 0;
}

bool empty(const sim::Activity& activity, size_t series) {
  const auto& counts = activity.counts(series);
  return std::all_of(counts.begin(), counts.end(), [](uint64_t c) { return c == 0; });
}

}  // namespace

struct TimelineRecorder::Activities {
  std::array<sim::Activity, kActivityUnits> units{
      sim::Activity(sim::kCauses), sim::Activity(sim::kCauses), sim::Activity(sim::kCauses),
      sim::Activity(sim::kCauses)};
  sim::Activity reads{mcif::kReadClients}, writes{mcif::kWriteClients};
  sim::Activity second_reads{mcif::kReadClients}, second_writes{mcif::kWriteClients};
};

TimelineRecorder::TimelineRecorder(nvdla::Accelerator& accelerator)
    : accelerator_(accelerator), activities_(std::make_unique<Activities>()) {
  for (size_t i = 0; i < kActivityUnits; ++i)
    accelerator.watch_activity(static_cast<ActivityUnit>(i), &activities_->units[i]);
  accelerator.watch_memory(&activities_->reads, &activities_->writes, false);
  accelerator.watch_memory(&activities_->second_reads, &activities_->second_writes, true);
}

TimelineRecorder::~TimelineRecorder() {
  for (size_t i = 0; i < kActivityUnits; ++i)
    accelerator_.watch_activity(static_cast<ActivityUnit>(i), nullptr);
  accelerator_.watch_memory(nullptr, nullptr, false);
  accelerator_.watch_memory(nullptr, nullptr, true);
}

void TimelineRecorder::write_json(std::ostream& out, const RunResult& result,
                                  const Network& network, const PlatformConfig& platform) const {
  Events events(out, platform);
  units(events, result, network);
  core(events, result, network);
  Span run{sim::kNever, 0};
  for (const OpRecord& r : result.records)
    run = {std::min(run.from, r.enabled), std::max(run.until, r.done)};
  events.process(kUnitLoad, "units: share of cycles");
  for (size_t u = 0; u < kActivityUnits && run.until != 0; ++u) {
    const sim::Activity& activity = activities_->units[u];
    for (size_t c = 0; c < sim::kCauses; ++c)
      if (!empty(activity, c))
        counters(events, kUnitLoad, fmt::format("{} {}", kUnitNames[u], sim::kCauseNames[c]),
                 activity, run, [&](size_t s) {
                   return Json{{"share", share(activity, c, s)}};
                 });
  }
  events.process(kDmaLoad, "DMA clients: beats a cycle");
  const auto clients = [&](const sim::Activity& activity, const auto& names, const char* what) {
    for (size_t c = 0; c < names.size() && run.until != 0; ++c)
      if (!empty(activity, c))
        counters(events, kDmaLoad, fmt::format("{} {}", names[c], what), activity, run,
                 [&](size_t s) {
                   return Json{{"beats", share(activity, c, s)}};
                 });
  };
  clients(activities_->reads, kReadNames, "read");
  clients(activities_->writes, kWriteNames, "write");
  clients(activities_->second_reads, kReadNames, "read (second port)");
  clients(activities_->second_writes, kWriteNames, "write (second port)");
  events.finish();
}

}  // namespace dlavp::vp
