/* Register program of the point-wise engine (SDP) and its read DMA. Hardware manual: programming
 * guide, "SDP". */
#include "program.h"

/* One of the three stages. The sub-units X1, X2, Y have the same fields under other names. */
typedef struct {
  const char* name;
  const DlaSdpStage* stage;
  const DlaCube* cube;
  bool from_memory;
  uint64_t address;
} Stage;

static bool check_stage(const Task* task, const DlaCube* src, Stage* s, FwError* error) {
  const DlaSdpStage* op = s->stage;
  s->from_memory = op->enable && op->type != DLA_SDP_NONE && op->mode != DLA_PER_LAYER;
  s->address = 0;
  if (!op->enable) return true;
  if (op->enable > 1 || op->type > DLA_SDP_BOTH || op->mode > DLA_PER_POINT ||
      op->act > DLA_ACT_PRELU || op->alu_type > DLA_ALU_EQUAL || op->precision > DLA_FP16)
    return fw_fail(error, FW_E_FIELD,
                   "SDP %s: type %u, mode %u, activation %u, ALU %u, precision %u", s->name,
                   (unsigned)op->type, (unsigned)op->mode, (unsigned)op->act,
                   (unsigned)op->alu_type, (unsigned)op->precision);
  if (!s->from_memory) return true;
  const uint32_t atom = task->boot->memory_atom_bytes;
  const unsigned element = (op->precision == DLA_INT8 ? 1 : 2) * (op->type == DLA_SDP_BOTH ? 2 : 1);
  uint64_t extent = (uint64_t)src->channel * element;
  if (op->mode == DLA_PER_POINT) {
    /* The operand has the input's sizes, in its own strides. */
    DlaCube cube = *s->cube;
    cube.width = src->width;
    cube.height = src->height;
    cube.channel = src->channel;
    extent = program_cube_extent(task, &cube, element);
  }
  return task_resolve(task, s->cube, extent, atom, s->name, &s->address, error);
}

