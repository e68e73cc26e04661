// The quantised network: what each layer computes on int8 tensors, in the integer arithmetic of the
// accelerator, before anything is cut into tiles or placed in memory. The int8 interpreter gives
// its meaning; the scheduler turns each layer into one or more hardware operations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

/// An int8 tensor (index into LayerProgram::tensors); real value = scale x stored value.
struct LayerTensor {
  std::string name;
  Shape shape;
  double scale = 1;
  bool pooled_flat =
      false;  ///< a graph output that was a Flatten: C x H x W stands for CHW x 1 x 1
};

enum class StageKind : uint8_t { kOff, kMul, kAlu, kBoth };
enum class StageMode : uint8_t { kPerLayer, kPerKernel, kPerPoint };

/// SDP stage X1 or X2: (x + (alu << alu_shift)) * mul >> mul_shift, then ReLU. A stage in mode
/// kPerPoint adds the int8 tensor `operand`.
struct SdpStage {
  StageKind kind = StageKind::kOff;
  StageMode mode = StageMode::kPerLayer;
  std::vector<int16_t> alu, mul;  ///< one value, or one a channel
  std::optional<TensorId> operand;
  uint8_t alu_shift = 0;
  uint8_t mul_shift = 0;
  bool relu = false;
};

/// The SDP as the compiler uses it; the output converter is (x * out_scale) >> out_shift.
struct SdpProgram {
  SdpStage x1, x2;
  int16_t out_scale = 1;
  uint8_t out_shift = 0;
};

/// Convolution followed by SDP. Weights are K x C/groups x R x S.
struct ConvLayer {
  TensorId input = 0;
  Window window;
  uint32_t groups = 1;
  std::vector<int8_t> weights;
  SdpProgram sdp;
};
/// SDP alone, reading `input` from memory.
struct PointLayer {
  TensorId input = 0;
  SdpProgram sdp;
};
struct PoolLayer {
  TensorId input = 0;
  PoolKind kind = PoolKind::kMax;
  Window window;
};
/// On the core; in and out scales are those of the tensors.
struct SoftmaxLayer {
  TensorId input = 0;
};

struct Layer {
  std::string name;
  std::variant<ConvLayer, PointLayer, PoolLayer, SoftmaxLayer> work;
  TensorId output = 0;

  template <typename T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&work);
  }
  /// Tensors it reads, in order, without repetition.
  [[nodiscard]] std::vector<TensorId> reads() const;
  [[nodiscard]] const SdpProgram* sdp() const;
};

/// The CDMA's converter: (byte - offset) * scale >> truncate, saturated to int8.
struct InputConverter {
  int16_t offset = 0;
  int16_t scale = 1;
  uint8_t truncate = 0;
};

/// How the bytes that a user binds relate to real values and to the int8 tensor.
struct LayerInput {
  TensorId tensor = 0;
  bool image = false;     ///< unsigned pixels, converted by the CDMA; else int8 feature data
  uint32_t channels = 1;  ///< of a pixel in memory: 1 or 4
  double scale = 1;       ///< real = scale x (byte - zero_point)
  int32_t zero_point = 0;
  InputConverter converter;
};

struct LayerProgram {
  std::string name;
  std::vector<LayerTensor> tensors;
  std::vector<Layer> layers;  ///< every tensor is produced before it is read
  std::vector<LayerInput> inputs;
  std::vector<TensorId> outputs;

  /// All violated rules: operand counts and ranges, tensors' order, shapes.
  [[nodiscard]] Diagnostics verify() const;
  [[nodiscard]] std::string text() const;
};

/// Multiply-adds that the layer needs (without the padding a configuration adds).
[[nodiscard]] uint64_t macs_of(const LayerProgram& program, const Layer& layer);

}  // namespace dlavp::compiler
