// The files of the firmware that a layer is compiled with, embedded in the program.
#pragma once

#include <span>
#include <string_view>

namespace dlavp::kit {

struct KitFile {
  const char* name;  ///< relative to the kit's folder
  std::string_view bytes;
};

/// Empty ones: the project was built without a RISC-V compiler.
[[nodiscard]] std::span<const KitFile> firmware_files();
[[nodiscard]] std::span<const KitFile> host_files();
[[nodiscard]] std::span<const KitFile> headers();

}  // namespace dlavp::kit