#define STAGE_DMA(p, UNIT, SRC, s)                                                                 \
  do {                                                                                             \
    const DlaSdpStage* op_ = (s)->stage;                                                           \
    WRITE(                                                                                         \
        p, SDP_RDMA, D_##UNIT##_CFG,                                                               \
        FIELD(p, SDP_RDMA_D_##UNIT##_CFG, UNIT##_DISABLE, !(s)->from_memory) |                     \
            FIELD(p, SDP_RDMA_D_##UNIT##_CFG, UNIT##_DATA_USE,                                     \
                  op_->type == DLA_SDP_BOTH  ? 2                                                   \
                  : op_->type == DLA_SDP_ALU ? 1                                                   \
                                             : 0) |                                                \
            FIELD(p, SDP_RDMA_D_##UNIT##_CFG, UNIT##_DATA_SIZE, op_->precision != DLA_INT8) |      \
            FIELD(p, SDP_RDMA_D_##UNIT##_CFG, UNIT##_DATA_MODE, op_->mode != DLA_PER_KERNEL) |     \
            FIELD(p, SDP_RDMA_D_##UNIT##_CFG, UNIT##_RAM_TYPE, (s)->cube->type == DLA_CUBE_DRAM)); \
    WRITE(p, SDP_RDMA, D_##SRC##_BASE_ADDR_LOW, low32((s)->address));                              \
    WRITE(p, SDP_RDMA, D_##SRC##_BASE_ADDR_HIGH, high32((s)->address));                            \
    WRITE(p, SDP_RDMA, D_##SRC##_LINE_STRIDE, (s)->from_memory ? (s)->cube->line_stride : 0);      \
    WRITE(p, SDP_RDMA, D_##SRC##_SURFACE_STRIDE, (s)->from_memory ? (s)->cube->surf_stride : 0);   \
  } while (0)

/* X1 and X2. The multiplier's shift works even where the multiplier is bypassed. */
#define STAGE_X(p, UNIT, s)                                                                        \
  do {                                                                                             \
    const DlaSdpStage* op_ = (s)->stage;                                                           \
    const bool on_ = op_->enable;                                                                  \
    const bool alu_ = op_->type == DLA_SDP_ALU || op_->type == DLA_SDP_BOTH;                       \
    const bool mul_ = op_->type == DLA_SDP_MUL || op_->type == DLA_SDP_BOTH;                       \
    const bool memory_ = op_->mode != DLA_PER_LAYER;                                               \
    if (on_ && op_->act == DLA_ACT_LUT)                                                            \
      fw_fail(p->error, FW_E_FIELD, "SDP %s: activation 2 (LUT), only Y has one", (s)->name);      \
    WRITE(                                                                                         \
        p, SDP, D_DP_##UNIT##_CFG,                                                                 \
        FIELD(p, SDP_D_DP_##UNIT##_CFG, UNIT##_BYPASS, !on_) |                                     \
            FIELD(p, SDP_D_DP_##UNIT##_CFG, UNIT##_ALU_BYPASS, !(on_ && alu_)) |                   \
            FIELD(p, SDP_D_DP_##UNIT##_CFG, UNIT##_ALU_ALGO, on_ ? op_->alu_type : 0) |            \
            FIELD(p, SDP_D_DP_##UNIT##_CFG, UNIT##_MUL_BYPASS, !(on_ && mul_)) |                   \
            FIELD(p, SDP_D_DP_##UNIT##_CFG, UNIT##_MUL_PRELU, on_ && op_->act == DLA_ACT_PRELU) |  \
            FIELD(p, SDP_D_DP_##UNIT##_CFG, UNIT##_RELU_BYPASS,                                    \
                  !(on_ && op_->act == DLA_ACT_RELU)));                                            \
    WRITE(p, SDP, D_DP_##UNIT##_ALU_CFG,                                                           \
          FIELD(p, SDP_D_DP_##UNIT##_ALU_CFG, UNIT##_ALU_SRC, on_&& memory_) |                     \
              FIELD(p, SDP_D_DP_##UNIT##_ALU_CFG, UNIT##_ALU_SHIFT_VALUE,                          \
                    on_ ? op_->shift_value : 0));                                                  \
    WRITE(p, SDP, D_DP_##UNIT##_ALU_SRC_VALUE,                                                     \
          SIGNED_FIELD(p, SDP_D_DP_##UNIT##_ALU_SRC_VALUE, UNIT##_ALU_OPERAND,                     \
                       on_ && !memory_ ? op_->alu_operand : 0));                                   \
    WRITE(                                                                                         \
        p, SDP, D_DP_##UNIT##_MUL_CFG,                                                             \
        FIELD(p, SDP_D_DP_##UNIT##_MUL_CFG, UNIT##_MUL_SRC, on_&& memory_) |                       \
            FIELD(p, SDP_D_DP_##UNIT##_MUL_CFG, UNIT##_MUL_SHIFT_VALUE, on_ ? op_->truncate : 0)); \
    WRITE(p, SDP, D_DP_##UNIT##_MUL_SRC_VALUE,                                                     \
          SIGNED_FIELD(p, SDP_D_DP_##UNIT##_MUL_SRC_VALUE, UNIT##_MUL_OPERAND,                     \
                       on_ && !memory_ ? op_->mul_operand : 0));                                   \
  } while (0)

static void program_y(const DlaSdpStage* op, const RegPass* p) {
  const bool on = op->enable;
  const bool alu = on && (op->type == DLA_SDP_ALU || op->type == DLA_SDP_BOTH);
  const bool mul = on && (op->type == DLA_SDP_MUL || op->type == DLA_SDP_BOTH);
  const bool memory = on && op->mode != DLA_PER_LAYER;
  const DlaConverter *a = &op->cvt.alu_cvt, *m = &op->cvt.mul_cvt;
  if (on && op->act == DLA_ACT_RELU)
    fw_fail(p->error, FW_E_FIELD, "SDP Y: activation 1 (ReLU), only X1 and X2 have one");
  WRITE(p, SDP, D_DP_EW_CFG,
        FIELD(p, SDP_D_DP_EW_CFG, EW_BYPASS, !on) | FIELD(p, SDP_D_DP_EW_CFG, EW_ALU_BYPASS, !alu) |
            FIELD(p, SDP_D_DP_EW_CFG, EW_ALU_ALGO, on ? op->alu_type : 0) |
            FIELD(p, SDP_D_DP_EW_CFG, EW_MUL_BYPASS, !mul) |
            FIELD(p, SDP_D_DP_EW_CFG, EW_MUL_PRELU, on && op->act == DLA_ACT_PRELU) |
            FIELD(p, SDP_D_DP_EW_CFG, EW_LUT_BYPASS, !(on && op->act == DLA_ACT_LUT)));
  WRITE(p, SDP, D_DP_EW_ALU_CFG,
        FIELD(p, SDP_D_DP_EW_ALU_CFG, EW_ALU_SRC, alu && memory) |
            FIELD(p, SDP_D_DP_EW_ALU_CFG, EW_ALU_CVT_BYPASS, !(alu && a->enable)));
  WRITE(p, SDP, D_DP_EW_ALU_SRC_VALUE, alu && !memory ? (uint32_t)op->alu_operand : 0);
  WRITE(p, SDP, D_DP_EW_ALU_CVT_OFFSET_VALUE, alu ? (uint32_t)a->offset : 0);
  WRITE(p, SDP, D_DP_EW_ALU_CVT_SCALE_VALUE,
        SIGNED_FIELD(p, SDP_D_DP_EW_ALU_CVT_SCALE_VALUE, EW_ALU_CVT_SCALE, alu ? a->scale : 0));
  WRITE(p, SDP, D_DP_EW_ALU_CVT_TRUNCATE_VALUE,
        FIELD(p, SDP_D_DP_EW_ALU_CVT_TRUNCATE_VALUE, EW_ALU_CVT_TRUNCATE, alu ? a->truncate : 0));
  WRITE(p, SDP, D_DP_EW_MUL_CFG,
        FIELD(p, SDP_D_DP_EW_MUL_CFG, EW_MUL_SRC, mul && memory) |
            FIELD(p, SDP_D_DP_EW_MUL_CFG, EW_MUL_CVT_BYPASS, !(mul && m->enable)));
  WRITE(p, SDP, D_DP_EW_MUL_SRC_VALUE, mul && !memory ? (uint32_t)op->mul_operand : 0);
  WRITE(p, SDP, D_DP_EW_MUL_CVT_OFFSET_VALUE, mul ? (uint32_t)m->offset : 0);
  WRITE(p, SDP, D_DP_EW_MUL_CVT_SCALE_VALUE,
        SIGNED_FIELD(p, SDP_D_DP_EW_MUL_CVT_SCALE_VALUE, EW_MUL_CVT_SCALE, mul ? m->scale : 0));
  WRITE(p, SDP, D_DP_EW_MUL_CVT_TRUNCATE_VALUE,
        FIELD(p, SDP_D_DP_EW_MUL_CVT_TRUNCATE_VALUE, EW_MUL_CVT_TRUNCATE, mul ? m->truncate : 0));
  WRITE(p, SDP, D_DP_EW_TRUNCATE_VALUE,
        FIELD(p, SDP_D_DP_EW_TRUNCATE_VALUE, EW_TRUNCATE, on ? op->truncate : 0));
}

static bool check(const Task* task, const TaskOperation* operation, FwError* error) {
  const DlaSdpOp* op = &operation->operation.sdp;
  const DlaSdpSurface* s = &operation->surface.sdp;
  const uint32_t features = task->boot->features;
  if (!program_int8(task, op->src_precision, "SDP input", error) ||
      !program_int8(task, op->dst_precision, "SDP output", error))
    return false;
  if (!program_cube_size(&s->src_data, "SDP input", error)) return false;
  if (op->y_op.enable && !(features & FW_HAS_SDP_EW))
    return fw_fail(error, FW_E_UNSUPPORTED, "SDP: the Y stage is on, this accelerator has none");
  if (op->y_op.enable && op->y_op.act == DLA_ACT_LUT) {
    if (!(features & FW_HAS_SDP_LUT))
      return fw_fail(error, FW_E_UNSUPPORTED, "SDP: LUT, this accelerator has none");
    if (op->lut_index < 0)
      return fw_fail(error, FW_E_FIELD, "SDP: the activation is a LUT, LUT index %d",
                     (int)op->lut_index);
  }
  if (op->lut_index >= 0 && !(features & FW_HAS_SDP_LUT))
    return fw_fail(error, FW_E_UNSUPPORTED, "SDP: LUT %d, this accelerator has none",
                   (int)op->lut_index);
  if (op->conv_mode == DLA_CONV_WINOGRAD && !(features & FW_HAS_WINOGRAD))
    return fw_fail(error, FW_E_UNSUPPORTED, "SDP: Winograd, this accelerator has none");
  if (op->batch_num > 1 && !(features & FW_HAS_BATCH))
    return fw_fail(error, FW_E_UNSUPPORTED, "SDP: batch %u, this accelerator has none",
                   (unsigned)op->batch_num);
  return true;
}

static void program_rdma(const DlaSdpOp* op, const DlaSdpSurface* s, const Stage* stages,
                         uint64_t src, const RegPass* p) {
  const bool fly = s->src_data.type == DLA_CUBE_STREAM;
  WRITE(p, SDP_RDMA, D_FEATURE_MODE_CFG,
        FIELD(p, SDP_RDMA_D_FEATURE_MODE_CFG, FLYING_MODE, fly) |
            FIELD(p, SDP_RDMA_D_FEATURE_MODE_CFG, WINOGRAD, op->conv_mode == DLA_CONV_WINOGRAD) |
            FIELD(p, SDP_RDMA_D_FEATURE_MODE_CFG, IN_PRECISION, op->src_precision) |
            FIELD(p, SDP_RDMA_D_FEATURE_MODE_CFG, PROC_PRECISION,
                  op->dst_precision == DLA_INT8 ? DLA_INT8 : op->src_precision) |
            FIELD(p, SDP_RDMA_D_FEATURE_MODE_CFG, OUT_PRECISION, op->dst_precision) |
            FIELD(p, SDP_RDMA_D_FEATURE_MODE_CFG, BATCH_NUMBER, op->batch_num - 1));
  WRITE(p, SDP_RDMA, D_DATA_CUBE_WIDTH,
        FIELD(p, SDP_RDMA_D_DATA_CUBE_WIDTH, WIDTH, s->src_data.width - 1));
  WRITE(p, SDP_RDMA, D_DATA_CUBE_HEIGHT,
        FIELD(p, SDP_RDMA_D_DATA_CUBE_HEIGHT, HEIGHT, s->src_data.height - 1));
  WRITE(p, SDP_RDMA, D_DATA_CUBE_CHANNEL,
        FIELD(p, SDP_RDMA_D_DATA_CUBE_CHANNEL, CHANNEL, s->src_data.channel - 1));
  WRITE(p, SDP_RDMA, D_SRC_BASE_ADDR_LOW, low32(src));
  WRITE(p, SDP_RDMA, D_SRC_BASE_ADDR_HIGH, high32(src));
  WRITE(p, SDP_RDMA, D_SRC_LINE_STRIDE, fly ? 0 : s->src_data.line_stride);
  WRITE(p, SDP_RDMA, D_SRC_SURFACE_STRIDE, fly ? 0 : s->src_data.surf_stride);
  WRITE(p, SDP_RDMA, D_SRC_DMA_CFG,
        FIELD(p, SDP_RDMA_D_SRC_DMA_CFG, SRC_RAM_TYPE, s->src_data.type == DLA_CUBE_DRAM));
  STAGE_DMA(p, BRDMA, BS, &stages[0]);
  STAGE_DMA(p, NRDMA, BN, &stages[1]);
  STAGE_DMA(p, ERDMA, EW, &stages[2]);
}

static void program_core(const DlaSdpOp* op, const DlaSdpSurface* s, uint64_t dst,
                         const RegPass* p) {
  const bool to_pdp = s->dst_data.type == DLA_CUBE_STREAM;
  WRITE(p, SDP, D_DATA_CUBE_WIDTH, FIELD(p, SDP_D_DATA_CUBE_WIDTH, WIDTH, s->src_data.width - 1));
  WRITE(p, SDP, D_DATA_CUBE_HEIGHT,
        FIELD(p, SDP_D_DATA_CUBE_HEIGHT, HEIGHT, s->src_data.height - 1));
  WRITE(p, SDP, D_DATA_CUBE_CHANNEL,
        FIELD(p, SDP_D_DATA_CUBE_CHANNEL, CHANNEL, s->src_data.channel - 1));
  WRITE(p, SDP, D_DST_BASE_ADDR_LOW, low32(dst));
  WRITE(p, SDP, D_DST_BASE_ADDR_HIGH, high32(dst));
  WRITE(p, SDP, D_DST_LINE_STRIDE, to_pdp ? 0 : s->dst_data.line_stride);
  WRITE(p, SDP, D_DST_SURFACE_STRIDE, to_pdp ? 0 : s->dst_data.surf_stride);
  WRITE(p, SDP, D_FEATURE_MODE_CFG,
        FIELD(p, SDP_D_FEATURE_MODE_CFG, FLYING_MODE, s->src_data.type == DLA_CUBE_STREAM) |
            FIELD(p, SDP_D_FEATURE_MODE_CFG, OUTPUT_DST, to_pdp) |
            FIELD(p, SDP_D_FEATURE_MODE_CFG, WINOGRAD, op->conv_mode == DLA_CONV_WINOGRAD) |
            FIELD(p, SDP_D_FEATURE_MODE_CFG, BATCH_NUMBER, op->batch_num - 1));
  WRITE(p, SDP, D_DST_DMA_CFG,
        FIELD(p, SDP_D_DST_DMA_CFG, DST_RAM_TYPE, s->dst_data.type != DLA_CUBE_SRAM));
  WRITE(p, SDP, D_DST_BATCH_STRIDE, op->batch_num > 1 ? op->batch_stride : 0);
  WRITE(p, SDP, D_DATA_FORMAT,
        FIELD(p, SDP_D_DATA_FORMAT, PROC_PRECISION,
              op->dst_precision == DLA_INT8 ? DLA_INT8 : op->src_precision) |
            FIELD(p, SDP_D_DATA_FORMAT, OUT_PRECISION, op->dst_precision));
  WRITE(p, SDP, D_CVT_OFFSET, (uint32_t)op->out_cvt.offset);
  WRITE(p, SDP, D_CVT_SCALE, SIGNED_FIELD(p, SDP_D_CVT_SCALE, CVT_SCALE, op->out_cvt.scale));
  WRITE(p, SDP, D_CVT_SHIFT, FIELD(p, SDP_D_CVT_SHIFT, CVT_SHIFT, op->out_cvt.truncate));
}

bool program_sdp(const Task* task, const TaskOperation* operation, const RegPass* p) {
  const DlaSdpOp* op = &operation->operation.sdp;
  const DlaSdpSurface* s = &operation->surface.sdp;
  Stage stages[] = {{"X1", &op->x1_op, &s->x1_data, false, 0},
                    {"X2", &op->x2_op, &s->x2_data, false, 0},
                    {"Y", &op->y_op, &s->y_data, false, 0}};
  uint64_t src = 0, dst = 0;
  if (!check(task, operation, p->error)) return false;
  if (s->src_data.type != DLA_CUBE_STREAM &&
      !program_feature(task, &s->src_data, "SDP input", &src, p->error))
    return false;
  if (s->dst_data.type != DLA_CUBE_STREAM &&
      !program_feature(task, &s->dst_data, "SDP output", &dst, p->error))
    return false;
  for (unsigned i = 0; i < 3; ++i)
    if (!check_stage(task, &s->src_data, &stages[i], p->error)) return false;
  if (program_uses_rdma(operation)) program_rdma(op, s, stages, src, p);
  program_core(op, s, dst, p);
  STAGE_X(p, BS, &stages[0]);
  STAGE_X(p, BN, &stages[1]);
  program_y(&op->y_op, p);
  return p->error->code == FW_OK;
}
