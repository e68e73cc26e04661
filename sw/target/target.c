/* The RISC-V target: memory-mapped CSB, PLIC, CLINT, UART, exit register, traps. Addresses come
 * from the boot block, so that one image runs on every platform with the same DRAM base. */
#include <stdio.h>

#include "run.h"

extern const FwBoot fw_boot_block;
_Noreturn void target_reset(void);
_Noreturn void target_trap(uint64_t cause, uint64_t pc, uint64_t value);
_Noreturn void target_main(void);

static const FwBoot* const boot = &fw_boot_block;
static bool watchdog_armed, progressed;
static uint64_t slept;

enum { MIE_SOFTWARE = 1 << 3, MIE_TIMER = 1 << 7, MIE_EXTERNAL = 1 << 11 };
enum { PLIC_ENABLE = 0x2000, PLIC_THRESHOLD = 0x200000, PLIC_CLAIM = 0x200004 };
enum { CLINT_MSIP = 0, CLINT_MTIMECMP = 0x4000, CLINT_MTIME = 0xbff8 };
enum { EXIT_PASS = 0x5555, EXIT_FAIL = 0x3333 };

static volatile uint32_t* word(uint64_t address) { return (volatile uint32_t*)(uintptr_t)address; }
static volatile uint64_t* dword(uint64_t address) { return (volatile uint64_t*)(uintptr_t)address; }

void fw_csb_write(uint32_t offset, uint32_t value) { *word(boot->csb_address + offset) = value; }
uint32_t fw_csb_read(uint32_t offset) { return *word(boot->csb_address + offset); }

static inline void play_one(uint64_t base, const RegWrite* write) {
  uint64_t both;
  __builtin_memcpy(&both, write, sizeof both);
  *word(base + (both >> 32)) = (uint32_t)both;
}

void fw_csb_play(const RegWrite* writes, uint32_t count) {
  const uint64_t base = boot->csb_address;
  for (; count >= 4; count -= 4, writes += 4) {
    play_one(base, writes);
    play_one(base, writes + 1);
    play_one(base, writes + 2);
    play_one(base, writes + 3);
  }
  for (; count; --count, ++writes) play_one(base, writes);
}

uint64_t fw_cycle(void) {
  uint64_t cycles;
  __asm__ volatile("csrr %0, mcycle" : "=r"(cycles));
  return cycles;
}

uint64_t fw_sleep_cycles(void) { return slept; }

static void arm_watchdog(void) {
  watchdog_armed = true;
  *dword(boot->clint_address + CLINT_MTIMECMP) =
      boot->watchdog_ticks == 0 ? UINT64_MAX
                                : *dword(boot->clint_address + CLINT_MTIME) + boot->watchdog_ticks;
}

/* The timer runs on: when it fires, it is armed again if anything happened meanwhile. */
void fw_progress(void) {
  progressed = true;
  if (!watchdog_armed) arm_watchdog();
}

static uint32_t pending_interrupts(void) {
  uint64_t mip;
  __asm__ volatile("csrr %0, mip" : "=r"(mip));
  return (uint32_t)mip;
}

/* Interrupts are never taken: the core asks for them when it has time, which saves it the trap.
 * They only wake it. */
uint32_t fw_poll_interrupt(void) {
  if (!(pending_interrupts() & MIE_EXTERNAL)) return 0;
  uint32_t status = 0;
  const uint32_t source = *word(boot->plic_address + PLIC_CLAIM);
  if (source == boot->plic_source) {
    status = fw_csb_read(GLB_BASE + GLB_S_INTR_STATUS);
    fw_csb_write(GLB_BASE + GLB_S_INTR_STATUS, status);
  }
  if (source != 0) *word(boot->plic_address + PLIC_CLAIM) = source;
  return status;
}

static bool watchdog_fired(void) {
  if (!(pending_interrupts() & MIE_TIMER)) return false;
  const bool stands = !progressed;
  progressed = false;
  arm_watchdog();
  return stands;
}

uint32_t fw_wait_interrupt(void) {
  for (;;) {
    const uint32_t status = fw_poll_interrupt();
    if (status != 0) return status;
    if (watchdog_fired()) return 0;
    const uint64_t before = fw_cycle();
    __asm__ volatile("wfi" ::: "memory");
    slept += fw_cycle() - before;
  }
}

static void print(const char* text) {
  for (; *text; ++text) *(volatile uint8_t*)(uintptr_t)boot->uart_address = (uint8_t)*text;
}

_Noreturn static void leave(const FwError* error) {
  fw_report(boot, error);
  if (error->code != FW_OK) {
    char where[48];
    snprintf(where, sizeof where, " (task %d, operation %d)\n", (int)error->task,
             (int)error->operation);
    print("firmware: error ");
    print(fw_code_name(error->code));
    print(": ");
    print(error->text);
    print(where);
  }
  *word(boot->exit_address) =
      error->code == FW_OK ? EXIT_PASS : EXIT_FAIL | (uint32_t)error->code << 16;
  /* The host may put new inputs in memory and ask, by a software interrupt, for another run. */
  __asm__ volatile("csrw mie, %0" ::"r"(MIE_SOFTWARE));
  while (*word(boot->clint_address + CLINT_MSIP) == 0) __asm__ volatile("wfi");
  *word(boot->clint_address + CLINT_MSIP) = 0;
  target_reset();
}

_Noreturn void target_trap(uint64_t cause, uint64_t pc, uint64_t value) {
  FwError error;
  fw_error_clear(&error);
  fw_fail(&error, FW_E_TRAP, "cause 0x%llx at 0x%llx, value 0x%llx", (unsigned long long)cause,
          (unsigned long long)pc, (unsigned long long)value);
  leave(&error);
}

_Noreturn void target_main(void) {
  FwError error;
  fw_error_clear(&error);
  if (boot->magic == FW_BOOT_MAGIC && boot->version == FW_ABI_VERSION) {
    *dword(boot->clint_address + CLINT_MTIMECMP) = UINT64_MAX;
    *word(boot->plic_address + 4 * boot->plic_source) = 1;
    *word(boot->plic_address + PLIC_ENABLE + boot->plic_source / 32 * 4) =
        1u << boot->plic_source % 32;
    *word(boot->plic_address + PLIC_THRESHOLD) = 0;
    fw_csb_write(GLB_BASE + GLB_S_INTR_MASK, 0);
    fw_csb_write(GLB_BASE + GLB_S_INTR_STATUS, UINT32_MAX);
    __asm__ volatile("csrs mie, %0" ::"r"(MIE_TIMER | MIE_EXTERNAL));
  }
  fw_run(boot, &error);
  leave(&error);
}
