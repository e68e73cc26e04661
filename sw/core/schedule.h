/* Running the operations of one DLA task: the dependency graph decides when an operation may be
 * enabled, the order of each engine's own chain decides which register group it gets. Up to two
 * operations of an engine are programmed at a time, so that one waits ready while the other runs.
 */
#ifndef DLAVP_SW_SCHEDULE_H
#define DLAVP_SW_SCHEDULE_H

#include "program.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { OP_WAITING, OP_PROGRAMMED, OP_ENABLED, OP_DONE };

typedef struct ScheduledOperation ScheduledOperation;
typedef struct EngineState EngineState;
struct ScheduledOperation {
  RegWrite* writes; /* its register program, but for what its group holds already */
  FwOperationInfo* info;
  ScheduledOperation* next; /* of its engine's chain */
  EngineState* unit;        /* its engine */
  /* Those that wait for it, sorted by event: of event e from first_edge[e - 1] to first_edge[e]. */
  ScheduledOperation* edges[DLA_ENGINE_COUNT + 1];
  uint8_t first_edge[DLA_EVENT_DATA_DONE + 1];
  uint8_t state, group, rdma_group;
  uint8_t missing; /* events still to come before it may be enabled */
  bool rdma;       /* uses its engine's read DMA */
  int16_t lut;
  uint16_t num_writes;
  DlaDependency graph;
};

struct EngineState {
  ScheduledOperation* next;        /* to be programmed, NULL: none is left */
  ScheduledOperation* in_group[2]; /* that holds the group, NULL: free */
  uint8_t group, rdma_group;       /* of the next operation */
  uint8_t type, done_shift;        /* shift of its bits in GLB's status */
  uint32_t bit;                    /* 1 << type */
  int8_t producer; /* what the pointer registers hold, group + 2 x rdma_group; -1: unknown */
  int32_t lut;     /* loaded now, -1: none of this task */
};

typedef struct {
  const Task* task;
  FwError* error;
  uint32_t count, done, running;
  uint32_t ready;   /* bit of each engine with a programmed operation whose events have all come */
  uint32_t open;    /* bit of each engine with a free group and operations left to program */
  uint32_t used;    /* bit of each engine of the task */
  bool cdma_events; /* something waits for CDMA's weights or data */
  ScheduledOperation* operations;
  EngineState engines[DLA_ENGINE_COUNT];
} Schedule;

/* Given by whoever links this code: time of the core in cycles, and the GLB status bits that
 * arrived since they were last asked for (0: none). */
uint64_t fw_cycle(void);
uint32_t fw_poll_interrupt(void);

/* Reads the task's graph and refuses what could not run: an operation out of its engine's chain, an
 * edge that leads nowhere, an event count that the graph does not deliver, a descriptor that does
 * not program. Touches no register. */
bool schedule_check(Schedule* schedule, const Task* task, Arena* arena, FwOperationInfo* infos,
                    FwError* error);

/* Takes the register groups' state from the hardware, programs and enables all that can start. */
bool schedule_start(Schedule* schedule);
/* Handles the interrupt sources of one read of GLB's status, then programs and enables what they
 * free. */
bool schedule_interrupt(Schedule* schedule, uint32_t glb_status);
bool schedule_finished(const Schedule* schedule);
/* Operations that the hardware works on. */
uint32_t schedule_running(const Schedule* schedule);
/* Fills the schedule's error for a run that stands still: names the oldest operation and what it
 * waits for. */
void schedule_stuck(Schedule* schedule, FwCode code);

#ifdef __cplusplus
}
#endif
#endif
