// Which output rows see no padding, their packed geometry, and whether it is worth it.
#include "compiler/schedule/pack_rows.hpp"

#include <algorithm>
#include <optional>

#include "compiler/schedule/conv_plan.hpp"

namespace dlavp::compiler {
namespace {

/// The estimate errs by a little, and more operations leave the other layers' tiles less choice.
constexpr double kWorthIt = 0.9;

/// Output rows [first, end) whose windows lie inside the input.
struct Inside {
  uint32_t first = 0, end = 0;
};

Inside inside(const ConvGeometry& g) {
  const Window& w = g.window;
  const int64_t first = (w.pad_top + w.stride_h - 1) / w.stride_h;
  const int64_t room = int64_t{g.in_h} + w.pad_top - w.extent_h();
  if (room < 0) return {};
  const int64_t end = std::min<int64_t>(g.out_h, room / w.stride_h + 1);
  if (end <= first) return {};
  return {static_cast<uint32_t>(first), static_cast<uint32_t>(end)};
}

ConvGeometry of_groups(const RowPacking& layer, uint32_t groups) {
  ConvGeometry g = layer.geometry;
  g.in_c = groups * layer.in_channels;
  g.kernels = groups * layer.kernels;
  return g;
}

/// Output rows [first, end) of the dense convolution.
ConvGeometry edge(const ConvGeometry& dense, uint32_t first, uint32_t end) {
  const ConvTile rows = make_tile(dense, first, end - first);
  ConvGeometry g = dense;
  g.first_out = first;
  g.first_row = rows.in_y;
  g.in_h = rows.in_rows;
  g.out_h = rows.out_rows;
  g.window.pad_top = rows.pad_top;
  g.window.pad_bottom = rows.pad_bottom;
  return g;
}

ConvGeometry packed(const HwConfig& hw, const ConvGeometry& dense, Inside rows) {
  const Window& w = dense.window;
  ConvGeometry g = dense;
  g.first_out = rows.first;
  g.first_row = rows.first * w.stride_h - w.pad_top;
  g.in_h = g.out_h = rows.end - rows.first;
  g.in_c = w.kernel_h * hw.memory_atomic_size;
  g.row_step = w.stride_h;
  g.row_lines = static_cast<uint32_t>(w.extent_h());
  g.window.kernel_h = g.window.stride_h = g.window.dilation_h = 1;
  g.window.pad_top = g.window.pad_bottom = 0;
  return g;
}

/// The operations of one layer after the other: each has to be programmed, when the one before the
/// last has left its registers, and fetched before it starts.
class Estimate {
 public:
  Estimate(const HwConfig& hw, bool table) : hw_(hw), atom_cycles_(sdp_atom_cycles(hw)) {
    if (table && hw.sdp_ew_throughput > 0)
      atom_cycles_ = std::max(atom_cycles_, hw.memory_atomic_size / hw.sdp_ew_throughput + 1);
  }
  /// False if it does not fit the buffer.
  bool add(const ConvGeometry& g) {
    const auto tiling = tile_convolution(hw_, g);
    if (!tiling.ok()) return false;
    const uint64_t surfaces = (g.in_c + hw_.memory_atomic_size - 1) / hw_.memory_atomic_size;
    const double weights =
        static_cast<double>(kernel_bytes(g) * g.kernels) / hw_.memory_atomic_size;
    // Two tiles in the buffer, so that the next one's fetch is hidden.
    std::vector<ConvTile> tiles = fewest_tiles(hw_, g, tiling->data_banks / 2);
    if (tiles.empty()) tiles = tiling->tiles;
    for (const ConvTile& t : tiles) {
      const double fetch = static_cast<double>(conv_fill_cycles(g.in_w, surfaces, t.in_rows));
      ConvWork work = tile_work(hw_, g, t, 1);
      work.atom_cycles = atom_cycles_;
      add(static_cast<double>(conv_cycles(hw_, work)),
          fetch + (&t == &tiles.front() ? weights : 0));
    }
    return true;
  }
  [[nodiscard]] double cycles() const { return end_; }

 private:
  void add(double busy, double fetch) {
    programmed_ = std::max(programmed_, before_) + kPairCycles;
    fetched_ = std::max(programmed_, fetched_) + fetch;
    before_ = end_;
    end_ = std::max(end_, fetched_) + busy;
  }

  const HwConfig& hw_;
  uint32_t atom_cycles_;
  double programmed_ = 0, fetched_ = 0, before_ = 0, end_ = 0;
};

/// Of the dense convolutions over `at_once` groups each; none if one does not fit.
std::optional<double> dense_cycles(const HwConfig& hw, const RowPacking& layer, uint32_t at_once) {
  Estimate dense(hw, layer.table);
  for (uint32_t first = 0; first < layer.groups; first += at_once)
    if (!dense.add(of_groups(layer, std::min(at_once, layer.groups - first)))) return std::nullopt;
  return dense.cycles();
}

bool worth_it(const HwConfig& hw, const RowPacking& layer, const std::vector<RowPart>& parts) {
  Estimate packed(hw, layer.table);
  for (const RowPart& p : parts) {
    if (!packed.add(p.geometry)) return false;
  }
  if (layer.always) return true;
  const auto dense = dense_cycles(hw, layer, layer.dense);
  return dense && packed.cycles() < kWorthIt * *dense;
}

}  // namespace

uint32_t groups_at_once(const HwConfig& hw, const RowPacking& layer) {
  uint32_t best = layer.dense;
  auto least = dense_cycles(hw, layer, best);
  while (least && best < layer.groups) {
    const auto next = dense_cycles(hw, layer, 2 * best);
    if (!next || *next >= kWorthIt * *least) break;
    best *= 2;
    least = next;
  }
  return best;
}

std::vector<RowPart> pack_rows(const HwConfig& hw, const RowPacking& layer) {
  const ConvGeometry& g = layer.geometry;
  const uint32_t fewest = std::min(layer.fewest, layer.groups);
  // A cube of one pixel has its surfaces packed, whatever their stride: no lines of one.
  if (g.image || g.in_w == 1 || g.out_w == 1 || g.window.kernel_h < 2 ||
      hw.mac_atomic_c_size < 2 * hw.memory_atomic_size ||
      fewest * layer.in_channels > hw.memory_atomic_size)
    return {};
  const Inside rows = inside(g);
  if (rows.end == 0) return {};
  std::vector<RowPart> out;
  const auto add = [&](uint32_t at_once, const auto& geometry) {
    for (uint32_t first = 0; first < layer.groups; first += at_once) {
      const uint32_t groups = std::min(at_once, layer.groups - first);
      out.push_back({geometry(of_groups(layer, groups)), first, groups});
    }
  };
  // Short operations next to each other, as are long ones: a short one beside a long one leaves no
  // time to fetch what comes next.
  if (rows.first > 0) add(layer.dense, [&](const auto& d) { return edge(d, 0, rows.first); });
  if (rows.end < g.out_h)
    add(layer.dense, [&](const auto& d) { return edge(d, rows.end, g.out_h); });
  add(fewest, [&](const auto& d) { return packed(hw, d, rows); });
  return worth_it(hw, layer, out) ? out : std::vector<RowPart>{};
}

View lines_read(const ConvGeometry& packed, View src, const View& tensor) {
  src.channels = 1;  // any number up to an atom: one surface
  src.height = (src.height - 1) * packed.row_step + packed.row_lines;
  src.line_stride = tensor.line_stride;
  src.surface_stride = tensor.surface_stride;
  return src;
}

}  // namespace dlavp::compiler
