// Convolutions with what follows them on the same pass: bias, residual, ReLU, PReLU or a table; and
// factors a channel.
#include <algorithm>
#include <cmath>

#include "compiler/loadable/core_block.h"
#include "compiler/quantise/quantise_conv.hpp"
#include "compiler/quantise/quantiser.hpp"

namespace dlavp::compiler {
namespace {

constexpr unsigned kScaleBits = 8;        ///< below one step of a scale's output
constexpr unsigned kTableBits = 4;        ///< below one step of a table's input
constexpr unsigned kResultBits = 8;       ///< below one step of a table's output
constexpr double kBiasTolerance = 0.1;    ///< steps of the output
constexpr double kCoarsened = 1.1;        ///< how much a bias in X1 may coarsen the weights
constexpr int64_t kLargestSum = 1 << 17;  ///< int8 products that cannot leave 32 bits

/// A table over what int8 values of `range` stand for in `unit`s; its entries are 2^lo_index apart.
Lut table_over(const Quantisation& range, double unit) {
  Lut lut;
  while (static_cast<double>(int64_t{128} << lut.lo_index) < 128 * range.scale / unit)
    ++lut.lo_index;
  const int64_t reach = int64_t{128} << lut.lo_index;
  const int64_t centre = std::llround(range.real(0) / unit);
  lut.lo_start = centre - reach;
  lut.lo_end = centre + reach;
  lut.le_start = lut.le_end = INT32_MAX;  // never reached: LO decides
  return lut;
}

/// A table between whose entries the SDP may interpolate.
bool continuous(const UnaryProgram& steps) {
  return std::none_of(steps.begin(), steps.end(), [](const UnaryStep& s) {
    return s.kind == UnaryKind::kFloor || s.kind == UnaryKind::kCeil ||
           s.kind == UnaryKind::kRound || s.kind == UnaryKind::kSign ||
           s.kind == UnaryKind::kThreshold || s.kind == UnaryKind::kReciprocal ||
           s.kind == UnaryKind::kDivValue;
  });
}

}  // namespace

/// The slope of values below zero, one or one a channel, if the node is a PReLU or Leaky ReLU.
std::optional<std::vector<double>> Quantiser::slopes_of(const Node& node) const {
  if (node.as<PReluOp>() != nullptr) {
    const std::vector<float>& v = graph_.tensor(node.inputs[1]).values;
    return std::vector<double>(v.begin(), v.end());
  }
  const auto* op = node.as<UnaryOp>();
  if (op == nullptr || op->steps.size() != 1 || op->steps[0].kind != UnaryKind::kLeakyRelu)
    return std::nullopt;
  return std::vector<double>{op->steps[0].a};
}

/// Finds convolutions whose only reader is a function that the same pass can compute.
void Quantiser::find_tails() {
  for (const Node& tail : graph_.nodes) {
    const bool slopes = slopes_of(tail).has_value();
    const auto* unary = tail.as<UnaryOp>();
    if (!slopes && (unary == nullptr || !hw_.sdp_lut || !continuous(unary->steps))) continue;
    const TensorId x = tail.inputs[0];
    const Node* conv = producers_[x];
    if (conv == nullptr || uses_[x] != 1) continue;
    const auto* op = conv->as<ConvOp>();
    if (op == nullptr || op->relu || (slopes && op->residual)) continue;
    tails_[x] = &tail;
    fused_.insert(&tail);
  }
}

/// Multiplies values below zero.
SdpStage Quantiser::prelu_stage(const Node& node, const std::vector<double>& slopes) const {
  const Multipliers m = take(make_multipliers(slopes), node);
  SdpStage s;
  s.kind = StageKind::kMul;
  s.mode = slopes.size() == 1 ? StageMode::kPerLayer : StageMode::kPerKernel;
  s.mul = m.mul;
  s.mul_shift = m.shift;
  s.prelu = true;
  return s;
}

/// What a fused node adds to a convolution whose X1 (and X2) give `unit`.
void Quantiser::conv_tail(const Node& node, const Node& tail, double unit, ConvLayer& layer) {
  const auto [out_scale, out_zero] = quantisation(tail.output);
  if (const auto slopes = slopes_of(tail)) {
    layer.sdp.x2 = prelu_stage(tail, *slopes);
    std::tie(layer.sdp.out_scale, layer.sdp.out_shift) = multiplier(tail, unit / out_scale);
    return add_zero_point(tail, out_zero, layer.sdp);
  }
  Lut lut = table_over(quantisation(node.output), unit);
  for (size_t i = 0; i < lut.lo.size(); ++i) {
    const auto x = static_cast<double>(lut.lo_start + (static_cast<int64_t>(i) << lut.lo_index));
    const double y = evaluate(tail.as<UnaryOp>()->steps, x * unit);
    const double steps = std::ldexp((std::isnan(y) ? 0 : y / out_scale) + out_zero, kResultBits);
    lut.lo[i] = static_cast<int16_t>(std::lround(std::clamp(steps, -32767.0, 32767.0)));
  }
  layer.sdp.lut = std::move(lut);
  layer.sdp.out_shift = kResultBits;
}

/// Zero weights for the channels of the input that hold nothing, if there are such.
std::optional<Tensor> Quantiser::spread_weights(const Tensor& weights, TensorId input) const {
  const auto spread = spread_.find(input);
  if (spread == spread_.end()) return std::nullopt;
  Tensor out = weights;
  out.shape.c = spread->second.back();
  out.values.assign(static_cast<size_t>(out.shape.elements()), 0.0F);
  const auto plane = static_cast<size_t>(weights.shape.h * weights.shape.w);
  for (int64_t k = 0; k < weights.shape.n; ++k) {
    for (int64_t c = 0; c < weights.shape.c; ++c) {
      const auto from = static_cast<size_t>(k * weights.shape.c + c) * plane;
      const auto to =
          static_cast<size_t>(k * out.shape.c + spread->second[static_cast<size_t>(c)]) * plane;
      std::copy_n(weights.values.begin() + static_cast<std::ptrdiff_t>(from), plane,
                  out.values.begin() + static_cast<std::ptrdiff_t>(to));
    }
  }
  return out;
}

/// Adds one value a channel, in units of `unit`.
SdpStage Quantiser::channel_sum(const std::vector<float>& shifts, double unit) const {
  double largest = 0;
  for (float s : shifts) largest = std::max(largest, std::abs(double{s}) / unit);
  SdpStage out;
  out.kind = StageKind::kAlu;
  out.mode = StageMode::kPerKernel;
  while (out.alu_shift < 16 && std::ldexp(largest, -int{out.alu_shift}) > 32767) ++out.alu_shift;
  for (float s : shifts) {
    const double steps = std::ldexp(double{s} / unit, -int{out.alu_shift});
    out.alu.push_back(static_cast<int16_t>(std::lround(std::clamp(steps, -32767.0, 32767.0))));
  }
  return out;
}

/// Weights and X1. A bias finer than the sums' steps, or one that would cost the weights precision,
/// goes to X2 where that is free.
void Quantiser::conv_main(const Node& node, const ConvOp& op, const Tensor& weights, double unit,
                          bool x2_free, ConvLayer& layer) {
  std::vector<float> bias = graph_.tensor(node.inputs[2]).values;
  if (op.residual) {
    const Quantisation& residual = in_quantisation(node, 3);
    for (float& b : bias) b += static_cast<float>(residual.real(0));  // its stored 0
  }
  const Quantisation input = out_.tensors[layer.input].quantisation;
  const double out_scale = scale(node.output);
  const double tolerance = kBiasTolerance * out_scale / unit;
  QuantisedConv q = take(quantise_conv(weights, bias, input, unit, tolerance), node);
  const bool costly = q.bias_error > 2 * tolerance || q.coarsened > kCoarsened;
  const std::vector<float> none(bias.size());
  for (unsigned bits = kScaleBits + 1; x2_free && costly && bits-- > 0;) {
    const double fine = std::ldexp(out_scale, -static_cast<int>(bits));
    auto sums = quantise_conv(weights, none, {input.scale}, fine, tolerance);
    if (!sums.ok()) continue;  // a factor too large for so fine a unit
    q = std::move(sums).value();
    const std::vector<int64_t> added = kernel_sums(q.weights, bias.size());
    for (size_t k = 0; k < bias.size(); ++k) {
      const double step = std::ldexp(fine * q.x1.mul[k], -int{q.x1.mul_shift});
      bias[k] -= static_cast<float>(step * static_cast<double>(input.zero_point * added[k]));
    }
    layer.sdp.x2 = channel_sum(bias, fine);
    layer.sdp.x2.relu = op.relu;
    layer.sdp.out_shift = static_cast<uint8_t>(bits);
    break;
  }
  layer.weights = std::move(q.weights);
  layer.sdp.x1 = std::move(q.x1);
}

/// Padding beyond the kernel, which no register takes, is copied around the input by the core.
TensorId Quantiser::padded_input(const Node& node, Window& window) {
  const auto beyond = [](uint32_t& pad, int64_t extent) {
    constexpr int64_t kLargestPad = 31;
    const int64_t most = std::min(kLargestPad, extent - 1);
    const int64_t rest = std::max<int64_t>(0, int64_t{pad} - most);
    pad -= static_cast<uint32_t>(rest);
    return rest;
  };
  const TensorId x = in(node);
  const Shape from = out_.tensors[x].shape;
  const int64_t top = beyond(window.pad_top, window.extent_h());
  const int64_t bottom = beyond(window.pad_bottom, window.extent_h());
  const int64_t left = beyond(window.pad_left, window.extent_w());
  const int64_t right = beyond(window.pad_right, window.extent_w());
  if (top + bottom + left + right == 0) return x;
  CoreLayer layer;
  layer.kernel = CORE_MAP;
  layer.inputs = {x};
  const Quantisation q = out_.tensors[x].quantisation;
  layer.params = {0, q.zero_point};
  append_range(layer.params, from.c);
  for (const auto& [before, size, after] :
       {std::tuple{top, from.h, bottom}, std::tuple{left, from.w, right}}) {
    layer.params.insert(layer.params.end(), static_cast<size_t>(before), -1);
    append_range(layer.params, size);
    layer.params.insert(layer.params.end(), static_cast<size_t>(after), -1);
  }
  layer.reason = "padding larger than the kernel";
  const TensorId padded = new_tensor(graph_.tensor(node.output).name + ".padded",
                                     {1, from.c, from.h + top + bottom, from.w + left + right}, q);
  emit(node.name + ".padded", std::move(layer), padded);
  return padded;
}

void Quantiser::conv(const Node& node, const ConvOp& op) {
  const Tensor& weights = graph_.tensor(node.inputs[1]);
  const int64_t products = weights.shape.elements() / weights.shape.n;
  if (products > kLargestSum)
    fail(node, fmt::format("weights {}: {} products a sum, at most {}", weights.shape.text(),
                           products, kLargestSum));
  const auto found = tails_.find(node.output);
  const Node* tail = found == tails_.end() ? nullptr : found->second;
  ConvLayer layer;
  layer.window = op.window;
  layer.input = padded_input(node, layer.window);
  layer.pad_value = static_cast<int8_t>(in_quantisation(node).zero_point);
  layer.groups = op.groups;
  const double out_scale = scale(node.output);
  const unsigned bits = op.residual ? operand_bits(in_scale(node, 3), out_scale) : 0;
  double unit = out_scale;
  if (op.residual) {
    unit = std::ldexp(in_scale(node, 3), -static_cast<int>(bits));
  } else if (tail != nullptr) {
    unit = slopes_of(*tail) ? std::ldexp(scale(tail->output), -int{kExtraBits})
                            : std::ldexp(out_scale, -int{kTableBits});
  }
  const bool x2_free = !op.residual && tail == nullptr;
  const std::optional<Tensor> spread = spread_weights(weights, node.inputs[0]);
  conv_main(node, op, spread ? *spread : weights, unit, x2_free, layer);
  if (layer.sdp.x2.kind == StageKind::kOff) layer.sdp.x1.relu = op.relu && !op.residual;
  if (op.residual) layer.sdp.x2 = add_operand(in(node, 3), StageMode::kPerPoint, op.relu, bits);
  if (tail != nullptr) {
    conv_tail(node, *tail, unit, layer);
    return emit(node.name, std::move(layer), layer_tensor(tail->output));
  }
  if (op.residual)
    std::tie(layer.sdp.out_scale, layer.sdp.out_shift) = multiplier(node, unit / out_scale);
  add_zero_point(node, quantisation(node.output).zero_point, layer.sdp);
  emit_bounded(node, std::move(layer), op.relu ? op.relu_max : kUnbounded);
}

/// One value a channel, zero for those that hold nothing.
std::vector<float> Quantiser::spread_values(const std::vector<float>& values,
                                            TensorId input) const {
  const auto spread = spread_.find(input);
  if (spread == spread_.end()) return values;
  std::vector<float> out(static_cast<size_t>(spread->second.back()));
  for (size_t c = 0; c < values.size(); ++c)
    out[static_cast<size_t>(spread->second[c])] = values[c];
  return out;
}

void Quantiser::scale_layer(const Node& node, const ScaleOp& op) {
  const auto constant = [&](size_t i) {
    return spread_values(graph_.tensor(node.inputs[i]).values, node.inputs[0]);
  };
  const std::vector<float> factor = constant(1);
  double largest = 0;
  for (float f : factor) largest = std::max(largest, std::abs(double{f}));
  unsigned bits = kScaleBits;
  while (bits > 0 &&
         std::ldexp(largest * in_scale(node) / scale(node.output), static_cast<int>(bits)) > 32000)
    --bits;
  const double unit = std::ldexp(scale(node.output), -static_cast<int>(bits));
  std::vector<double> factors;
  for (float f : factor) factors.push_back(double{f} * in_scale(node) / unit);
  const Multipliers m = take(make_multipliers(factors), node);
  PointLayer layer;
  layer.input = in(node);
  SdpStage& x1 = layer.sdp.x1;
  x1.kind = StageKind::kMul;
  x1.mode = StageMode::kPerKernel;
  x1.mul = m.mul;
  x1.mul_shift = m.shift;
  std::vector<float> shifts = constant(2);
  for (size_t c = 0; c < shifts.size(); ++c) {
    const double step = std::ldexp(unit * m.mul[c], -int{m.shift});
    shifts[c] -= static_cast<float>(step * in_quantisation(node).zero_point);
  }
  layer.sdp.x2 = channel_sum(shifts, unit);
  layer.sdp.x2.relu = op.relu;
  layer.sdp.out_shift = static_cast<uint8_t>(bits);
  add_zero_point(node, quantisation(node.output).zero_point, layer.sdp);
  emit_bounded(node, std::move(layer), op.relu ? op.relu_max : kUnbounded);
}

}  // namespace dlavp::compiler
