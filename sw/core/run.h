/* The whole run of a loadable: check, lay out, check every task, execute the submit list. Knows no
 * device: time, interrupts and register access come from the functions below, which the target (or
 * a test) gives. */
#ifndef DLAVP_SW_RUN_H
#define DLAVP_SW_RUN_H

#include "emu.h"
#include "schedule.h"

#ifdef __cplusplus
extern "C" {
#endif

/* GLB status bits that arrived since the last call; sleeps until there are some. 0: the watchdog
 * fired. */
uint32_t fw_wait_interrupt(void);
/* The watchdog starts again. */
void fw_progress(void);
uint64_t fw_sleep_cycles(void);

/* Runs what the boot block describes and writes the result block. True: every task completed. */
bool fw_run(const FwBoot* boot, FwError* error);
/* The result block's last word, also for errors that come from outside of fw_run (a trap). */
void fw_report(const FwBoot* boot, const FwError* error);

#ifdef __cplusplus
}
#endif
#endif
