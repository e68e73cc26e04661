// Compiles C sources of layers that a user adds: into a firmware image for the core, and into a
// shared library for the machine that the compiler runs on. What is needed of the firmware is part
// of the program. Results are cached by content ($DLAVP_CACHE_DIR, $XDG_CACHE_HOME/dlavp or
// ~/.cache/dlavp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp::kit {

/// The C files of one layer. Headers beside them are found and watched.
struct LayerSources {
  std::string name;
  std::vector<std::filesystem::path> files;
};

/// An ELF image of the firmware with these layers. The compiler is $DLAVP_RISCV_GCC or
/// riscv64-unknown-elf-gcc. Errors: custom.compiler (absent), custom.source (with the compiler's
/// text), custom.cache.
Result<std::vector<uint8_t>> build_firmware(const std::vector<LayerSources>& layers);

/// A shared library with this layer for this machine. The compiler is $DLAVP_CC or cc. Errors as
/// above.
Result<std::filesystem::path> build_host_library(const LayerSources& layer);

}  // namespace dlavp::kit
