// An input tensor as a picture of characters, for `dlavp run --show`.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "vp/host/network.hpp"

namespace dlavp::app {

/// Lines of text, dark to bright as " .:-=+*#%@", two characters a pixel while they fit; larger
/// pictures are sampled down. The first channel of the bytes is shown, scaled to its own range.
/// Empty for a tensor that is not a described image or feature cube.
[[nodiscard]] std::string picture(const vp::IoTensor& tensor, std::span<const uint8_t> bytes);

}  // namespace dlavp::app
