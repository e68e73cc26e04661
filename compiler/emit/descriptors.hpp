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
  bool sram = false;
};
using Locate = std::function<Location(BufferId)>;

struct DescribedOperation {
  DlaDependency dependency{};
  DlaOperation operation{};
  DlaSurface surface{};
};

/// `lut`: the operation's position in the task's LUT list, or DLA_NO_INDEX.
[[nodiscard]] DescribedOperation describe(const HwOperation& op, size_t index, int16_t lut,
                                          const Locate& locate);

[[nodiscard]] DlaLut describe_lut(const Lut& lut);

}  // namespace dlavp::compiler
