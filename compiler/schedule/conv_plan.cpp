// For every bank split a pass over the convolutions that picks the cheapest tiles one after the
// other; the split with the least total wins. Costs are the closed form of models/common plus what
// of fetches and the core's work nothing hides.
#include "compiler/schedule/conv_plan.hpp"

#include <algorithm>

#include "compiler/schedule/pool_split.hpp"

namespace dlavp::compiler {
namespace {

/// From an operation's last atom to the first request of one that waited for its result: drain,
/// acknowledge, interrupt, the core's handler, enable.
constexpr double kTurnaround = 550;
/// From the end of one operation until the next but one, which takes its registers, may fetch.
constexpr double kProgramCycles = 1300;
/// The sequencer's pause between two operations beside one load of weights; SDP's.
constexpr double kSequencerGap = 65;
constexpr double kSdpGap = 40;
constexpr uint32_t kMoreTiles = 6;
/// On the fly a pooling takes less of the memory's time, which is not in the cost.
constexpr double kRatherJoined = 1.002;
/// Lines of single pixels load the memory more, which the cost sees only where it is the bound.
constexpr double kRatherRows = 0.98;

double ceil_div(uint64_t a, uint64_t b) { return static_cast<double>((a + b - 1) / b); }

/// What the operation before leaves for the next one.
struct State {
  double cover = 0;      ///< cycles in which the next fetch can run
  uint64_t entries = 0;  ///< of its data in the buffer
  std::optional<size_t> job;
  PoolingRest pooling;  ///< what of the pooling apart behind it still runs
  double pdp = 0;       ///< cycles for which PDP still runs
};

class Planner {
 public:
  Planner(const HwConfig& hw, const std::vector<ConvJob>& jobs, const ScheduleOptions& options)
      : hw_(hw), jobs_(jobs), options_(options) {}

  Result<std::vector<ConvTiling>> run() {
    std::vector<ConvTiling> alone;
    Diagnostics wrong;
    for (const ConvJob& job : jobs_) {
      auto t = tile_alone(job);
      if (t.ok()) {
        alone.push_back(*t);
      } else {
        for (const Error& e : t.errors().errors()) wrong.add(e.id, job.name, e.message);
      }
    }
    if (!wrong.empty()) return wrong;
    if (!options_.overlap) return alone;
    std::vector<ConvTiling> best = alone;
    double least = -1;
    for (uint32_t banks = 1; banks < hw_.cbuf_bank_number; ++banks) {
      std::vector<ConvTiling> plan = alone;
      const double total = pass(banks, plan);
      if (least >= 0 && total >= least) continue;
      least = total;
      best = std::move(plan);
    }
    return best;
  }

 private:
  [[nodiscard]] Result<ConvTiling> tile_alone(const ConvJob& job) const {
    auto t = tile_convolution(hw_, job.geometry);
    const auto flat = flattened(job.geometry);
    if (!t.ok() && flat && options_.flatten) t = tile_convolution(hw_, *flat);
    if (!t.ok()) return t;
    ConvTiling out = std::move(t).value();
    if (!options_.extend_rows) out.y_extension = 1;
    if (!options_.reuse_weights) out.weights_resident = false;
    return out;
  }

  /// All jobs with `data_banks` for data; those that do not fit keep their own split.
  double pass(uint32_t data_banks, std::vector<ConvTiling>& plan) const {
    State state;
    double total = 0;
    for (size_t i = 0; i < jobs_.size(); ++i) {
      std::optional<ConvTiling> best = choose(i, data_banks, state, plan);
      if (best) {
        total += best->cycles;
        plan[i] = std::move(*best);
        state = after(i, plan[i]);
      } else {
        const ConvTiling& t = plan[i];
        State none;
        total += cost(i, geometry(i, t), t, none) + 2 * kTurnaround + state.pooling.cycles;
        state = {};
      }
    }
    return total + state.pooling.cycles;
  }

  /// The cheapest tiling; whether a pooling is on the fly, by what it and the next job take
  /// together: apart it also runs beside that.
  std::optional<ConvTiling> choose(size_t job, uint32_t data_banks, const State& state,
                                   std::vector<ConvTiling>& plan) const {
    std::optional<ConvTiling> joined = cheapest(job, false, data_banks, state, plan);
    if (!jobs_[job].geometry.pool) return joined;
    std::optional<ConvTiling> apart = cheapest(job, true, data_banks, state, plan);
    if (!joined || !apart) return joined ? joined : apart;
    const double one = with_next(job, *joined, data_banks, plan);
    return one <= kRatherJoined * with_next(job, *apart, data_banks, plan) ? joined : apart;
  }

