// The part of QEMU's virt machine that the comparison programs use, without time: memory, the
// software interrupt, a timer that is either expired or never, and the exit device.
#pragma once

#include <cstdint>

#include "vp/iss/cpu.hpp"
#include "vp/iss/flat_bus.hpp"

namespace dlavp::iss::test {

class VirtBus final : public FlatBus {
 public:
  static constexpr uint64_t kMsip = 0x2000000, kMtimecmp = 0x2004000, kExit = 0x100000;

  VirtBus() : FlatBus(0x80000000, 1 << 20) {}
  void attach(Cpu& cpu) {
    cpu_ = &cpu;
    cpu.set_interrupt(kTimerInterrupt, true);
  }
  [[nodiscard]] bool exited() const { return exited_; }

  bool store(uint64_t address, unsigned bytes, uint64_t value) override {
    switch (address) {
      case kMsip:
        cpu_->set_interrupt(kSoftwareInterrupt, (value & 1) != 0);
        return true;
      case kMtimecmp:
        cpu_->set_interrupt(kTimerInterrupt, value != ~uint64_t{0});
        return true;
      case kExit:
        exited_ = true;
        cpu_->request_stop();
        return true;
      default:
        return FlatBus::store(address, bytes, value);
    }
  }

 private:
  Cpu* cpu_ = nullptr;
  bool exited_ = false;
};

}  // namespace dlavp::iss::test
