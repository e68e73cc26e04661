/* What the engines' register programs share, and the choice among them. */
#include "program.h"

static const char* const kEngines[DLA_ENGINE_COUNT] = {"BDMA", "CONV", "SDP",
                                                       "PDP",  "CDP",  "RUBIK"};

const char* program_engine_name(unsigned engine) {
  return engine < DLA_ENGINE_COUNT ? kEngines[engine] : "CPU";
}

bool program_cube_size(const DlaCube* cube, const char* what, FwError* error) {
  enum { MAX_SIDE = 8192 };
  if (cube->width == 0 || cube->width > MAX_SIDE || cube->height == 0 || cube->height > MAX_SIDE ||
      cube->channel == 0 || cube->channel > MAX_SIDE)
    return fw_fail(error, FW_E_FIELD, "%s: %u x %u x %u, expected 1 to 8192 each", what,
                   (unsigned)cube->width, (unsigned)cube->height, (unsigned)cube->channel);
  return true;
}

uint64_t program_cube_extent(const Task* task, const DlaCube* cube, unsigned atom_scale) {
  const uint32_t atom = task->boot->memory_atom_bytes;
  const uint64_t surfaces = (cube->channel + atom - 1) / atom;
  return (surfaces - 1) * cube->surf_stride + (uint64_t)(cube->height - 1) * cube->line_stride +
         (uint64_t)cube->width * atom * atom_scale;
}

bool program_feature(const Task* task, const DlaCube* cube, const char* what, uint64_t* address,
                     FwError* error) {
  const uint32_t atom = task->boot->memory_atom_bytes;
  if (!program_cube_size(cube, what, error)) return false;
  if (cube->line_stride % atom || cube->surf_stride % atom)
    return fw_fail(error, FW_E_FIELD,
                   "%s: line stride %u, surface stride %u, expected multiples of %u", what,
                   (unsigned)cube->line_stride, (unsigned)cube->surf_stride, (unsigned)atom);
  return task_resolve(task, cube, program_cube_extent(task, cube, 1), atom, what, address, error);
}

bool program_int8(const Task* task, unsigned precision, const char* what, FwError* error) {
  static const char* const names[] = {"int8", "int16", "fp16"};
  if (precision > DLA_FP16)
    return fw_fail(error, FW_E_FIELD, "%s: precision %u, expected 0 to 2", what, precision);
  if (precision == DLA_INT8) return true;
  if (task->boot->features & (precision == DLA_INT16 ? FW_HAS_INT16 : FW_HAS_FP16)) return true;
  return fw_fail(error, FW_E_UNSUPPORTED, "%s: precision %s, this accelerator has int8 only", what,
                 names[precision]);
}

bool program_uses_rdma(const TaskOperation* op) {
  const DlaSdpOp* sdp = &op->operation.sdp;
  const DlaSdpStage* stages[] = {&sdp->x1_op, &sdp->x2_op, &sdp->y_op};
  switch (op->type) {
    case DLA_ENGINE_SDP:
      if (op->surface.sdp.src_data.type != DLA_CUBE_STREAM) return true;
      for (unsigned i = 0; i < 3; ++i)
        if (stages[i]->enable && stages[i]->type != DLA_SDP_NONE &&
            stages[i]->mode != DLA_PER_LAYER)
          return true;
      return false;
    case DLA_ENGINE_PDP:
      return op->surface.pair.src_data.type != DLA_CUBE_STREAM;
    default:
      return op->type == DLA_ENGINE_CDP;
  }
}

int32_t program_lut_index(const TaskOperation* op) {
  if (op->type == DLA_ENGINE_SDP) return op->operation.sdp.lut_index;
  if (op->type == DLA_ENGINE_CDP) return op->operation.cdp.lut_index;
  return -1;
}

static bool check_engine(const Task* task, const TaskOperation* op, FwError* error) {
  static const uint32_t needs[DLA_ENGINE_COUNT] = {FW_HAS_BDMA, 0,          0,
                                                   FW_HAS_PDP,  FW_HAS_CDP, FW_HAS_RUBIK};
  if (needs[op->type] && !(task->boot->features & needs[op->type]))
    return fw_fail(error, FW_E_UNSUPPORTED, "the accelerator has no %s", kEngines[op->type]);
  if (op->type == DLA_ENGINE_BDMA || op->type == DLA_ENGINE_RUBIK)
    return fw_fail(error, FW_E_UNSUPPORTED, "this firmware does not drive %s", kEngines[op->type]);
  const int32_t lut = program_lut_index(op);
  if (lut < -1 || lut >= task->network.num_luts)
    return fw_fail(error, FW_E_FIELD, "LUT index %d, the task has %u", (int)lut,
                   (unsigned)task->network.num_luts);
  return true;
}

bool program_operation(const Task* task, const TaskOperation* op, const RegPass* pass) {
  if (!check_engine(task, op, pass->error)) return false;
  switch (op->type) {
    case DLA_ENGINE_CONV:
      return program_conv(task, op, pass);
    case DLA_ENGINE_SDP:
      return program_sdp(task, op, pass);
    case DLA_ENGINE_PDP:
      return program_pdp(task, op, pass);
    default:
      return program_cdp(task, op, pass);
  }
}
