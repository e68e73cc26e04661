// What a file seems to be when it is not what was asked for, and what would work with it.
#pragma once

#include <string>

#include "models/common/result.hpp"

namespace dlavp::app {

/// `errors` about the contents of `path` with a hint if that is a known kind of file: an ONNX model
/// where a loadable was expected, a PyTorch file where a network was, ...
[[nodiscard]] Diagnostics with_kind(const Diagnostics& errors, const std::string& path);

}  // namespace dlavp::app
