// Constants in the accelerator's memory layouts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/ir/tensor.hpp"
#include "models/common/hw_config.hpp"

namespace dlavp::compiler {

struct WeightShape {
  uint32_t kernels = 0, channels = 0, height = 0, width = 0;
};

/// Direct-convolution order: groups of atomic-K kernels, blocks of atomic-C channels, rows,
/// columns, kernel in the group, channel in the block; padded with zeros to the CBUF entry width.
/// `y_extension` rows that one step joins follow each other within a kernel.
[[nodiscard]] std::vector<uint8_t> pack_weights(const HwConfig& hw, const WeightShape& shape,
                                                uint32_t y_extension,
                                                std::span<const int8_t> weights);

/// Pixel input: columns are folded into the channels (c' = column x pixel_channels + channel),
/// missing channels of a pixel are zero. Changes `shape` to what `pack_weights` takes.
[[nodiscard]] std::vector<int8_t> fold_image_weights(WeightShape& shape, uint32_t pixel_channels,
                                                     std::span<const int8_t> weights);

/// Grouped weights (K x C/groups x R x S), groups [first, first + count), as dense ones.
[[nodiscard]] std::vector<int8_t> densify_weights(const WeightShape& grouped, uint32_t groups,
                                                  uint32_t first, uint32_t count,
                                                  std::span<const int8_t> weights,
                                                  WeightShape& dense);

/// Rows as channels: c' = row x atom + channel, with zeros where there is no channel. Changes
/// `shape` to what `pack_weights` takes.
[[nodiscard]] std::vector<int8_t> rows_to_channels(WeightShape& shape, uint32_t atom,
                                                   std::span<const int8_t> weights);

/// Some groups of a layer's weights (K x C/groups x R x S) and how the sequencer sees them.
struct ChunkWeights {
  WeightShape grouped;
  uint32_t groups = 1, first = 0, count = 1;
  uint32_t pixel_channels = 0;  ///< 0: features
  uint32_t y_extension = 1;
  bool rows_as_channels = false;
};
[[nodiscard]] std::vector<uint8_t> chunk_weights(const HwConfig& hw, const ChunkWeights& chunk,
                                                 std::span<const int8_t> weights);

/// NCHW values in surfaces of `atom` channels.
[[nodiscard]] std::vector<uint8_t> pack_feature(const Shape& shape, uint32_t atom,
                                                std::span<const int8_t> values);

/// Little-endian 16-bit operands: `alu` and `mul` interleaved where both are given; padded to whole
/// memory atoms of elements.
[[nodiscard]] std::vector<uint8_t> pack_operands(const HwConfig& hw, std::span<const int16_t> alu,
                                                 std::span<const int16_t> mul);

}  // namespace dlavp::compiler
