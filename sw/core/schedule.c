/* The scheduler of DLA operations. */
#include "schedule.h"

#include <string.h>

/* Where an engine's pointers are, and its completion bits in GLB. */
typedef struct {
  uint32_t pointer, rdma_pointer;
  uint32_t done_shift;
} EngineRegisters;

static const EngineRegisters kRegisters[DLA_ENGINE_COUNT] = {
    {0, 0, GLB_S_INTR_STATUS_BDMA_DONE_STATUS0_SHIFT},
    {CACC_BASE + CACC_S_POINTER, 0, GLB_S_INTR_STATUS_CACC_DONE_STATUS0_SHIFT},
    {SDP_BASE + SDP_S_POINTER, SDP_RDMA_BASE + SDP_RDMA_S_POINTER,
     GLB_S_INTR_STATUS_SDP_DONE_STATUS0_SHIFT},
    {PDP_BASE + PDP_S_POINTER, PDP_RDMA_BASE + PDP_RDMA_S_POINTER,
     GLB_S_INTR_STATUS_PDP_DONE_STATUS0_SHIFT},
    {CDP_BASE + CDP_S_POINTER, CDP_RDMA_BASE + CDP_RDMA_S_POINTER,
     GLB_S_INTR_STATUS_CDP_DONE_STATUS0_SHIFT},
    {0, 0, GLB_S_INTR_STATUS_RUBIK_DONE_STATUS0_SHIFT}};

static bool graph_error(FwError* error, uint32_t index, const char* what, int32_t value,
                        int32_t limit) {
  fw_fail(error, FW_E_DEPENDENCY, "operation %u: %s %d, expected %d", (unsigned)index, what,
          (int)value, (int)limit);
  if (error->operation < 0) error->operation = (int32_t)index;
  return false;
}

/* An edge to operation `to.index`; -1 is none. `engine` -1: any. */
static bool check_edge(Schedule* s, uint32_t index, const DlaConsumer* to, int32_t engine,
                       uint32_t* incoming) {
  if (to->index == DLA_NO_INDEX) return true;
  if (to->index < 0 || (uint32_t)to->index >= s->count)
    return graph_error(s->error, index, "consumer index", to->index, (int32_t)s->count - 1);
  const DlaDependency* target = &s->operations[to->index].graph;
  if (engine >= 0 && target->op_type != engine)
    return graph_error(s->error, index, "type of its consumer", target->op_type, engine);
  if (to->event < DLA_EVENT_COMPLETED || to->event > DLA_EVENT_DATA_DONE)
    return graph_error(s->error, index, "event", to->event, DLA_EVENT_COMPLETED);
  ++incoming[to->index];
  s->cdma_events |= to->event == DLA_EVENT_WEIGHTS_DONE || to->event == DLA_EVENT_DATA_DONE;
  return true;
}

static void sort_edges(Schedule* s, ScheduledOperation* op) {
  const DlaDependency* g = &op->graph;
  uint8_t count = 0;
  for (unsigned event = DLA_EVENT_COMPLETED; event <= DLA_EVENT_DATA_DONE; ++event) {
    for (unsigned i = 0; i <= DLA_ENGINE_COUNT; ++i) {
      const DlaConsumer* to = i < DLA_ENGINE_COUNT ? &g->consumers[i] : &g->fused_parent;
      if (to->index != DLA_NO_INDEX && to->event == event)
        op->edges[count++] = &s->operations[to->index];
    }
    op->first_edge[event] = count;
  }
}

static bool check_graph(Schedule* s, uint32_t* incoming) {
  for (uint32_t i = 0; i < s->count; ++i) {
    const DlaDependency* g = &s->operations[i].graph;
    for (int32_t e = 0; e < DLA_ENGINE_COUNT; ++e)
      if (!check_edge(s, i, &g->consumers[e], e, incoming)) return false;
    if (!check_edge(s, i, &g->fused_parent, -1, incoming)) return false;
    if (g->fused_parent.index != DLA_NO_INDEX &&
        s->operations[g->fused_parent.index].graph.op_type + 1 != g->op_type)
      return graph_error(s->error, i, "type of its fused parent",
                         s->operations[g->fused_parent.index].graph.op_type, g->op_type - 1);
    sort_edges(s, &s->operations[i]);
  }
  for (uint32_t i = 0; i < s->count; ++i)
    if (incoming[i] != s->operations[i].graph.dependency_count)
      return graph_error(s->error, i, "dependency count", s->operations[i].graph.dependency_count,
                         (int32_t)incoming[i]);
  return true;
}

