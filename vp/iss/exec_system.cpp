// Handlers of CSR access, fences, traps and wait for interrupt. All but fence end their block: what
// follows may run under other interrupt enables, another rounding mode or new code.
#include "vp/iss/csr.hpp"
#include "vp/iss/exec.hpp"

namespace dlavp::iss {
namespace {

void go_on_after(Hart& h) {
  h.pc = h.block->end;
  h.next = h.block->successor[0];
  h.link = &h.block->successor[0];
}

enum class CsrAction : uint8_t { kWrite, kSet, kClear };

template <CsrAction Action, bool IsImmediate>
void run_csr(Hart& h, const Op* op) {
  const auto number = static_cast<unsigned>(op->imm);
  const CounterView now{cycles_before(h, op), instructions_before(h, op)};
  const uint64_t operand = IsImmediate ? op->rs1 : h.x[op->rs1];
  const bool writes = Action == CsrAction::kWrite || op->rs1 != 0;
  const bool reads = Action != CsrAction::kWrite || op->rd != kDiscard;
  uint64_t old = 0;
  if (reads && !csr_read(h, number, now, old)) return raise_illegal(h, op);
  if (writes) {
    const uint64_t value = Action == CsrAction::kWrite ? operand
                           : Action == CsrAction::kSet ? (old | operand)
                                                       : (old & ~operand);
    if (!csr_write(h, number, now, value)) return raise_illegal(h, op);
    if (h.interrupt_enabled_and_pending()) h.call_attention();
  }
  h.x[op->rd] = old;
  go_on_after(h);
}

void run_fence(Hart& h, const Op* op) { return next(h, op); }

void run_fence_i(Hart& h, const Op*) {
  h.flush_code = true;
  h.call_attention();
  h.pc = h.block->end;
  h.next = nullptr;
  h.link = nullptr;
}

void run_ecall(Hart& h, const Op* op) { return raise(h, op, Cause::kEcallM, 0); }
void run_ebreak(Hart& h, const Op* op) { return raise(h, op, Cause::kBreakpoint, 0); }

void run_mret(Hart& h, const Op*) {
  const bool enable = (h.mstatus & kMpie) != 0;
  h.mstatus = (h.mstatus & ~kMie) | kMpie | (enable ? kMie : 0);
  h.reservation = Hart::kNoReservation;
  h.pc = h.mepc;
  h.next = nullptr;
  h.link = nullptr;
  if (h.interrupt_enabled_and_pending()) h.call_attention();
}

void run_wfi(Hart& h, const Op*) {
  go_on_after(h);
  h.waiting = true;
  h.call_attention();
}

}  // namespace

void add_system_handlers(HandlerTable& table) {
  using enum InsnId;
  table.set(kFence, run_fence);
  table.set(kFenceI, run_fence_i);
  table.set(kEcall, run_ecall);
  table.set(kEbreak, run_ebreak);
  table.set(kMret, run_mret);
  table.set(kWfi, run_wfi);
  table.set(kCsrrw, run_csr<CsrAction::kWrite, false>);
  table.set(kCsrrs, run_csr<CsrAction::kSet, false>);
  table.set(kCsrrc, run_csr<CsrAction::kClear, false>);
  table.set(kCsrrwi, run_csr<CsrAction::kWrite, true>);
  table.set(kCsrrsi, run_csr<CsrAction::kSet, true>);
  table.set(kCsrrci, run_csr<CsrAction::kClear, true>);
}

}  // namespace dlavp::iss
