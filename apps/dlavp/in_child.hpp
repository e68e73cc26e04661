// Work in a process of its own: SystemC elaborates once a process, and a crash stays there.
#pragma once

#include <functional>
#include <string>

#include "models/common/result.hpp"

namespace dlavp::app {

/// The text that `work` makes in a child process; `place` names it in errors. Precondition: no
/// simulation and no thread was started. Errors: "child.failed" (it ended without its text).
Result<std::string> in_child(const std::string& place, const std::function<std::string()>& work);

}  // namespace dlavp::app
