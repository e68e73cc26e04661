#include "apps/dlavp/estimate_report.hpp"

#include <fmt/format.h>

namespace dlavp::app {

namespace {

using Json = nlohmann::ordered_json;
using namespace dlavp::estimate;

constexpr double kTrueKib = 1024;

std::string machine_text(const SheetMachine& m) {
  std::string text = fmt::format(
      "{} multipliers, {:g} KiB buffer, DRAM {:g} GB/s, {:g} MHz, {} byte{} an element, fully "
      "connected layers in batches of {}",
      m.macs, m.cbuf_kib, m.dram_gb_per_s, m.clock_mhz, m.element_bytes,
      m.element_bytes == 1 ? "" : "s", m.fc_batch);
  if (m.sram)
    text += fmt::format(", SRAM {:g} KiB at {:g}/{:g} GB/s", m.sram->kib, m.sram->read_gb_per_s,
                        m.sram->write_gb_per_s);
  return text;
}

const char* kind_text(LayerKind kind) {
  static constexpr const char* kNames[] = {"conv", "conv+add", "fc"};
  return kNames[static_cast<size_t>(kind)];
}

uint64_t macs(const SheetNetwork& network) {
  uint64_t sum = 0;
  for (const SheetLayer& l : network.layers) sum += l.macs();
  return sum;
}

void print_layers(const EstimateReport& r, const SheetEstimate& e) {
  fmt::print("\n{:<34}{:<10}{:>12}{:>14}{:>14}{:>14}  {}\n", "layer", "kind", "DRAM KiB",
             "MAC cycles", "DRAM cycles", "cycles", "bound");
  for (size_t i = 0; i < e.rows.size(); ++i) {
    const SheetRow& row = e.rows[i];
    fmt::print("{:<34}{:<10}{:>12.1f}{:>14.0f}{:>14.0f}{:>14.0f}  {}\n", r.network.layers[i].name,
               kind_text(r.network.layers[i].kind), row.dram_kib, row.mac_cycles, row.dram_cycles,
               row.cycles, row.bound());
  }
}

void print_timed(const EstimateReport& r, double sheet) {
  const TimedFigure& t = *r.timed;
  const auto cycles = static_cast<double>(t.split.total);
  fmt::print(
      "timed on {}: {} cycles, {:.2f} frames a second at {:g} MHz, batch 1, {} ({} operations)\n",
      r.hw->name, t.split.total, t.clock_hz / cycles, t.clock_hz / 1e6, t.memory, t.operations);
  fmt::print("the spreadsheet is {:+.1f} % off\n\nwhy:\n  {:<66}{:>14.0f}\n",
             (sheet / cycles - 1) * 100, "the spreadsheet's cycles", sheet);
  for (const EstimateStep& s : steps(r)) fmt::print("  {:<66}{:>+14.0f}\n", s.why, s.cycles);
  fmt::print("  {:<66}{:>14}\n", "timed", t.split.total);
}

}  // namespace

std::vector<EstimateStep> steps(const EstimateReport& r) {
  std::vector<EstimateStep> out;
  if (!r.timed || !r.hw) return out;
  SheetNetwork net = r.network;
  SheetMachine machine = r.machine;
  double before = evaluate(net, machine).cycles;
  const auto step = [&](const std::string& why) {
    const double after = evaluate(net, machine).cycles;
    if (after != before) out.push_back({why, after - before});
    before = after;
  };
  if (!r.hw->winograd) {
    net.rules.winograd_credit = false;
    for (SheetLayer& l : net.layers) l.winograd_weights = false;
    step(fmt::format("no Winograd in {}: no credit of 2.25 on 3x3 layers", r.hw->name));
  }
  const uint32_t padded = net.rules.kernel_multiple;
  net.rules.kernel_multiple = net.rules.sram_kernel_multiple = r.hw->mac_atomic_k_size;
  step(fmt::format("kernels computed {} at once, not {}", r.hw->mac_atomic_k_size, padded));
  net.rules.channel_multiple = r.hw->mac_atomic_c_size;
  step(fmt::format("channels taken {} at once, not 16", r.hw->mac_atomic_c_size));
  machine.macs = r.hw->macs();
  machine.cbuf_kib = static_cast<double>(r.hw->cbuf_bytes()) / kTrueKib;
  machine.dram_gb_per_s = r.hw->primary_memif.width_bytes() * r.timed->clock_hz / 1e9;
  machine.clock_mhz = r.timed->clock_hz / 1e6;
  step(fmt::format("multipliers, buffer and port of {}", r.hw->name));
  if (machine.fc_batch != 1) {
    machine.fc_batch = 1;
    step("one frame at a time in fully connected layers");
  }
  net.rules.bytes_per_kib = kTrueKib;
  step("KiB of 1024 bytes, which the spreadsheet takes for 1000");
  out.push_back({"filling the buffer, latency, stalls, layers the page lacks",
                 static_cast<double>(r.timed->split.conv) - before});
  out.push_back({"pooling, addition, write-back with no convolution beside them",
                 static_cast<double>(r.timed->split.others)});
  out.push_back({"between operations: the core answers and programs",
                 static_cast<double>(r.timed->split.idle)});
  return out;
}

void print_estimate(const EstimateReport& r, bool with_layers) {
  const SheetEstimate e = evaluate(r.network, r.machine);
  size_t by_macs = 0;
  for (const SheetRow& row : e.rows) by_macs += row.cycles == row.mac_cycles ? 1 : 0;
  fmt::print("{}: {} layers, {:.3f} GMAC\n{}\n", r.network.name, r.network.layers.size(),
             static_cast<double>(macs(r.network)) / 1e9, machine_text(r.machine));
  fmt::print(
      "NVIDIA's spreadsheet: {:.2f} cycles, {:.2f} frames a second; {} layers bound by "
      "multipliers, "
      "{} by memory\n",
      e.cycles, e.fps(r.machine.clock_mhz), by_macs, e.rows.size() - by_macs);
  const SheetRules& rules = r.network.rules;
  fmt::print(
      "assumes: kernels padded to a multiple of {}, {}Winograd credit on 3x3 layers, {}pooling and "
      "addition free, no latency, no control\n",
      r.machine.sram ? rules.sram_kernel_multiple : rules.kernel_multiple,
      rules.winograd_credit ? "" : "no ", rules.refetch ? "" : "everything read once, ");
  if (r.timed) print_timed(r, e.cycles);
  if (with_layers) print_layers(r, e);
}

Json estimate_json(const EstimateReport& r) {
  const SheetEstimate e = evaluate(r.network, r.machine);
  const SheetMachine& m = r.machine;
  Json j{{"network", r.network.name}, {"method", "nvidia-sheet"}, {"macs", macs(r.network)}};
  j["machine"] = {{"multipliers", m.macs},
                  {"cbuf_kib", m.cbuf_kib},
                  {"dram_gb_per_s", m.dram_gb_per_s},
                  {"clock_mhz", m.clock_mhz},
                  {"element_bytes", m.element_bytes},
                  {"fc_batch", m.fc_batch}};
  j["machine"]["sram_kib"] = m.sram ? Json(m.sram->kib) : Json();
  j["rules"] = {{"kernel_multiple",
                 m.sram ? r.network.rules.sram_kernel_multiple : r.network.rules.kernel_multiple},
                {"winograd_credit", r.network.rules.winograd_credit}};
  j["cycles"] = e.cycles;
  j["fps"] = e.fps(m.clock_mhz);
  j["layers"] = Json::array();
  for (size_t i = 0; i < e.rows.size(); ++i) {
    const SheetRow& row = e.rows[i];
    j["layers"].push_back({{"name", r.network.layers[i].name},
                           {"kind", kind_text(r.network.layers[i].kind)},
                           {"dram_kib", row.dram_kib},
                           {"mac_cycles", row.mac_cycles},
                           {"dram_cycles", row.dram_cycles},
                           {"sram_cycles", row.sram_cycles},
                           {"cycles", row.cycles},
                           {"bound", row.bound()}});
  }
  j["timed"] = nullptr;
  if (!r.timed) return j;
  j["timed"] = {{"config", r.hw->name},
                {"memory", r.timed->memory},
                {"clock_hz", r.timed->clock_hz},
                {"cycles", r.timed->split.total},
                {"fps", r.timed->clock_hz / static_cast<double>(r.timed->split.total)},
                {"conv_cycles", r.timed->split.conv},
                {"other_cycles", r.timed->split.others},
                {"idle_cycles", r.timed->split.idle}};
  j["timed"]["steps"] = Json::array();
  for (const EstimateStep& s : steps(r))
    j["timed"]["steps"].push_back({{"why", s.why}, {"cycles", s.cycles}});
  return j;
}

void print_published(const std::vector<PublishedFigure>& figures) {
  fmt::print("{:<12}{:<11}{:>6}{:>7}{:>7}{:>6}{:>16}{:>16}{:>10}{:>10}  {}\n", "source", "network",
             "MACs", "buffer", "GB/s", "SRAM", "published", "here", "fps", "here", "equal");
  size_t equal = 0;
  for (const PublishedFigure& f : figures) {
    equal += f.equal() ? 1 : 0;
    fmt::print("{:<12}{:<11}{:>6}{:>7}{:>7}{:>6}{:>16}{:>16.2f}{:>10}{:>10.2f}  {}\n", f.source,
               f.network, f.machine.macs, f.machine.cbuf_kib, f.machine.dram_gb_per_s,
               f.machine.sram ? "yes" : "no",
               f.cycles ? fmt::format("{:.{}f}", *f.cycles, f.cycle_decimals) : "-", f.our_cycles,
               f.fps ? fmt::format("{:.{}f}", *f.fps, f.fps_decimals) : "-", f.our_fps,
               f.equal() ? "yes" : "NO");
  }
  fmt::print("\n{} of {} published figures equal to their last digit\n", equal, figures.size());
}

Json published_json(const std::vector<PublishedFigure>& figures) {
  Json all = Json::array();
  for (const PublishedFigure& f : figures) {
    Json j{{"source", f.source},
           {"network", f.network},
           {"multipliers", f.machine.macs},
           {"dram_gb_per_s", f.machine.dram_gb_per_s},
           {"sram", f.machine.sram.has_value()},
           {"cycles", f.our_cycles},
           {"fps", f.our_fps},
           {"equal", f.equal()}};
    j["published_cycles"] = f.cycles ? Json(*f.cycles) : Json();
    j["published_fps"] = f.fps ? Json(*f.fps) : Json();
    all.push_back(std::move(j));
  }
  return all;
}

}  // namespace dlavp::app
