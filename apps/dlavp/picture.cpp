#include "apps/dlavp/picture.hpp"

#include <algorithm>
#include <string_view>

namespace dlavp::app {

namespace {

constexpr std::string_view kRamp = " .:-=+*#%@";
constexpr uint32_t kMostPixels = 32;  ///< shown side by side, each two characters wide

}  // namespace

std::string picture(const vp::IoTensor& t, std::span<const uint8_t> bytes) {
  if (!t.described || t.width == 0 || t.height == 0) return "";
  // Pixels are packed; the line may be padded. An atom of a feature cube is a pixel of its line.
  const uint32_t pixel_bytes = t.feature ? t.line_bytes / t.width : std::max(t.channels, 1u);
  const auto value = [&](uint32_t x, uint32_t y) {
    const uint8_t byte = bytes[uint64_t{y} * t.line_bytes + uint64_t{x} * pixel_bytes];
    return t.feature ? static_cast<int8_t>(byte) : int{byte};
  };
  if (bytes.size() < uint64_t{t.height} * t.line_bytes) return "";
  const uint32_t step = (t.width + kMostPixels - 1) / kMostPixels;
  int low = value(0, 0), high = low;
  for (uint32_t y = 0; y < t.height; y += step) {
    for (uint32_t x = 0; x < t.width; x += step) {
      low = std::min(low, value(x, y));
      high = std::max(high, value(x, y));
    }
  }
  std::string out;
  for (uint32_t y = 0; y < t.height; y += step) {
    out += "    ";
    for (uint32_t x = 0; x < t.width; x += step) {
      const auto shade = static_cast<size_t>(value(x, y) - low) * (kRamp.size() - 1) /
                         static_cast<size_t>(std::max(high - low, 1));
      out.append(2, kRamp[shade]);
    }
    out += '\n';
  }
  return out;
}

}  // namespace dlavp::app
