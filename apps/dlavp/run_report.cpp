#include "apps/dlavp/run_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "apps/dlavp/run_rows.hpp"
#include "vp/host/tensor_io.hpp"
#include "vp/host/unit_time.hpp"

namespace dlavp::app {

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kTop = 5;
constexpr size_t kMostValues = 4096;  ///< of a tensor in JSON

void print_units(const std::vector<OpRecord>& records) {
  fmt::print("\n  {:<6} {:>5}", "unit", "ops");
  for (size_t c = 0; c < sim::kCauses; ++c)
    if (static_cast<sim::Cause>(c) != sim::Cause::kOverlap)
      fmt::print(" {:>12}", sim::kCauseNames[c]);
  fmt::print(" {:>9} {:>12} {:>12} {:>13}\n", "start", "other units", "core", "sum of cycles");
  for (const vp::UnitTime& t : vp::unit_times(records)) {
    fmt::print("  {:<6} {:>5}", t.unit, t.operations);
    for (size_t c = 0; c < sim::kCauses; ++c)
      if (static_cast<sim::Cause>(c) != sim::Cause::kOverlap) fmt::print(" {:>12}", t.parts[c]);
    fmt::print(" {:>9} {:>12} {:>12} {:>13}\n", t.start, t.others, t.core, t.total);
  }
}

Json parts_json(const sim::CycleAccount::Parts& parts) {
  Json j = Json::object();
  for (size_t c = 0; c < sim::kCauses; ++c) j[sim::kCauseNames[c]] = parts[c];
  return j;
}

Json units_json(const std::vector<OpRecord>& records) {
  Json all = Json::array();
  for (const vp::UnitTime& t : vp::unit_times(records)) {
    Json j{{"unit", t.unit}, {"operations", t.operations}, {"total", t.total}};
    j["cycles_by_cause"] = parts_json(t.parts);
    j["cycles_by_cause"].erase(sim::kCauseNames[static_cast<size_t>(sim::Cause::kOverlap)]);
    j["cycles_by_cause"]["start"] = t.start;
    j["cycles_by_cause"]["other_units"] = t.others;
    j["cycles_by_cause"]["core"] = t.core;
    all.push_back(std::move(j));
  }
  return all;
}

/// Indices of the largest values, largest first; equal ones in index order.
std::vector<size_t> top(const std::vector<int8_t>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t n = std::min(kTop, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(n), order.end(),
      [&](size_t a, size_t b) { return values[a] != values[b] ? values[a] > values[b] : a < b; });
  order.resize(n);
  return order;
}

std::string label(const vp::Network& network, size_t index) {
  return index < network.labels.size() ? network.labels[index] : fmt::format("class {}", index);
}

std::string scale_text(const vp::IoTensor& t) {
  if (!t.scale) return "";
  return fmt::format(", scale {:g}", *t.scale) +
         (t.zero_point != 0 ? fmt::format(" zero {}", t.zero_point) : "");
}

bool is_vector(const vp::IoTensor& t) { return t.described && t.height == 1 && t.width == 1; }

void print_output(const vp::Network& network, const vp::IoTensor& t,
                  const std::vector<int8_t>& values) {
  if (is_vector(t) && values.size() > 1) {
    fmt::print("  {}:", t.name);
    for (const size_t i : top(values))
      fmt::print("  {} {}", label(network, i),
                 t.scale ? fmt::format("{:.3f}", (values[i] - t.zero_point) * *t.scale)
                         : fmt::format("{}", int{values[i]}));
    fmt::print("\n");
    return;
  }
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (values.empty()) return;
  fmt::print("  {}: {} x {} x {} (C H W) int8{}, {} to {}\n", t.name, t.channels, t.height, t.width,
             scale_text(t), int{*low}, int{*high});
}

Json row_json(const RunRow& row) {
  Json j{{"task", row.task},   {"index", row.index},   {"name", row.name},  {"engine", row.engine},
         {"start", row.start}, {"cycles", row.cycles}, {"bytes", row.bytes}};
  j["utilisation"] = row.utilisation < 0 ? Json() : Json(row.utilisation);
  j["layer"] = row.layer ? Json(*row.layer) : Json();
  j["summary"] = row.summary;
  j["cycles_by_cause"] = parts_json(row.parts);
  j["core"] = {
      {"programmed", row.core.programmed}, {"enabled", row.core.enabled}, {"done", row.core.done}};
  return j;
}

Json layer_json(const LayerRow& layer) {
  Json engines = Json::object();
  for (const auto& [engine, count] : layer.engines) engines[engine] = count;
  Json j{{"name", layer.name}, {"operations", engines},  {"start", layer.start},
         {"done", layer.done}, {"cycles", layer.cycles}, {"bytes", layer.bytes},
         {"macs", layer.macs}};
  j["utilisation"] = layer.utilisation < 0 ? Json() : Json(layer.utilisation);
  j["cycles_by_cause"] = parts_json(layer.parts);
  return j;
}

std::string percent(double utilisation) {
  return utilisation < 0 ? "" : fmt::format("{:.1f} %", 100 * utilisation);
}

void print_operations(const std::vector<RunRow>& rows) {
  fmt::print("\n  {:<24} {:<6} {:>12} {:>12} {:>12} {:>7}  {}\n", "operation", "engine", "start",
             "cycles", "bytes", "MACs", "% of cycles");
  for (const RunRow& row : rows)
    fmt::print("  {:<24} {:<6} {:>12} {:>12} {:>12} {:>7}  {}\n", row.name, row.engine, row.start,
               row.cycles, row.bytes, percent(row.utilisation),
               cause_shares(row.parts, sim::kCauses));
}

void print_layers(const std::vector<LayerRow>& layers) {
  constexpr size_t kMostCauses = 3;
  size_t width = 5, units = 5;
  std::vector<std::string> texts;
  for (const LayerRow& layer : layers) {
    std::string text;
    for (const auto& [engine, count] : layer.engines)
      text +=
          (text.empty() ? "" : " ") + (count == 1 ? engine : fmt::format("{} x{}", engine, count));
    width = std::max(width, layer.name.size());
    units = std::max(units, text.size());
    texts.push_back(std::move(text));
  }
  fmt::print("\n  {:<{}}  {:<{}} {:>12} {:>12} {:>12} {:>8}  {}\n", "layer", width, "units", units,
             "done at", "cycles", "bytes", "MACs", "% of cycles, of the unit that works longest");
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerRow& layer = layers[i];
    fmt::print("  {:<{}}  {:<{}} {:>12} {:>12} {:>12} {:>8}  {}\n", layer.name, width, texts[i],
               units, layer.done, layer.cycles, layer.bytes, percent(layer.utilisation),
               cause_shares(layer.parts, kMostCauses));
  }
}

}  // namespace