  /// Cycles of a job and the next one.
  [[nodiscard]] double with_next(size_t job, const ConvTiling& t, uint32_t data_banks,
                                 std::vector<ConvTiling>& plan) const {
    plan[job] = t;
    const State left = after(job, t);
    if (job + 1 == jobs_.size()) return t.cycles + left.pooling.cycles;
    // One job ahead and no further: each would look at the next one's tilings for each of its own.
    const auto next = cheapest(job + 1, false, data_banks, left, plan, false);
    return t.cycles + (next ? next->cycles : left.pooling.cycles);
  }

  /// By what a tiling is chosen.
  [[nodiscard]] double rank(size_t job, const ConvGeometry& g, const ConvTiling& t,
                            std::vector<ConvTiling>& plan, bool ahead) const {
    if (jobs_[job].repeated) return cost(job, g, t, after(job, t));
    return ahead && jobs_[job].last_of_several ? with_next(job, t, t.data_banks, plan) : t.cycles;
  }

  [[nodiscard]] ConvGeometry geometry(size_t job, const ConvTiling& t) const {
    ConvGeometry whole = jobs_[job].geometry;
    if (t.pool_apart) whole.pool.reset();
    return t.flat ? *flattened(whole) : whole;
  }

  /// A job as it is or without its pooling on the fly, and the same as a line of pixels.
  [[nodiscard]] std::vector<ConvGeometry> forms(size_t job, bool pool_apart) const {
    std::vector<ConvGeometry> out = {jobs_[job].geometry};
    if (pool_apart) out.back().pool.reset();
    const auto flat = flattened(out.back());
    if (flat && options_.flatten) out.push_back(*flat);
    return out;
  }

  /// Rows (pixels where `g` is flat) of the producer's output before its last tile.
  [[nodiscard]] std::optional<uint32_t> early_rows(size_t job, const ConvGeometry& g,
                                                   const std::vector<ConvTiling>& plan) const {
    const auto producer = jobs_[job].producer;
    if (!producer) return std::nullopt;
    const ConvTiling& t = plan[*producer];
    if (t.pool_apart) return std::nullopt;  // the pooling is what it waits for
    const ConvGeometry from = geometry(*producer, t);
    const ConvTile& last = t.tiles.back();
    const uint32_t rows = from.pool ? last.pool_y : from.first_out + last.out_y;
    const uint32_t width = jobs_[job].geometry.in_w;
    if (g.flat) return from.flat ? rows : rows * width;
    const uint32_t lines = from.flat ? rows / width : rows;
    const uint32_t first = g.first_row + g.row_lines;
    return lines < first ? 0 : (lines - first) / g.row_step + 1;
  }

