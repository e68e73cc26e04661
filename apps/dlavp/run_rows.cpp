#include "apps/dlavp/run_rows.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace dlavp::app {

namespace {

const char* engine_name(uint32_t engine) {
  static constexpr const char* kNames[] = {"BDMA", "CONV", "SDP", "PDP", "CDP", "RUBIK", "CPU"};
  return engine < std::size(kNames) ? kNames[engine] : "?";
}

/// The core's time of an operation by the accelerator's clock, from the first enable on.
class CoreClock {
 public:
  CoreClock(const std::vector<RunRow>& rows, double clocks) : clocks_(clocks) {
    for (const RunRow& row : rows)
      if (row.engine != "CPU" && row.core.enabled < enabled_) enabled_ = row.core.enabled;
  }
  [[nodiscard]] uint64_t at(uint64_t core_cycle) const {
    if (core_cycle < enabled_) return 0;
    return static_cast<uint64_t>(static_cast<double>(core_cycle - enabled_) * clocks_);
  }

 private:
  double clocks_;
  uint64_t enabled_ = sim::kNever;
};

struct Span {
  uint64_t start = 0, done = 0;
};

Span span_of(const RunRow& row, const CoreClock& clock) {
  if (row.engine == "CPU") return {clock.at(row.core.enabled), clock.at(row.core.done)};
  return {row.start, row.start + row.cycles};
}

/// The cycles of a layer's operations, a unit each.
struct UnitParts {
  uint64_t cycles = 0;
  sim::CycleAccount::Parts parts{};
};

}  // namespace

uint64_t first_enable(const vp::RunResult& r) {
  uint64_t first = sim::kNever;
  for (const OpRecord& record : r.records) first = std::min(first, record.enabled);
  return first == sim::kNever ? 0 : first;
}

uint64_t network_macs(const vp::Network& network, const vp::RanOperation& op) {
  if (!op.record) return 0;
  const vp::OperationName* name = network.operation(op.firmware.task, op.firmware.index);
  return name != nullptr ? name->macs : op.record->macs;
}

std::vector<RunRow> run_rows(const vp::RunResult& r, const vp::Network& network,
                             const HwConfig& hw) {
  const uint64_t origin = first_enable(r);
  std::vector<RunRow> out;
  for (const vp::RanOperation& op : r.operations) {
    RunRow row;
    row.core = op.firmware;
    row.task = op.firmware.task;
    row.index = op.firmware.index;
    row.engine = engine_name(op.firmware.engine);
    const vp::OperationName* name = network.operation(row.task, row.index);
    row.name = name != nullptr && !name->name.empty() ? name->name
                                                      : fmt::format("{}.{}", row.task, row.index);
    if (name != nullptr) row.layer = name->layer;
    row.cycles = op.firmware.done - op.firmware.enabled;
    if (op.record) {
      const OpRecord& record = *op.record;
      row.start = record.started - origin;
      row.cycles = record.done - record.started;
      row.bytes = (record.read_beats + record.write_beats) * hw.primary_memif.width_bytes();
      row.macs = network_macs(network, op);
      if (row.macs != 0 && row.cycles != 0)
        row.utilisation =
            static_cast<double>(row.macs) / (static_cast<double>(row.cycles) * hw.macs());
      row.summary = record.summary;
      row.parts = record.cycles.parts();
    }
    out.push_back(std::move(row));
  }
  return out;
}

size_t LayerRow::operations() const {
  size_t n = 0;
  for (const auto& [engine, count] : engines) n += count;
  return n;
}

std::vector<LayerRow> layer_rows(const std::vector<RunRow>& rows, const vp::Network& network,
                                 const HwConfig& hw, double clocks) {
  std::vector<LayerRow> out;
  if (network.layers.empty()) return out;
  const CoreClock clock(rows, clocks);
  std::map<size_t, size_t> places;  // by layer
  std::vector<std::map<std::string, UnitParts>> units;
  for (const RunRow& row : rows) {
    const auto [it, fresh] =
        places.try_emplace(row.layer.value_or(network.layers.size()), out.size());
    const Span span = span_of(row, clock);
    if (fresh) {
      out.emplace_back();
      units.emplace_back();
      out.back().name = row.layer ? network.layers[*row.layer] : row.name;
      out.back().start = span.start;
    }
    LayerRow& layer = out[it->second];
    layer.start = std::min(layer.start, span.start);
    layer.done = std::max(layer.done, span.done);
    layer.bytes += row.bytes;
    layer.macs += row.macs;
    const auto engine = std::find_if(layer.engines.begin(), layer.engines.end(),
                                     [&](const auto& e) { return e.first == row.engine; });
    if (engine == layer.engines.end())
      layer.engines.emplace_back(row.engine, 1);
    else
      ++engine->second;
    UnitParts& unit = units[it->second][row.engine];
    unit.cycles += row.cycles;
    for (size_t c = 0; c < row.parts.size(); ++c) unit.parts[c] += row.parts[c];
  }
  for (size_t i = 0; i < out.size(); ++i)
    out[i].parts =
        std::max_element(units[i].begin(), units[i].end(), [](const auto& a, const auto& b) {
          return a.second.cycles < b.second.cycles;
        })->second.parts;
  std::stable_sort(out.begin(), out.end(),
                   [](const LayerRow& a, const LayerRow& b) { return a.done < b.done; });
  uint64_t before = 0;
  for (LayerRow& layer : out) {
    layer.cycles = layer.done - before;
    before = layer.done;
    if (layer.macs != 0 && layer.cycles != 0)
      layer.utilisation =
          static_cast<double>(layer.macs) / (static_cast<double>(layer.cycles) * hw.macs());
  }
  return out;
}

std::string cause_shares(const sim::CycleAccount::Parts& parts, size_t most) {
  std::vector<size_t> order(sim::kCauses);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return parts[a] > parts[b]; });
  const double all = static_cast<double>(std::accumulate(parts.begin(), parts.end(), uint64_t{0}));
  std::string text;
  for (size_t i = 0; i < std::min(most, order.size()); ++i) {
    const size_t c = order[i];
    if (parts[c] == 0) continue;
    text += fmt::format("{}{} {:.1f}", text.empty() ? "" : ", ", sim::kCauseNames[c],
                        100.0 * static_cast<double>(parts[c]) / all);
  }
  return text;
}

}  // namespace dlavp::app
