// The sums of an int8 convolution, before SDP.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/schedule/layer.hpp"

namespace dlavp::compiler {

/// Sum of products of every output element, NCHW. `in` has shape `x`; the output has shape `o`.
/// Exact while a sum fits 32 bits: kernels below 2^17 elements.
[[nodiscard]] std::vector<int32_t> convolution_sums(const ConvLayer& layer,
                                                    std::span<const int8_t> in, const Shape& x,
                                                    const Shape& o);

}  // namespace dlavp::compiler
