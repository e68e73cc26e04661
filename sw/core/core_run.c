/* From a CPU operation that names a parameter block to the call of its kernel. */
#include "core_run.h"

#include <stdio.h>
#include <string.h>

#include "core.h"

/* Custom layers of the image: the linker gathers them; there may be none. */
extern const CoreKernel __start_dlavp_core_layers[] __attribute__((weak));
extern const CoreKernel __stop_dlavp_core_layers[] __attribute__((weak));

typedef struct {
  CoreCall call;
  CoreTensor tensors[CORE_MAX_TENSORS];
  char name[CORE_NAME_BYTES + 1];
  const CoreKernel* kernel;
} Opened;

/* Custom layer `index`, 0 behind the last. */
static const CoreKernel* custom_layer(uint32_t index) {
  const uintptr_t begin = (uintptr_t)__start_dlavp_core_layers,
                  end = (uintptr_t)__stop_dlavp_core_layers;
  const uintptr_t at = begin + index * sizeof(CoreKernel);
  return at < end ? (const CoreKernel*)at : 0;
}

static const CoreKernel* find_custom(const char* name) {
  const CoreKernel* layer;
  for (uint32_t i = 0; (layer = custom_layer(i)) != 0; ++i)
    if (strcmp(layer->name, name) == 0) return layer;
  return 0;
}

static bool fail_custom(const char* name, FwError* error) {
  char known[FW_ERROR_TEXT / 2] = "none";
  size_t length = 0;
  const CoreKernel* layer;
  for (uint32_t i = 0; (layer = custom_layer(i)) != 0 && length < sizeof known; ++i)
    length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i == 0 ? "" : ", ",
                               layer->name);
  return fw_fail(error, FW_E_UNSUPPORTED,
                 "custom layer '%s' is not in this firmware, which has: %s", name, known);
}

static bool open_kernel(const DlaCoreHeader* header, Opened* o, FwError* error) {
  memcpy(o->name, header->name, CORE_NAME_BYTES);
  o->name[CORE_NAME_BYTES] = 0;
  if (header->kernel >= CORE_KERNELS)
    return fw_fail(error, FW_E_EMU, "core kernel %u, known below %u", (unsigned)header->kernel,
                   (unsigned)CORE_KERNELS);
  if (header->kernel == CORE_CUSTOM) {
    o->kernel = find_custom(o->name);
    o->call.name = o->name;
    if (o->kernel) return true;
    return fail_custom(o->name, error);
  }
  o->kernel = &core_kernels[header->kernel];
  o->call.name = o->kernel->name;
  return true;
}

static bool open_tensor(const Task* task, const DlaCoreTensor* from, unsigned index,
                        CoreTensor* out, FwError* error) {
  enum { MAX_SIDE = 1 << 20 };
  const uint32_t sizes[CORE_AXES] = {from->channels, from->height, from->width};
  for (unsigned a = 0; a < CORE_AXES; ++a) {
    out->size[a] = sizes[a];
    if (sizes[a] == 0 || sizes[a] > MAX_SIDE)
      return fw_fail(error, FW_E_EMU, "core tensor %u: %u x %u x %u, expected 1 to %u each", index,
                     (unsigned)sizes[0], (unsigned)sizes[1], (unsigned)sizes[2],
                     (unsigned)MAX_SIDE);
  }
  if (from->element != CORE_INT8 && from->element != CORE_INT32)
    return fw_fail(error, FW_E_EMU, "core tensor %u: elements of %u bytes, expected 1 or 4", index,
                   (unsigned)from->element);
  if (from->atom < 8 || from->atom > 256 || from->atom & (from->atom - 1))
    return fw_fail(error, FW_E_EMU, "core tensor %u: atoms of %u bytes", index,
                   (unsigned)from->atom);
  /* Without overlaps no tensor has more elements than its memory has bytes. */
  const uint64_t line = (uint64_t)sizes[2] * from->atom;
  const uint64_t surface = (uint64_t)sizes[1] * from->line_stride;
  if (from->line_stride < line || from->surface_stride < surface)
    return fw_fail(error, FW_E_EMU,
                   "core tensor %u: strides %u and %u, expected at least %llu and %llu", index,
                   (unsigned)from->line_stride, (unsigned)from->surface_stride,
                   (unsigned long long)line, (unsigned long long)surface);
  if (!(from->scale > 0 && from->scale < 1e30))
    return fw_fail(error, FW_E_EMU, "core tensor %u: its scale is not positive", index);
  out->element = from->element;
  out->atom = from->atom;
  out->line_stride = from->line_stride;
  out->surface_stride = from->surface_stride;
  out->scale = from->scale;
  out->lane_bits = 0;
  while (((uint32_t)from->element << out->lane_bits) < from->atom) ++out->lane_bits;
  const uint64_t surfaces = (sizes[0] + ((uint64_t)1 << out->lane_bits) - 1) >> out->lane_bits;
  const uint64_t extent =
      (surfaces - 1) * from->surface_stride + (uint64_t)(sizes[1] - 1) * from->line_stride + line;
  return task_bytes(task, from->address, from->offset, extent, "core tensor", &out->bytes, error);
}

