// Inputs, tensors and the walk over the graph's nodes.
#include "compiler/quantise/quantise.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/quantise/quantiser.hpp"

namespace dlavp::compiler {
namespace {

constexpr double kMostOffset = 1 << 30;  ///< of SDP's output converter

}  // namespace

void Quantiser::fail(const Node& node, const std::string& message) const {
  throw Failure{Diagnostics(Error{"lower.unsupported",
                                  fmt::format("node '{}' ({})", node.name, operator_name(node.op)),
                                  message})};
}

Quantisation Quantiser::quantisation(TensorId id) const {
  const auto own = own_.find(id);
  if (own != own_.end()) return own->second;
  const Tensor& t = graph_.tensor(id);
  DLAVP_CHECK(t.quantisation.has_value(), "tensor {} is not calibrated", t.name);
  return *t.quantisation;
}

TensorId Quantiser::new_tensor(const std::string& name, const Shape& s, const Quantisation& q) {
  LayerTensor t;
  t.name = name;
  t.shape = s;
  t.quantisation = q;
  out_.tensors.push_back(std::move(t));
  return static_cast<TensorId>(out_.tensors.size() - 1);
}

TensorId Quantiser::layer_tensor(TensorId id) {
  if (const auto known = ids_.find(id); known != ids_.end()) return known->second;
  const Tensor& t = graph_.tensor(id);
  if (t.constant) {
    double largest = 0;
    for (float v : t.values) largest = std::max(largest, std::abs(double{v}));
    const double constant_scale = largest > 0 ? largest / 127 : 1.0;
    const TensorId made = new_tensor(t.name, t.shape, {constant_scale});
    for (float v : t.values)
      out_.tensors[made].constant.push_back(quantise_value(double{v}, constant_scale));
    return ids_[id] = made;
  }
  const auto place = placed_.find(id);
  std::optional<ChannelView> view;
  if (place != placed_.end())
    view = ChannelView{layer_tensor(place->second.base), place->second.channel};
  std::string name = t.name;
  Shape with_gaps = t.shape;
  const auto spread = spread_.find(id);
  if (spread != spread_.end()) {
    name += ".spread";
    with_gaps.c = spread->second.back();
  }
  const TensorId made =
      new_tensor(name, with_gaps, view ? out_.tensors[view->base].quantisation : quantisation(id));
  if (spread != spread_.end()) {
    const std::vector<int64_t>& at = spread->second;
    for (size_t c = 0; c + 1 < at.size(); ++c)
      if (at[c] + 1 < at[c + 1]) out_.tensors[made].gaps.emplace_back(at[c] + 1, at[c + 1]);
  }
  out_.tensors[made].view = view;
  return ids_[id] = made;
}

bool Quantiser::is_output(TensorId id) const {
  return std::count(graph_.outputs.begin(), graph_.outputs.end(), id) != 0;
}

std::pair<int16_t, uint8_t> Quantiser::multiplier(const Node& node, double factor) const {
  const double factors[] = {factor};
  const Multipliers m = take(make_multipliers(factors), node);
  return {m.mul[0], m.shift};
}

void Quantiser::emit(const std::string& name, Work work, TensorId output) {
  Layer layer;
  layer.name = name;
  layer.work = std::move(work);
  layer.output = output;
  out_.layers.push_back(std::move(layer));
}

void Quantiser::emit(const Node& node, Work work) {
  emit(node.name, std::move(work), layer_tensor(node.output));
}

void Quantiser::emit_bounded(const Node& node, Work work, float most, bool cut_below) {
  const Quantisation out = quantisation(node.output);
  const double bound = std::round(double{most} / out.scale) + out.zero_point;
  const bool above = bound < 127, below = cut_below && out.zero_point > -128;
  if (!above && !below) return emit(node, std::move(work));  // saturation is the bound
  const TensorId before =
      new_tensor(graph_.tensor(node.output).name + ".unbounded", shape(node.output), out);
  emit(node.name + ".unbounded", std::move(work), before);
  PointLayer layer;
  layer.input = before;
  const auto cut = [](SdpStage& stage, StageAlu with, double at) {
    stage.kind = StageKind::kAlu;
    stage.alu_op = with;
    stage.alu = {static_cast<int16_t>(at)};
  };
  if (above) cut(layer.sdp.x1, StageAlu::kMin, bound);
  if (below) cut(layer.sdp.x2, StageAlu::kMax, out.zero_point);
  emit(node, std::move(layer));
}

void Quantiser::core(const Node& node, CoreLayer layer, const char* reason) {
  if (layer.inputs.empty()) {
    for (size_t i = 0; i < node.inputs.size(); ++i) layer.inputs.push_back(in(node, i));
  }
  layer.reason = reason;
  emit(node, std::move(layer));
}

void Quantiser::subtract_zero_point(int32_t zero_point, SdpStage& x1) {
  x1.kind = zero_point == 0 ? StageKind::kMul : StageKind::kBoth;
  if (zero_point != 0) x1.alu = {static_cast<int16_t>(-zero_point)};
}

void Quantiser::add_zero_point(const Node& node, int32_t zero_point, SdpProgram& sdp) const {
  if (zero_point == 0) return;
  const double step = std::ldexp(static_cast<double>(sdp.out_scale), -int{sdp.out_shift});
  const double offset = zero_point / step;
  if (std::abs(offset) > kMostOffset)
    fail(node, fmt::format("its output's zero point {} is {:.3g} steps of what is computed, at "
                           "most {:.3g}",
                           zero_point, offset, kMostOffset));
  sdp.out_offset -= static_cast<int32_t>(std::lround(offset));
}

void Quantiser::rescale(const Node& node, const Quantisation& from, const Quantisation& to,
                        SdpProgram& sdp) const {
  const double factor = from.scale / to.scale;
  if (factor == 1) {
    sdp.out_offset = from.zero_point - to.zero_point;
  } else if (from.zero_point == 0 && to.zero_point == 0) {
    std::tie(sdp.out_scale, sdp.out_shift) = multiplier(node, factor);
  } else {
    const auto [mul, shift] = multiplier(node, std::ldexp(factor, int{kExtraBits}));
    subtract_zero_point(from.zero_point, sdp.x1);
    sdp.x1.mul = {mul};
    sdp.x1.mul_shift = shift;
    sdp.out_shift = kExtraBits;
    add_zero_point(node, to.zero_point, sdp);
  }
}

PointLayer Quantiser::copy(const Node& node, TensorId from, const Quantisation& to) {
  PointLayer layer;
  layer.input = from;
  rescale(node, out_.tensors[from].quantisation, to, layer.sdp);
  return layer;
}

std::vector<uint8_t> Quantiser::table(const std::function<double(double)>& f,
                                      const Quantisation& from, const Quantisation& to) const {
  std::vector<uint8_t> out(256);
  for (int q = -128; q < 128; ++q) {
    const double y = f(from.real(q));
    out[static_cast<uint8_t>(q)] = static_cast<uint8_t>(
        std::isnan(y) ? static_cast<int8_t>(to.zero_point) : quantise_value(y, to));
  }
  return out;
}

bool Quantiser::takes_image(TensorId id) const {
  if (options_.input_mode == InputMode::kFeature || shape(id).c > 4 || uses_[id] != 1) return false;
  for (const Node& n : graph_.nodes) {
    const auto* conv = n.as<ConvOp>();
    if (conv == nullptr || n.inputs[0] != id) continue;
    return conv->groups == 1 && conv->window.dilation_h == 1 && conv->window.dilation_w == 1;
  }
  return false;
}

void Quantiser::choose_input(const InputRange& range, LayerInput& in) const {
  const auto [int8_scale, zero_point] = out_.tensors[in.tensor].quantisation;
  if (range.min < 0 || zero_point != 0) {
    in.zero_point = 128 + zero_point;
    in.scale = int8_scale;
    in.converter = {128, 1, 0};
    return;
  }
  const bool pixels = range.integral && range.max <= 255 && range.max > 1;
  in.scale = pixels ? 1.0 : std::max(range.max, int8_scale * 127) / 255;
  const double factors[] = {in.scale / int8_scale};
  // The converter's product is 34 bits and its shift 6; 8 unsigned bits times 15 leave room.
  const auto m = make_multipliers(factors, 30);
  DLAVP_CHECK(m.ok(), "input factor {}", factors[0]);
  in.converter = {0, m->mul[0], m->shift};
}

void Quantiser::add_inputs() {
  for (size_t i = 0; i < graph_.inputs.size(); ++i) {
    const TensorId id = graph_.inputs[i];
    LayerInput in;
    in.tensor = layer_tensor(id);
    in.channels = shape(id).c == 1 ? 1 : 4;
    in.image = takes_image(id);
    std::tie(in.scale, in.zero_point) = std::pair(scale(id), quantisation(id).zero_point);
    if (in.image) {
      choose_input(ranges_[i], in);
    } else if (options_.input_mode == InputMode::kImage) {
      throw Failure{
          Diagnostics(Error{"lower.image_input", fmt::format("input '{}'", graph_.tensor(id).name),
                            fmt::format("{}: an image input has at most 4 channels and feeds one "
                                        "ungrouped, undilated convolution",
                                        shape(id).text())})};
    }
    out_.inputs.push_back(in);
  }
}

void Quantiser::lower(const Node& node) {
  if (const auto* op = node.as<ConvOp>()) return conv(node, *op);
  if (const auto* op = node.as<ScaleOp>()) return scale_layer(node, *op);
  if (const auto* op = node.as<AddOp>()) return add(node, *op);
  if (const auto* op = node.as<BinaryOp>()) return binary(node, *op);
  if (const auto* op = node.as<ReluOp>()) return relu(node, op->max);
  if (const auto* op = node.as<UnaryOp>()) return unary(node, *op);
  if (node.as<PReluOp>() != nullptr) return prelu(node);
  if (const auto* op = node.as<PoolOp>()) return pool(node, *op);
  if (const auto* op = node.as<LrnOp>()) return lrn(node, *op);
  if (node.as<FlattenOp>() != nullptr) return flatten(node);
  if (const auto* op = node.as<ConcatOp>()) return concat(node, *op);
  if (const auto* op = node.as<SliceOp>()) return slice(node, *op);
  if (const auto* op = node.as<PadOp>()) return pad(node, *op);
  if (const auto* op = node.as<ResizeOp>()) return resize(node, *op);
  if (const auto* op = node.as<ReorderOp>()) return reorder(node, *op);
  if (const auto* op = node.as<SoftmaxOp>()) return softmax(node, *op);
  if (const auto* op = node.as<ReduceOp>()) return reduce(node, *op);
  if (const auto* op = node.as<LayerNormOp>()) return layer_norm(node, *op);
  if (const auto* op = node.as<ArgMaxOp>()) return arg_max(node, *op);
  if (const auto* op = node.as<CustomOp>()) return custom(node, *op);
  if (node.as<IdentityOp>() != nullptr)
    return emit(node, copy(node, in(node), quantisation(node.output)));
  fail(node, "has no lowering; run the standard passes first");
}

/// A tensor is bound once: an output that is an input of the network, or another output, is a copy.
TensorId Quantiser::own_output(TensorId id) {
  const TensorId made = layer_tensor(id);
  const auto bound = [&](TensorId other) { return other == made; };
  if (std::none_of(out_.outputs.begin(), out_.outputs.end(), bound) &&
      std::count(graph_.inputs.begin(), graph_.inputs.end(), id) == 0)
    return made;
  const LayerTensor& t = out_.tensors[made];
  const std::string name = fmt::format("{}.output{}", t.name, out_.outputs.size());
  DLAVP_CHECK(t.type == StoredType::kInt8, "'{}' is copied, but holds indices", t.name);
  const TensorId own = new_tensor(name, t.shape, t.quantisation);
  out_.tensors[own].pooled_flat = out_.tensors[made].pooled_flat;
  PointLayer layer;
  layer.input = made;
  emit(name, std::move(layer), own);
  return own;
}

Result<LayerProgram> Quantiser::run() {
  out_.name = graph_.name;
  uses_.resize(graph_.tensors.size());
  producers_.resize(graph_.tensors.size());
  for (const Node& node : graph_.nodes) {
    producers_[node.output] = &node;
    for (TensorId id : node.inputs) ++uses_[id];
  }
  for (TensorId id : graph_.outputs) ++uses_[id];
  try {
    find_tails();
    find_reordered_cuts();
    plan_views();
    add_inputs();
    for (const Node& node : graph_.nodes) {
      if (!fused_.contains(&node)) lower(node);
    }
    for (TensorId id : graph_.outputs) out_.outputs.push_back(own_output(id));
  } catch (const Failure& failure) {
    return failure.errors;
  }
  const Diagnostics wrong = out_.verify();
  DLAVP_CHECK(wrong.empty(), "after quantisation: {}", wrong.text());
  return std::move(out_);
}

Result<LayerProgram> quantise(const HwConfig& hw, const Graph& graph,
                              const std::vector<InputRange>& ranges,
                              const QuantiseOptions& options) {
  DLAVP_CHECK(ranges.size() == graph.inputs.size(), "{} ranges, {} inputs", ranges.size(),
              graph.inputs.size());
  return Quantiser(hw, graph, ranges, options).run();
}

}  // namespace dlavp::compiler
