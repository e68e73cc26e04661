// Operations of the core as CPU operations and parameter blocks. Internal to the emitter.
#pragma once

#include <vector>

#include "compiler/emit/descriptors.hpp"

namespace dlavp::compiler {

/// The three lists of a CPU task: operations, buffers, and the blocks of the operations that need
/// one. `block_address` is the blocks' position in the task's address list.
struct DescribedCore {
  std::vector<DlaEmuOp> operations;
  std::vector<DlaEmuBuffers> buffers;
  std::vector<uint8_t> blocks;
};

[[nodiscard]] DescribedCore describe_core(const HwConfig& hw, const LayerProgram& layers,
                                          const std::vector<CoreOperation>& operations,
                                          int16_t block_address, const Locate& locate);

}  // namespace dlavp::compiler