/* Each engine's chain, from its head along the consumers of its own type, holds every operation of
 * it once. */
static bool check_chains(Schedule* s) {
  for (int32_t e = 0; e < DLA_ENGINE_COUNT; ++e) {
    int32_t at = s->task->network.op_head[e];
    uint32_t expected = 0, seen = 0;
    for (uint32_t i = 0; i < s->count; ++i) expected += s->operations[i].graph.op_type == e;
    if (at < -1 || at >= (int32_t)s->count || (at >= 0 && s->operations[at].graph.op_type != e))
      return fw_fail(s->error, FW_E_NETWORK, "first operation of %s: %d is none of its %u",
                     program_engine_name((unsigned)e), (int)at, (unsigned)expected);
    while (at >= 0 && seen <= expected) {
      ++seen;
      const int32_t next = s->operations[at].graph.consumers[e].index;
      if (next >= (int32_t)s->count)
        return graph_error(s->error, (uint32_t)at, "consumer index", next, (int32_t)s->count - 1);
      s->operations[at].next = next >= 0 ? &s->operations[next] : NULL;
      at = next;
    }
    if (seen != expected)
      return fw_fail(s->error, FW_E_DEPENDENCY,
                     "the chain of %s visits %u operations, there are %u",
                     program_engine_name((unsigned)e), (unsigned)seen, (unsigned)expected);
  }
  return true;
}

/* Registers keep their values: of each engine's chain an operation writes only what differs from
 * the one before it in the same group. */
enum { REGISTER_SPACE = 0x10000, REGISTERS = REGISTER_SPACE / 4 };

typedef struct {
  uint32_t value[2][REGISTERS];
  uint8_t known[2][REGISTERS];
} Shadow;

static void keep_changes(ScheduledOperation* op, Shadow* shadow, uint32_t rdma_page, unsigned group,
                         unsigned rdma_group) {
  RegWrite* to = op->writes;
  uint16_t kept = 0;
  for (uint16_t i = 0; i < op->num_writes; ++i) {
    const RegWrite write = op->writes[i];
    const uint32_t reg = write.offset / 4;
    const unsigned g = rdma_page && write.offset / 0x1000 == rdma_page ? rdma_group : group;
    if (reg < REGISTERS) {
      if (shadow->known[g][reg] && shadow->value[g][reg] == write.value) continue;
      shadow->known[g][reg] = 1;
      shadow->value[g][reg] = write.value;
    }
    to[kept++] = write;
  }
  op->num_writes = kept;
}

static ScheduledOperation* first_of(const Schedule* s, unsigned engine) {
  const int32_t head = s->task->network.op_head[engine];
  return head >= 0 ? &s->operations[head] : NULL;
}

static bool shorten_programs(const Schedule* s, Arena* arena) {
  Shadow* shadow = (Shadow*)arena_table(arena, sizeof(Shadow));
  if (!shadow) return fw_fail(s->error, FW_E_MEMORY, "no room for the registers' values");
  for (unsigned e = 0; e < DLA_ENGINE_COUNT; ++e) {
    const uint32_t rdma_page = kRegisters[e].rdma_pointer / 0x1000;
    unsigned group = 0, rdma_group = 0;
    for (ScheduledOperation* op = first_of(s, e); op; op = op->next) {
      keep_changes(op, shadow, rdma_page, group, rdma_group);
      group ^= 1;
      if (op->rdma) rdma_group ^= 1;
    }
  }
  return true;
}

/* Makes the register program of every operation. */
static bool compile_operations(const Schedule* s, Arena* arena) {
  RegWrite writes[REG_MAX_WRITES];
  uint32_t count;
  const RegPass pass = {s->error, writes, &count};
  for (uint32_t i = 0; i < s->count && s->error->code == FW_OK; ++i) {
    ScheduledOperation* op = &s->operations[i];
    TaskOperation descriptor;
    task_operation(s->task, i, op->graph.op_type, &descriptor);
    count = 0;
    s->error->operation = (int32_t)i;
    if (!program_operation(s->task, &descriptor, &pass)) return false;
    RegWrite* kept = (RegWrite*)arena_table(arena, count * sizeof(RegWrite));
    if (!kept) return fw_fail(s->error, FW_E_MEMORY, "no room for the register program");
    memcpy(kept, writes, count * sizeof(RegWrite));
    op->writes = kept;
    op->num_writes = (uint16_t)count;
    op->rdma = program_uses_rdma(&descriptor);
    op->lut = (int16_t)program_lut_index(&descriptor);
  }
  s->error->operation = -1;
  return s->error->code == FW_OK && shorten_programs(s, arena);
}

