// Runs an image in qemu-system-riscv64 (machine virt, one hart, machine mode only) one instruction
// at a time and reads the state before each from its log.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace dlavp::iss::test {

struct QemuState {
  uint64_t pc = 0, mstatus = 0, mip = 0, mie = 0, mtvec = 0, mepc = 0, mcause = 0, mtval = 0;
  uint64_t mscratch = 0;
  std::array<uint64_t, 32> x{}, f{};
};

[[nodiscard]] bool qemu_exists();

/// The states from the first instruction of the image (at 0x80000000) to the last before the exit
/// device was written. Throws std::runtime_error with QEMU's words if it did not end by itself.
std::vector<QemuState> run_qemu(const std::vector<uint8_t>& image, const std::string& name);

}  // namespace dlavp::iss::test
