// The scheduler: one layer after the other, each into the operations that compute it.
#include "compiler/schedule/schedule.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "compiler/memory/liveness.hpp"
#include "compiler/schedule/conv_chunks.hpp"
#include "compiler/schedule/dependencies.hpp"
#include "compiler/schedule/limits.hpp"
#include "compiler/schedule/pack_rows.hpp"
#include "compiler/schedule/pool_split.hpp"
#include "compiler/schedule/repeat.hpp"
#include "compiler/schedule/weights.hpp"

namespace dlavp::compiler {
namespace {

constexpr uint64_t kAlignment = 64;       ///< of buffers and constants: the widest memory interface
constexpr uint32_t kImageAlignment = 32;  ///< of image lines
constexpr BufferId kConstantBuffer = 0;

uint64_t round_up(uint64_t v, uint64_t a) { return (v + a - 1) / a * a; }

/// Channels and rows of a cube, or channels and pixels.
struct Band {
  uint32_t channel = 0, channels = 0;
  uint32_t y = 0, rows = 0;
  bool flat = false;
  uint32_t x = 0, columns = 0;  ///< 0: all
};

class Scheduler {
 public:
  Scheduler(const HwConfig& hw, const LayerProgram& layers, const ScheduleOptions& options)
      : hw_(hw), layers_(layers), options_(options), atom_(hw.memory_atomic_size) {}
  Result<HwProgram> run();

 private:
  void add_buffers();
  uint64_t add_constant(const std::vector<uint8_t>& bytes);
  [[nodiscard]] const Shape& shape(TensorId id) const { return layers_.tensors[id].shape; }
  [[nodiscard]] View view(TensorId id) const;
  [[nodiscard]] View band(View v, const Band& b) const;
  [[nodiscard]] const LayerInput* image_input(TensorId id) const;
  [[nodiscard]] View image_view(const LayerInput& in) const;

  Diagnostics plan();
  Diagnostics lower(size_t layer);
  void conv(size_t layer, const ConvLayer& c);
  [[nodiscard]] View conv_input(const ConvChunk& chunk, const ConvGeometry& g) const;
  [[nodiscard]] HwConv conv_base(const ConvChunk& chunk, const ConvGeometry& g,
                                 const ConvTiling& tiling);
  void conv_tiles(const ConvChunk& chunk, const HwConv& base, const ConvGeometry& g,
                  const ConvTiling& tiling);
  void point(size_t layer, const PointLayer& p);
  void repeat(size_t layer, const PointLayer& p);
  Diagnostics pool(size_t layer, const PoolLayer& p);
  [[nodiscard]] std::vector<uint32_t> parts_of(TensorId id) const;
  void lrn(size_t layer, const LrnLayer& l);
  void core(size_t layer, const CoreLayer& c);
  [[nodiscard]] HwPdp fused_pool(size_t layer, const ConvTile& t, const HwSdp& from) const;
  [[nodiscard]] HwSdp sdp(size_t layer, const SdpProgram& p, const Band& b);
  [[nodiscard]] HwStage stage(size_t layer, size_t index, const SdpStage& s, const Band& b);
  HwTask& accelerator_task();
  void emit(size_t layer, const std::string& suffix, uint64_t macs,
            decltype(HwOperation::work) work);
  void place();

