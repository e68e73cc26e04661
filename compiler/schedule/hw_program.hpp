// The scheduled program: hardware operations on buffers, grouped into tasks, with their order. What
// the emitter turns into descriptors.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/schedule/layer.hpp"

namespace dlavp::compiler {

using BufferId = uint32_t;

enum class Region : uint8_t { kConstants, kActivations, kInput, kOutput };

struct Buffer {
  std::string name;
  Region region = Region::kActivations;
  uint64_t size = 0;               ///< bytes
  uint64_t offset = 0;             ///< within its region; set by the planner
  std::optional<TensorId> tensor;  ///< the layer tensor it holds
};

/// A cube of a buffer; strides in bytes. A stream (conv to SDP) has sizes only.
struct View {
  bool stream = false;
  BufferId buffer = 0;
  uint64_t offset = 0;
  uint32_t width = 0, height = 0, channels = 0;
  uint32_t line_stride = 0, surface_stride = 0;
  uint64_t bytes = 0;
  uint32_t element = 1;  ///< bytes of an element
};

struct HwConv {
  View src, dst;  ///< dst is the stream to the SDP
  /// Where lines of the tensor are surfaces of `src`: the same bytes as the tensor has them.
  std::optional<View> lines;
  BufferId weights = 0;
  uint64_t weight_offset = 0;
  uint32_t weight_bytes = 0;  ///< rounded up to the CBUF entry width
  uint32_t bytes_per_kernel = 0;
  Window window;         ///< of this tile: its own padding
  int8_t pad_value = 0;  ///< after the converter
  bool image = false;
  uint32_t image_channels = 0;
  InputConverter converter;
  uint32_t entries_per_slice = 0;
  uint32_t data_banks = 0, weight_banks = 0;
  uint32_t y_extension = 1;    ///< image: kernel rows joined in one step
  bool reuse_weights = false;  ///< those that the convolution before left in the buffer
  bool keep_weights = false;   ///< for the next convolution
};

struct HwStage {
  StageKind kind = StageKind::kOff;
  StageMode mode = StageMode::kPerLayer;
  bool relu = false, prelu = false;
  StageAlu alu_op = StageAlu::kSum;
  bool wide = true;  ///< 16-bit operands in memory; else 8-bit
  uint8_t alu_shift = 0, mul_shift = 0;
  int32_t alu = 0, mul = 0;  ///< operands of mode kPerLayer
  std::optional<View> data;  ///< operands of the other modes
};

struct HwSdp {
  View src, dst;
  HwStage x1, x2;
  std::optional<Lut> lut;
  int32_t out_offset = 0;
  int16_t out_scale = 1;
  uint8_t out_shift = 0;
};

/// Widths of the parts that a pooling is cut into; all zero when it is not.
struct PoolSplit {
  uint32_t parts = 1;
  uint32_t first_in = 0, mid_in = 0, last_in = 0;
  uint32_t first_out = 0, mid_out = 0, last_out = 0;
};

struct HwPdp {
  View src, dst;
  PoolKind kind = PoolKind::kMax;
  int8_t pad_value = 0;
  Window window;
  PoolSplit split;
};

/// Cross-channel normalisation; the layer has its numbers.
struct HwCdp {
  View src, dst;
  LrnLayer lrn;
};

enum class Engine : uint8_t { kBdma = 0, kConv = 1, kSdp = 2, kPdp = 3, kCdp = 4, kRubik = 5 };
inline constexpr size_t kEngines = 6;
enum class Event : uint8_t { kNone = 0, kCompleted = 1, kProgrammed = 2, kEnabled = 3 };

/// Operation `index` of the task waits for this operation's `event`; -1: nobody.
struct Wait {
  int32_t index = -1;
  Event event = Event::kNone;
};

struct HwOperation {
  std::string name;
  size_t layer = 0;
  uint64_t macs = 0;
  std::variant<HwConv, HwSdp, HwPdp, HwCdp> work;
  std::array<Wait, kEngines> consumers;
  Wait fused_parent;
  uint32_t dependencies = 0;

  [[nodiscard]] Engine engine() const;
  /// Takes the results of the operation before it in the list, which feeds no other.
  [[nodiscard]] bool fused() const;
  [[nodiscard]] std::vector<BufferId> reads() const;  ///< constants included
  [[nodiscard]] std::optional<BufferId> writes() const;
  [[nodiscard]] std::vector<View> read_views() const;  ///< of tensors
  [[nodiscard]] std::optional<View> written_view() const;
};

struct CoreOperand {
  View view;
  double scale = 1;
  StoredType type = StoredType::kInt8;
};

/// An operation of the core; the layer has its kernel and parameters.
struct CoreOperation {
  std::string name;
  size_t layer = 0;
  std::vector<CoreOperand> inputs;
  CoreOperand output;
};

/// Either accelerator operations or CPU operations; tasks run one after the other.
struct HwTask {
  std::vector<HwOperation> operations;
  std::vector<CoreOperation> cpu;
};

struct HwProgram {
  std::vector<Buffer> buffers;
  std::vector<uint8_t> constants;  ///< contents of Region::kConstants
  std::vector<HwTask> tasks;
  std::vector<BufferId> tensor_buffers;  ///< by layer tensor
  uint64_t activation_bytes = 0;
  bool activations_in_sram = false;  ///< Region::kActivations is in the second memory
};

/// Some byte may belong to both. Exact for whole lines of cubes with the same strides.
[[nodiscard]] bool overlap(const View& a, const View& b);

/// Layout of a feature cube: surfaces of `atom` channels.
[[nodiscard]] View feature_view(BufferId buffer, const Shape& shape, uint32_t atom);

}  // namespace dlavp::compiler
