// What a convolution computes: CSC's walk over input and weights, CMAC's products, CACC's
// accumulation and clipping, as one pure function. Hardware manual: "Convolution pipeline".
#pragma once

#include <memory>
#include <vector>

#include "models/common/cube.hpp"
#include "models/conv/conv_op.hpp"
#include "models/conv/input_lines.hpp"

namespace dlavp::conv {

/// What the convolution buffer holds for one operation.
struct ConvInputs {
  std::vector<Slice> slices;    ///< in_height lines
  std::vector<int8_t> weights;  ///< kernels * bytes_per_kernel, in the hardware's order
};

struct ConvResult {
  AtomCube<int32_t> cube;  ///< atoms of the memory atom's lanes; lanes beyond the kernels are 0
  uint32_t saturated = 0;  ///< outputs clamped to 32 bits (D_OUT_SATURATION)
};

/// The convolution. Accumulators have 34 bits and saturate at every addition of one MAC operation.
[[nodiscard]] ConvResult convolve(const ConvInputs& inputs, const CscOp& csc, const CaccOp& cacc,
                                  const HwConfig& hw);

/// True if no output of `csc` can reach 32 bits, so that nothing saturates whatever the data.
[[nodiscard]] bool cannot_saturate(const CscOp& csc);

/// CACC's output stage: a 34-bit accumulator shifted right, rounded, clamped to 32 bits. Like the
/// RTL it keeps 16 bits below the result for rounding. Sets `saturated` if it clamped.
[[nodiscard]] int32_t clip_accumulator(int64_t accumulator, uint32_t truncate, bool& saturated);

}  // namespace dlavp::conv
