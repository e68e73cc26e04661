// Graph nodes to layers. The SDP works in "units" finer than the output's scale wherever two
// roundings would follow each other: the eltwise operand is shifted left by kExtraBits.
#include "compiler/quantise/quantise.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "compiler/loadable/core_block.h"
#include "compiler/quantise/multiplier.hpp"
#include "compiler/quantise/quantise_conv.hpp"

namespace dlavp::compiler {
namespace {

constexpr unsigned kExtraBits = 6;        ///< below one step of an eltwise operand
constexpr unsigned kScaleBits = 8;        ///< below one step of a scale's output
constexpr double kBiasTolerance = 0.1;    ///< steps of the output
constexpr int64_t kLargestPool = 8;       ///< PDP kernel
constexpr int64_t kLargestSum = 1 << 17;  ///< int8 products that cannot leave 32 bits

class Quantiser {
 public:
  Quantiser(const Graph& graph, const std::vector<InputRange>& ranges,
            const QuantiseOptions& options)
      : graph_(graph), ranges_(ranges), options_(options) {}
  Result<LayerProgram> run();

 private:
  struct Failure {
    Diagnostics errors;
  };
  [[noreturn]] void fail(const Node& node, const std::string& message) const {
    throw Failure{Diagnostics(
        Error{"lower.unsupported", fmt::format("node '{}' ({})", node.name, operator_name(node.op)),
              message})};
  }
  template <typename T>
  [[nodiscard]] T take(Result<T> result, const Node& node) const {
    if (result.ok()) return std::move(result).value();
    Diagnostics placed;
    for (const Error& e : result.errors().errors())
      placed.add(e.id, fmt::format("node '{}'", node.name), e.message);
    throw Failure{placed};
  }

  TensorId add_tensor(TensorId id);
  void add_inputs();
  void choose_input(const InputRange& range, LayerInput& in) const;
  [[nodiscard]] bool takes_image(TensorId id) const;
  [[nodiscard]] double scale(TensorId id) const { return *graph_.tensor(id).scale; }
  [[nodiscard]] std::pair<int16_t, uint8_t> multiplier(const Node& node, double factor) const {
    const double factors[] = {factor};
    const Multipliers m = take(make_multipliers(factors), node);
    return {m.mul[0], m.shift};
  }
  void lower(const Node& node);
  void conv(const Node& node, const ConvOp& op);
  void scale_layer(const Node& node, const ScaleOp& op);
  void relu(const Node& node);
  void add(const Node& node, const AddOp& op);
  void pool(const Node& node, const PoolOp& op);
  void flatten(const Node& node);
  [[nodiscard]] SdpStage add_point(TensorId operand, bool relu) const;
  void emit(const Node& node, decltype(Layer::work) work);

