// A run's operations as value changes (IEEE 1364 VCD): a bit a unit and group that is high while an
// operation runs, the number of the unit's operation, and a pulse when it completes.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "vp/host/timeline.hpp"

namespace dlavp::vp {

namespace {

struct Change {
  sim::Cycle at = 0;
  std::string text;
};

/// VCD's short names: printable characters, least significant first.
std::string identifier(size_t index) {
  constexpr size_t kFirst = '!', kCount = '~' - '!' + 1;
  std::string out;
  do {
    out += static_cast<char>(kFirst + index % kCount);
    index /= kCount;
  } while (index != 0);
  return out;
}

std::string binary(uint64_t value) {
  std::string bits;
  for (; value != 0; value /= 2) bits.insert(bits.begin(), value % 2 != 0 ? '1' : '0');
  return bits.empty() ? "0" : bits;
}

struct UnitSignals {
  std::string busy[2], operation, done;
  uint64_t operations = 0;
  sim::Cycle busy_until[2] = {0, 0};
};

std::map<std::string, UnitSignals> declare(std::ostream& out,
                                           const std::vector<OpRecord>& records) {
  std::map<std::string, UnitSignals> signals;
  size_t next = 0;
  for (const OpRecord& r : records) signals.try_emplace(r.unit);
  out << "$scope module nvdla $end\n";
  for (auto& [unit, s] : signals) {
    const auto wire = [&](std::string& id, int bits, const std::string& name) {
      id = identifier(next++);
      out << fmt::format("$var wire {} {} {} $end\n", bits, id, name);
    };
    out << fmt::format("$scope module {} $end\n", unit);
    wire(s.busy[0], 1, "group0_busy");
    wire(s.busy[1], 1, "group1_busy");
    wire(s.operation, 32, "operation");
    wire(s.done, 1, "done");
    out << "$upscope $end\n";
  }
  out << "$upscope $end\n$enddefinitions $end\n$dumpvars\n";
  for (const auto& [unit, s] : signals)
    out << fmt::format("0{}\n0{}\nb0 {}\n0{}\n", s.busy[0], s.busy[1], s.operation, s.done);
  out << "$end\n";
  return signals;
}

}  // namespace

void write_vcd(std::ostream& out, const RunResult& result, const PlatformConfig& platform) {
  constexpr double kPicoseconds = 1e12;
  const auto period = static_cast<uint64_t>(kPicoseconds / platform.nvdla_clock_hz + 0.5);
  out << "$timescale 1ps $end\n";
  auto signals = declare(out, result.records);
  std::vector<Change> changes;
  for (const OpRecord& r : result.records) {
    UnitSignals& s = signals[r.unit];
    sim::Cycle& until = s.busy_until[r.group % 2];
    const std::string& busy = s.busy[r.group % 2];
    changes.push_back({std::max(r.started, until), "1" + busy});
    changes.push_back(
        {std::max(r.started, until), fmt::format("b{} {}", binary(++s.operations), s.operation)});
    changes.push_back({r.done, "0" + busy});
    changes.push_back({r.done, "1" + s.done});
    changes.push_back({r.done + 1, "0" + s.done});
    until = r.done;
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.at < b.at; });
  sim::Cycle at = sim::kNever;
  for (const Change& c : changes) {
    if (c.at != at) out << fmt::format("#{}\n", c.at * period);
    at = c.at;
    out << c.text << "\n";
  }
}

}  // namespace dlavp::vp
