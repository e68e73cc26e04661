// Pictures from files: PGM, PPM, PNG, JPEG, BMP (stb_image), 8 bits a channel.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp::vp {

struct Picture {
  uint32_t width = 0, height = 0, channels = 0;
  std::vector<uint8_t> pixels;  ///< rows of pixels of `channels` bytes
};

/// Errors: "run.input" if the bytes are no picture of a known kind.
Result<Picture> decode_picture(std::span<const uint8_t> bytes, const std::string& file);

}  // namespace dlavp::vp
