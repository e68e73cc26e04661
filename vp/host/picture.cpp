#include "vp/host/picture.hpp"

#include <memory>

// The decoder is one header; its code is made here, in this file only.
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#define STBI_NO_GIF
#define STBI_NO_PSD
#define STBI_NO_PIC
#define STBI_NO_TGA
#define STBI_MAX_DIMENSIONS 8192
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

namespace dlavp::vp {

Result<Picture> decode_picture(std::span<const uint8_t> bytes, const std::string& file) {
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> data(
      stbi_load_from_memory(bytes.data(), static_cast<int>(bytes.size()), &width, &height,
                            &channels, 0),
      stbi_image_free);
  if (!data)
    return Error{"run.input", file,
                 fmt::format("cannot read this picture: {}", stbi_failure_reason())};
  Picture picture{static_cast<uint32_t>(width),
                  static_cast<uint32_t>(height),
                  static_cast<uint32_t>(channels),
                  {}};
  picture.pixels.assign(data.get(),
                        data.get() + size_t{picture.width} * picture.height * picture.channels);
  return picture;
}

}  // namespace dlavp::vp
