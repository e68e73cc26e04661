// Registers and outputs of the CLINT.
#include "vp/devices/clint.hpp"

namespace dlavp::devices {
namespace {

/// The part of a 64-bit register that an access of `bytes` at byte `shift / 8` sees or replaces.
uint64_t extract(uint64_t whole, uint64_t byte, unsigned bytes) {
  const uint64_t shifted = whole >> (8 * byte);
  return bytes == 8 ? shifted : shifted & 0xFFFFFFFF;
}
uint64_t insert(uint64_t whole, uint64_t byte, unsigned bytes, uint64_t value) {
  if (bytes == 8) return value;
  const uint64_t mask = uint64_t{0xFFFFFFFF} << (8 * byte);
  return (whole & ~mask) | ((value << (8 * byte)) & mask);
}
bool within_double(uint64_t offset, uint64_t reg) { return offset >= reg && offset < reg + 8; }

}  // namespace

Clint::Clint(const sc_core::sc_module_name& name, const sc_core::sc_time& tick,
             const sc_core::sc_time& access_time)
    : RegisterTarget(name, kSizeBytes, access_time), tick_(tick) {
  SC_HAS_PROCESS(Clint);
  SC_METHOD(update);
  sensitive << update_event_;
}

uint64_t Clint::mtime() const {
  return sc_core::sc_time_stamp().value() / tick_.value() + mtime_offset_;
}

bool Clint::peek(uint64_t offset, unsigned bytes, uint64_t& value) {
  value = 0;
  if (bytes < 4) return false;
  if (within_double(offset, kMtimecmp)) value = extract(mtimecmp_, offset - kMtimecmp, bytes);
  if (within_double(offset, kMtime)) value = extract(mtime(), offset - kMtime, bytes);
  if (offset == kMsip) value = msip_ ? 1 : 0;
  return true;
}

bool Clint::read(uint64_t offset, unsigned bytes, uint64_t& value) {
  return peek(offset, bytes, value);
}

bool Clint::write(uint64_t offset, unsigned bytes, uint64_t value) {
  if (bytes < 4) return false;
  if (within_double(offset, kMtimecmp)) {
    mtimecmp_ = insert(mtimecmp_, offset - kMtimecmp, bytes, value);
  } else if (within_double(offset, kMtime)) {
    mtime_offset_ += insert(mtime(), offset - kMtime, bytes, value) - mtime();
  } else if (offset == kMsip) {
    msip_ = (value & 1) != 0;
  }
  update_event_.notify(sc_core::SC_ZERO_TIME);
  return true;
}

/// Drives the outputs and, if the timer lies ahead, comes back when it expires.
void Clint::update() {
  irq_software.write(msip_);
  const uint64_t now = mtime();
  irq_timer.write(now >= mtimecmp_);
  if (now >= mtimecmp_) return;
  const uint64_t elapsed = sc_core::sc_time_stamp().value();
  const uint64_t ticks = elapsed / tick_.value() + (mtimecmp_ - now);
  const uint64_t last_representable = ~uint64_t{0} / tick_.value();
  if (ticks < mtimecmp_ - now || ticks > last_representable) return;  // never in this simulation
  update_event_.notify(sc_core::sc_time::from_value(ticks * tick_.value() - elapsed));
}

}  // namespace dlavp::devices
