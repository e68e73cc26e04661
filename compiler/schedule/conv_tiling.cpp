// CBUF arithmetic, and the fewest tiles for one convolution.
#include "compiler/schedule/conv_tiling.hpp"

#include <algorithm>

namespace dlavp::compiler {
namespace {

uint64_t ceil_div(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

/// Rows [begin, begin + size) that `outputs` windows from `first` read, and the padding around.
struct Span {
  uint32_t begin = 0, size = 0, before = 0, after = 0;
};
Span covered(uint32_t first_out, uint32_t outputs, uint32_t stride, int64_t extent, uint32_t pad,
             uint32_t size) {
  const int64_t first = int64_t{first_out} * stride - pad;
  const int64_t end = first + int64_t{outputs - 1} * stride + extent;
  const int64_t begin = std::clamp<int64_t>(first, 0, int64_t{size} - 1);
  const int64_t stop = std::clamp<int64_t>(end, begin + 1, size);
  return {static_cast<uint32_t>(begin), static_cast<uint32_t>(stop - begin),
          static_cast<uint32_t>(std::max<int64_t>(0, begin - first)),
          static_cast<uint32_t>(std::max<int64_t>(0, end - stop))};
}

/// Cycles between two operations that nothing hides: enable, first request, pipeline, acknowledge.
constexpr double kOperationCycles = 300;

double cost(const HwConfig& hw, const ConvGeometry& g, const std::vector<ConvTile>& tiles) {
  const double beat = hw.primary_memif.width_bytes();
  const double weights = static_cast<double>(kernel_bytes(g)) * g.kernels / beat;
  double total = 0;
  for (const ConvTile& t : tiles) {
    const double fill = static_cast<double>(uint64_t{g.in_w} * t.in_rows * g.in_c) / beat;
    const auto work = static_cast<double>(conv_cycles(hw, tile_work(hw, g, t, y_extension(hw, g))));
    total += kOperationCycles + fill + std::max(work, weights);
  }
  return total;
}

}  // namespace

uint32_t tile_units(const ConvGeometry& g) { return g.pool ? g.pool->out_h : g.out_h; }

std::optional<ConvGeometry> flattened(const ConvGeometry& g) {
  const Window& w = g.window;
  if (g.image || g.pool || g.part_of_lines || g.row_step != 1 || g.row_lines != 1 ||
      w.kernel_h != 1 || w.kernel_w != 1 || w.stride_h != 1 || w.stride_w != 1 || w.padded() ||
      g.in_h != g.out_h || g.in_w != g.out_w)
    return std::nullopt;
  ConvGeometry out = g;
  out.in_h = out.out_h = g.in_w * g.in_h;
  out.in_w = out.out_w = 1;
  out.flat = true;
  return out;
}

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

uint32_t tile_slice_entries(const HwConfig& hw, const ConvGeometry& g, const ConvTile& tile) {
  if (!g.flat) return entries_per_slice(hw, g);
  ConvGeometry line = g;
  line.in_w = tile.in_rows;
  return entries_per_slice(hw, line);
}

uint64_t tile_entries(const HwConfig& hw, const ConvGeometry& g, const ConvTile& tile) {
  const uint64_t entries = tile_slice_entries(hw, g, tile);
  return g.flat ? entries : entries * tile.in_rows;
}

uint64_t kernel_bytes(const ConvGeometry& g) {
  return uint64_t{g.in_c} * g.window.kernel_h * g.window.kernel_w;
}

uint32_t y_extension(const HwConfig& hw, const ConvGeometry& g) {
  if (!g.image) return 1;
  const uint32_t needed = g.in_c * std::max(g.window.kernel_w, g.window.stride_w);
  uint32_t rows = 1;
  while (rows < 4 && rows < g.window.kernel_h && needed * rows * 2 <= hw.mac_atomic_c_size)
    rows *= 2;
  return rows;
}

ConvTile make_tile(const ConvGeometry& g, uint32_t first, uint32_t rows) {
  const Window& w = g.window;
  ConvTile t;
  if (g.pool) {
    const Window& p = g.pool->window;
    const Span conv = covered(first, rows, p.stride_h, p.kernel_h, p.pad_top, g.out_h);
    t.pool_y = first;
    t.pool_rows = rows;
    t.pool_pad_top = conv.before;
    t.pool_pad_bottom = conv.after;
    first = conv.begin;
    rows = conv.size;
  }
  t.out_y = first;
  t.out_rows = rows;
  const Span in = covered(first, rows, w.stride_h, w.extent_h(), w.pad_top, g.in_h);
  t.in_y = in.begin;
  t.in_rows = in.size;
  t.pad_top = in.before;
  t.pad_bottom = in.after;
  return t;
}

ConvWork tile_work(const HwConfig& hw, const ConvGeometry& g, const ConvTile& tile,
                   uint32_t y_extension) {
  ConvWork work;
  work.atoms = uint64_t{g.out_w} * tile.out_rows;
  work.line = g.image ? g.out_w : 0;
  work.kernels = g.kernels;
  const uint64_t channels = g.image ? uint64_t{g.in_c} * g.window.kernel_w : g.in_c;
  const uint64_t columns = g.image ? 1 : g.window.kernel_w;
  work.steps =
      ceil_div(g.window.kernel_h, y_extension) * columns * ceil_div(channels, hw.mac_atomic_c_size);
  return work;
}

bool tile_fits(const HwConfig& hw, const ConvGeometry& g, const ConvTile& tile, uint64_t room) {
  constexpr uint32_t kLargestWidth = 8192;
  // SDP packs the surfaces of a single pixel, whatever their stride: right in a tensor of one only.
  const bool pixel = !g.pool && g.out_w == 1 && tile.out_rows == 1 &&
                     (g.out_h > 1 || g.part_of_lines) && g.kernels > hw.memory_atomic_size;
  return tile_entries(hw, g, tile) <= room && !(g.flat && tile.in_rows > kLargestWidth) && !pixel;
}

std::vector<ConvTile> fewest_tiles(const HwConfig& hw, const ConvGeometry& g, uint32_t data_banks) {
  const uint64_t room = uint64_t{data_banks} * hw.cbuf_bank_depth;
  const uint32_t units = tile_units(g);
  for (uint32_t count = 1; count <= units; ++count) {
    std::vector<ConvTile> out;
    for (uint32_t i = 0, y = 0; i < count; ++i) {
      const uint32_t rows = (units - y + count - i - 1) / (count - i);
      out.push_back(make_tile(g, y, rows));
      if (!tile_fits(hw, g, out.back(), room)) break;
      y += rows;
    }
    if (out.size() == count && tile_fits(hw, g, out.back(), room)) return out;
    // Twice too large: half as many rows do not fit either.
    if (count * 2 < units && tile_entries(hw, g, out.back()) > 2 * room) count = count * 2 - 1;
  }
  return {};
}

uint32_t smallest_weight_banks(const HwConfig& hw, const ConvGeometry& g) {
  const uint64_t all = kernel_bytes(g) * g.kernels;
  const uint64_t group = kernel_bytes(g) * std::min(g.kernels, hw.mac_atomic_k_size);
  // A group may start inside an entry, hence one more.
  const uint64_t some = std::min(ceil_div(all, hw.bank_bytes()),
                                 ceil_div(group + hw.cbuf_bank_width, hw.bank_bytes()));
  return static_cast<uint32_t>(std::max<uint64_t>(some, 1));
}

Result<ConvTiling> tile_convolution(const HwConfig& hw, const ConvGeometry& g) {
  const uint64_t all = kernel_bytes(g) * g.kernels;
  const uint64_t group = kernel_bytes(g) * std::min(g.kernels, hw.mac_atomic_k_size);
  std::optional<ConvTiling> best;
  for (uint32_t banks = smallest_weight_banks(hw, g); banks < hw.cbuf_bank_number; ++banks) {
    ConvTiling t;
    t.flat = g.flat;
    t.weight_banks = banks;
    t.data_banks = hw.cbuf_bank_number - banks;
    t.tiles = fewest_tiles(hw, g, t.data_banks);
    t.y_extension = y_extension(hw, g);
    if (t.tiles.empty()) break;
    t.weights_resident = all <= banks * hw.bank_bytes();
    // Streaming weights overlap better the more groups fit: prefer room, at equal cost.
    const double stall = t.weights_resident || banks * hw.bank_bytes() >= 2 * group ? 1.0 : 1.5;
    t.cycles = cost(hw, g, t.tiles) * stall;
    if (!best || t.cycles < best->cycles || (t.cycles == best->cycles && !best->weights_resident))
      best = t;
    if (t.weights_resident) break;
  }
  if (best) return *best;
  const uint64_t line = tile_entries(hw, g, make_tile(g, 0, 1)) * hw.cbuf_bank_width;
  return Error{
      "schedule.cbuf", "",
      fmt::format("the input lines of one output row need {} bytes, one group of {} kernels {} "
                  "bytes; the convolution buffer of {} has {} bytes in {} banks; a smaller width, "
                  "kernel or channel count would fit",
                  line, std::min(g.kernels, hw.mac_atomic_k_size), group, hw.name, hw.cbuf_bytes(),
                  hw.cbuf_bank_number)};
}

bool fits_buffer(const HwConfig& hw, const ConvGeometry& g) {
  const auto flat = flattened(g);
  return tile_convolution(hw, g).ok() || (flat && tile_convolution(hw, *flat).ok());
}

std::vector<ConvColumns> column_bands(const HwConfig& hw, const ConvGeometry& g) {
  if (g.image || g.pool || fits_buffer(hw, g)) return {};
  const Window& w = g.window;
  for (uint32_t count = 2; count <= g.out_w; ++count) {
    std::vector<ConvColumns> out;
    for (uint32_t i = 0, x = 0; i < count; ++i) {
      const uint32_t columns = (g.out_w - x + count - i - 1) / (count - i);
      const Span in = covered(x, columns, w.stride_w, w.extent_w(), w.pad_left, g.in_w);
      ConvColumns band{x, in.begin, g};
      band.geometry.part_of_lines = true;
      band.geometry.in_w = in.size;
      band.geometry.out_w = columns;
      band.geometry.window.pad_left = in.before;
      band.geometry.window.pad_right = in.after;
      // The first is as wide as any but for its padding, so most counts end here.
      if (!tile_convolution(hw, band.geometry).ok()) break;
      out.push_back(band);
      x += columns;
    }
    if (out.size() == count) return out;
  }
  return {};
}

}  // namespace dlavp::compiler