  /// Units of the first tile that read only the first `rows` of the input.
  [[nodiscard]] static uint32_t units_within(const ConvGeometry& g, uint32_t rows) {
    uint32_t low = 0, high = tile_units(g);
    while (low < high) {
      const uint32_t middle = (low + high + 1) / 2;
      const ConvTile t = make_tile(g, 0, middle);
      if (t.in_y + t.in_rows <= rows) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  [[nodiscard]] static std::vector<ConvTile> share_out(const ConvGeometry& g, uint32_t count,
                                                       uint32_t first) {
    std::vector<ConvTile> out;
    const uint32_t units = tile_units(g);
    uint32_t y = 0;
    if (first > 0) out.push_back(make_tile(g, 0, y = first));
    for (uint32_t left = count - static_cast<uint32_t>(out.size()); left > 0; --left) {
      const uint32_t rows = (units - y + left - 1) / left;
      out.push_back(make_tile(g, y, rows));
      y += rows;
    }
    return out;
  }

  [[nodiscard]] std::optional<ConvTiling> cheapest(size_t job, bool pool_apart, uint32_t data_banks,
                                                   const State& state,
                                                   std::vector<ConvTiling>& plan,
                                                   bool ahead = true) const {
    const ConvGeometry& whole = jobs_[job].geometry;
    const uint32_t weight_banks = hw_.cbuf_bank_number - data_banks;
    if (smallest_weight_banks(hw_, whole) > weight_banks) return std::nullopt;
    std::optional<ConvTiling> best;
    double least = 0;
    for (const ConvGeometry& g : forms(job, pool_apart)) {
      const std::vector<ConvTile> fewest = fewest_tiles(hw_, g, data_banks);
      if (fewest.empty()) continue;
      const auto early = early_rows(job, g, plan);
      const uint32_t limit = early ? units_within(g, *early) : tile_units(g);
      for (const uint32_t count : counts(g, static_cast<uint32_t>(fewest.size()))) {
        const uint32_t even = (tile_units(g) + count - 1) / count;
        for (const uint32_t first : {0U, std::min(limit, even), std::min(limit, even / 2 + 1)}) {
          if (first > 0 && (count < 2 || first >= even + 1)) continue;
          ConvTiling t = tiling(g, data_banks);
          t.pool_apart = pool_apart;
          t.tiles = share_out(g, count, first);
          if (!fits(g, t)) continue;
          State before = state;
          if (early && t.tiles.front().in_y + t.tiles.front().in_rows > *early &&
              jobs_[job].producer == state.job)
            before.cover = 0;
          if (!jobs_[job].producer || !early) before.cover = 0;
          t.cycles = cost(job, g, t, before);
          const double rather = best && g.flat && !best->flat ? kRatherRows : 1;
          const double takes = rank(job, g, t, plan, ahead);
          if (best && takes >= rather * least) continue;
          least = takes;
          best = std::move(t);
        }
      }
    }
    return best;
  }

  /// Without its tiles.
  [[nodiscard]] ConvTiling tiling(const ConvGeometry& g, uint32_t data_banks) const {
    ConvTiling t;
    t.flat = g.flat;
    t.data_banks = data_banks;
    t.weight_banks = hw_.cbuf_bank_number - data_banks;
    t.weights_resident =
        options_.reuse_weights && kernel_bytes(g) * g.kernels <= t.weight_banks * hw_.bank_bytes();
    t.y_extension = options_.extend_rows ? y_extension(hw_, g) : 1;
    return t;
  }

  /// Numbers of tiles worth a look: the fewest and some more, and where SDP is slower than the
  /// multipliers as many as let stripes be short enough to hide the delivery.
  [[nodiscard]] std::vector<uint32_t> counts(const ConvGeometry& g, uint32_t fewest) const {
    std::vector<uint32_t> out;
    const uint32_t units = tile_units(g);
    for (uint32_t more = 0; more <= kMoreTiles; ++more) out.push_back(fewest + more);
    out.push_back(2 * fewest);
    out.push_back(3 * fewest);
    const uint32_t k = hw_.mac_atomic_k_size;
    for (uint32_t atoms : {2 * k + k / 4, 2 * k + k / 2, 3 * k, 3 * k + k / 4, 3 * k + k / 2})
      out.push_back((g.out_w * units + atoms - 1) / atoms);
    std::erase_if(out, [&](uint32_t n) { return n < fewest || n > units; });
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

  [[nodiscard]] bool fits(const ConvGeometry& g, const ConvTiling& t) const {
    const uint64_t room = uint64_t{t.data_banks} * hw_.cbuf_bank_depth;
    return std::all_of(t.tiles.begin(), t.tiles.end(),
                       [&](const ConvTile& tile) { return tile_fits(hw_, g, tile, room); });
  }

  /// Cycles in which a tile occupies the pipeline when nothing is late.
  [[nodiscard]] double busy(const ConvGeometry& g, const ConvTiling& t,
                            const ConvTile& tile) const {
    const ConvWork work = tile_work(hw_, g, tile, t.y_extension);
    auto cycles = static_cast<double>(conv_cycles(hw_, work));
    if (g.pool)
      cycles = std::max(cycles, static_cast<double>(work.atoms * work.kernels) /
                                    std::max(1U, hw_.pdp_throughput));
    const double macs = static_cast<double>(work.atoms * work.steps) *
                        ceil_div(work.kernels, hw_.mac_atomic_k_size);
    const double gap = cycles > 1.05 * macs ? kSdpGap : kSequencerGap + hw_.mac_atomic_k_size;
    return std::max(cycles + gap, kPairCycles);
  }

  [[nodiscard]] double fetch(const ConvGeometry& g, const ConvTile& tile) const {
    const uint64_t atom = hw_.memory_atomic_size;
    if (g.image) return ceil_div(uint64_t{g.in_w} * g.in_c, atom) * 1.2 * tile.in_rows;
    const uint64_t surfaces = (g.in_c + atom - 1) / atom;
    const uint64_t width = g.flat ? tile.in_rows : g.in_w;
    return static_cast<double>(conv_fill_cycles(width, surfaces, g.flat ? 1 : tile.in_rows));
  }

  [[nodiscard]] double group_beats(const ConvGeometry& g) const {
    return ceil_div(kernel_bytes(g) * std::min(g.kernels, hw_.mac_atomic_k_size),
                    hw_.memory_atomic_size);
  }

  /// The share of a tile's fetch for which there is room beside `held` entries: whole lines.
  [[nodiscard]] double early_share(const ConvGeometry& g, const ConvTile& tile, uint64_t held,
                                   uint64_t room) const {
    const uint64_t entries = tile_entries(hw_, g, tile);
    const uint64_t free = room > held ? room - held : 0;
    if (entries <= free) return 1;
    return g.flat ? 0 : static_cast<double>(free) / static_cast<double>(entries);
  }

  [[nodiscard]] double cost(size_t job, const ConvGeometry& g, const ConvTiling& t,
                            const State& state) const {
    const uint64_t room = uint64_t{t.data_banks} * hw_.cbuf_bank_depth;
    const double all = ceil_div(kernel_bytes(g) * g.kernels, hw_.memory_atomic_size);
    const double capacity =
        static_cast<double>(t.weight_banks * hw_.bank_bytes()) / hw_.memory_atomic_size;
    const double group = group_beats(g);
    const uint64_t surfaces = (g.kernels + hw_.memory_atomic_size - 1) / hw_.memory_atomic_size;
    const double first = kTurnaround + fetch(g, t.tiles.front()) + group;
    const double share = early_share(g, t.tiles.front(), state.entries, room);
    double total = std::max(0.0, first * share - state.cover) + first * (1 - share);
    for (size_t i = 0; i < t.tiles.size(); ++i) {
      const ConvTile& tile = t.tiles[i];
      // Reads that compete for the memory while the tile is computed.
      double reads = i == 0 || !t.weights_resident ? all : 0;
      reads += static_cast<double>(jobs_[job].operand_beats * g.out_w * tile.out_rows * surfaces);
      double late = 0, again = 0;
      if (i + 1 < t.tiles.size()) {
        const double next = fetch(g, t.tiles[i + 1]);
        const double early = early_share(g, t.tiles[i + 1], tile_entries(hw_, g, tile), room);
        reads += next * early;
        late = next * (1 - early);
        again = i > 0 ? kProgramCycles + next * early : 0;
      }
      total += std::max({busy(g, t, tile), reads, again}) + late;
      // Less than two groups in the banks: the next group's fetch waits for the one before.
      if ((i == 0 || !t.weights_resident) && all > capacity && capacity < 2 * group)
        total += (ceil_div(g.kernels, hw_.mac_atomic_k_size) - 1) * (2 * group - capacity);
    }
    const double last = double{static_cast<double>(t.tiles.back().out_rows)} / g.out_h;
    total += jobs_[job].follower_cycles * last;
    if (g.pool) return total + state.pdp;  // it takes PDP's turn behind what is there
    if (state.pooling.cycles == 0) return total;
    const bool beside = jobs_[job].producer == state.job && state.pooling.bands > 1;
    return beside ? std::max(total, state.pooling.cycles + busy(g, t, t.tiles.back()))
                  : total + state.pooling.cycles;
  }

  [[nodiscard]] State after(size_t job, const ConvTiling& t) const {
    const ConvGeometry g = geometry(job, t);
    State out{busy(g, t, t.tiles.back()), tile_entries(hw_, g, t.tiles.back()), job, {}, 0};
    const auto last = static_cast<double>(t.tiles.back().out_rows) / g.out_h;
    const double first = t.cycles / static_cast<double>(t.tiles.size());
    PoolWork work{jobs_[job].pool_cycles, {}, g.out_h, g.out_h};
    if (t.pool_apart) {
      work.window = jobs_[job].geometry.pool->window;
      work.out_rows = jobs_[job].geometry.pool->out_h;
      out.pooling = rest_of_pooling(work, t.cycles, first, last, options_.bands);
      out.pdp = out.pooling.cycles;
    } else if (jobs_[job].pool_follows) {
      work.cycles = jobs_[job].follower_cycles;
      out.pdp = rest_of_pooling(work, t.cycles, first, last, options_.bands).cycles;
    }
    return out;
  }

  const HwConfig& hw_;
  const std::vector<ConvJob>& jobs_;
  const ScheduleOptions& options_;
};

}  // namespace

ScheduleOptions optimisation_level(unsigned level) {
  ScheduleOptions o;
  o.extend_rows = o.fuse_pool = level >= 1;
  o.overlap = o.reuse_weights = o.flatten = o.pack_rows = level >= 2;
  o.move_strides = o.join_sums = o.bands = level >= 2;
  o.use_sram = level >= 3;
  return o;
}

Result<std::vector<ConvTiling>> plan_convolutions(const HwConfig& hw,
                                                  const std::vector<ConvJob>& jobs,
                                                  const ScheduleOptions& options) {
  return Planner(hw, jobs, options).run();
}

}  // namespace dlavp::compiler
