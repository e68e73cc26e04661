#include "sw/kit/kit_files.hpp"

#include <array>

// clang-format off
#define EMBED(symbol, path)                                \
  __asm__(                                                 \
      ".section .rodata\n"                                 \
      ".globl dlavp_kit_" #symbol "\n"                     \
      "dlavp_kit_" #symbol ":\n"                           \
      ".incbin \"" path "\"\n"                             \
      ".globl dlavp_kit_" #symbol "_end\n"                 \
      "dlavp_kit_" #symbol "_end:\n"                       \
      ".byte 0\n"                                          \
      ".previous\n");                                      \
  extern "C" const char dlavp_kit_##symbol[], dlavp_kit_##symbol##_end[]

#define FILE_OF(name, symbol) \
  KitFile { name, std::string_view(dlavp_kit_##symbol, static_cast<size_t>(dlavp_kit_##symbol##_end - dlavp_kit_##symbol)) }
// clang-format on

EMBED(core_layer_h, DLAVP_SW_DIR "/kit/core_layer.h");
EMBED(core_math_h, DLAVP_SW_DIR "/core/core_math.h");
EMBED(fw_error_h, DLAVP_SW_DIR "/core/fw_error.h");
EMBED(fw_abi_h, DLAVP_SW_DIR "/core/fw_abi.h");
EMBED(core_support_c, DLAVP_SW_DIR "/core/core_support.c");
EMBED(emu_math_c, DLAVP_SW_DIR "/core/emu_math.c");
EMBED(fw_error_c, DLAVP_SW_DIR "/core/fw_error.c");
EMBED(host_layers_c, DLAVP_SW_DIR "/kit/host_layers.c");
#ifdef DLAVP_FIRMWARE_OBJECT
EMBED(firmware_o, DLAVP_FIRMWARE_OBJECT);
EMBED(link_ld, DLAVP_FIRMWARE_SCRIPT);
#endif

namespace dlavp::kit {

std::span<const KitFile> headers() {
  static const std::array<KitFile, 5> files = {
      FILE_OF("core_layer.h", core_layer_h), FILE_OF("sw/kit/core_layer.h", core_layer_h),
      FILE_OF("core_math.h", core_math_h), FILE_OF("fw_error.h", fw_error_h),
      FILE_OF("fw_abi.h", fw_abi_h)};
  return files;
}

std::span<const KitFile> host_files() {
  static const std::array<KitFile, 4> files = {
      FILE_OF("core_support.c", core_support_c), FILE_OF("emu_math.c", emu_math_c),
      FILE_OF("fw_error.c", fw_error_c), FILE_OF("host_layers.c", host_layers_c)};
  return files;
}

std::span<const KitFile> firmware_files() {
#ifdef DLAVP_FIRMWARE_OBJECT
  static const std::array<KitFile, 2> files = {FILE_OF("dlavp_fw.o", firmware_o),
                                               FILE_OF("link.ld", link_ld)};
  return files;
#else
  return {};
#endif
}

}  // namespace dlavp::kit
