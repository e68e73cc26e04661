/* Reset entry: the image's first instruction. The host writes the boot block at FW_BOOT_OFFSET
 * (fw_abi.h) before it releases the core. Sets up stack, trap vector and floating point, clears .bss. */
.section .text.start, "ax"
.globl _start
_start:
  j reset
  .org 0x100
.globl fw_boot_block
fw_boot_block:
  .skip 0x300
.globl target_reset
target_reset:
reset:
  .option push
  .option norelax
  la gp, __global_pointer$
  .option pop
  la sp, __stack_top
  la t0, trap_entry
  csrw mtvec, t0
  csrw mie, zero
  li t0, 0x6000 /* mstatus.FS: the core's float registers may be used */
  csrs mstatus, t0
  la t0, __bss_start
  la t1, __bss_end
1:
  bgeu t0, t1, 2f
  sd zero, 0(t0)
  addi t0, t0, 8
  j 1b
2:
  tail target_main

/* Interrupts are polled, so whatever traps is an error, and nothing is returned to. */
.balign 4
trap_entry:
  la sp, __stack_top
  csrr a0, mcause
  csrr a1, mepc
  csrr a2, mtval
  tail target_trap
