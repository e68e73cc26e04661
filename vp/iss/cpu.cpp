// The dispatcher: from block to block until something asks for attention.
#include "vp/iss/cpu.hpp"

#include "vp/iss/csr.hpp"

namespace dlavp::iss {

Cpu::Cpu(Bus& bus, const CostTable& costs, const CpuOptions& options)
    : cache_(costs, options.max_block_instructions) {
  hart_.bus = &bus;
  hart_.cache = &cache_;
  hart_.pc = options.reset_pc;
  hart_.hart_id = options.hart_id;
  hart_.branch_taken_extra = costs.branch_taken - costs.of(CostClass::kBranch);
  hart_.trap_cycles = costs.trap;
}

void Cpu::set_pc(uint64_t pc) {
  hart_.pc = pc & ~uint64_t{1};
  hart_.next = nullptr;
  hart_.link = nullptr;
}

uint64_t Cpu::csr(unsigned number) {
  uint64_t value = 0;
  if (!csr_read(hart_, number, {hart_.cycles, hart_.instructions}, value)) return 0;
  return value;
}

void Cpu::set_interrupt(uint64_t mask, bool level) {
  hart_.mip = level ? hart_.mip | mask : hart_.mip & ~mask;
  if (hart_.interrupt_enabled_and_pending()) hart_.call_attention();
}

void Cpu::request_stop() {
  hart_.stop_requested = true;
  hart_.call_attention();
}

void Cpu::invalidate_dmi() {
  hart_.load_pages.clear();
  hart_.store_pages.clear();
  hart_.flush_code = true;
  hart_.call_attention();
}

/// Finds the block at the pc, or enters the fetch-fault trap (and leaves `next` null).
void Cpu::enter_block_at_pc() {
  uint64_t fault_address = 0;
  Block* found = cache_.find(hart_, fault_address);
  if (found == nullptr) {
    ++hart_.traps;
    return enter_trap(hart_, static_cast<uint64_t>(Cause::kFetchAccess), fault_address);
  }
  if (hart_.link != nullptr) *hart_.link = found;
  hart_.next = found;
}

void Cpu::run_blocks() {
  Hart& h = hart_;
  while (h.cycles < h.limit) {
    if (h.next == nullptr) {
      enter_block_at_pc();
      if (h.next == nullptr) continue;
    }
    Block* block = h.next;
    h.block = block;
    h.cycles += block->cycles;
    h.instructions += block->instructions;
    block->ops[0].run(h, block->ops.data());
  }
}

StopReason Cpu::run(uint64_t cycle_limit) {
  Hart& h = hart_;
  return_requested_ = false;
  for (;;) {
    if (h.flush_code) {
      cache_.clear();
      h.flush_code = false;
      h.next = nullptr;
      h.link = nullptr;
    }
    if (h.stop_requested) {
      h.stop_requested = false;
      return StopReason::kRequested;
    }
    if (h.waiting) {
      h.waiting = false;
      if (!wakes()) return StopReason::kWfi;
    }
    if (return_requested_ || h.cycles >= cycle_limit) return StopReason::kLimit;
    take_interrupt(h);
    h.limit = cycle_limit;
    run_blocks();
  }
}

}  // namespace dlavp::iss
