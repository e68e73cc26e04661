// Pixel formats of the convolution's image input: how many planes and channels a format has and
// where each channel's byte lies. Hardware manual: "Pixel Format". Only 8-bit formats have a data
// path in int8 hardware; the 10-, 12- and 16-bit ones are known by name so that they can be
// refused.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dlavp::conv {

struct PixelFormat {
  std::string_view name;
  bool int8 = false;  ///< has a data path in int8 hardware
  uint8_t planes = 1;
  uint8_t channels = 0;  ///< channels in the convolution buffer, in the order R(Y) G(U) B(V) A(X)
  /// Byte of each channel in its pixel: channels of plane 0 first; with two planes, channels 1 and
  /// 2 are bytes of a two-byte pixel of plane 1.
  std::array<uint8_t, 4> byte{};

  /// Bytes of one pixel in a plane.
  [[nodiscard]] uint32_t pixel_bytes(unsigned plane) const {
    return planes == 2 ? (plane == 0 ? 1 : 2) : channels;
  }
};

/// The format of a D_DATAIN_FORMAT.PIXEL_FORMAT code; nothing for a code that the map does not
/// name.
[[nodiscard]] std::optional<PixelFormat> pixel_format(uint32_t code);

}  // namespace dlavp::conv