RunTotals totals(const vp::RunResult& r, const vp::Network& network, const HwConfig& hw) {
  RunTotals t;
  const uint64_t origin = first_enable(r);
  for (const OpRecord& record : r.records) {
    t.accelerator_cycles = std::max(t.accelerator_cycles, record.done - origin);
  }
  for (const vp::RanOperation& op : r.operations) t.macs += network_macs(network, op);
  t.core_cycles = r.firmware.done_cycle - r.firmware.ready_cycle;
  t.setup_cycles = r.firmware.ready_cycle - r.firmware.boot_cycle;
  t.core_asleep = r.firmware.sleep_cycles;
  t.bytes = (r.read_beats + r.write_beats) * hw.primary_memif.width_bytes();
  if (t.accelerator_cycles != 0)
    t.utilisation =
        static_cast<double>(t.macs) / (static_cast<double>(t.accelerator_cycles) * hw.macs());
  return t;
}

std::string memory_text(const MemoryConfig& m) { return m.text(); }

struct RunReport::Collected {
  Json runs = Json::array();
};

RunReport::RunReport(const HwConfig& hw, const PlatformConfig& platform, const vp::Network& network,
                     std::string model)
    : hw_(hw),
      platform_(platform),
      network_(network),
      model_(std::move(model)),
      collected_(std::make_unique<Collected>()) {}

RunReport::~RunReport() = default;

double RunReport::clocks() const { return platform_.nvdla_clock_hz / platform_.core_clock_hz; }

