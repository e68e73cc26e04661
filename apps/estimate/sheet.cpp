#include "apps/estimate/sheet.hpp"

#include <algorithm>
#include <cmath>

namespace dlavp::estimate {

namespace {

/// Rounds up as a spreadsheet does: what is above a whole number by representation only is whole.
double ceiling(double value) {
  const double nearest = std::round(value);
  return std::abs(value - nearest) <= 1e-9 * std::max(1.0, std::abs(value)) ? nearest
                                                                            : std::ceil(value);
}

uint32_t round_up(uint32_t value, uint32_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

uint32_t divide_up(uint32_t a, uint32_t b) { return (a + b - 1) / b; }

/// Kernels whose weights must be in the buffer at least; the spreadsheet has it fixed.
constexpr uint32_t kResidentKernels = 32;
constexpr double kWinogradWeights = 16.0 / 9, kWinogradSpeed = 2.25;
constexpr double kKib = 1024;

struct Sizes {
  double input = 0, least_input = 0, output = 0, weights = 0, least_weights = 0;  ///< KiB
};

/// A strided layer is taken with its strides folded into the channels.
uint32_t extended_channels(const SheetLayer& l, const SheetRules& rules) {
  return round_up(l.channels * l.stride_h * l.stride_w, rules.channel_multiple);
}

Sizes sizes(const SheetLayer& l, const SheetRules& rules, const SheetMachine& m) {
  const double bytes = m.element_bytes / kKib;
  const uint32_t channels = extended_channels(l, rules);
  const uint32_t lines = divide_up(l.height, l.stride_h), columns = divide_up(l.width, l.stride_w);
  const double kernel = double{1} * channels * divide_up(l.kernel_h, l.stride_h) *
                        divide_up(l.kernel_w, l.stride_w) * bytes;
  uint32_t out_h = l.conv_height(), out_w = l.conv_width();
  if (l.pool) {
    out_h = divide_up(out_h - std::min(out_h, l.pool->kernel_h), l.pool->stride_h) + 1;
    out_w = divide_up(out_w - std::min(out_w, l.pool->kernel_w), l.pool->stride_w) + 1;
  }
  Sizes s;
  s.input = double{1} * channels * lines * columns * bytes;
  s.least_input = double{1} * channels * std::min(l.kernel_h + rules.lines_beyond_kernel, lines) *
                  columns * bytes;
  s.output = double{1} * out_h * out_w * round_up(l.kernels, rules.channel_multiple) * bytes;
  s.weights = kernel * l.kernels * (l.winograd() && l.winograd_weights ? kWinogradWeights : 1);
  s.least_weights = kernel * kResidentKernels;
  if (s.least_weights >= m.cbuf_kib) s.least_weights = m.cbuf_kib / 2;
  return s;
}

/// DRAM traffic of a layer all of whose data are in DRAM.
double dram_traffic(const SheetLayer& l, const Sizes& s, const SheetRules& rules,
                    const SheetMachine& m) {
  const bool fc = l.kind == LayerKind::kFullyConnected;
  const double weights = s.weights / (fc && rules.batched_fc_weights ? m.fc_batch : 1);
  double traffic = s.input + weights + s.output;
  if (rules.refetch) {
    const bool input_again =
        s.input >= (rules.refetch_by_least_weights ? s.least_weights : s.weights);
    if (input_again && s.weights > m.cbuf_kib - s.least_input)
      traffic += (ceiling(s.weights / (m.cbuf_kib - s.least_input)) - 1) * s.input;
    if (!input_again && s.input > m.cbuf_kib - s.least_weights)
      traffic += (ceiling(s.input / (m.cbuf_kib - s.least_weights)) - 1) * s.weights;
  }
  return l.kind == LayerKind::kConvAdd ? traffic + s.output : traffic;
}

double mac_cycles(const SheetLayer& l, const SheetRules& rules, const SheetMachine& m) {
  const uint32_t batch = l.kind == LayerKind::kFullyConnected ? m.fc_batch : 1;
  const uint32_t h = l.padded ? l.height : l.height - l.kernel_h + 1;
  const uint32_t w = l.padded ? l.width : l.width - l.kernel_w + 1;
  const double positions = double{1} * divide_up(h, l.stride_h) * divide_up(w, l.stride_w);
  const double taps = double{1} * l.kernel_h * l.kernel_w / l.stride_h / l.stride_w;
  const double credit = l.winograd() && rules.winograd_credit ? kWinogradSpeed : 1;
  const uint32_t multiple = m.sram ? rules.sram_kernel_multiple : rules.kernel_multiple;
  return extended_channels(l, rules) * positions * round_up(l.kernels * batch, multiple) * taps /
         m.macs / credit / batch;
}

/// How many frames the SRAM holds beside the weights of any convolution.
double sram_batch(const SheetNetwork& net, const SheetMachine& m) {
  if (!net.rules.sram_batches) return 1;
  double least = 1e9;
  for (const SheetLayer& l : net.layers) {
    if (l.kind == LayerKind::kFullyConnected) continue;
    const Sizes s = sizes(l, net.rules, m);
    least = std::min(least, std::floor((m.sram->kib - s.weights) / (s.input + s.output)));
  }
  return std::max(least, 1.0);
}

void sram_traffic(const SheetLayer& l, bool first, double batch, const Sizes& s,
                  const SheetMachine& m, SheetRow& row) {
  const bool fc = l.kind == LayerKind::kFullyConnected;
  row.dram_kib = s.weights / (fc ? m.fc_batch : batch);
  if (first || fc) row.dram_kib += s.input;
  if (l.output_also_to_dram) row.dram_kib += s.output;
  row.sram_read_kib = first ? 0 : s.input;
  row.sram_write_kib = s.output;
}

}  // namespace

uint32_t SheetLayer::conv_height() const {
  return padded ? divide_up(height, stride_h) : divide_up(height - kernel_h, stride_h) + 1;
}
uint32_t SheetLayer::conv_width() const {
  return padded ? divide_up(width, stride_w) : divide_up(width - kernel_w, stride_w) + 1;
}

uint64_t SheetLayer::macs() const {
  return uint64_t{groups} * channels * conv_height() * conv_width() * kernels * kernel_h * kernel_w;
}

const char* SheetRow::bound() const {
  if (cycles == mac_cycles) return "MAC";
  return cycles == dram_cycles ? "DRAM" : "SRAM";
}

SheetEstimate evaluate(const SheetNetwork& network, const SheetMachine& machine) {
  SheetEstimate estimate;
  const double batch = machine.sram ? sram_batch(network, machine) : 1;
  const auto cycles = [&](double kib, double gb_per_s) {
    return ceiling(kib * network.rules.bytes_per_kib / 1000 / gb_per_s * machine.clock_mhz);
  };
  for (const SheetLayer& layer : network.layers) {
    const Sizes s = sizes(layer, network.rules, machine);
    SheetRow row;
    if (machine.sram) {
      sram_traffic(layer, estimate.rows.empty(), batch, s, machine, row);
      row.sram_cycles = std::max(cycles(row.sram_read_kib, machine.sram->read_gb_per_s),
                                 cycles(row.sram_write_kib, machine.sram->write_gb_per_s));
    } else {
      row.dram_kib = dram_traffic(layer, s, network.rules, machine);
    }
    row.dram_cycles = layer.groups * cycles(row.dram_kib, machine.dram_gb_per_s);
    row.sram_cycles *= layer.groups;
    row.mac_cycles = layer.groups * mac_cycles(layer, network.rules, machine);
    row.cycles = std::max({row.mac_cycles, row.dram_cycles, row.sram_cycles});
    estimate.cycles += row.cycles;
    estimate.rows.push_back(row);
  }
  return estimate;
}

}  // namespace dlavp::estimate
