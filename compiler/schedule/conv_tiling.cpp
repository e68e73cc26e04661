// CBUF arithmetic and the search over bank splits.
#include "compiler/schedule/conv_tiling.hpp"

#include <algorithm>

namespace dlavp::compiler {
namespace {

uint64_t ceil_div(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

/// Cycles between two operations that nothing hides: enable, first request, pipeline, acknowledge.
constexpr double kOperationCycles = 300;

struct Search {
  const HwConfig& hw;
  const ConvGeometry& g;
  uint32_t entries;

  [[nodiscard]] uint64_t rows_that_fit(uint32_t data_banks) const {
    return uint64_t{data_banks} * hw.cbuf_bank_depth / entries;
  }

  /// Bands as tall as `data_banks` allow, of nearly equal height; empty if not even one row fits.
  [[nodiscard]] std::vector<ConvTile> tiles(uint32_t data_banks) const {
    const auto fit = static_cast<int64_t>(rows_that_fit(data_banks));
    if (fit >= g.in_h) return {make_tile(g, 0, g.out_h)};
    const int64_t extent = g.window.extent_h();
    if (fit < extent) return {};
    const auto most = static_cast<uint32_t>((fit - extent) / g.window.stride_h + 1);
    const uint32_t count = (g.out_h + most - 1) / most;
    std::vector<ConvTile> out;
    uint32_t y = 0;
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t rows = (g.out_h - y + count - i - 1) / (count - i);
      out.push_back(make_tile(g, y, rows));
      y += rows;
    }
    return out;
  }

  /// Fill, then multiply while weights stream; a tile's weights come anew.
  [[nodiscard]] double cost(const std::vector<ConvTile>& tiles) const {
    const double beat = hw.primary_memif.width_bytes();
    const double weight_cycles = static_cast<double>(kernel_bytes(g)) * g.kernels / beat;
    const uint64_t channels = g.image ? uint64_t{g.in_c} * g.window.kernel_w : g.in_c;
    const uint64_t columns = g.image ? 1 : g.window.kernel_w;
    const double steps =
        static_cast<double>(g.window.kernel_h * columns * ceil_div(channels, hw.mac_atomic_c_size) *
                            ceil_div(g.kernels, hw.mac_atomic_k_size));
    double total = 0;
    for (const ConvTile& t : tiles) {
      const double fill = static_cast<double>(uint64_t{g.in_w} * t.in_rows * g.in_c) / beat;
      const double atoms = static_cast<double>(
          std::max<uint64_t>(uint64_t{g.out_w} * t.out_rows, hw.mac_atomic_k_size));
      total += kOperationCycles + fill + std::max(steps * atoms, weight_cycles);
    }
    return total;
  }
};

}  // namespace

uint32_t entries_per_slice(const HwConfig& hw, const ConvGeometry& g) {
  if (g.image) {
    const uint64_t pixels = uint64_t{g.window.pad_left} + g.in_w + g.window.pad_right;
    return static_cast<uint32_t>(ceil_div(pixels * g.in_c, hw.cbuf_bank_width));
  }
  const uint32_t atoms_per_entry = std::max(1U, hw.cbuf_bank_width / hw.memory_atomic_size);
  const auto atoms = static_cast<uint32_t>(ceil_div(g.in_c, hw.memory_atomic_size));
  uint32_t entries = atoms / atoms_per_entry * g.in_w;
  const uint32_t rest = atoms % atoms_per_entry;
  // Left-over atoms of neighbouring pixels share an entry: four, two or one pixel in each.
  if (rest > 0) {
    const uint32_t pixels = rest * 4 <= atoms_per_entry ? 4 : rest * 2 <= atoms_per_entry ? 2 : 1;
    entries += (g.in_w + pixels - 1) / pixels;
  }
  return entries;
}

uint64_t kernel_bytes(const ConvGeometry& g) {
  return uint64_t{g.in_c} * g.window.kernel_h * g.window.kernel_w;
}

ConvTile make_tile(const ConvGeometry& g, uint32_t out_y, uint32_t out_rows) {
  const Window& w = g.window;
  const int64_t first = int64_t{out_y} * w.stride_h - w.pad_top;
  const int64_t end = first + int64_t{out_rows - 1} * w.stride_h + w.extent_h();
  const int64_t begin = std::clamp<int64_t>(first, 0, int64_t{g.in_h} - 1);
  const int64_t stop = std::clamp<int64_t>(end, begin + 1, g.in_h);
  ConvTile t;
  t.out_y = out_y;
  t.out_rows = out_rows;
  t.in_y = static_cast<uint32_t>(begin);
  t.in_rows = static_cast<uint32_t>(stop - begin);
  t.pad_top = static_cast<uint32_t>(std::max<int64_t>(0, begin - first));
  t.pad_bottom = static_cast<uint32_t>(std::max<int64_t>(0, end - stop));
  return t;
}

Result<ConvTiling> tile_convolution(const HwConfig& hw, const ConvGeometry& g) {
  const Search search{hw, g, entries_per_slice(hw, g)};
  const uint64_t all = kernel_bytes(g) * g.kernels;
  const uint64_t group = kernel_bytes(g) * std::min(g.kernels, hw.mac_atomic_k_size);
  // A group may start inside an entry, hence one more.
  const uint64_t smallest = std::min(ceil_div(all, hw.bank_bytes()),
                                     ceil_div(group + hw.cbuf_bank_width, hw.bank_bytes()));
  std::optional<ConvTiling> best;
  for (uint64_t weight_banks = std::max<uint64_t>(smallest, 1); weight_banks < hw.cbuf_bank_number;
       ++weight_banks) {
    ConvTiling t;
    t.entries_per_slice = search.entries;
    t.weight_banks = static_cast<uint32_t>(weight_banks);
    t.tiles = search.tiles(hw.cbuf_bank_number - t.weight_banks);
    if (t.tiles.empty()) break;
    t.weights_resident = all <= weight_banks * hw.bank_bytes();
    uint32_t tallest = 0;
    for (const ConvTile& tile : t.tiles) tallest = std::max(tallest, tile.in_rows);
    t.data_banks =
        static_cast<uint32_t>(ceil_div(uint64_t{tallest} * search.entries, hw.cbuf_bank_depth));
    // Streaming weights overlap better the more groups fit: prefer room, at equal cost.
    const double stall =
        t.weights_resident || weight_banks * hw.bank_bytes() >= 2 * group ? 1.0 : 1.5;
    t.cycles = search.cost(t.tiles) * stall;
    if (!best || t.cycles < best->cycles || (t.cycles == best->cycles && !best->weights_resident))
      best = t;
    if (t.weights_resident) break;
  }
  if (best) return *best;
  const uint64_t line = uint64_t{search.entries} * hw.cbuf_bank_width;
  return Error{
      "schedule.cbuf", "",
      fmt::format("input lines of {} bytes with a kernel of {} rows need {} bytes, one group of {} "
                  "kernels {} bytes; "
                  "the convolution buffer of {} has {} bytes in {} banks; a smaller width, kernel "
                  "or channel count would fit",
                  line, g.window.extent_h(), line * static_cast<uint64_t>(g.window.extent_h()),
                  std::min(g.kernels, hw.mac_atomic_k_size), group, hw.name, hw.cbuf_bytes(),
                  hw.cbuf_bank_number)};
}

}  // namespace dlavp::compiler
