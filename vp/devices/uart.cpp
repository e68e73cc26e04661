// Registers of the UART.
#include "vp/devices/uart.hpp"

namespace dlavp::devices {
namespace {
constexpr uint8_t kDivisorAccess = 0x80;      // LCR
constexpr uint8_t kTransmitInterrupt = 0x02;  // IER
constexpr uint8_t kTransmitEmpty = 0x60;      // LSR: holding register and shifter
constexpr uint8_t kNoInterrupt = 0x01, kTransmitCause = 0x02, kFifosOn = 0xC0;  // IIR
constexpr uint8_t kModemReady = 0xB0;  // MSR: carrier, data set ready, clear to send
}  // namespace

Uart::Uart(const sc_core::sc_module_name& name, std::ostream& out,
           const sc_core::sc_time& access_time)
    : RegisterTarget(name, kSizeBytes, access_time), out_(out) {
  SC_HAS_PROCESS(Uart);
  SC_METHOD(drive);
  sensitive << drive_event_;
}

bool Uart::interrupts() const { return empty_pending_ && (ier_ & kTransmitInterrupt) != 0; }
void Uart::drive() { irq.write(interrupts()); }

bool Uart::peek(uint64_t offset, unsigned bytes, uint64_t& value) {
  value = 0;
  if (bytes != 1) return false;
  const bool divisor = (lcr_ & kDivisorAccess) != 0;
  switch (offset) {
    case kThr:
      value = divisor ? divisor_[0] : 0;
      break;
    case kIer:
      value = divisor ? divisor_[1] : ier_;
      break;
    case kIir:
      value = (interrupts() ? kTransmitCause : kNoInterrupt) | (fifo_enabled_ ? kFifosOn : 0);
      break;
    case kLcr:
      value = lcr_;
      break;
    case kMcr:
      value = mcr_;
      break;
    case kLsr:
      value = kTransmitEmpty;
      break;
    case kMsr:
      value = kModemReady;
      break;
    case kScr:
      value = scr_;
      break;
    default:
      break;
  }
  return true;
}

bool Uart::read(uint64_t offset, unsigned bytes, uint64_t& value) {
  if (!peek(offset, bytes, value)) return false;
  if (offset == kIir && interrupts()) {
    empty_pending_ = false;
    drive_event_.notify(sc_core::SC_ZERO_TIME);
  }
  return true;
}

void Uart::write_register(uint64_t offset, uint8_t value) {
  const bool divisor = (lcr_ & kDivisorAccess) != 0;
  switch (offset) {
    case kThr:
      if (divisor) {
        divisor_[0] = value;
        return;
      }
      out_.put(static_cast<char>(value));
      if (value == '\n') out_.flush();
      empty_pending_ = true;
      return;
    case kIer:
      if (divisor) {
        divisor_[1] = value;
        return;
      }
      if ((value & ~ier_ & kTransmitInterrupt) != 0) empty_pending_ = true;
      ier_ = value & 0x0F;
      return;
    case kIir:
      fifo_enabled_ = (value & 1) != 0;
      return;  // write side: FIFO control
    case kLcr:
      lcr_ = value;
      return;
    case kMcr:
      mcr_ = value & 0x1F;
      return;
    case kScr:
      scr_ = value;
      return;
    default:
      return;
  }
}

bool Uart::write(uint64_t offset, unsigned bytes, uint64_t value) {
  if (bytes != 1) return false;
  write_register(offset, static_cast<uint8_t>(value));
  drive_event_.notify(sc_core::SC_ZERO_TIME);
  return true;
}

}  // namespace dlavp::devices
