// The operators of the typed graph. Each says its inputs; shapes follow from them (infer.cpp).
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <variant>

#include "compiler/ir/tensor.hpp"
#include "compiler/ir/unary.hpp"
#include "models/common/result.hpp"

namespace dlavp::compiler {

/// Inputs x, weights (K x C/groups x R x S), bias (1 x K x 1 x 1) [, residual with the output's
/// shape].
struct ConvOp {
  Window window;
  uint32_t groups = 1;
  bool relu = false;      ///< applied last
  bool residual = false;  ///< the fourth input is added before `relu`
  float relu_max = kUnbounded;
};
/// Inputs x, weights (C x K/groups x R x S), bias (1 x K x 1 x 1). The window is that of the
/// convolution whose gradient this is: pads shrink the output.
struct ConvTransposeOp {
  Window window;
  uint32_t groups = 1;
  uint32_t output_pad_h = 0, output_pad_w = 0;
};
/// Inputs x (any C x H x W, taken flat), weights (K x CHW x 1 x 1), bias (1 x K x 1 x 1).
struct GemmOp {};
/// Inputs x, gamma, beta, mean, variance (1 x C x 1 x 1 each).
struct BatchNormOp {
  float epsilon = 1e-5F;
};
/// Inputs x, factor, shift (1 x C x 1 x 1): x * factor + shift.
struct ScaleOp {
  bool relu = false;
  float relu_max = kUnbounded;
};
/// Values below 0 become 0, those above `max` become `max`. On the accelerator the upper bound is
/// the saturation of int8: calibration never sees more than `max`, so no scale reaches beyond it.
struct ReluOp {
  float max = kUnbounded;
};
/// Inputs x, slope (1 x C x 1 x 1): values below 0 are multiplied by their channel's slope.
struct PReluOp {};
/// An elementwise function of x alone.
struct UnaryOp {
  UnaryProgram steps;
};
/// Two activations of equal shape.
struct AddOp {
  bool relu = false;
  float relu_max = kUnbounded;
};
enum class BinaryKind : uint8_t { kAdd, kSub, kMul, kDiv, kMax, kMin, kPow };
/// Inputs a, b; sizes of 1 are repeated along the other's. At most one of the two is a constant.
struct BinaryOp {
  BinaryKind kind = BinaryKind::kAdd;
  bool relu = false;
  float relu_max = kUnbounded;
};
enum class PoolKind : uint8_t { kMax, kAverage };
/// Every window holds at least one element of the input. An average divides by the elements it
/// covers; with `count_include_pad` also by padding, except for its outermost `uncounted` rows and
/// columns (those that rounding the output size up appends).
struct PoolOp {
  PoolKind kind = PoolKind::kMax;
  Window window;
  bool count_include_pad = false;
  uint32_t uncounted_bottom = 0, uncounted_right = 0;
};
/// C x H x W to CHW x 1 x 1.
struct FlattenOp {};
/// The elements in row-major order as `dims`, transposed so that dimension i of the result is
/// dimension perm[i] before, then as `shape`. Covers reshapes, transposes and channel shuffles.
struct ReorderOp {
  std::vector<int64_t> dims;
  std::vector<uint32_t> perm;
  Shape shape;
};
/// Joins one or more activations along C, H or W (axis 1 to 3).
struct ConcatOp {
  uint32_t axis = 1;
};
/// Elements start, start + step, ... of each axis, as many as `size` says.
struct SliceOp {
  std::array<int64_t, 4> start = {0, 0, 0, 0};
  std::array<int64_t, 4> step = {1, 1, 1, 1};
  Shape size;
};
enum class PadMode : uint8_t { kConstant, kReflect, kEdge };
struct PadOp {
  std::array<int64_t, 4> before = {0, 0, 0, 0};
  std::array<int64_t, 4> after = {0, 0, 0, 0};
  float value = 0;
  PadMode mode = PadMode::kConstant;
};
enum class ResizeKind : uint8_t {
  kNearest,
  kLinear,
  kZeroInsert  ///< input (y, x) at output (y * scale_h, x * scale_w), zero elsewhere
};
enum class CoordinateMode : uint8_t {
  kHalfPixel,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric,
  kTfHalfPixelForNearest
};
enum class NearestMode : uint8_t { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };
struct ResizeOp {
  ResizeKind kind = ResizeKind::kNearest;
  CoordinateMode coordinates = CoordinateMode::kHalfPixel;
  NearestMode nearest = NearestMode::kRoundPreferFloor;
  double scale_h = 1, scale_w = 1;  ///< output size / input size as the coordinates use it
  int64_t out_h = 1, out_w = 1;
};
enum class ReduceKind : uint8_t { kMean, kSum, kMax, kMin, kProd, kL2 };
/// Over the axes that are on; they become 1.
struct ReduceOp {
  ReduceKind kind = ReduceKind::kMean;
  bool c = false, h = false, w = false;
};
/// Inputs x, gamma, beta (1 x C x 1 x 1): (x - mean) / sqrt(variance + epsilon) * gamma + beta,
/// with mean and (biased) variance over the axes that are on. With `groups` above 1 over the
/// channels of each group apart; then `c` is on.
struct LayerNormOp {
  float epsilon = 1e-5F;
  bool c = true, h = false, w = false;
  uint32_t groups = 1;
};
/// x / (k + alpha / n * sum of squares) ^ beta; the sum is over the `size` channels around, or with
/// `within` over the size x size pixels around (n = size, or size * size).
struct LrnOp {
  uint32_t size = 5;
  float alpha = 1e-4F, beta = 0.75F, k = 1;
  bool within = false;
};
/// Along one axis, 1 to 3.
struct SoftmaxOp {
  uint32_t axis = 1;
  bool log = false;
};
/// The index of the largest (or smallest) value along one axis, which becomes 1; of equal ones the
/// first or the last.
struct ArgMaxOp {
  uint32_t axis = 1;
  bool last = false;
  bool smallest = false;
};
struct IdentityOp {};

/// What a user's operator was given in the model.
struct CustomAttributes {
  std::map<std::string, double> numbers;
  std::map<std::string, std::vector<double>> lists;
  std::map<std::string, std::string> texts;
};
struct CustomTensor {
  Shape shape;
  std::span<const float> values;
};
/// An int8 tensor; real value = scale x stored value.
struct CustomStored {
  Shape shape;
  double scale = 1;
  std::span<const int8_t> values;
};
/// The attributes as the C function on the core gets them.
struct CustomArguments {
  std::vector<int32_t> params;
  std::vector<double> reals;
};
/// A user's operator, found in the firmware by `name`. What a front end does not need may be empty;
/// an int8 program needs `arguments` and `compute`.
struct CustomDefinition {
  std::string name;
  std::string onnx_domain;       ///< empty: any
  std::string caffe_parameters;  ///< the message of a Caffe layer that holds its attributes
  /// The output's shape, or why inputs and attributes are wrong.
  std::function<Result<Shape>(const CustomAttributes&, std::span<const Shape> inputs)> shape;
  /// Shapes of the constants that a Caffe layer of this type holds, behind its inputs.
  std::function<Result<std::vector<Shape>>(const CustomAttributes&, std::span<const Shape> inputs)>
      constants;
  /// Its meaning in floating point.
  std::function<void(const CustomAttributes&, std::span<const CustomTensor> inputs,
                     const Shape& output_shape, std::span<float> output)>
      evaluate;
  std::function<CustomArguments(const CustomAttributes&)> arguments;
  /// What the core computes, byte for byte; `values` are the output's.
  std::function<void(const CustomAttributes&, std::span<const CustomStored> inputs,
                     const CustomStored& output, std::span<int8_t> values)>
      compute;
};
/// Any number of inputs, constants among them.
struct CustomOp {
  std::shared_ptr<const CustomDefinition> definition;
  CustomAttributes attributes;
};
/// Operators by name; a front end asks it for what it does not know itself.
using CustomRegistry = std::map<std::string, std::shared_ptr<const CustomDefinition>>;

using Operator =
    std::variant<ConvOp, GemmOp, BatchNormOp, ScaleOp, ReluOp, AddOp, PoolOp, FlattenOp, SoftmaxOp,
                 IdentityOp, ConvTransposeOp, PReluOp, UnaryOp, BinaryOp, ReorderOp, ConcatOp,
                 SliceOp, PadOp, ResizeOp, ReduceOp, LayerNormOp, LrnOp, ArgMaxOp, CustomOp>;

[[nodiscard]] const char* operator_name(const Operator& op);
/// Whether the results are values of the inputs in other places, or averages or extremes of them.
[[nodiscard]] bool moves_values(const Operator& op);
[[nodiscard]] const char* binary_name(BinaryKind kind);
[[nodiscard]] const char* reduce_name(ReduceKind kind);
/// The attributes as one line, empty if there are none worth saying.
[[nodiscard]] std::string attributes_text(const Operator& op);

}  // namespace dlavp::compiler
