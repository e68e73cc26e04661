// Leaving a block early and entering traps.
#include "models/common/check.hpp"
#include "vp/iss/hart.hpp"

namespace dlavp::iss {

constexpr uint64_t kInterruptBit = uint64_t{1} << 63;

void leave_before(Hart& h, const Op* op) {
  h.cycles = cycles_before(h, op);
  h.instructions = instructions_before(h, op);
  h.pc = pc_of(h, op);
  h.next = nullptr;
  h.link = nullptr;
}

void leave_after(Hart& h, const Op* op) {
  leave_before(h, op + 1);
  h.pc = pc_of(h, op) + op->length_bytes;
}

void enter_trap(Hart& h, uint64_t cause, uint64_t tval) {
  h.mepc = h.pc;
  h.mcause = cause;
  h.mtval = tval;
  h.mstatus = (h.mstatus & ~(kMie | kMpie)) | ((h.mstatus & kMie) != 0 ? kMpie : 0);
  const bool is_vectored = (h.mtvec & 1) != 0;
  h.pc = h.mtvec & ~uint64_t{3};
  if (is_vectored && (cause & kInterruptBit) != 0) h.pc += 4 * (cause & ~kInterruptBit);
  h.reservation = Hart::kNoReservation;
  h.cycles += h.trap_cycles;
  h.next = nullptr;
  h.link = nullptr;
}

void raise(Hart& h, const Op* op, Cause cause, uint64_t tval) {
  leave_before(h, op);
  ++h.traps;
  enter_trap(h, static_cast<uint64_t>(cause), tval);
}

void raise_illegal(Hart& h, const Op* op) { return raise(h, op, Cause::kIllegal, op->raw); }

bool take_interrupt(Hart& h) {
  if (!h.interrupt_enabled_and_pending()) return false;
  const uint64_t active = h.mip & h.mie;
  // Priority of the privileged specification: external, software, timer.
  const uint64_t code = (active & kExternalInterrupt) != 0   ? 11
                        : (active & kSoftwareInterrupt) != 0 ? 3
                                                             : 7;
  ++h.interrupts;
  enter_trap(h, kInterruptBit | code, 0);
  return true;
}

}  // namespace dlavp::iss
