// The convolutions of a network as the hardware computes them: which pooling runs on the fly behind
// which convolution, and grouped convolutions as dense ones over a few groups.
#pragma once

#include <optional>
#include <vector>

#include "compiler/schedule/conv_plan.hpp"
#include "compiler/schedule/layer.hpp"

namespace dlavp::compiler {

/// By layer: the pooling layer that takes a convolution's results on the fly, and back.
struct PoolFusion {
  std::vector<std::optional<size_t>> pool_of, conv_of;
};

[[nodiscard]] PoolFusion fuse_pools(const HwConfig& hw, const LayerProgram& layers,
                                    const ScheduleOptions& options);

/// Groups [first_group, first_group + groups) of a layer.
struct ConvChunk {
  size_t layer = 0;
  uint32_t first_group = 0, groups = 1;
  uint32_t in_channels = 0, kernels = 0;  ///< of one group
  /// Output columns [out_x, out_x + columns) from input column in_x on; 0 columns: all.
  uint32_t out_x = 0, columns = 0, in_x = 0;
  bool part = false;  ///< some of the output's rows; its geometry has which
};

/// A layer's convolution of `channels` (of one or more groups) to `kernels` of the output.
[[nodiscard]] ConvGeometry conv_geometry(const LayerProgram& layers, const ConvLayer& c,
                                         TensorId output, uint32_t channels, uint32_t kernels);

/// All chunks in the order of execution, and the same as jobs for the planner.
struct ConvChunks {
  std::vector<ConvChunk> chunks;
  std::vector<ConvJob> jobs;
};

[[nodiscard]] ConvChunks conv_chunks(const HwConfig& hw, const LayerProgram& layers,
                                     const PoolFusion& fusion, const ScheduleOptions& options);

}  // namespace dlavp::compiler
