// Clint: the core-local interruptor of SiFive cores and QEMU's virt machine, for one hart. msip at
// 0x0, mtimecmp at 0x4000, mtime at 0xBFF8, 64 KiB. The timer input of the core is high while
// mtime >= mtimecmp; mtime counts `tick`s of simulated time and may be written.
#pragma once

#include "vp/devices/register_target.hpp"

namespace dlavp::devices {

class Clint : public RegisterTarget {
 public:
  static constexpr uint64_t kSizeBytes = 0x10000;
  static constexpr uint64_t kMsip = 0x0, kMtimecmp = 0x4000, kMtime = 0xBFF8;

  sc_core::sc_out<bool> irq_software{"irq_software"};
  sc_core::sc_out<bool> irq_timer{"irq_timer"};

  /// QEMU's virt machine ticks at 10 MHz.
  Clint(const sc_core::sc_module_name& name,
        const sc_core::sc_time& tick = sc_core::sc_time(100, sc_core::SC_NS),
        const sc_core::sc_time& access_time = sc_core::SC_ZERO_TIME);

  [[nodiscard]] uint64_t mtime() const;

 private:
  bool read(uint64_t offset, unsigned bytes, uint64_t& value) override;
  bool write(uint64_t offset, unsigned bytes, uint64_t value) override;
  bool peek(uint64_t offset, unsigned bytes, uint64_t& value) override;
  void update();

  sc_core::sc_time tick_;
  uint64_t mtimecmp_ = 0;
  uint64_t mtime_offset_ = 0;  ///< mtime minus elapsed ticks, modulo 2^64
  bool msip_ = false;
  sc_core::sc_event update_event_;
};

}  // namespace dlavp::devices