  const HwConfig& hw_;
  const LayerProgram& layers_;
  const ScheduleOptions& options_;
  uint32_t atom_;
  HwProgram out_;
  std::map<TensorId, uint64_t> constant_tensors_;  ///< offsets
  PoolFusion fusion_;
  ConvChunks chunks_;
  std::vector<ConvTiling> tilings_;  ///< by chunk
  size_t next_chunk_ = 0;
  /// Offset and size by layer, first group and lines in a row.
  std::map<std::tuple<size_t, uint32_t, uint32_t>, std::pair<uint64_t, uint32_t>> weights_;
  std::map<std::pair<size_t, size_t>, uint64_t> operands_;  ///< constant offsets by layer and stage
};

void Scheduler::add_buffers() {
  out_.buffers.push_back({"constants", Region::kConstants, 0, 0, std::nullopt});
  for (TensorId id = 0; id < layers_.tensors.size(); ++id) {
    Buffer b{layers_.tensors[id].name, Region::kActivations, 0, 0, id};
    if (std::count(layers_.outputs.begin(), layers_.outputs.end(), id) != 0)
      b.region = Region::kOutput;
    if (!layers_.tensors[id].constant.empty()) {
      out_.tensor_buffers.push_back(kConstantBuffer);
      constant_tensors_[id] =
          add_constant(pack_feature(shape(id), atom_, layers_.tensors[id].constant));
      continue;
    }
    if (layers_.tensors[id].view) {  // its base's buffer, which may come later
      out_.tensor_buffers.push_back(0);
      continue;
    }
    out_.tensor_buffers.push_back(static_cast<BufferId>(out_.buffers.size()));
    b.size = view(id).bytes;
    for (size_t i = 0; i < layers_.layers.size(); ++i) {
      if (layers_.layers[i].output == id && fusion_.pool_of[i]) b.size = 0;  // never in memory
    }
    for (const LayerInput& in : layers_.inputs) {
      if (in.tensor != id) continue;
      b.region = Region::kInput;
      if (in.image) b.size = image_view(in).bytes;
    }
    out_.buffers.push_back(std::move(b));
  }
  for (TensorId id = 0; id < layers_.tensors.size(); ++id)
    out_.tensor_buffers[id] = out_.tensor_buffers[layers_.place(id).base];
}

uint64_t Scheduler::add_constant(const std::vector<uint8_t>& bytes) {
  const uint64_t at = round_up(out_.constants.size(), kAlignment);
  out_.constants.resize(at);
  out_.constants.insert(out_.constants.end(), bytes.begin(), bytes.end());
  return at;
}

View Scheduler::view(TensorId id) const {
  const ChannelView place = layers_.place(id);
  const bool wide = layers_.tensors[id].type == StoredType::kInt32;
  const uint32_t lanes = wide ? atom_ / 4 : atom_;
  View base = feature_view(out_.tensor_buffers[id], shape(place.base), lanes);
  if (wide) {
    base.line_stride *= 4;
    base.surface_stride *= 4;
    base.bytes *= 4;
    base.element = 4;
    return base;
  }
  const auto constant = constant_tensors_.find(id);
  if (constant != constant_tensors_.end()) base.offset = constant->second;
  if (!layers_.tensors[id].view) return base;
  return band(base, {static_cast<uint32_t>(place.channel), static_cast<uint32_t>(shape(id).c), 0,
                     base.height, false});
}

View Scheduler::band(View v, const Band& b) const {
  DLAVP_CHECK(b.channel % atom_ == 0, "channel {} is inside an atom of {}", b.channel, atom_);
  v.offset += uint64_t{b.channel / atom_} * v.surface_stride;
  v.channels = b.channels;
  const uint64_t surfaces = (b.channels + atom_ - 1) / atom_;
  if (b.flat) {
    v.offset += uint64_t{b.y} * atom_;
    v.width = b.rows;
    v.height = 1;
    v.line_stride = b.rows * atom_;
  } else {
    v.offset += uint64_t{b.y} * v.line_stride + uint64_t{b.x} * atom_;
    v.height = b.rows;
    if (b.columns != 0) v.width = b.columns;
  }
  v.bytes = (surfaces - 1) * v.surface_stride + uint64_t{v.height - 1} * v.line_stride +
            uint64_t{v.width} * atom_;
  return v;
}

const LayerInput* Scheduler::image_input(TensorId id) const {
  for (const LayerInput& in : layers_.inputs) {
    if (in.tensor == id && in.image) return &in;
  }
  return nullptr;
}

View Scheduler::image_view(const LayerInput& in) const {
  View v;
  v.buffer = in.tensor < out_.tensor_buffers.size() ? out_.tensor_buffers[in.tensor] : 0;
  v.width = static_cast<uint32_t>(shape(in.tensor).w);
  v.height = static_cast<uint32_t>(shape(in.tensor).h);
  v.channels = in.channels;
  v.line_stride = static_cast<uint32_t>(
      round_up(uint64_t{v.width} * in.channels, std::max(kImageAlignment, atom_)));
  v.bytes = uint64_t{v.line_stride} * v.height;
  return v;
}

HwTask& Scheduler::accelerator_task() {
  if (out_.tasks.empty() || !out_.tasks.back().cpu.empty()) out_.tasks.emplace_back();
  return out_.tasks.back();
}

void Scheduler::emit(size_t layer, const std::string& suffix, uint64_t macs,
                     decltype(HwOperation::work) work) {
  HwOperation op;
  op.name = layers_.layers[layer].name + suffix;
  op.layer = layer;
  op.macs = macs;
  op.work = std::move(work);
  accelerator_task().operations.push_back(std::move(op));
}

HwStage Scheduler::stage(size_t layer, size_t index, const SdpStage& s, const Band& b) {
  HwStage out;
  out.kind = s.kind;
  out.mode = s.mode;
  out.relu = s.relu;
  out.prelu = s.prelu;
  out.alu_op = s.alu_op;
  out.alu_shift = s.alu_shift;
  out.mul_shift = s.mul_shift;
  if (s.kind == StageKind::kOff) return out;
  if (s.mode == StageMode::kPerLayer) {
    if (!s.alu.empty()) out.alu = s.alu[0];
    if (!s.mul.empty()) out.mul = s.mul[0];
  } else if (s.operand) {
    // The 1 x C x 1 x 1 tensor of mode kPerKernel is an operand a channel as it lies in memory.
    out.wide = false;
    out.data = band(view(*s.operand),
                    s.mode == StageMode::kPerPoint ? b : Band{b.channel, b.channels, 0, 1, false});
  } else {
    auto [it, fresh] = operands_.try_emplace({layer, index}, 0);
    if (fresh) it->second = add_constant(pack_operands(hw_, s.alu, s.mul));
    const uint32_t per_channel = s.kind == StageKind::kBoth ? 4 : 2;
    View v;
    v.buffer = kConstantBuffer;
    v.offset = it->second + uint64_t{b.channel} * per_channel;
    v.width = v.height = 1;
    v.channels = b.channels;
    v.line_stride = v.surface_stride = atom_ * per_channel;
    v.bytes = round_up(b.channels, atom_) * per_channel;
    out.data = v;
  }
  return out;
}

HwSdp Scheduler::sdp(size_t layer, const SdpProgram& p, const Band& b) {
  HwSdp out;
  const View whole = view(layers_.layers[layer].output);
  out.dst = band(whole, b);
  if (fusion_.pool_of[layer]) {
    out.dst = feature_view(0, {1, out.dst.channels, out.dst.height, out.dst.width}, atom_);
    out.dst.stream = true;
  }
  out.x1 = stage(layer, 1, p.x1, b);
  out.x2 = stage(layer, 2, p.x2, b);
  out.lut = p.lut;
  out.out_offset = p.out_offset;
  out.out_scale = p.out_scale;
  out.out_shift = p.out_shift;
  return out;
}

HwPdp Scheduler::fused_pool(size_t layer, const ConvTile& t, const HwSdp& from) const {
  const auto& p = *layers_.layers[layer].as<PoolLayer>();
  HwPdp op;
  op.kind = p.kind;
  op.pad_value = p.pad_value;
  op.window = p.window;
  op.src = from.dst;
  const View whole = view(layers_.layers[layer].output);
  op.dst = band(whole, {0, whole.channels, t.pool_y, t.pool_rows, false});
  op.window.pad_top = t.pool_pad_top;
  op.window.pad_bottom = t.pool_pad_bottom;
  const int64_t used = int64_t{op.dst.width - 1} * p.window.stride_w + p.window.kernel_w;
  op.window.pad_right = static_cast<uint32_t>(used - p.window.pad_left - op.src.width);
  return op;
}

HwConv Scheduler::conv_base(const ConvChunk& chunk, const ConvGeometry& g,
                            const ConvTiling& tiling) {
  const auto& c = *layers_.layers[chunk.layer].as<ConvLayer>();
  const auto all = static_cast<uint32_t>(shape(layers_.layers[chunk.layer].output).c);
  const WeightShape grouped{all, chunk.in_channels, c.window.kernel_h, c.window.kernel_w};
  HwConv base;
  base.window = g.window;
  base.pad_value = c.pad_value;
  base.image = g.image;
  base.image_channels = g.in_c;
  if (const LayerInput* image = image_input(c.input)) base.converter = image->converter;
  base.y_extension = tiling.y_extension;
  base.weights = kConstantBuffer;
  const auto [known, fresh] = weights_.try_emplace({chunk.layer, chunk.first_group, g.row_lines});
  if (fresh) {  // bands of columns share them, and edges of rows
    const ChunkWeights of{grouped,
                          c.groups,
                          chunk.first_group,
                          chunk.groups,
                          g.image ? g.in_c : 0,
                          tiling.y_extension,
                          g.row_lines > 1};
    const std::vector<uint8_t> packed = chunk_weights(hw_, of, c.weights);
    known->second = {add_constant(packed), static_cast<uint32_t>(packed.size())};
  }
  std::tie(base.weight_offset, base.weight_bytes) = known->second;
  base.bytes_per_kernel = static_cast<uint32_t>(kernel_bytes(g));
  base.data_banks = tiling.data_banks;
  base.weight_banks = tiling.weight_banks;
  return base;
}

/// The rows and channels of a chunk, in the strides that its operations have.
View Scheduler::conv_input(const ConvChunk& chunk, const ConvGeometry& g) const {
  const auto& c = *layers_.layers[chunk.layer].as<ConvLayer>();
  if (g.image) return image_view(*image_input(c.input));
  View in = view(c.input);
  const uint32_t channels = chunk.in_channels * chunk.groups;
  in = band(in, {chunk.first_group * chunk.in_channels, channels, g.first_row,
                 in.height - g.first_row, false});
  if (g.row_lines > 1) in.surface_stride = in.line_stride * c.window.dilation_h;
  in.line_stride *= g.row_step;
  return in;
}

void Scheduler::conv_tiles(const ConvChunk& chunk, const HwConv& base, const ConvGeometry& g,
                           const ConvTiling& tiling) {
  const auto& c = *layers_.layers[chunk.layer].as<ConvLayer>();
  const View in = conv_input(chunk, g);
  const bool cut = tiling.tiles.size() > 1 || chunk.part;
  const uint32_t first_kernel = chunk.first_group * chunk.kernels;
  const std::string part = (chunk.groups != c.groups ? fmt::format(".k{}", first_kernel) : "") +
                           (chunk.columns != 0 ? fmt::format(".columns{}", chunk.out_x) : "");
  for (const ConvTile& t : tiling.tiles) {
    HwConv op = base;
    op.reuse_weights = tiling.weights_resident && &t != &tiling.tiles.front();
    op.keep_weights = tiling.weights_resident && &t != &tiling.tiles.back();
    op.src = in;
    if (g.image) {
      op.src.offset += uint64_t{t.in_y} * in.line_stride;
      op.src.height = t.in_rows;
      op.src.bytes = uint64_t{t.in_rows} * in.line_stride;
    } else {
      op.src = band(
          in, {0, g.in_c, t.in_y, t.in_rows, g.flat, chunk.in_x, chunk.columns != 0 ? g.in_w : 0});
    }
    if (g.row_lines > 1) op.lines = lines_read(g, op.src, view(c.input));
    op.entries_per_slice = tile_slice_entries(hw_, g, t);
    op.window.pad_top = t.pad_top;
    op.window.pad_bottom = t.pad_bottom;
    HwSdp after = sdp(chunk.layer, c.sdp,
                      {first_kernel, g.kernels, g.first_out + t.out_y, t.out_rows, g.flat,
                       chunk.out_x, chunk.columns});
    after.src = feature_view(0, {1, g.kernels, after.dst.height, after.dst.width}, atom_);
    after.src.stream = true;
    op.dst = after.src;
    // Zeros between groups and a pixel's empty channel are not the network's.
    const uint64_t products =
        c.moves ? 0 : uint64_t{chunk.in_channels} * c.window.kernel_h * c.window.kernel_w;
    const uint64_t macs = products * g.kernels * t.out_rows * g.out_w;
    const uint32_t from = g.pool ? t.pool_y : g.first_out + t.out_y;
    const std::string suffix =
        part + (cut ? fmt::format(".{}{}", g.flat ? "px" : "rows", from) : "");
    emit(chunk.layer, suffix, macs, op);
    emit(chunk.layer, suffix + ".sdp", 0, after);
    if (const auto pool = fusion_.pool_of[chunk.layer])
      emit(*pool, suffix, 0, fused_pool(*pool, t, after));
  }
}

void Scheduler::conv(size_t layer, const ConvLayer&) {
  for (; next_chunk_ < chunks_.chunks.size() && chunks_.chunks[next_chunk_].layer == layer;
       ++next_chunk_) {
    const ConvTiling& tiling = tilings_[next_chunk_];
    const ConvGeometry& whole = chunks_.jobs[next_chunk_].geometry;
    const ConvGeometry g = tiling.flat ? *flattened(whole) : whole;
    const ConvChunk& chunk = chunks_.chunks[next_chunk_];
    conv_tiles(chunk, conv_base(chunk, g, tiling), g, tiling);
  }
}

void Scheduler::repeat(size_t layer, const PointLayer& p) {
  const View from = view(p.input), to = view(layers_.layers[layer].output);
  for (RepeatedCopy& copy : repeated_copies(from, to, p, atom_)) {
    HwSdp op = sdp(layer, p.sdp, {0, from.channels, 0, to.height, false});
    op.src = copy.src;
    op.dst = copy.dst;
    emit(layer, copy.suffix, 0, std::move(op));
  }
}

void Scheduler::point(size_t layer, const PointLayer& p) {
  if (p.repeat_h * p.repeat_w > 1) return repeat(layer, p);
  const Shape& o = shape(layers_.layers[layer].output);
  HwSdp op =
      sdp(layer, p.sdp, {0, static_cast<uint32_t>(o.c), 0, static_cast<uint32_t>(o.h), false});
  op.src = view(p.input);
  emit(layer, "", 0, std::move(op));
}

/// Where, within a tensor's channels, results of different layers meet.
std::vector<uint32_t> Scheduler::parts_of(TensorId id) const {
  const ChannelView whole = layers_.place(id);
  std::set<uint32_t> out;
  for (const LayerTensor& t : layers_.tensors) {
    if (!t.view || t.view->base != whole.base || t.view->channel <= whole.channel) continue;
    const auto at = static_cast<uint32_t>(t.view->channel - whole.channel);
    if (at < static_cast<uint32_t>(shape(id).c) && at % atom_ == 0) out.insert(at);
  }
  return {out.begin(), out.end()};
}

Diagnostics Scheduler::pool(size_t layer, const PoolLayer& p) {
  if (fusion_.conv_of[layer]) return {};  // with its convolution
  auto parts = pool_parts(hw_, p, view(p.input), view(layers_.layers[layer].output),
                          {options_.bands, parts_of(p.input)});
  if (!parts.ok()) return parts.errors();
  for (PoolPart& part : *parts) emit(layer, part.suffix, 0, std::move(part.op));
  return {};
}

void Scheduler::lrn(size_t layer, const LrnLayer& l) {
  const View src = view(l.input), dst = view(layers_.layers[layer].output);
  HwCdp op;
  op.lrn = l;
  const uint64_t cycles = src.bytes / std::max(1U, hw_.cdp_throughput);
  const uint32_t bands = options_.bands ? row_bands(cycles, src.height) : 1;
  for (uint32_t i = 0, y = 0; i < bands; ++i) {
    const uint32_t rows = (src.height - y + bands - i - 1) / (bands - i);
    op.src = band(src, {0, src.channels, y, rows, false});
    op.dst = band(dst, {0, dst.channels, y, rows, false});
    emit(layer, bands > 1 ? fmt::format(".rows{}", y) : "", 0, op);
    y += rows;
  }
}

void Scheduler::core(size_t layer, const CoreLayer& c) {
  const auto operand = [&](TensorId id) {
    return CoreOperand{view(id), layers_.tensors[id].quantisation.scale, layers_.tensors[id].type};
  };
  if (out_.tasks.empty() || out_.tasks.back().cpu.empty()) out_.tasks.emplace_back();
  CoreOperation op{layers_.layers[layer].name, layer, {}, operand(layers_.layers[layer].output)};
  for (TensorId id : c.inputs) op.inputs.push_back(operand(id));
  out_.tasks.back().cpu.push_back(std::move(op));
}

Diagnostics Scheduler::plan() {
  fusion_ = fuse_pools(hw_, layers_, options_);
  chunks_ = conv_chunks(hw_, layers_, fusion_, options_);
  auto tilings = plan_convolutions(hw_, chunks_.jobs, options_);
  if (!tilings.ok()) return tilings.errors();
  tilings_ = std::move(tilings).value();
  for (size_t i = 0; i < tilings_.size(); ++i) {
    if (!tilings_[i].pool_apart) continue;
    std::optional<size_t>& pool = fusion_.pool_of[chunks_.chunks[i].layer];
    fusion_.conv_of[*pool].reset();
    pool.reset();
    chunks_.jobs[i].geometry.pool.reset();
  }
  return {};
}

Diagnostics Scheduler::lower(size_t layer) {
  const Layer& l = layers_.layers[layer];
  if (const auto* c = l.as<ConvLayer>()) conv(layer, *c);
  if (const auto* p = l.as<PoolLayer>()) return pool(layer, *p);
  if (const auto* p = l.as<PointLayer>()) point(layer, *p);
  if (const auto* n = l.as<LrnLayer>()) lrn(layer, *n);
  if (const auto* k = l.as<CoreLayer>()) core(layer, *k);
  return {};
}

void Scheduler::place() {
  std::vector<CompletedBefore> before;
  for (HwTask& task : out_.tasks) before.push_back(link_operations(task, options_.pipeline));
  const Liveness live = analyse_liveness(out_, before);
  const MemoryPlan plan = plan_memory(live.requests, kAlignment);
  for (size_t i = 0; i < live.ids.size(); ++i) out_.buffers[live.ids[i]].offset = plan.offsets[i];
  out_.activation_bytes = plan.bytes;
  out_.activations_in_sram =
      options_.use_sram && hw_.secondary_memif && plan.bytes <= options_.sram_bytes;
  out_.buffers[kConstantBuffer].size = out_.constants.size();
}

Result<HwProgram> Scheduler::run() {
  Diagnostics wrong = check_limits(hw_, layers_);
  if (!wrong.empty()) return wrong;
  wrong = plan();
  if (!wrong.empty()) return wrong;
  size_t weights = 0;
  for (const Layer& l : layers_.layers)
    if (const auto* c = l.as<ConvLayer>()) weights += c->weights.size();
  out_.constants.reserve(weights + weights / 8);
  add_buffers();
  for (size_t i = 0; i < layers_.layers.size(); ++i) {
    const Diagnostics errors = lower(i);
    for (const Error& e : errors.errors())
      wrong.add(e.id, fmt::format("layer '{}'", layers_.layers[i].name), e.message);
  }
  if (!wrong.empty()) return wrong;
  out_.constants.resize(round_up(out_.constants.size(), kAlignment));
  place();
  wrong = verify(hw_, layers_, out_);
  DLAVP_CHECK(wrong.empty(), "after scheduling: {}", wrong.text());
  return std::move(out_);
}

}  // namespace

Result<HwProgram> schedule(const HwConfig& hw, const LayerProgram& program,
                           const ScheduleOptions& options) {
  return Scheduler(hw, program, options).run();
}

}  // namespace dlavp::compiler
