// Uart: the transmit side of a 16550, eight byte-wide registers, as at 0x10000000 of QEMU's virt
// machine. What is written goes to a std::ostream at once: the transmitter is always empty. Nothing
// is ever received; modem lines and the baud rate are stored and without effect.
#pragma once

#include <array>
#include <ostream>

#include "vp/devices/register_target.hpp"

namespace dlavp::devices {

class Uart : public RegisterTarget {
 public:
  static constexpr uint64_t kSizeBytes = 0x100;
  static constexpr uint64_t kThr = 0, kIer = 1, kIir = 2, kLcr = 3, kMcr = 4, kLsr = 5, kMsr = 6;
  static constexpr uint64_t kScr = 7;

  /// High while the transmit-empty interrupt is enabled and not acknowledged by reading IIR.
  sc_core::sc_out<bool> irq{"irq"};

  /// `out` outlives the device; it is flushed at each line's end.
  Uart(const sc_core::sc_module_name& name, std::ostream& out,
       const sc_core::sc_time& access_time = sc_core::SC_ZERO_TIME);

 private:
  bool read(uint64_t offset, unsigned bytes, uint64_t& value) override;
  bool write(uint64_t offset, unsigned bytes, uint64_t value) override;
  bool peek(uint64_t offset, unsigned bytes, uint64_t& value) override;
  void drive();
  void write_register(uint64_t offset, uint8_t value);
  [[nodiscard]] bool interrupts() const;

  std::ostream& out_;
  std::array<uint8_t, 2> divisor_{};
  uint8_t ier_ = 0, lcr_ = 0, mcr_ = 0, scr_ = 0;
  bool fifo_enabled_ = false;
  bool empty_pending_ = false;  ///< transmit-empty condition not yet acknowledged
  sc_core::sc_event drive_event_;
};

}  // namespace dlavp::devices
