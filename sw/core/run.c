/* From the boot block to the result block. */
#include "run.h"

#include <string.h>

typedef struct {
  const FwBoot* boot;
  FwResult* result;
  FwTaskInfo* task_infos;
  FwOperationInfo* operation_infos;
  uint32_t max_tasks, max_operations;
  Loadable loadable;
  MemoryPlan plan;
  Task* tasks; /* in order of execution */
  Schedule* schedules;
  FwError* error;
} Run;

static bool check_boot(const FwBoot* boot, FwError* error) {
  if (boot->magic != FW_BOOT_MAGIC || boot->version != FW_ABI_VERSION)
    return fw_fail(error, FW_E_BOOT, "boot block: magic 0x%x version %u, expected 0x%x version %u",
                   (unsigned)boot->magic, (unsigned)boot->version, (unsigned)FW_BOOT_MAGIC,
                   (unsigned)FW_ABI_VERSION);
  const uint32_t atom = boot->memory_atom_bytes;
  if (boot->num_inputs > FW_MAX_BINDINGS || boot->result_bytes < sizeof(FwResult) || atom < 8 ||
      atom > 256 || atom & (atom - 1) || boot->cbuf_entry_bytes == 0)
    return fw_fail(
        error, FW_E_BOOT,
        "boot block: %u inputs, %llu result bytes, atoms of %u, buffer entries of %u bytes",
        (unsigned)boot->num_inputs, (unsigned long long)boot->result_bytes, (unsigned)atom,
        (unsigned)boot->cbuf_entry_bytes);
  return true;
}

/* Tasks in the order of the submit list, which is that of its ids. */
static bool collect_tasks(Run* run) {
  const Loadable* l = &run->loadable;
  uint32_t wanted = 0, taken = 0;
  for (uint32_t i = 0; i < l->submits.count; ++i) {
    uint16_t id;
    FbVector tasks;
    if (loadable_submit(l, i, &id, &tasks)) wanted += tasks.count;
  }
  if (wanted == 0 || wanted > run->max_tasks)
    return fw_fail(run->error, FW_E_LIST, "%u tasks are submitted, expected 1 to %u",
                   (unsigned)wanted, (unsigned)run->max_tasks);
  run->tasks = (Task*)arena_table(&run->plan.heap, wanted * sizeof(Task));
  run->schedules = (Schedule*)arena_table(&run->plan.heap, wanted * sizeof(Schedule));
  if (!run->tasks || !run->schedules)
    return fw_fail(run->error, FW_E_MEMORY, "no room for %u tasks", (unsigned)wanted);
  int32_t last = -1;
  while (taken < wanted) {
    int32_t next = 0x10000;
    FbVector tasks, chosen = {0, 0, 0};
    for (uint32_t i = 0; i < l->submits.count; ++i) {
      uint16_t id;
      if (loadable_submit(l, i, &id, &tasks) && id > last && id < next) {
        next = id;
        chosen = tasks;
      }
    }
    if (next > 0xffff)
      return fw_fail(run->error, FW_E_LIST, "two entries of the submit list have the same id");
    last = next;
    for (uint32_t k = 0; k < chosen.count; ++k, ++taken) {
      LoadableTask entry;
      const uint16_t id = fb_u16(&l->buffer, chosen.position + 2 * k);
      run->error->task = id;
      if (!loadable_task_by_id(l, id, &entry) ||
          !task_open(&run->tasks[taken], &run->plan, &run->plan.heap, &entry, run->error))
        return false;
    }
  }
  run->result->num_tasks = wanted;
  return true;
}

static uint32_t operations_of(const Task* task) {
  return task->interface == DLA_INTERFACE_EMU ? task->emu.num_operations
                                              : task->network.num_operations;
}

static bool check_tasks(Run* run) {
  FwResult* result = run->result;
  for (uint32_t t = 0; t < result->num_tasks; ++t) {
    const Task* task = &run->tasks[t];
    const uint32_t count = operations_of(task);
    run->error->task = task->id;
    if (count > run->max_operations - result->num_operations)
      return fw_fail(run->error, FW_E_LIST, "%u operations, the result block has room for %u",
                     (unsigned)count, (unsigned)run->max_operations);
    FwOperationInfo* infos = run->operation_infos + result->num_operations;
    run->task_infos[t].task = task->id;
    run->task_infos[t].interface = task->interface;
    if (task->interface == DLA_INTERFACE_DLA) {
      if (!schedule_check(&run->schedules[t], task, &run->plan.heap, infos, run->error))
        return false;
    } else {
      for (uint32_t i = 0; i < count; ++i) {
        infos[i].task = task->id;
        infos[i].index = i;
        infos[i].engine = FW_ENGINE_CPU;
        if (emu_operation(task, i, false, run->error)) continue;
        run->error->operation = (int32_t)i;
        return false;
      }
    }
    result->num_operations += count;
  }
  run->error->task = -1;
  return true;
}

