// The scheduled program as a loadable: descriptors, memories, address lists, events, and the blob
// "dlavp-info" for people and tools.
#pragma once

#include <string>
#include <vector>

#include "compiler/loadable/loadable.hpp"
#include "compiler/schedule/hw_program.hpp"
#include "models/common/hw_config.hpp"

namespace dlavp::compiler {

inline constexpr const char* kInfoBlob = "dlavp-info";

struct EmitOptions {
  std::vector<std::string> labels;  ///< names of the classes
};

/// Deterministic: the same program gives the same loadable. Errors: emit.too_many (more operations
/// or addresses than 16-bit indices count), emit.too_large (offsets beyond 32 bits).
Result<loadable::Loadable> emit_loadable(const HwConfig& hw, const LayerProgram& layers,
                                         const HwProgram& program, const EmitOptions& options = {});

/// The contents of "dlavp-info": JSON with "config", "inputs", "outputs", "layers", "operations",
/// "labels". real value of an input byte = scale x (byte - zero_point); of an output = scale x
/// int8.
[[nodiscard]] std::string info_json(const HwConfig& hw, const LayerProgram& layers,
                                    const HwProgram& program, const EmitOptions& options);

}  // namespace dlavp::compiler
