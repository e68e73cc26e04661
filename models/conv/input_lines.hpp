// InputLines: the bytes that one CDMA operation fetched, as the convolution buffer holds them.
// Raw bytes are captured when the operation starts; conversion to int8 lines happens when a line
// is first asked for. Hardware manual: "Convolution DMA", "Convolution buffer".
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/common/footprint.hpp"
#include "models/conv/conv_op.hpp"

namespace dlavp::conv {

/// The convertor's arithmetic on one value (17-bit input); `channel` selects the mean.
[[nodiscard]] int8_t convert(const Convertor& convertor, int32_t value, unsigned channel);

/// The memory that CDMA reads for the input of `op`.
[[nodiscard]] std::vector<Footprint> footprints(const CdmaOp& op, uint32_t atom);

class InputLines {
 public:
  /// Reads the cube or image of `op` from `memory`. Errors: "cdma.datain_unmapped",
  /// "cdma.unsupported_size".
  /// Without `function` no byte is read, and there is no line().
  static Result<std::shared_ptr<InputLines>> capture(const CdmaOp& op, Memory& memory,
                                                     const HwConfig& hw, bool function = true);

  [[nodiscard]] const CdmaOp& op() const { return op_; }
  [[nodiscard]] uint32_t lines() const { return op_.height; }

  /// One line as int8. Feature cubes: index = (surface * width + x) * atom + lane. Images:
  /// x * channels + channel over the stored width, padding included.
  [[nodiscard]] std::span<const int8_t> line(uint32_t y);

 private:
  InputLines(const CdmaOp& op, uint32_t atom) : op_(op), atom_(atom) {}
  bool read_feature(Memory& memory);
  bool read_image(Memory& memory);
  void convert_all();
  void convert_image_line(uint32_t y, int8_t* out) const;

  CdmaOp op_;
  uint32_t atom_;
  size_t raw_line_[2] = {0, 0};  ///< bytes of one captured line, per plane
  size_t line_bytes_ = 0;        ///< bytes of one converted line
  std::vector<uint8_t> raw_[2];
  std::vector<int8_t> converted_;
};

/// One line of the convolution buffer.
struct Slice {
  std::shared_ptr<InputLines> source;
  uint32_t line = 0;
};

/// The weight bytes of `op` (without `function` none); an error if they are not all in memory.
[[nodiscard]] Result<std::vector<int8_t>> capture_weights(const CdmaOp& op, Memory& memory,
                                                          bool function = true);

}  // namespace dlavp::conv
