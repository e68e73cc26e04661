#include "apps/dlavp/validation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "models/common/yaml_reader.hpp"

namespace dlavp::app {

namespace {

using trace::Outcome;

constexpr size_t kWorstCases = 10;
/// Upper ends of the histogram's bins, as fractions; the last bin is what lies above.
constexpr std::array kBins = {0.0, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05};

std::vector<const Compared*> pointers(const std::vector<Compared>& rows) {
  std::vector<const Compared*> all;
  for (const Compared& row : rows) all.push_back(&row);
  return all;
}

std::string percent(double fraction) { return fmt::format("{:.2f} %", fraction * 100); }

std::string summary_cells(const ErrorSummary& s) {
  return fmt::format("{} | {} | {} | {}", s.rows, percent(s.median), percent(s.worst),
                     s.beats_equal == s.rows ? std::string("all")
                                             : fmt::format("{} of {}", s.beats_equal, s.rows));
}

/// Summary of the rows that `wanted` picks.
template <typename Wanted>
ErrorSummary summary_of(const std::vector<Compared>& rows, const Wanted& wanted) {
  std::vector<const Compared*> part;
  for (const Compared& row : rows)
    if (wanted(row)) part.push_back(&row);
  return summarise(part);
}

std::string histogram(const std::vector<Compared>& rows) {
  std::vector<size_t> counts(kBins.size() + 1);
  for (const Compared& row : rows) {
    size_t bin = 0;
    while (bin < kBins.size() && std::abs(row.error) > kBins[bin]) ++bin;
    ++counts[bin];
  }
  constexpr size_t kWidth = 50;
  const size_t most = std::max<size_t>(*std::max_element(counts.begin(), counts.end()), 1);
  std::string out = "    absolute error        rows\n";
  for (size_t bin = 0; bin < counts.size(); ++bin) {
    const std::string label = bin == 0              ? std::string("exact")
                              : bin == kBins.size() ? "above " + percent(kBins.back())
                                                    : "up to " + percent(kBins[bin]);
    out += fmt::format("    {:<16}{:>10}  {}\n", label, counts[bin],
                       std::string((counts[bin] * kWidth + most - 1) / most, '#'));
  }
  return out;
}

std::string causes(const Outcome& o) {
  std::string text;
  for (const auto& [cause, cycles] : o.causes)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", cause, cycles);
  return text;
}

std::string note_of(const std::map<std::string, std::string>& notes, const Outcome& o) {
  const std::string name = o.config + "/" + o.trace;
  std::string best, text = "not explained yet";
  for (const auto& [prefix, sentence] : notes)
    if (name.starts_with(prefix) && prefix.size() >= best.size()) {
      best = prefix;
      text = sentence;
    }
  return text;
}

std::string worst_cases(const std::vector<Compared>& rows,
                        const std::map<std::string, std::string>& notes) {
  std::vector<const Compared*> order = pointers(rows);
  std::stable_sort(order.begin(), order.end(), [](const Compared* a, const Compared* b) {
    return std::abs(a->error) > std::abs(b->error);
  });
  order.resize(std::min(order.size(), kWorstCases));
  std::string out =
      "| Configuration | Trace | Latency | Here | RTL | Error | Where the last operation's cycles "
      "went | Mechanism |\n|---|---|---|---|---|---|---|---|\n";
  for (const Compared* row : order) {
    const Outcome& o = *row->outcome;
    out += fmt::format("| {} | {} | {} | {} | {} | {:+.2f} % | {} | {} |\n", o.config, o.trace,
                       o.mem_latency, *o.cycles, row->rtl.cycles, row->error * 100, causes(o),
                       row->error == 0 ? "exact" : note_of(notes, o));
  }
  return out;
}

std::string speed(const std::vector<Outcome>& outcomes) {
  struct Sum {
    size_t traces = 0;
    uint64_t cycles = 0, macs = 0;
    double seconds = 0;
  };
  std::map<std::pair<std::string, std::string>, Sum> sums;
  for (const Outcome& o : outcomes) {
    if (!o.cycles || o.seconds <= 0) continue;
    for (const std::string& unit : {o.unit, std::string("all")}) {
      Sum& s = sums[{o.config, unit}];
      ++s.traces;
      s.cycles += o.simulated_cycles;
      s.macs += o.macs;
      s.seconds += o.seconds;
    }
  }
  std::string out =
      "| Configuration | Unit | Traces | Cycles simulated | Million cycles a second | Million MAC "
      "a "
      "second |\n|---|---|---|---|---|---|\n";
  for (const auto& [key, s] : sums)
    out += fmt::format("| {} | {} | {} | {} | {:.2f} | {} |\n", key.first, key.second, s.traces,
                       s.cycles, static_cast<double>(s.cycles) / s.seconds / 1e6,
                       s.macs == 0
                           ? std::string("-")
                           : fmt::format("{:.0f}", static_cast<double>(s.macs) / s.seconds / 1e6));
  return out;
}

std::string group_table(const std::vector<Compared>& rows) {
  std::string out =
      "| Unit | Configuration | Latency | Rows | Median | Worst | Beats equal |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const ErrorGroup& g : group(rows))
    out += fmt::format("| {} | {} | {} | {} |\n", g.unit, g.config, g.mem_latency,
                       summary_cells(g.summary));
  return out;
}

}  // namespace

std::vector<Compared> compare(const std::vector<Outcome>& outcomes, const trace::RtlTable& rtl) {
  std::vector<Compared> out;
  for (const Outcome& o : outcomes) {
    const auto found = rtl.find({o.config, o.trace, o.mem_latency});
    if (found == rtl.end() || !o.cycles || found->second.cycles == 0) continue;
    const trace::RtlRow& row = found->second;
    const auto theirs = static_cast<double>(row.cycles);
    out.push_back({&o, row, (static_cast<double>(*o.cycles) - theirs) / theirs,
                   row.read_beats == o.read_beats && row.write_beats == o.write_beats});
  }
  return out;
}

ErrorSummary summarise(const std::vector<const Compared*>& rows) {
  ErrorSummary s;
  std::vector<double> errors;
  for (const Compared* row : rows) {
    errors.push_back(std::abs(row->error));
    s.beats_equal += row->beats_equal ? 1 : 0;
  }
  s.rows = errors.size();
  if (errors.empty()) return s;
  std::sort(errors.begin(), errors.end());
  s.median = (errors[(s.rows - 1) / 2] + errors[s.rows / 2]) / 2;
  s.worst = errors.back();
  return s;
}

std::vector<ErrorGroup> group(const std::vector<Compared>& rows) {
  std::map<std::tuple<std::string, std::string, uint32_t>, std::vector<const Compared*>> groups;
  for (const Compared& row : rows)
    groups[{row.outcome->unit, row.outcome->config, row.outcome->mem_latency}].push_back(&row);
  std::vector<ErrorGroup> out;
  for (const auto& [key, part] : groups)
    out.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), summarise(part)});
  return out;
}