bool schedule_check(Schedule* s, const Task* task, Arena* arena, FwOperationInfo* infos,
                    FwError* error) {
  s->task = task;
  s->error = error;
  s->count = task->network.num_operations;
  s->done = s->running = s->ready = s->open = 0;
  s->cdma_events = false;
  s->operations =
      (ScheduledOperation*)arena_table(arena, s->count * sizeof(ScheduledOperation) + 8);
  uint32_t* incoming = (uint32_t*)arena_table(arena, s->count * sizeof(uint32_t) + 8);
  if (!s->operations || !incoming)
    return fw_fail(error, FW_E_MEMORY, "no room for %u operations", (unsigned)s->count);
  for (uint32_t i = 0; i < s->count; ++i) {
    ScheduledOperation* op = &s->operations[i];
    task_dependency(task, i, &op->graph);
    op->missing = op->graph.dependency_count;
    op->info = &infos[i];
    op->info->task = task->id;
    op->info->index = i;
    op->info->engine = op->graph.op_type;
    if (op->graph.index != (int32_t)i)
      return graph_error(error, i, "index", op->graph.index, (int32_t)i);
    if (op->graph.op_type >= DLA_ENGINE_COUNT)
      return graph_error(error, i, "type", op->graph.op_type, DLA_ENGINE_COUNT - 1);
    op->unit = &s->engines[op->graph.op_type];
  }
  return check_chains(s) && check_graph(s, incoming) && compile_operations(s, arena);
}

/* Register writes that every operation of an engine needs, by group: pointers, then enables. */
static const RegWrite kConvPointers[2][5] = {{{0, CMAC_A_BASE + CMAC_A_S_POINTER},
                                              {0, CMAC_B_BASE + CMAC_B_S_POINTER},
                                              {0, CSC_BASE + CSC_S_POINTER},
                                              {0, CDMA_BASE + CDMA_S_POINTER},
                                              {0, CACC_BASE + CACC_S_POINTER}},
                                             {{1, CMAC_A_BASE + CMAC_A_S_POINTER},
                                              {1, CMAC_B_BASE + CMAC_B_S_POINTER},
                                              {1, CSC_BASE + CSC_S_POINTER},
                                              {1, CDMA_BASE + CDMA_S_POINTER},
                                              {1, CACC_BASE + CACC_S_POINTER}}};
static const RegWrite kConvEnable[] = {{1, CACC_BASE + CACC_D_OP_ENABLE},
                                       {1, CMAC_A_BASE + CMAC_A_D_OP_ENABLE},
                                       {1, CMAC_B_BASE + CMAC_B_D_OP_ENABLE},
                                       {1, CSC_BASE + CSC_D_OP_ENABLE},
                                       {1, CDMA_BASE + CDMA_D_OP_ENABLE}};

static void write_producer(const EngineState* engine, uint32_t group, uint32_t rdma_group) {
  if (engine->type == DLA_ENGINE_CONV) {
    fw_csb_play(kConvPointers[group], 5);
    return;
  }
  fw_csb_write(kRegisters[engine->type].pointer, group);
  fw_csb_write(kRegisters[engine->type].rdma_pointer, rdma_group);
}

static inline void set_producer(EngineState* engine, uint8_t group, uint8_t rdma_group) {
  const int8_t wanted = (int8_t)(group + 2 * rdma_group);
  if (engine->producer == wanted) return;
  engine->producer = wanted;
  write_producer(engine, group, rdma_group);
}

static void enable_registers(EngineState* engine, const ScheduledOperation* op) {
  set_producer(engine, op->group, op->rdma_group);
  switch (engine->type) {
    case DLA_ENGINE_CONV:
      fw_csb_play(kConvEnable, 5);
      break;
    case DLA_ENGINE_SDP:
      if (op->rdma) fw_csb_write(SDP_RDMA_BASE + SDP_RDMA_D_OP_ENABLE, 1);
      fw_csb_write(SDP_BASE + SDP_D_OP_ENABLE, 1);
      break;
    case DLA_ENGINE_PDP:
      if (op->rdma) fw_csb_write(PDP_RDMA_BASE + PDP_RDMA_D_OP_ENABLE, 1);
      fw_csb_write(PDP_BASE + PDP_D_OP_ENABLE, 1);
      break;
    default:
      fw_csb_write(CDP_RDMA_BASE + CDP_RDMA_D_OP_ENABLE, 1);
      fw_csb_write(CDP_BASE + CDP_D_OP_ENABLE, 1);
      break;
  }
}

