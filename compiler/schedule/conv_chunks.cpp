// Layers to convolution jobs.
#include "compiler/schedule/conv_chunks.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "compiler/schedule/pack_rows.hpp"
#include "compiler/schedule/pool_split.hpp"

namespace dlavp::compiler {
namespace {

const LayerInput* image_input(const LayerProgram& layers, TensorId id) {
  for (const LayerInput& in : layers.inputs) {
    if (in.tensor == id && in.image) return &in;
  }
  return nullptr;
}

}  // namespace

ConvGeometry conv_geometry(const LayerProgram& layers, const ConvLayer& c, TensorId output,
                           uint32_t channels, uint32_t kernels) {
  const Shape& x = layers.tensors[c.input].shape;
  const Shape& o = layers.tensors[output].shape;
  const LayerInput* image = image_input(layers, c.input);
  ConvGeometry g;
  g.in_w = static_cast<uint32_t>(x.w);
  g.in_h = static_cast<uint32_t>(x.h);
  g.in_c = image != nullptr ? image->channels : channels;
  g.out_w = static_cast<uint32_t>(o.w);
  g.out_h = static_cast<uint32_t>(o.h);
  g.kernels = kernels;
  g.window = c.window;
  g.image = image != nullptr;
  // Columns that no output uses are not padded.
  const int64_t used = (o.w - 1) * c.window.stride_w + c.window.extent_w();
  g.window.pad_right = static_cast<uint32_t>(std::max<int64_t>(0, used - x.w - c.window.pad_left));
  // Kernels of one row leave the rows between their steps in memory.
  if (!g.image && g.window.kernel_h == 1 && g.window.stride_h > 1 && g.window.pad_top == 0 &&
      (g.out_h - 1) * g.window.stride_h < g.in_h) {
    g.row_step = g.window.stride_h;
    g.in_h = g.out_h;
    g.window.stride_h = 1;
    g.window.pad_bottom = 0;
  }
  return g;
}

namespace {

FusedPool fused_pool(const LayerProgram& layers, const PoolLayer& p, TensorId output) {
  const Shape& o = layers.tensors[output].shape;
  const Shape& x = layers.tensors[p.input].shape;
  FusedPool out{p.window, static_cast<uint32_t>(o.w), static_cast<uint32_t>(o.h)};
  const int64_t used = (o.w - 1) * p.window.stride_w + p.window.kernel_w - p.window.pad_left;
  out.window.pad_right = static_cast<uint32_t>(std::max<int64_t>(0, used - x.w));
  return out;
}

/// Every column reaches a window (the stream cannot leave any out), all windows are of one size,
/// and no line is split.
bool streams(const LayerProgram& layers, const PoolLayer& p, TensorId output) {
  const Shape& o = layers.tensors[output].shape;
  const Shape& x = layers.tensors[p.input].shape;
  const Window& w = p.window;
  const int64_t used = (o.w - 1) * w.stride_w + w.kernel_w - w.pad_left;
  return !p.uncounted.any() && used >= x.w && o.w <= largest_pool_width(w) &&
         w.pad_top < w.kernel_h;
}

/// Which job wrote what, so that a reader, also of a join, knows the last one that it waits for.
class Makers {
 public:
  explicit Makers(const LayerProgram& layers) : layers_(layers) {}
  void add(TensorId id, size_t job) { written_[layers_.place(id).base].emplace_back(id, job); }
  [[nodiscard]] std::optional<size_t> last(TensorId id) const {
    const auto it = written_.find(layers_.place(id).base);
    if (it == written_.end()) return std::nullopt;
    const auto first = layers_.place(id).channel, end = first + layers_.tensors[id].shape.c;
    for (auto at = it->second.rbegin(); at != it->second.rend(); ++at) {
      const int64_t from = layers_.place(at->first).channel;
      if (from < end && from + layers_.tensors[at->first].shape.c > first) return at->second;
    }
    return std::nullopt;
  }