static bool run_dla(Schedule* schedule) {
  fw_progress();
  if (!schedule_start(schedule)) return false;
  while (!schedule_finished(schedule)) {
    if (schedule_running(schedule) == 0) {
      schedule_stuck(schedule, FW_E_DEADLOCK);
      return false;
    }
    const uint32_t status = fw_wait_interrupt();
    if (status == 0) {
      schedule_stuck(schedule, FW_E_TIMEOUT);
      return false;
    }
    fw_progress();
    if (!schedule_interrupt(schedule, status)) return false;
  }
  return true;
}

static bool run_emu(const Task* task, FwOperationInfo* infos, FwError* error) {
  for (uint32_t i = 0; i < task->emu.num_operations; ++i) {
    infos[i].programmed = infos[i].enabled = fw_cycle();
    if (!emu_operation(task, i, true, error)) return false;
    infos[i].done = fw_cycle();
  }
  return true;
}

static bool execute(Run* run) {
  FwOperationInfo* infos = run->operation_infos;
  for (uint32_t t = 0; t < run->result->num_tasks; ++t) {
    const Task* task = &run->tasks[t];
    run->error->task = task->id;
    run->task_infos[t].started = fw_cycle();
    const bool dla = task->interface == DLA_INTERFACE_DLA;
    if (dla ? !run_dla(&run->schedules[t]) : !run_emu(task, infos, run->error)) return false;
    run->task_infos[t].done = fw_cycle();
    infos += operations_of(task);
  }
  run->error->task = -1;
  return true;
}

/* The tables behind the result block: an eighth for tasks, the rest for operations. */
static void open_tables(Run* run) {
  const uint64_t room = run->boot->result_bytes - sizeof(FwResult);
  run->max_tasks = (uint32_t)(room / 8 / sizeof(FwTaskInfo));
  run->task_infos = (FwTaskInfo*)(run->result + 1);
  run->max_operations = (uint32_t)((room - room / 8) / sizeof(FwOperationInfo));
}

bool fw_run(const FwBoot* boot, FwError* error) {
  fw_error_clear(error);
  if (!check_boot(boot, error)) return false;
  Run run;
  memset(&run, 0, sizeof run);
  run.boot = boot;
  run.error = error;
  run.result = (FwResult*)fw_pointer(boot->result_address);
  memset(run.result, 0, (size_t)boot->result_bytes);
  run.result->magic = FW_RESULT_MAGIC;
  run.result->version = FW_ABI_VERSION;
  run.result->state = FW_STATE_STARTED;
  run.result->boot_cycle = fw_cycle();
  open_tables(&run);
  if (!loadable_open(&run.loadable, fw_pointer(boot->loadable_address), boot->loadable_bytes,
                     error) ||
      !memory_plan_build(&run.plan, &run.loadable, boot, error) || !collect_tasks(&run))
    return false;
  run.operation_infos = (FwOperationInfo*)(run.task_infos + run.result->num_tasks);
  if (!check_tasks(&run)) return false;
  memory_plan_outputs(&run.plan, run.result);
  run.result->state = FW_STATE_RUNNING;
  run.result->ready_cycle = fw_cycle();
  const uint64_t slept = fw_sleep_cycles();
  const bool done = execute(&run);
  run.result->done_cycle = fw_cycle();
  run.result->sleep_cycles = fw_sleep_cycles() - slept;
  return done;
}

void fw_report(const FwBoot* boot, const FwError* error) {
  if (boot->magic != FW_BOOT_MAGIC || boot->result_bytes < sizeof(FwResult)) return;
  FwResult* result = (FwResult*)fw_pointer(boot->result_address);
  result->magic = FW_RESULT_MAGIC;
  result->version = FW_ABI_VERSION;
  result->error_code = (uint32_t)error->code;
  result->error_task = error->task;
  result->error_operation = error->operation;
  memcpy(result->error_text, error->text, sizeof result->error_text);
  result->state = error->code == FW_OK ? FW_STATE_DONE : FW_STATE_FAILED;
}
