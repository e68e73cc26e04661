// The quantised network: what each layer computes on int8 tensors, in the integer arithmetic of the
// accelerator, before anything is cut into tiles or placed in memory. The int8 interpreter gives
// its meaning; the scheduler turns each layer into one or more hardware operations.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

/// Channels [channel, channel + own channels) of another tensor: the same memory. `base` is no view
/// itself and has the same height and width; `channel` starts a memory atom.
struct ChannelView {
  TensorId base = 0;
  int64_t channel = 0;
};

enum class StoredType : uint8_t { kInt8, kInt32 };

/// An int8 tensor (index into LayerProgram::tensors). Outputs of the core may be int32.
struct LayerTensor {
  std::string name;
  Shape shape;
  Quantisation quantisation;
  bool pooled_flat =
      false;  ///< a graph output that was a Flatten: C x H x W stands for CHW x 1 x 1
  std::optional<ChannelView> view;
  StoredType type = StoredType::kInt8;
  std::vector<int8_t> constant;  ///< NCHW, where the tensor is a constant of the network
  /// Channels [first, second) that hold nothing: the parts of a join start at whole atoms.
  std::vector<std::pair<int64_t, int64_t>> gaps;
};

enum class StageKind : uint8_t { kOff, kMul, kAlu, kBoth };
enum class StageMode : uint8_t { kPerLayer, kPerKernel, kPerPoint };
enum class StageAlu : uint8_t { kSum, kMax, kMin };

/// SDP stage X1 or X2: (x + (alu << alu_shift)) * mul >> mul_shift, then ReLU; `alu_op` may make
/// the sum a maximum or minimum. With `prelu` values of 0 and more skip multiplier and shift. With
/// an `operand` the stage is either kAlu or kMul and takes its numbers from that int8 tensor: one
/// an element (kPerPoint, the output's shape) or one a channel (kPerKernel, 1 x C x 1 x 1).
struct SdpStage {
  StageKind kind = StageKind::kOff;
  StageMode mode = StageMode::kPerLayer;
  std::vector<int16_t> alu, mul;  ///< one value, or one a channel
  std::optional<TensorId> operand;
  uint8_t alu_shift = 0;
  uint8_t mul_shift = 0;
  bool relu = false;
  bool prelu = false;
  StageAlu alu_op = StageAlu::kSum;
};

/// Beyond a table: its edge + (x - bound) * scale >> shift.
struct LutSlope {
  int16_t scale = 0;
  int8_t shift = 0;
  bool operator==(const LutSlope&) const = default;
};

/// The look-up tables of SDP's Y stage and of CDP, as their registers have them: LE with 65 entries
/// (linear or one entry an octave), LO with 257, linear; `*_index` is the shift of a linear table
/// or the first octave of an exponential one.
struct Lut {
  bool le_exponential = false;
  std::vector<int16_t> le = std::vector<int16_t>(65), lo = std::vector<int16_t>(257);
  int64_t le_start = 0, le_end = 0, lo_start = 0, lo_end = 0;
  int8_t le_index = 0, lo_index = 0;
  LutSlope le_under, le_over, lo_under, lo_over;
  bool lo_when_both_hit = true, lo_when_under = true, lo_when_over = true;
  bool operator==(const Lut&) const = default;
};

/// The SDP as the compiler uses it; Y looks values up; the output converter is ((x - out_offset) *
/// out_scale) >> out_shift.
struct SdpProgram {
  SdpStage x1, x2;
  std::optional<Lut> lut;
  int32_t out_offset = 0;
  int16_t out_scale = 1;
  uint8_t out_shift = 0;
};

/// Convolution followed by SDP. Weights are K x C/groups x R x S.
struct ConvLayer {
  TensorId input = 0;
  Window window;
  int8_t pad_value = 0;  ///< of the input's padding
  uint32_t groups = 1;
  std::vector<int8_t> weights;
  SdpProgram sdp;
  bool moves = false;  ///< puts channels in other places: its products are no work of the network
};
/// SDP alone, reading `input` from memory. Each element may become so many rows or columns (one of
/// the two), without operands a point.
struct PointLayer {
  TensorId input = 0;
  SdpProgram sdp;
  uint32_t repeat_h = 1, repeat_w = 1;
};
/// Rows and columns of padding, from the outside, that an average does not count.
struct PoolSides {
  uint32_t top = 0, bottom = 0, left = 0, right = 0;
  [[nodiscard]] bool any() const { return top + bottom + left + right != 0; }
};
struct PoolLayer {
  TensorId input = 0;
  PoolKind kind = PoolKind::kMax;
  Window window;
  PoolSides uncounted = {};
  int8_t pad_value = 0;  ///< of the padding that an average counts
};
/// Across channels, on the CDP: converted input times table(sum of squares of `size` neighbours),
/// then (x * out_scale) >> out_shift.
struct LrnLayer {
  TensorId input = 0;
  uint32_t size = 5;
  int16_t in_scale = 1;
  uint8_t in_shift = 0;
  Lut lut;
  int16_t out_scale = 1;
  uint8_t out_shift = 0;
};
/// On the core. `kernel` is a CORE_* number of core_block.h; docs/firmware.md says what each
/// kernel computes from its parameters.
struct CoreLayer {
  uint16_t kernel = 0;
  std::string custom;  ///< name of a custom kernel
  std::vector<TensorId> inputs;
  std::vector<double> reals;
  std::vector<int32_t> params;
  std::vector<uint8_t> table;
  std::string reason;                                  ///< why it is not on the accelerator
  std::shared_ptr<const CustomDefinition> definition;  ///< of a custom kernel
  CustomAttributes attributes;
};

struct Layer {
  std::string name;
  std::variant<ConvLayer, PointLayer, PoolLayer, LrnLayer, CoreLayer> work;
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

  /// The tensor whose memory `id` lies in, and its first channel there.
  [[nodiscard]] ChannelView place(TensorId id) const {
    return tensors[id].view.value_or(ChannelView{id, 0});
  }
  /// All violated rules: operand counts and ranges, tensors' order, shapes.
  [[nodiscard]] Diagnostics verify() const;
  [[nodiscard]] std::string text() const;
};

/// Multiply-adds that the layer needs (without the padding a configuration adds).
[[nodiscard]] uint64_t macs_of(const LayerProgram& program, const Layer& layer);

}  // namespace dlavp::compiler