static void signal_edges(Schedule* s, ScheduledOperation* const* edge,
                         ScheduledOperation* const* end) {
  for (; edge != end; ++edge) {
    ScheduledOperation* op = *edge;
    if (op->missing == 0 || --op->missing != 0) continue;
    if (op->state == OP_PROGRAMMED) s->ready |= op->unit->bit;
  }
}

static inline void signal_event(Schedule* s, const ScheduledOperation* from, unsigned event) {
  const unsigned first = from->first_edge[event - 1], end = from->first_edge[event];
  if (first != end) signal_edges(s, from->edges + first, from->edges + end);
}

/* The LUT is shared by both groups and locked while the engine works. */
static bool lut_ready(const EngineState* engine, int32_t lut) {
  return lut < 0 || lut == engine->lut || !(engine->in_group[0] || engine->in_group[1]);
}

static void load_lut(const Schedule* s, EngineState* engine, int32_t lut) {
  DlaLut table;
  task_lut(s->task, (uint32_t)lut, &table);
  program_lut(engine->type, &table);
  engine->lut = lut;
}

/* Programs the engine's next operation, whose group is free. */
static void program_next(Schedule* s, ScheduledOperation* op) {
  EngineState* engine = op->unit;
  const uint8_t group = engine->group;
  if (op->lut >= 0 && op->lut != engine->lut) load_lut(s, engine, op->lut);
  set_producer(engine, group, engine->rdma_group);
  fw_csb_play(op->writes, op->num_writes);
  op->state = OP_PROGRAMMED;
  if (op->missing == 0) s->ready |= engine->bit;
  op->group = group;
  op->rdma_group = engine->rdma_group;
  op->info->group = group;
  op->info->programmed = fw_cycle();
  engine->in_group[group] = op;
  engine->group = group ^ 1;
  /* The read DMA's pointer moves only with operations that use it. */
  if (op->rdma) engine->rdma_group ^= 1;
  engine->next = op->next;
  if (!op->next || engine->in_group[group ^ 1]) s->open &= ~engine->bit;
  signal_event(s, op, DLA_EVENT_PROGRAMMED);
}

static void enable_ready(Schedule* s, EngineState* engine) {
  /* The older operation holds the group that comes next in turn. */
  for (unsigned k = 0; k < 2; ++k) {
    ScheduledOperation* op = engine->in_group[engine->group ^ k];
    if (!op || op->state != OP_PROGRAMMED || op->missing != 0) continue;
    op->state = OP_ENABLED;
    ++s->running;
    op->info->enabled = fw_cycle();
    enable_registers(engine, op);
    signal_event(s, op, DLA_EVENT_ENABLED);
  }
}

/* Of the operations that could be programmed now the first in the list, which its author wrote in
 * the order of execution; NULL: none. */
static ScheduledOperation* most_urgent(Schedule* s) {
  ScheduledOperation* best = NULL;
  EngineState* engine = s->engines;
  for (uint32_t open = s->open; open; open >>= 1, ++engine) {
    if (!(open & 1)) continue;
    ScheduledOperation* next = engine->next;
    if (best && best < next) continue;
    /* One that waits for an event comes first: the core must be free when it arrives. */
    const ScheduledOperation* other = engine->in_group[engine->group ^ 1];
    if (other && other->state == OP_PROGRAMMED && s->running) continue;
    if (lut_ready(engine, next->lut)) best = next;
  }
  return best;
}

static void complete(Schedule* s, EngineState* engine, unsigned group) {
  ScheduledOperation* op = engine->in_group[group];
  if (!op || op->state != OP_ENABLED) return;
  op->state = OP_DONE;
  --s->running;
  op->info->done = fw_cycle();
  engine->in_group[group] = NULL;
  /* An engine completes in order: what was freed comes next, or that was free already. */
  if (engine->next) s->open |= engine->bit;
  ++s->done;
  signal_event(s, op, DLA_EVENT_COMPLETED);
}

static void conv_event(Schedule* s, unsigned group, uint8_t event) {
  const ScheduledOperation* op = s->engines[DLA_ENGINE_CONV].in_group[group];
  if (op && op->state == OP_ENABLED) signal_event(s, op, event);
}

static void cdma_events(Schedule* s, uint32_t status) {
  for (unsigned group = 0; group < 2; ++group) {
    if (status >> (GLB_S_INTR_STATUS_CDMA_WT_DONE_STATUS0_SHIFT + group) & 1)
      conv_event(s, group, DLA_EVENT_WEIGHTS_DONE);
    if (status >> (GLB_S_INTR_STATUS_CDMA_DAT_DONE_STATUS0_SHIFT + group) & 1)
      conv_event(s, group, DLA_EVENT_DATA_DONE);
  }
}

