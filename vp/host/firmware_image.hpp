// The firmware image, built with the project and linked in, so that the program needs no file.
#pragma once

#include <cstdint>
#include <span>

namespace dlavp::vp {

/// The ELF file; empty if the build had no RISC-V compiler.
[[nodiscard]] std::span<const uint8_t> firmware_image();

}  // namespace dlavp::vp