void RunReport::print(const vp::RunResult& r, const std::string& input, RunTable table) const {
  fmt::print("{}\n", input.empty() ? model_ : input);
  for (size_t k = 0; k < r.outputs.size(); ++k)
    print_output(network_, network_.outputs[k],
                 vp::unpack_output(network_.outputs[k], r.outputs[k]));
  if (!platform_.mode.function) fmt::print("  function off: no output is computed or written\n");
  if (!platform_.mode.timed()) return fmt::print("  timing none: no cycles\n");
  const RunTotals t = totals(r, network_, hw_);
  if (table != RunTable::kNone) {
    const auto rows = run_rows(r, network_, hw_);
    const auto layers = layer_rows(rows, network_, hw_, clocks());
    if (table == RunTable::kOperations || layers.empty())
      print_operations(rows);
    else
      print_layers(layers);
    print_units(r.records);
    fmt::print("\n");
  }
  const double ms = 1e3 * static_cast<double>(t.accelerator_cycles) / platform_.nvdla_clock_hz;
  fmt::print(
      "  {} cycles on the accelerator ({:.3f} ms), {} on the core ({} asleep), {} bytes moved, "
      "{:.1f} % of the "
      "multipliers\n",
      t.accelerator_cycles, ms, t.core_cycles, t.core_asleep, t.bytes, 100 * t.utilisation);
  if (table != RunTable::kNone)
    fmt::print("  assumptions: {}, {:g} MHz (core {:g} MHz), int8, batch 1, memory: {}{}\n\n",
               hw_.name, platform_.nvdla_clock_hz / 1e6, platform_.core_clock_hz / 1e6,
               memory_text(platform_.dram),
               platform_.mode.whole() ? "; timing fast: each operation in closed form" : "");
}

void RunReport::add_json(const vp::RunResult& r, const std::string& input) {
  const RunTotals t = totals(r, network_, hw_);
  Json run{{"input", input}, {"outputs", Json::array()}};
  for (size_t k = 0; k < r.outputs.size(); ++k) {
    const vp::IoTensor& tensor = network_.outputs[k];
    const auto values = vp::unpack_output(tensor, r.outputs[k]);
    Json out{{"name", tensor.name},
             {"bind_id", tensor.bind_id},
             {"shape", {1, tensor.channels, tensor.height, tensor.width}}};
    out["scale"] = tensor.scale ? Json(*tensor.scale) : Json();
    out["zero_point"] = tensor.scale ? Json(tensor.zero_point) : Json();
    if (is_vector(tensor))
      for (const size_t i : top(values))
        out["top"].push_back({{"index", i}, {"label", label(network_, i)}, {"value", values[i]}});
    if (values.size() <= kMostValues) out["values"] = values;
    run["outputs"].push_back(std::move(out));
  }
  run["cycles"] = nullptr;
  if (platform_.mode.timed())
    run["cycles"] = {{"accelerator", t.accelerator_cycles},
                     {"core", t.core_cycles},
                     {"core_asleep", t.core_asleep},
                     {"core_setup", t.setup_cycles}};
  run["bytes"] = t.bytes;
  run["macs"] = t.macs;
  run["utilisation"] = t.utilisation;
  run["instructions"] = r.instructions;
  run["units"] = Json::array();
  run["layers"] = Json::array();
  run["operations"] = Json::array();
  if (!platform_.mode.timed()) return collected_->runs.push_back(std::move(run));
  run["units"] = units_json(r.records);
  const auto rows = run_rows(r, network_, hw_);
  for (const LayerRow& layer : layer_rows(rows, network_, hw_, clocks()))
    run["layers"].push_back(layer_json(layer));
  for (const RunRow& row : rows) run["operations"].push_back(row_json(row));
  collected_->runs.push_back(std::move(run));
}

std::string RunReport::json() const {
  return Json{{"model", model_},
              {"config", hw_.name},
              {"platform", platform_.name},
              {"clock_hz", platform_.nvdla_clock_hz},
              {"precision", "int8"},
              {"batch", 1},
              {"timing", timing_mode_name(platform_.mode.timing)},
              {"function", platform_.mode.function},
              {"memory", memory_text(platform_.dram)},
              {"runs", collected_->runs}}
      .dump(2);
}

}  // namespace dlavp::app