static void handle(Schedule* s, uint32_t status) {
  if (s->cdma_events) cdma_events(s, status);
  EngineState* engine = s->engines;
  for (uint32_t used = s->used; used; used >>= 1, ++engine) {
    const uint32_t done = status >> engine->done_shift & 3;
    if (!(used & 1) || done == 0) continue;
    if (done & 1) complete(s, engine, 0);
    if (done & 2) complete(s, engine, 1);
  }
}

/* Whatever may run is enabled before anything else is programmed, and what completed meanwhile
 * comes first: the hardware should not wait for the core. */
static bool pump(Schedule* s) {
  for (;;) {
    while (s->ready) {
      EngineState* engine = s->engines;
      uint32_t ready = s->ready;
      for (s->ready = 0; ready; ready >>= 1, ++engine)
        if (ready & 1) enable_ready(s, engine);
    }
    ScheduledOperation* next = most_urgent(s);
    if (!next || s->error->code != FW_OK) return s->error->code == FW_OK;
    program_next(s, next);
    const uint32_t status = fw_poll_interrupt();
    if (status) handle(s, status);
  }
}

/* CDMA's interrupts cost the core time: only where something waits for them. */
static void mask_interrupts(const Schedule* s) {
  const uint32_t cdma = 3u << GLB_S_INTR_STATUS_CDMA_WT_DONE_STATUS0_SHIFT |
                        3u << GLB_S_INTR_STATUS_CDMA_DAT_DONE_STATUS0_SHIFT;
  fw_csb_write(GLB_BASE + GLB_S_INTR_MASK, s->cdma_events ? 0 : cdma);
}

/* After reset the convolution buffer is cleared; nothing may be enabled before. */
static bool wait_for_buffer(Schedule* s) {
  enum { MAX_POLLS = 100000 };
  for (unsigned i = 0; i < MAX_POLLS; ++i)
    if (fw_csb_read(CDMA_BASE + CDMA_S_CBUF_FLUSH_STATUS) &
        CDMA_S_CBUF_FLUSH_STATUS_FLUSH_DONE_MASK)
      return true;
  return fw_fail(s->error, FW_E_TIMEOUT,
                 "CDMA_S_CBUF_FLUSH_STATUS.FLUSH_DONE is still 0 after %u reads",
                 (unsigned)MAX_POLLS);
}

bool schedule_start(Schedule* s) {
  for (unsigned e = 0; e < DLA_ENGINE_COUNT; ++e) {
    const EngineRegisters* r = &kRegisters[e];
    EngineState* engine = &s->engines[e];
    engine->next = first_of(s, e);
    engine->in_group[0] = engine->in_group[1] = NULL;
    engine->lut = -1;
    engine->group = engine->rdma_group = 0;
    engine->producer = -1;
    engine->type = (uint8_t)e;
    engine->bit = 1u << e;
    engine->done_shift = (uint8_t)r->done_shift;
    if (!engine->next) continue;
    s->open |= engine->bit;
    engine->group = (fw_csb_read(r->pointer) & CACC_S_POINTER_CONSUMER_MASK) != 0;
    if (r->rdma_pointer)
      engine->rdma_group = (fw_csb_read(r->rdma_pointer) & CACC_S_POINTER_CONSUMER_MASK) != 0;
  }
  s->used = s->open;
  mask_interrupts(s);
  if (s->engines[DLA_ENGINE_CONV].next && !wait_for_buffer(s)) return false;
  return pump(s);
}

bool schedule_interrupt(Schedule* s, uint32_t status) {
  handle(s, status);
  return pump(s);
}

bool schedule_finished(const Schedule* s) { return s->done == s->count; }

uint32_t schedule_running(const Schedule* s) { return s->running; }

void schedule_stuck(Schedule* s, FwCode code) {
  static const char* const states[] = {"waits to be programmed", "is programmed and waits", "runs",
                                       "is done"};
  for (int wanted = OP_ENABLED; wanted >= OP_WAITING; --wanted)
    for (uint32_t i = 0; i < s->count; ++i) {
      const ScheduledOperation* op = &s->operations[i];
      if (op->state != wanted) continue;
      fw_fail(s->error, code,
              "%u of %u operations done; operation %u (%s, group %u) %s, %u events missing",
              (unsigned)s->done, (unsigned)s->count, (unsigned)i,
              program_engine_name(op->graph.op_type), (unsigned)op->group, states[op->state],
              (unsigned)op->missing);
      s->error->operation = (int32_t)i;
      return;
    }
}