void print_groups(const std::vector<Compared>& rows) {
  fmt::print("\n{:<6}{:<22}{:>8}{:>7}{:>11}{:>11}{:>14}\n", "unit", "configuration", "latency",
             "rows", "median", "worst", "beats equal");
  for (const ErrorGroup& g : group(rows))
    fmt::print("{:<6}{:<22}{:>8}{:>7}{:>11}{:>11}{:>14}\n", g.unit, g.config, g.mem_latency,
               g.summary.rows, percent(g.summary.median), percent(g.summary.worst),
               g.summary.beats_equal);
}

std::string validation_page(const std::vector<Outcome>& outcomes, const std::vector<Compared>& rows,
                            const std::map<std::string, std::string>& notes,
                            const std::string& networks, const std::string& command) {
  const auto passed = static_cast<size_t>(
      std::count_if(outcomes.begin(), outcomes.end(), [](const Outcome& o) { return o.passed; }));
  std::string out = fmt::format(
      "# Validation\n\nMade by `{}`; nothing here is written by hand but the mechanisms, which "
      "stand "
      "in\n`docs/validation_notes.yaml`. Cycles count from the last enable to the interrupt, on "
      "one "
      "clock, with a memory of\nfixed latency and one read beat a cycle a port.\n\n"
      "{} of {} traces give the published results; {} have cycles measured on the Verilated "
      "RTL.\n\n"
      "## Cycle error\n\n",
      command, passed, outcomes.size(), rows.size());
  out += "| Latency | Rows | Median | Worst | Beats equal |\n|---|---|---|---|---|\n";
  std::vector<uint32_t> latencies;
  for (const Compared& row : rows) latencies.push_back(row.outcome->mem_latency);
  std::sort(latencies.begin(), latencies.end());
  latencies.erase(std::unique(latencies.begin(), latencies.end()), latencies.end());
  for (const uint32_t latency : latencies)
    out += fmt::format("| {} | {} |\n", latency, summary_cells(summary_of(rows, [&](const auto& r) {
                         return r.outcome->mem_latency == latency;
                       })));
  out += fmt::format("| all | {} |\n\n", summary_cells(summarise(pointers(rows))));
  out += histogram(rows) + "\n## Per unit and configuration\n\n" + group_table(rows);
  out += "\n## The cases furthest off\n\n" + worst_cases(rows, notes);
  out += networks;
  out +=
      "\n## Speed\n\nFunction and cycle timing on one core of the machine that made this page, "
      "other "
      "work beside it; reading\nthe trace and its memory is included, so short traces say little. "
      "`bench/` has the figures without.\n\n" +
      speed(outcomes);
  return out;
}

Result<std::map<std::string, std::string>> load_notes(const std::string& path) {
  const auto root = yaml::load_map(path, "validation");
  if (!root) return root.errors();
  std::map<std::string, std::string> notes;
  Diagnostics errors;
  for (const auto& entry : *root) {
    if (!entry.first.IsScalar() || !entry.second.IsScalar())
      errors.add("validation.type", yaml::place_of(path, entry.first),
                 "expected a trace's name, or its beginning, and a sentence");
    else
      notes[entry.first.as<std::string>()] = entry.second.as<std::string>();
  }
  if (!errors.empty()) return errors;
  return notes;
}

}  // namespace dlavp::app