  const Graph& graph_;
  const std::vector<InputRange>& ranges_;
  const QuantiseOptions& options_;
  LayerProgram out_;
  std::map<TensorId, TensorId> ids_;  ///< graph tensor to layer tensor
};

TensorId Quantiser::add_tensor(TensorId id) {
  const Tensor& t = graph_.tensor(id);
  DLAVP_CHECK(t.scale.has_value(), "tensor {} is not calibrated", t.name);
  out_.tensors.push_back({t.name, t.shape, *t.scale, false, {}, StoredType::kInt8});
  return ids_[id] = static_cast<TensorId>(out_.tensors.size() - 1);
}

bool Quantiser::takes_image(TensorId id) const {
  if (options_.input_mode == InputMode::kFeature || graph_.tensor(id).shape.c > 4 ||
      graph_.uses(id) != 1)
    return false;
  for (const Node& n : graph_.nodes) {
    const auto* conv = n.as<ConvOp>();
    if (n.inputs[0] != id || conv == nullptr) continue;
    return conv->groups == 1 && conv->window.dilation_h == 1 && conv->window.dilation_w == 1;
  }
  return false;
}

void Quantiser::choose_input(const InputRange& range, LayerInput& in) const {
  const double int8_scale = out_.tensors[in.tensor].scale;
  if (range.min < 0) {
    in.zero_point = 128;
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
    in.tensor = add_tensor(id);
    in.channels = graph_.tensor(id).shape.c == 1 ? 1 : 4;
    in.image = takes_image(id);
    in.scale = scale(id);
    if (in.image) {
      choose_input(ranges_[i], in);
    } else if (options_.input_mode == InputMode::kImage) {
      throw Failure{
          Diagnostics(Error{"lower.image_input", fmt::format("input '{}'", graph_.tensor(id).name),
                            fmt::format("{}: an image input has at most 4 channels and feeds one "
                                        "ungrouped, undilated convolution",
                                        graph_.tensor(id).shape.text())})};
    }
    out_.inputs.push_back(in);
  }
}

void Quantiser::emit(const Node& node, decltype(Layer::work) work) {
  Layer layer;
  layer.name = node.name;
  layer.work = std::move(work);
  layer.output = add_tensor(node.output);
  out_.layers.push_back(std::move(layer));
}

SdpStage Quantiser::add_point(TensorId operand, bool relu) const {
  SdpStage s;
  s.kind = StageKind::kAlu;
  s.mode = StageMode::kPerPoint;
  s.operand = ids_.at(operand);
  s.alu_shift = kExtraBits;
  s.relu = relu;
  return s;
}

void Quantiser::conv(const Node& node, const ConvOp& op) {
  const Tensor& weights = graph_.tensor(node.inputs[1]);
  const int64_t products = weights.shape.elements() / weights.shape.n;
  if (products > kLargestSum)
    fail(node, fmt::format("weights {}: {} products a sum, at most {}", weights.shape.text(),
                           products, kLargestSum));
  ConvLayer layer;
  layer.input = ids_.at(node.inputs[0]);
  layer.window = op.window;
  layer.groups = op.groups;
  const double out_scale = scale(node.output);
  const double unit = op.residual ? std::ldexp(scale(node.inputs[3]), -int{kExtraBits}) : out_scale;
  QuantisedConv q =
      take(quantise_conv(weights.values, graph_.tensor(node.inputs[2]).values,
                         scale(node.inputs[0]), unit, kBiasTolerance * out_scale / unit),
           node);
  layer.weights = std::move(q.weights);
  layer.sdp.x1 = std::move(q.x1);
  layer.sdp.x1.relu = op.relu && !op.residual;
  if (op.residual) {
    layer.sdp.x2 = add_point(node.inputs[3], op.relu);
    std::tie(layer.sdp.out_scale, layer.sdp.out_shift) = multiplier(node, unit / out_scale);
  }
  emit(node, std::move(layer));
}

void Quantiser::scale_layer(const Node& node, const ScaleOp& op) {
  const double unit = std::ldexp(scale(node.output), -int{kScaleBits});
  const std::vector<float>& factor = graph_.tensor(node.inputs[1]).values;
  const std::vector<float>& shift = graph_.tensor(node.inputs[2]).values;
  std::vector<double> factors;
  double largest = 0;
  for (float f : factor) factors.push_back(double{f} * scale(node.inputs[0]) / unit);
  for (float s : shift) largest = std::max(largest, std::abs(double{s}) / unit);
  const Multipliers m = take(make_multipliers(factors), node);
  PointLayer layer;
  layer.input = ids_.at(node.inputs[0]);
  layer.sdp.x1 = {StageKind::kMul, StageMode::kPerKernel, {}, m.mul, {}, 0, m.shift, false};
  uint8_t alu_shift = 0;
  while (std::ldexp(largest, -int{alu_shift}) > 32767) ++alu_shift;
  SdpStage& x2 = layer.sdp.x2;
  x2.kind = StageKind::kAlu;
  x2.mode = StageMode::kPerKernel;
  x2.alu_shift = alu_shift;
  x2.relu = op.relu;
  for (float s : shift)
    x2.alu.push_back(
        static_cast<int16_t>(std::lround(std::ldexp(double{s} / unit, -int{alu_shift}))));
  layer.sdp.out_shift = kScaleBits;
  emit(node, std::move(layer));
}

void Quantiser::relu(const Node& node) {
  const auto [mul, shift] = multiplier(node, scale(node.inputs[0]) / scale(node.output));
  PointLayer layer;
  layer.input = ids_.at(node.inputs[0]);
  layer.sdp.x1 = {StageKind::kMul, StageMode::kPerLayer, {}, {mul}, {}, 0, shift, true};
  emit(node, std::move(layer));
}

void Quantiser::add(const Node& node, const AddOp& op) {
  const double unit = std::ldexp(scale(node.inputs[1]), -int{kExtraBits});
  const auto [mul, shift] = multiplier(node, scale(node.inputs[0]) / unit);
  PointLayer layer;
  layer.input = ids_.at(node.inputs[0]);
  layer.sdp.x1 = {StageKind::kMul, StageMode::kPerLayer, {}, {mul}, {}, 0, shift, false};
  layer.sdp.x2 = add_point(node.inputs[1], op.relu);
  std::tie(layer.sdp.out_scale, layer.sdp.out_shift) = multiplier(node, unit / scale(node.output));
  emit(node, std::move(layer));
}

/// Splits a kernel too large for the PDP into two factors it can take, or {0, 0}.
std::pair<uint32_t, uint32_t> two_factors(uint32_t size) {
  for (uint32_t f = kLargestPool; f > 1; --f) {
    if (size % f == 0 && size / f <= kLargestPool) return {f, size / f};
  }
  return {0, 0};
}

void Quantiser::pool(const Node& node, const PoolOp& op) {
  const Window& w = op.window;
  if (w.dilation_h != 1 || w.dilation_w != 1)
    fail(node, fmt::format("window {} is dilated", w.text()));
  if (op.kind == PoolKind::kAverage && op.uncounted_bottom + op.uncounted_right != 0)
    fail(node, fmt::format("average of {} with clipped last windows", w.text()));
  if (op.kind == PoolKind::kAverage && w.padded() && !op.count_include_pad) {
    fail(node,
         fmt::format("average of {} without its padding: the hardware divides by the whole kernel; "
                     "count_include_pad = 1 or no padding would work",
                     w.text()));
  }
  if (w.kernel_h <= kLargestPool && w.kernel_w <= kLargestPool) {
    emit(node, PoolLayer{ids_.at(node.inputs[0]), op.kind, w});
    return;
  }
  const Shape& in = graph_.tensor(node.inputs[0]).shape;
  const auto h = w.kernel_h <= kLargestPool ? std::pair{w.kernel_h, 1U} : two_factors(w.kernel_h);
  const auto v = w.kernel_w <= kLargestPool ? std::pair{w.kernel_w, 1U} : two_factors(w.kernel_w);
  const bool whole = w.kernel_h == in.h && w.kernel_w == in.w && !w.padded();
  if (!whole || h.first == 0 || v.first == 0) {
    fail(node, fmt::format("window {} on {}: kernels are at most {}x{}, or a global pool whose "
                           "sides are products of two such",
                           w.text(), in.text(), kLargestPool, kLargestPool));
  }
  const auto window = [](uint32_t kh, uint32_t kw) {
    Window out;
    out.kernel_h = out.stride_h = kh;
    out.kernel_w = out.stride_w = kw;
    return out;
  };
  Layer first;
  first.name = node.name + ".first";
  first.work = PoolLayer{ids_.at(node.inputs[0]), op.kind, window(h.first, v.first)};
  first.output = static_cast<TensorId>(out_.tensors.size());
  const Shape middle{1, in.c, in.h / h.first, in.w / v.first};
  out_.tensors.push_back({graph_.tensor(node.output).name + ".first",
                          middle,
                          scale(node.inputs[0]),
                          false,
                          {},
                          StoredType::kInt8});
  const TensorId between = first.output;
  out_.layers.push_back(std::move(first));
  emit(node, PoolLayer{between, op.kind, window(h.second, v.second)});
}

void Quantiser::flatten(const Node& node) {
  for (const Node& n : graph_.nodes) {
    if (std::count(n.inputs.begin(), n.inputs.end(), node.output) != 0) {
      fail(node,
           fmt::format("{} flattened for node '{}' ({}): only a fully connected layer or the "
                       "network's output can follow",
                       graph_.tensor(node.inputs[0]).shape.text(), n.name, operator_name(n.op)));
    }
  }
  const TensorId id = ids_.at(node.inputs[0]);
  out_.tensors[id].pooled_flat = true;
  ids_[node.output] = id;
}

void Quantiser::lower(const Node& node) {
  if (const auto* op = node.as<ConvOp>()) return conv(node, *op);
  if (const auto* op = node.as<ScaleOp>()) return scale_layer(node, *op);
  if (const auto* op = node.as<AddOp>()) return add(node, *op);
  if (const auto* op = node.as<PoolOp>()) return pool(node, *op);
  if (node.as<ReluOp>() != nullptr) return relu(node);
  if (node.as<FlattenOp>() != nullptr) return flatten(node);
  if (const auto* op = node.as<SoftmaxOp>()) {
    CoreLayer core;
    core.kernel = CORE_SOFTMAX;
    core.inputs = {ids_.at(node.inputs[0])};
    core.params = {static_cast<int32_t>(op->axis) - 1, op->log ? 1 : 0};
    core.reason = "no unit computes exponentials";
    return emit(node, std::move(core));
  }
  fail(node, "has no lowering; run the standard passes first");
}

Result<LayerProgram> Quantiser::run() {
  out_.name = graph_.name;
  try {
    add_inputs();
    for (const Node& node : graph_.nodes) lower(node);
    for (TensorId id : graph_.outputs) {
      if (std::count(graph_.inputs.begin(), graph_.inputs.end(), id) != 0) {
        return Error{"lower.unsupported", fmt::format("output '{}'", graph_.tensor(id).name),
                     "is an input of the network: nothing to compute"};
      }
      out_.outputs.push_back(ids_.at(id));
    }
  } catch (const Failure& failure) {
    return failure.errors;
  }
  const Diagnostics wrong = out_.verify();
  DLAVP_CHECK(wrong.empty(), "after quantisation: {}", wrong.text());
  return std::move(out_);
}

}  // namespace

Result<LayerProgram> quantise(const Graph& graph, const std::vector<InputRange>& ranges,
                              const QuantiseOptions& options) {
  DLAVP_CHECK(ranges.size() == graph.inputs.size(), "{} ranges, {} inputs", ranges.size(),
              graph.inputs.size());
  return Quantiser(graph, ranges, options).run();
}

}  // namespace dlavp::compiler
