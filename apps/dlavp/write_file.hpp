// Writing of the files that a user asks for: refused before the work if it cannot be, and never
// half-written.
#pragma once

#include <span>
#include <string>

#include "models/common/result.hpp"

namespace dlavp::app {

/// Refuses a target that cannot be a file: a folder, or one in a folder that is not there.
/// Errors: `id`, with the path.
[[nodiscard]] Diagnostics check_target(const std::string& path, const std::string& id);

/// Writes beside the target and renames. Errors: `id`, with the path and why.
[[nodiscard]] Diagnostics write_file(const std::string& path, std::span<const char> bytes,
                                     const std::string& id);

}  // namespace dlavp::app
