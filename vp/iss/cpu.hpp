// Cpu: an RV64IMAFDC_Zicsr_Zifencei hart in machine mode over an abstract bus. Interprets cached
// blocks of decoded instructions. No SystemC, no host time: deterministic. RISC-V unprivileged
// specification 20191213, privileged 20211203. Leaves out S- and U-mode, PMP, debug and triggers.
#pragma once

#include <cstdint>
#include <memory>

#include "vp/iss/block_cache.hpp"
#include "vp/iss/cost_table.hpp"
#include "vp/iss/hart.hpp"

namespace dlavp::iss {

struct CpuOptions {
  uint64_t reset_pc = 0x80000000;
  uint64_t hart_id = 0;
  unsigned max_block_instructions = 64;  ///< 1: every run stops exactly where asked
};

class Cpu {
 public:
  /// `bus` outlives the Cpu.
  Cpu(Bus& bus, const CostTable& costs, const CpuOptions& options = {});
  Cpu(const Cpu&) = delete;
  Cpu& operator=(const Cpu&) = delete;

  /// Runs until `cycles()` reaches `cycle_limit` (overshooting by less than a block), a stop is
  /// requested, or a wfi finds nothing pending (the pc is then behind it).
  StopReason run(uint64_t cycle_limit);
  /// Takes a pending interrupt if one is enabled; `run` does so by itself.
  bool poll_interrupts() { return take_interrupt(hart_); }

  /// Registers 0 to 31 of either file; x0 stays 0.
  [[nodiscard]] uint64_t x(unsigned i) const { return hart_.x[i]; }
  void set_x(unsigned i, uint64_t v) { hart_.x[i == 0 ? kDiscard : i] = v; }
  [[nodiscard]] uint64_t f(unsigned i) const { return hart_.f[i]; }
  void set_f(unsigned i, uint64_t v) { hart_.f[i] = v; }
  [[nodiscard]] uint64_t pc() const { return hart_.pc; }
  void set_pc(uint64_t pc);
  [[nodiscard]] uint64_t cycles() const { return hart_.cycles; }
  [[nodiscard]] uint64_t instructions() const { return hart_.instructions; }
  [[nodiscard]] uint64_t traps() const { return hart_.traps; }
  [[nodiscard]] uint64_t interrupts() const { return hart_.interrupts; }
  /// A CSR as the program would read it; 0 if it does not exist.
  [[nodiscard]] uint64_t csr(unsigned number);

  /// Lets time pass without instructions (sleep, bus latency).
  void add_cycles(uint64_t n) { hart_.cycles += n; }
  /// Level of the interrupt inputs, any of kAllInterrupts.
  void set_interrupt(uint64_t mask, bool level);
  /// True if a wfi would go on: something pending is enabled, whatever mstatus says.
  [[nodiscard]] bool wakes() const { return (hart_.mip & hart_.mie) != 0; }
  /// Makes `run` return after the block that runs; may be called from inside a bus access.
  void request_stop();
  /// Makes `run` return soon with kLimit; for a bus access that changed what `cycle_limit` should
  /// be.
  void request_return() {
    hart_.limit = 0;
    return_requested_ = true;
  }
  /// Host pointers of the bus became invalid. May be called from inside a bus access.
  void invalidate_dmi();

  [[nodiscard]] const BlockCache& cache() const { return cache_; }

 private:
  void run_blocks();
  void enter_block_at_pc();

  Hart hart_;
  BlockCache cache_;
  bool return_requested_ = false;
};

}  // namespace dlavp::iss