 private:
  const LayerProgram& layers_;
  std::map<TensorId, std::vector<std::pair<TensorId, size_t>>> written_;  ///< by base
};

double pool_cycles(const HwConfig& hw, const ConvGeometry& g) {
  return static_cast<double>(uint64_t{g.out_w} * g.out_h * g.kernels) /
         std::max(1U, hw.pdp_throughput);
}

/// Cycles of the PDP or CDP for the result of layer `i` if nothing else reads it.
void find_follower(const HwConfig& hw, const LayerProgram& layers, size_t i, ConvJob& job) {
  const TensorId written = layers.layers[i].output;
  const TensorId base = layers.place(written).base;
  double rate = 0;
  for (const Layer& reader : layers.layers) {
    for (TensorId id : reader.reads()) {
      if (id != written && layers.place(id).base != base) continue;
      if (reader.as<PoolLayer>() != nullptr) {
        rate = hw.pdp_throughput;
        job.pool_follows = true;
      } else if (reader.as<LrnLayer>() != nullptr) {
        rate = hw.cdp_throughput;
      } else {
        job.pool_follows = false;
        return;
      }
    }
  }
  const Shape& s = layers.tensors[written].shape;
  if (rate != 0) job.follower_cycles = static_cast<double>(s.elements()) / rate;
}

/// The chunk as it is, or in bands of columns where lines are too wide.
void add_chunk(const HwConfig& hw, const ConvChunk& chunk, const ConvJob& job, ConvChunks& out) {
  const auto add = [&](const ConvChunk& part, const ConvGeometry& geometry) {
    out.chunks.push_back(part);
    out.jobs.push_back(job);
    out.jobs.back().geometry = geometry;
  };
  const auto bands = column_bands(hw, job.geometry);
  for (const ConvColumns& band : bands) {
    ConvChunk part = chunk;
    part.out_x = band.out_x;
    part.in_x = band.in_x;
    part.columns = band.geometry.out_w;
    add(part, band.geometry);
  }
  if (bands.empty()) add(chunk, job.geometry);
}

/// All chunks of a layer in parts of rows.
void add_parts(const std::vector<RowPart>& parts, const ConvChunk& like, const ConvJob& job,
               ConvChunks& out) {
  for (const RowPart& p : parts) {
    ConvChunk chunk = like;
    chunk.first_group = p.first_group;
    chunk.groups = p.groups;
    chunk.part = true;
    out.chunks.push_back(chunk);
    out.jobs.push_back(job);
    out.jobs.back().geometry = p.geometry;
    const bool last = &p == &parts.back();
    out.jobs.back().repeated = !last;
    out.jobs.back().last_of_several = last;
    // What reads the result has seen all but the last part.
    const double rows = last ? p.geometry.out_h : 0;
    out.jobs.back().follower_cycles *= rows / job.geometry.out_h;
  }
}

}  // namespace

PoolFusion fuse_pools(const HwConfig& hw, const LayerProgram& layers,
                      const ScheduleOptions& options) {
  PoolFusion out;
  out.pool_of.resize(layers.layers.size());
  out.conv_of.resize(layers.layers.size());
  if (!options.fuse_pool) return out;
  std::map<TensorId, std::vector<size_t>> readers;
  std::map<TensorId, size_t> makers;
  for (size_t i = 0; i < layers.layers.size(); ++i) {
    for (TensorId id : layers.layers[i].reads()) readers[id].push_back(i);
    makers[layers.layers[i].output] = i;
  }
  for (size_t i = 0; i < layers.layers.size(); ++i) {
    const auto* pool = layers.layers[i].as<PoolLayer>();
    if (pool == nullptr || readers[pool->input].size() != 1 || !makers.contains(pool->input))
      continue;
    const size_t from = makers[pool->input];
    const auto* conv = layers.layers[from].as<ConvLayer>();
    const TensorId middle = pool->input;
    const bool shared =
        std::any_of(layers.tensors.begin(), layers.tensors.end(),
                    [&](const auto& t) { return t.view && t.view->base == middle; });
    if (conv == nullptr || shared || layers.tensors[middle].view || conv->groups != 1 ||
        std::count(layers.outputs.begin(), layers.outputs.end(), middle) != 0 ||
        !streams(layers, *pool, layers.layers[i].output))
      continue;
    const ConvGeometry apart = conv_geometry(
        layers, *conv, middle, static_cast<uint32_t>(layers.tensors[conv->input].shape.c),
        static_cast<uint32_t>(layers.tensors[middle].shape.c));
    ConvGeometry joined = apart;
    joined.pool = fused_pool(layers, *pool, layers.layers[i].output);
    const auto one = tile_convolution(hw, joined), two = tile_convolution(hw, apart);
    const double pooling = pool_cycles(hw, apart);
    if (!one.ok()) continue;
    // With `overlap` the planner, which knows the tiles, decides.
    if (!options.overlap && two.ok() && one->cycles > two->cycles + pooling) continue;
    out.pool_of[from] = i;
    out.conv_of[i] = from;
  }
  return out;
}

namespace {

ConvJob conv_job(const HwConfig& hw, const LayerProgram& layers, const PoolFusion& fusion,
                 const ScheduleOptions& options, const ConvChunk& chunk, const Makers& makers) {
  const size_t i = chunk.layer;
  const Layer& layer = layers.layers[i];
  const auto* c = layer.as<ConvLayer>();
  ConvJob job;
  job.geometry = conv_geometry(layers, *c, layer.output, chunk.in_channels * chunk.groups,
                               chunk.kernels * chunk.groups);
  job.name = fmt::format("layer '{}'", layer.name);
  if (const auto pool = fusion.pool_of[i]) {
    job.geometry.pool =
        fused_pool(layers, *layers.layers[*pool].as<PoolLayer>(), layers.layers[*pool].output);
    job.pool_cycles = pool_cycles(hw, job.geometry);
  }
  if (options.bands && !fusion.pool_of[i]) find_follower(hw, layers, i, job);
  for (const SdpStage* s : {&c->sdp.x1, &c->sdp.x2}) job.operand_beats += s->operand ? 1 : 0;
  job.producer = makers.last(c->input);
  return job;
}

}  // namespace

ConvChunks conv_chunks(const HwConfig& hw, const LayerProgram& layers, const PoolFusion& fusion,
                       const ScheduleOptions& options) {
  ConvChunks out;
  const uint32_t atom = hw.memory_atomic_size;
  Makers makers(layers);
  for (size_t i = 0; i < layers.layers.size(); ++i) {
    const Layer& layer = layers.layers[i];
    const auto* c = layer.as<ConvLayer>();
    if (c == nullptr) continue;
    const auto in_channels = static_cast<uint32_t>(layers.tensors[c->input].shape.c / c->groups);
    const auto kernels = static_cast<uint32_t>(layers.tensors[layer.output].shape.c / c->groups);
    // The fewest groups whose channels start and end at whole atoms; more of them as long as the
    // multipliers do not fill up. A chunk is a dense convolution with zeros between its groups.
    const uint32_t fewest =
        std::lcm(atom / std::gcd(in_channels, atom), atom / std::gcd(kernels, atom));
    uint32_t groups = fewest;
    while (groups * 2 * in_channels <= hw.mac_atomic_c_size && groups < c->groups) groups *= 2;
    RowPacking packing{
        conv_geometry(layers, *c, layer.output, in_channels * groups, kernels * groups),
        c->groups,
        fewest,
        groups,
        in_channels,
        kernels,
        c->sdp.lut.has_value(),
        options.pack_all};
    const bool pooled = fusion.pool_of[i].has_value();
    if (options.overlap && c->groups > 1 && !pooled)
      packing.dense = groups = groups_at_once(hw, packing);
    for (uint32_t first = 0; first < c->groups; first += groups) {
      const ConvChunk chunk{i, first, std::min(groups, c->groups - first), in_channels, kernels};
      const ConvJob job = conv_job(hw, layers, fusion, options, chunk, makers);
      if (first == 0 && options.pack_rows && !pooled && fits_buffer(hw, job.geometry)) {
        const auto parts = pack_rows(hw, packing);
        add_parts(parts, chunk, job, out);
        if (!parts.empty()) break;
      }
      add_chunk(hw, chunk, job, out);
    }
    makers.add(fusion.pool_of[i] ? layers.layers[*fusion.pool_of[i]].output : layer.output,
               out.jobs.size() - 1);
  }
  return out;
}

}  // namespace dlavp::compiler
