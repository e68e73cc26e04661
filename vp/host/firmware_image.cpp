#include "vp/host/firmware_image.hpp"

#ifdef DLAVP_FIRMWARE_ELF
__asm__(
    ".section .rodata\n"
    ".balign 16\n"
    ".globl dlavp_firmware_start\n"
    "dlavp_firmware_start:\n"
    ".incbin \"" DLAVP_FIRMWARE_ELF
    "\"\n"
    ".globl dlavp_firmware_end\n"
    "dlavp_firmware_end:\n"
    ".byte 0\n"
    ".previous\n");
extern "C" const uint8_t dlavp_firmware_start[], dlavp_firmware_end[];

std::span<const uint8_t> dlavp::vp::firmware_image() {
  return {dlavp_firmware_start, dlavp_firmware_end};
}
#else
std::span<const uint8_t> dlavp::vp::firmware_image() { return {}; }
#endif
