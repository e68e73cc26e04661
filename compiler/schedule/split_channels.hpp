// Convolutions whose kernels are too large for the convolution buffer, cut along the input channels.
#pragma once

#include "compiler/ir/graph.hpp"
#include "models/common/hw_config.hpp"

namespace dlavp::compiler {

/// A convolution of which one group of kernels does not fit beside one line of its input becomes a
/// chain: each part reads some of the channels and adds the sum of the parts before it. Gives how
/// many were cut. What does not fit with the fewest channels stays as it is.
/// Precondition: the standard passes have run; there are no scales yet.
size_t split_channels(const HwConfig& hw, Graph& graph);

}  // namespace dlavp::compiler
