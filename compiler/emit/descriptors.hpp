// Operations as the firmware's descriptors. Internal to the emitter.
#pragma once

#include <functional>

#include "compiler/loadable/dla_descriptors.h"
#include "compiler/schedule/hw_program.hpp"
#include "models/common/hw_config.hpp"

namespace dlavp::compiler {

/// Where a buffer is: a position in the task's address list, and an offset from that address.
struct Location {
  int16_t address = -1;
  uint64_t offset = 0;
};
using Locate = std::function<Location(BufferId)>;

struct DescribedOperation {
  DlaDependency dependency{};
  DlaOperation operation{};
  DlaSurface surface{};
};

[[nodiscard]] DescribedOperation describe(const HwConfig& hw, const HwOperation& op, size_t index,
                                          const Locate& locate);

[[nodiscard]] DlaEmuOp describe_operation(const CpuSoftmax& op);
[[nodiscard]] DlaEmuBuffers describe_buffers(const HwConfig& hw, const CpuSoftmax& op,
                                             const Locate& locate);

}  // namespace dlavp::compiler