static bool open_block(const Task* task, const DlaEmuOp* op, Opened* o, FwError* error) {
  DlaCoreReference reference;
  uint8_t* block = 0;
  memcpy(&reference, &op->u, sizeof reference);
  if (!task_bytes(task, reference.address, reference.offset, reference.bytes, "core block", &block,
                  error))
    return false;
  if (reference.bytes < sizeof(DlaCoreHeader) || (uintptr_t)block % 8)
    return fw_fail(error, FW_E_EMU, "core block: %u bytes at offset %u, expected 8-byte alignment",
                   (unsigned)reference.bytes, (unsigned)reference.offset);
  const DlaCoreHeader* header = (const DlaCoreHeader*)block;
  if (header->magic != CORE_MAGIC || header->version != CORE_VERSION)
    return fw_fail(error, FW_E_EMU, "core block: magic 0x%x version %u, expected 0x%x version %u",
                   (unsigned)header->magic, (unsigned)header->version, (unsigned)CORE_MAGIC,
                   (unsigned)CORE_VERSION);
  const uint32_t inputs = header->num_inputs, outputs = header->num_outputs;
  if (inputs == 0 || outputs == 0 || inputs + outputs > CORE_MAX_TENSORS)
    return fw_fail(error, FW_E_EMU, "core block: %u inputs, %u outputs, at most %u together",
                   (unsigned)inputs, (unsigned)outputs, (unsigned)CORE_MAX_TENSORS);
  const uint64_t reals_at = sizeof *header + (uint64_t)(inputs + outputs) * sizeof(DlaCoreTensor);
  const uint64_t params_at = reals_at + (uint64_t)header->num_reals * sizeof(double);
  const uint64_t table_at = params_at + (uint64_t)header->num_params * sizeof(int32_t);
  if (table_at + header->table_bytes != reference.bytes)
    return fw_fail(error, FW_E_EMU, "core block: %u bytes, its contents have %llu",
                   (unsigned)reference.bytes, (unsigned long long)(table_at + header->table_bytes));
  if (!open_kernel(header, o, error)) return false;
  const DlaCoreTensor* tensors = (const DlaCoreTensor*)(block + sizeof *header);
  for (uint32_t i = 0; i < inputs + outputs; ++i)
    if (!open_tensor(task, &tensors[i], i, &o->tensors[i], error)) return false;
  CoreCall* call = &o->call;
  call->num_inputs = inputs;
  call->num_outputs = outputs;
  call->inputs = o->tensors;
  call->outputs = o->tensors + inputs;
  call->reals = (const double*)(const void*)(block + reals_at);
  call->params = (const int32_t*)(const void*)(block + params_at);
  call->table = block + table_at;
  call->num_reals = header->num_reals;
  call->num_params = header->num_params;
  call->table_bytes = header->table_bytes;
  call->error = error;
  return true;
}

bool core_operation(const Task* task, const DlaEmuOp* op, bool apply, FwError* error) {
  Opened o;
  if (!open_block(task, op, &o, error)) return false;
  if (!apply) return !o.kernel->check || o.kernel->check(&o.call);
  o.kernel->run(&o.call);
  return error->code == FW_OK;
}
