// Elementwise operators: on the SDP where its stages can, else by tables on the core.
#include <algorithm>
#include <cmath>

#include "compiler/loadable/core_block.h"
#include "compiler/quantise/quantiser.hpp"

namespace dlavp::compiler {
namespace {

double apply(const BinaryOp& op, double a, double b) {
  const auto value = [&] {
    switch (op.kind) {
      case BinaryKind::kAdd:
        return a + b;
      case BinaryKind::kSub:
        return a - b;
      case BinaryKind::kMul:
        return a * b;
      case BinaryKind::kDiv:
        return a / b;
      case BinaryKind::kMax:
        return std::max(a, b);
      case BinaryKind::kMin:
        return std::min(a, b);
      case BinaryKind::kPow:
        return std::pow(a, b);
    }
    return a;
  }();
  return op.relu ? std::min(std::max(value, 0.0), double{op.relu_max}) : value;
}

}  // namespace

/// How far an operand is shifted left: the unit of the sum is no coarser than a sixteenth of the
/// output's step, also where the operand's own steps are far larger than the output's.
unsigned Quantiser::operand_bits(double operand_scale, double out_scale) {
  constexpr unsigned kMostBits = 16;
  unsigned bits = kExtraBits;
  while (bits < kMostBits && std::ldexp(operand_scale, -static_cast<int>(bits)) > out_scale / 16)
    ++bits;
  return bits;
}

/// Adds (or compares with) an int8 tensor, brought to units of its scale / 2^bits.
SdpStage Quantiser::add_operand(TensorId operand, StageMode mode, bool relu, unsigned bits) const {
  SdpStage s;
  s.kind = StageKind::kAlu;
  s.mode = mode;
  s.operand = operand;
  s.alu_shift = static_cast<uint8_t>(bits);
  s.relu = relu;
  return s;
}

void Quantiser::relu(const Node& node, float most) {
  const auto [mul, shift] = multiplier(node, in_scale(node) / scale(node.output));
  PointLayer layer;
  layer.input = in(node);
  SdpStage& x1 = layer.sdp.x1;
  subtract_zero_point(in_quantisation(node).zero_point, x1);
  x1.mul = {mul};
  x1.mul_shift = shift;
  x1.relu = true;
  add_zero_point(node, quantisation(node.output).zero_point, layer.sdp);
  emit_bounded(node, std::move(layer), most);
}

void Quantiser::prelu(const Node& node) {
  const double unit = std::ldexp(scale(node.output), -int{kExtraBits});
  const auto [mul, shift] = multiplier(node, in_scale(node) / unit);
  PointLayer layer;
  layer.input = in(node);
  subtract_zero_point(in_quantisation(node).zero_point, layer.sdp.x1);
  layer.sdp.x1.mul = {mul};
  layer.sdp.x1.mul_shift = shift;
  layer.sdp.x2 = prelu_stage(node, *slopes_of(node));
  layer.sdp.out_shift = kExtraBits;
  add_zero_point(node, quantisation(node.output).zero_point, layer.sdp);
  emit(node, std::move(layer));
}

void Quantiser::unary(const Node& node, const UnaryOp& op) {
  if (slopes_of(node)) return prelu(node);
  const std::vector<uint8_t> values = table([&](double x) { return evaluate(op.steps, x); },
                                            in_quantisation(node), quantisation(node.output));
  if (!hw_.sdp_lut) {
    CoreLayer layer;
    layer.kernel = CORE_TABLE;
    layer.table = values;
    return core(node, std::move(layer), "this SDP has no table");
  }
  // Entry i of LO is the result for -128 + i: at a shift of 0 nothing is interpolated.
  Lut lut;
  lut.lo_start = -128;
  lut.lo_end = 128;
  lut.le_start = lut.le_end = INT32_MAX;
  for (size_t i = 0; i < 256; ++i)
    lut.lo[i] = static_cast<int8_t>(values[static_cast<uint8_t>(static_cast<int>(i) - 128)]);
  lut.lo[256] = lut.lo[255];
  PointLayer layer;
  layer.input = in(node);
  layer.sdp.lut = std::move(lut);
  emit(node, std::move(layer));
}

void Quantiser::add(const Node& node, const AddOp& op) {
  BinaryOp sum;
  sum.relu = op.relu;
  sum.relu_max = op.relu_max;
  binary(node, sum);
}

/// X1 multiplies by the stored factor; what comes before the product makes that X2's.
void Quantiser::multiply(const Node& node, const BinaryOp& op, TensorId x, TensorId operand,
                         StageMode mode) {
  constexpr double kCoarse = 1.0 / 16;  // steps of the output, one of the product
  const Quantisation from = out_.tensors[x].quantisation, out = quantisation(node.output);
  double factor = from.scale * out_.tensors[operand].quantisation.scale / out.scale;
  PointLayer layer;
  layer.input = x;
  SdpProgram& sdp = layer.sdp;
  SdpStage times;
  times.kind = StageKind::kMul;
  times.mode = mode;
  times.operand = operand;
  times.relu = op.relu;
  const bool finer = out.zero_point != 0 && factor > kCoarse;
  if (from.zero_point != 0 || finer) {
    const unsigned bits = finer ? kExtraBits : 0;
    subtract_zero_point(from.zero_point, sdp.x1);
    sdp.x1.mul = {static_cast<int16_t>(1 << bits)};
    factor = std::ldexp(factor, -static_cast<int>(bits));
    sdp.x2 = std::move(times);
  } else {
    sdp.x1 = std::move(times);
  }
  std::tie(sdp.out_scale, sdp.out_shift) = multiplier(node, factor);
  add_zero_point(node, out.zero_point, sdp);
  emit_bounded(node, std::move(layer), op.relu ? op.relu_max : kUnbounded);
}

/// X1 brings the first operand to units of the second, X2 combines. False if no order of the
/// operands fits.
bool Quantiser::binary_on_sdp(const Node& node, const BinaryOp& op) {
  if (op.kind == BinaryKind::kDiv || op.kind == BinaryKind::kPow) return false;
  const Shape& whole = shape(node.output);
  const auto operand_mode = [&](const Shape& s) -> std::optional<StageMode> {
    if (s == whole) return StageMode::kPerPoint;
    if (s == Shape{1, whole.c, 1, 1}) return StageMode::kPerKernel;
    return std::nullopt;
  };
  const auto possible = [&](size_t i) {
    return shape(node.inputs[i]) == whole && !graph_.tensor(node.inputs[i]).constant &&
           operand_mode(shape(node.inputs[1 - i]));
  };
  if (!possible(0) && !possible(1)) return false;
  size_t first = possible(0) ? 0 : 1;
  // The finer of two goes through the multiplier; a difference's ReLU needs the subtrahend there.
  const bool turn = op.kind == BinaryKind::kSub ? op.relu : in_scale(node, 0) > in_scale(node, 1);
  if (possible(0) && possible(1) && turn && op.kind != BinaryKind::kMul) first = 1;
  const auto mode = operand_mode(shape(node.inputs[1 - first]));
  const TensorId x = in(node, first), operand = in(node, 1 - first);
  if (op.kind == BinaryKind::kMul) return multiply(node, op, x, operand, *mode), true;
  const Quantisation from = out_.tensors[x].quantisation,
                     other = out_.tensors[operand].quantisation;
  const Quantisation out = quantisation(node.output);
  // x - operand is -(operand - x): the unit's sign turns whatever is not to be subtracted.
  const bool minus_x = op.kind == BinaryKind::kSub && first == 1;
  const bool minus_operand = op.kind == BinaryKind::kSub && first == 0;
  unsigned extra = operand_bits(other.scale, out.scale);
  while (extra > 0 && std::ldexp(from.scale / other.scale, static_cast<int>(extra)) > 32000)
    --extra;
  if (from.scale / other.scale > 32000 || (op.relu && minus_operand)) return false;
  const double unit = std::ldexp(other.scale, -static_cast<int>(extra));
  const double sign = minus_x || minus_operand ? -1 : 1;
  const auto [mul, shift] = multiplier(node, sign * from.scale / unit);
  PointLayer layer;
  layer.input = x;
  SdpProgram& sdp = layer.sdp;
  subtract_zero_point(from.zero_point, sdp.x1);
  sdp.x1.mul = {mul};
  sdp.x1.mul_shift = shift;
  // The operand's zero point goes with the converter's offset, past X2's ReLU.
  const bool relu_in_x2 = op.relu && other.zero_point == 0;
  sdp.x2 = add_operand(operand, *mode, relu_in_x2, extra);
  if (op.kind == BinaryKind::kMax) sdp.x2.alu_op = StageAlu::kMax;
  if (op.kind == BinaryKind::kMin) sdp.x2.alu_op = StageAlu::kMin;
  std::tie(sdp.out_scale, sdp.out_shift) =
      multiplier(node, (minus_operand ? -1 : 1) * unit / out.scale);
  sdp.out_offset = other.zero_point * (1 << extra);
  add_zero_point(node, out.zero_point, sdp);
  emit_bounded(node, std::move(layer), op.relu ? op.relu_max : kUnbounded, op.relu && !relu_in_x2);
  return true;
}

void Quantiser::binary(const Node& node, const BinaryOp& op) {
  if (binary_on_sdp(node, op)) return;
  CoreLayer layer;
  layer.kernel = CORE_BINARY;
  const Quantisation a = in_quantisation(node, 0), b = in_quantisation(node, 1);
  const Quantisation to = quantisation(node.output);
  layer.table.resize(size_t{256} * 256);
  for (int i = -128; i < 128; ++i) {
    for (int k = -128; k < 128; ++k) {
      const double y = apply(op, a.real(i), b.real(k));
      layer.table[size_t{static_cast<uint8_t>(i)} * 256 + static_cast<uint8_t>(k)] =
          static_cast<uint8_t>(std::isnan(y) ? static_cast<int8_t>(to.zero_point)
                                             : quantise_value(y, to));
    }
  }
  const bool arithmetic = op.kind == BinaryKind::kDiv || op.kind == BinaryKind::kPow;
  core(node, std::move(layer),
       arithmetic ? "no unit divides or raises" : "the SDP repeats an operand over the plane only");
}

}  // namespace dlavp::compiler
