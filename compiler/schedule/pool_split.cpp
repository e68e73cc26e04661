// Part widths are by the equations of the programming guide (planar data processing, split width).
#include "compiler/schedule/pool_split.hpp"

#include <algorithm>
#include <cmath>

namespace dlavp::compiler {
namespace {

constexpr uint32_t kLineBufferAtoms = 128;
constexpr uint32_t kMostParts = 64;
/// What a band costs more: its operation's latency, and another tile of the convolution before it.
constexpr double kBandOverhead = 1000;
constexpr uint32_t kMostBands = 8;
constexpr uint32_t kCommonRows = 8;  ///< bands have at least so many rows for one read twice

struct Range {
  uint32_t first = 0, size = 0;
};

View cut(View v, Range rows, Range columns, uint32_t atom) {
  const uint64_t surfaces = (v.channels + atom - 1) / atom;
  v.offset += uint64_t{rows.first} * v.line_stride + uint64_t{columns.first} * atom;
  v.height = rows.size;
  v.width = columns.size;
  v.bytes = (surfaces - 1) * v.surface_stride + uint64_t{v.height - 1} * v.line_stride +
            uint64_t{v.width} * atom;
  return v;
}

/// What the windows of a run read along one axis, and the padding around it.
struct Reach {
  Range in;
  uint32_t before = 0, after = 0;
};
Reach reach(const PoolRun& run, uint32_t stride, uint32_t size) {
  const int64_t end = run.begin + int64_t{run.count - 1} * stride + run.kernel;
  const int64_t begin = std::max<int64_t>(run.begin, 0), stop = std::min<int64_t>(end, size);
  return {{static_cast<uint32_t>(begin), static_cast<uint32_t>(stop - begin)},
          static_cast<uint32_t>(begin - run.begin),
          static_cast<uint32_t>(end - stop)};
}

double pdp_cycles(const HwConfig& hw, const View& src) {
  const uint64_t atom = hw.memory_atomic_size;
  const uint64_t atoms = uint64_t{src.width} * src.height * ((src.channels + atom - 1) / atom);
  return static_cast<double>(atoms * atom) / std::max(1U, hw.pdp_throughput);
}

View channels_of(View v, Range channels, uint32_t atom) {
  v.offset += uint64_t{channels.first / atom} * v.surface_stride;
  v.channels = channels.size;
  return v;
}

/// Bands of an operation of so many cycles. What comes before hides all of them but the last, so
/// cycles / n + n x overhead is the time that counts.
uint32_t cheapest_bands(double cycles) {
  return static_cast<uint32_t>(std::sqrt(cycles / kBandOverhead));
}

/// Pieces between the cuts, those that take less than twice a band's overhead with the next.
std::vector<Range> channel_pieces(const View& src, const std::vector<uint32_t>& cuts,
                                  double cycles) {
  std::vector<Range> out;
  uint32_t first = 0;
  const auto long_enough = [&](uint32_t size) {
    return cycles * size >= 2 * kBandOverhead * src.channels;
  };
  for (uint32_t at : cuts) {
    if (at <= first || at >= src.channels || !long_enough(at - first)) continue;
    out.push_back({first, at - first});
    first = at;
  }
  if (!out.empty() && !long_enough(src.channels - first)) {
    out.back().size += src.channels - first;
  } else {
    out.push_back({first, src.channels - first});
  }
  return out;
}

/// Cuts runs of rows where that costs little: neighbouring bands read their common rows twice.
std::vector<PoolRun> in_bands(const std::vector<PoolRun>& runs, uint32_t stride, double cycles) {
  std::vector<PoolRun> out;
  const double rows = static_cast<double>(runs.back().first + runs.back().count);
  for (PoolRun run : runs) {
    const uint32_t common = run.kernel > stride ? run.kernel - stride : 0;
    const uint32_t share = cheapest_bands(cycles * run.count / rows);
    const uint32_t cheap = common == 0 ? run.count : run.count * stride / (kCommonRows * common);
    for (uint32_t left = std::clamp(std::min(share, cheap), 1U, kMostBands); left > 0; --left) {
      PoolRun band = run;
      band.count = (run.count + left - 1) / left;
      run.first += band.count;
      run.count -= band.count;
      run.begin += int64_t{band.count} * stride;
      if (band.count > 0) out.push_back(band);
    }
  }
  return out;
}

}  // namespace

uint32_t largest_pool_width(const Window& window) {
  const uint32_t lines = (window.kernel_h + window.stride_h - 1) / window.stride_h;
  uint32_t shares = 1;
  while (shares < lines) shares *= 2;
  return std::max(1U, kLineBufferAtoms / shares);
}

std::vector<PoolRun> pool_runs(const PoolAxis& axis) {
  const int64_t least = int64_t{axis.before} - axis.pad_before;
  const int64_t most = int64_t{axis.size} + axis.pad_after - axis.after;
  std::vector<PoolRun> out;
  for (uint32_t o = 0; o < axis.out; ++o) {
    const int64_t from = int64_t{o} * axis.stride - axis.pad_before;
    const int64_t begin = std::max(from, least), end = std::min(from + axis.kernel, most);
    const auto kernel = static_cast<uint32_t>(end - begin);
    const bool same = !out.empty() && out.back().kernel == kernel &&
                      begin == out.back().begin + int64_t{out.back().count} * axis.stride;
    if (same) {
      ++out.back().count;
    } else {
      out.push_back({o, 1, kernel, begin});
    }
  }
  return out;
}

Result<PoolSplit> split_pool(const Window& window, uint32_t in_w, uint32_t out_w) {
  const uint32_t most = largest_pool_width(window);
  if (out_w <= most) return PoolSplit{};
  for (uint32_t parts = (out_w + most - 1) / most; parts <= kMostParts; ++parts) {
    const uint32_t even = (out_w + parts - 1) / parts;
    if (uint64_t{even} * (parts - 1) >= out_w) continue;
    PoolSplit out;
    out.parts = parts;
    out.first_out = even;
    out.mid_out = parts > 2 ? even : 0;
    out.last_out = out_w - even * (parts - 1);
    // A part reads on from where the one before stopped; the overlap is kept in the line buffer.
    out.first_in = (even - 1) * window.stride_w + window.kernel_w - window.pad_left;
    out.mid_in = out.mid_out * window.stride_w;
    const uint64_t before = uint64_t{out.first_in} + uint64_t{out.mid_in} * (parts - 2);
    if (before >= in_w) continue;  // the last part would read nothing new
    out.last_in = static_cast<uint32_t>(in_w - before);
    return out;
  }
  return Error{"schedule.pool", "",
               fmt::format("pooling {} to width {} needs parts of at most {} columns: {} parts, at "
                           "most {}",
                           window.text(), out_w, most, (out_w + most - 1) / most, kMostParts)};
}

Result<std::vector<PoolPart>> pool_parts(const HwConfig& hw, const PoolLayer& pool, View src,
                                         const View& dst, const PoolCuts& cuts) {
  PoolLayer p = pool;
  Window& w = p.window;
  if (w.kernel_h == 1 && w.pad_top == 0 && w.stride_h > 1) {  // rows between stay in memory
    src.line_stride *= w.stride_h;
    src.height = dst.height;
    w.stride_h = 1;
  }
  const uint32_t atom = hw.memory_atomic_size;
  const PoolSides& no = p.uncounted;
  const double cycles = cuts.worth ? pdp_cycles(hw, src) : 0;
  const auto pieces = channel_pieces(src, cuts.channels, cycles);
  const auto rows = in_bands(pool_runs({src.height, dst.height, w.kernel_h, w.stride_h, w.pad_top,
                                        w.pad_bottom, no.top, no.bottom}),
                             w.stride_h, cycles / static_cast<double>(pieces.size()));
  const auto columns = pool_runs(
      {src.width, dst.width, w.kernel_w, w.stride_w, w.pad_left, w.pad_right, no.left, no.right});
  std::vector<PoolPart> out;
  for (const Range& piece : pieces) {
    for (const PoolRun& row : rows) {
      for (const PoolRun& column : columns) {
        const Reach y = reach(row, w.stride_h, src.height);
        const Reach x = reach(column, w.stride_w, src.width);
        PoolPart part;
        HwPdp& op = part.op;
        op.kind = p.kind;
        op.pad_value = p.pad_value;
        op.window = w;
        op.window.kernel_h = row.kernel;
        op.window.kernel_w = column.kernel;
        op.window.pad_top = y.before;
        op.window.pad_bottom = y.after;
        op.window.pad_left = x.before;
        op.window.pad_right = x.after;
        op.src = cut(channels_of(src, piece, atom), y.in, x.in, atom);
        op.dst = cut(channels_of(dst, piece, atom), {row.first, row.count},
                     {column.first, column.count}, atom);
        auto split = split_pool(op.window, op.src.width, op.dst.width);
        if (!split.ok()) return split.errors();
        op.split = *split;
        if (pieces.size() > 1) part.suffix += fmt::format(".c{}", piece.first);
        if (rows.size() > 1) part.suffix += fmt::format(".rows{}", row.first);
        if (columns.size() > 1) part.suffix += fmt::format(".columns{}", column.first);
        out.push_back(std::move(part));
      }
    }
  }
  return out;
}

PoolingRest rest_of_pooling(const PoolWork& work, double before, double first, double last,
                            bool bands) {
  const Window& w = work.window;
  const uint32_t common = w.kernel_h > w.stride_h ? w.kernel_h - w.stride_h : 0;
  const uint32_t count =
      bands ? std::clamp(cheapest_bands(work.cycles), 1U, std::min(kMostBands, work.out_rows)) : 1;
  if (count < 2) return {work.cycles + kBandOverhead, 1};
  const double all = work.cycles * (1 + static_cast<double>(count - 1) * common / work.in_rows);
  return {std::max(first + all - before, all * std::max(last, 1.0 / count)) + kBandOverhead, count};
}

uint32_t row_bands(uint64_t cycles, uint32_t rows) {
  return std::clamp(cheapest_bands(static_cast<double>(cycles)), 1U, std::min(kMostBands, rows));
}

}  // namespace dlavp::compiler
