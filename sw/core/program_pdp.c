/* Register program of the pooling engine (PDP) and its read DMA. Hardware manual: programming
 * guide, "PDP". */
#include "program.h"

/* Minus one, where the width is used at all. */
static int64_t partial(uint16_t width) { return width == 0 ? 0 : width - 1; }

static bool check(const Task* task, const DlaPdpOp* op, const DlaPairSurface* s, FwError* error) {
  if (!program_int8(task, op->precision, "PDP", error)) return false;
  if (!program_cube_size(&s->src_data, "PDP input", error)) return false;
  if (op->pool_mode > DLA_POOL_MIN || op->pool_width > 7 || op->pool_height > 7)
    return fw_fail(error, FW_E_FIELD, "PDP: mode %u, kernel %u x %u, expected 0 to 2, 1 to 8",
                   (unsigned)op->pool_mode, op->pool_width + 1u, op->pool_height + 1u);
  if (s->src_data.type == DLA_CUBE_STREAM && op->split_num != 1)
    return fw_fail(error, FW_E_FIELD, "PDP: %u parts of the width from the stream, expected 1",
                   (unsigned)op->split_num);
  if (s->dst_data.type == DLA_CUBE_STREAM)
    return fw_fail(error, FW_E_FIELD, "PDP output: memory type 2, expected 0 or 1");
  return true;
}

static void program_rdma(const DlaPdpOp* op, const DlaCube* src, uint64_t address,
                         const RegPass* p) {
  WRITE(p, PDP_RDMA, D_DATA_CUBE_IN_WIDTH,
        FIELD(p, PDP_RDMA_D_DATA_CUBE_IN_WIDTH, CUBE_IN_WIDTH, src->width - 1));
  WRITE(p, PDP_RDMA, D_DATA_CUBE_IN_HEIGHT,
        FIELD(p, PDP_RDMA_D_DATA_CUBE_IN_HEIGHT, CUBE_IN_HEIGHT, src->height - 1));
  WRITE(p, PDP_RDMA, D_DATA_CUBE_IN_CHANNEL,
        FIELD(p, PDP_RDMA_D_DATA_CUBE_IN_CHANNEL, CUBE_IN_CHANNEL, src->channel - 1));
  WRITE(
      p, PDP_RDMA, D_FLYING_MODE,
      FIELD(p, PDP_RDMA_D_FLYING_MODE, FLYING_MODE, PDP_RDMA_D_FLYING_MODE_FLYING_MODE_OFF_FLYING));
  WRITE(p, PDP_RDMA, D_SRC_BASE_ADDR_LOW, low32(address));
  WRITE(p, PDP_RDMA, D_SRC_BASE_ADDR_HIGH, high32(address));
  WRITE(p, PDP_RDMA, D_SRC_LINE_STRIDE, src->line_stride);
  WRITE(p, PDP_RDMA, D_SRC_SURFACE_STRIDE, src->surf_stride);
  WRITE(p, PDP_RDMA, D_SRC_RAM_CFG,
        FIELD(p, PDP_RDMA_D_SRC_RAM_CFG, SRC_RAM_TYPE, src->type == DLA_CUBE_DRAM));
  WRITE(p, PDP_RDMA, D_DATA_FORMAT, FIELD(p, PDP_RDMA_D_DATA_FORMAT, INPUT_DATA, op->precision));
  WRITE(p, PDP_RDMA, D_OPERATION_MODE_CFG,
        FIELD(p, PDP_RDMA_D_OPERATION_MODE_CFG, SPLIT_NUM, op->split_num - 1));
  WRITE(p, PDP_RDMA, D_POOLING_KERNEL_CFG,
        FIELD(p, PDP_RDMA_D_POOLING_KERNEL_CFG, KERNEL_WIDTH, op->pool_width) |
            FIELD(p, PDP_RDMA_D_POOLING_KERNEL_CFG, KERNEL_STRIDE_WIDTH, op->stride_x - 1));
  WRITE(p, PDP_RDMA, D_POOLING_PADDING_CFG,
        FIELD(p, PDP_RDMA_D_POOLING_PADDING_CFG, PAD_WIDTH, op->pad_left));
  WRITE(p, PDP_RDMA, D_PARTIAL_WIDTH_IN,
        FIELD(p, PDP_RDMA_D_PARTIAL_WIDTH_IN, PARTIAL_WIDTH_IN_FIRST,
              partial(op->partial_in_width_first)) |
            FIELD(p, PDP_RDMA_D_PARTIAL_WIDTH_IN, PARTIAL_WIDTH_IN_MID,
                  partial(op->partial_in_width_mid)) |
            FIELD(p, PDP_RDMA_D_PARTIAL_WIDTH_IN, PARTIAL_WIDTH_IN_LAST,
                  partial(op->partial_in_width_last)));
}

static void program_sizes(const DlaPdpOp* op, const DlaPairSurface* s, const RegPass* p) {
  const bool fly = s->src_data.type == DLA_CUBE_STREAM;
  WRITE(p, PDP, D_DATA_CUBE_IN_WIDTH,
        FIELD(p, PDP_D_DATA_CUBE_IN_WIDTH, CUBE_IN_WIDTH, s->src_data.width - 1));
  WRITE(p, PDP, D_DATA_CUBE_IN_HEIGHT,
        FIELD(p, PDP_D_DATA_CUBE_IN_HEIGHT, CUBE_IN_HEIGHT, s->src_data.height - 1));
  WRITE(p, PDP, D_DATA_CUBE_IN_CHANNEL,
        FIELD(p, PDP_D_DATA_CUBE_IN_CHANNEL, CUBE_IN_CHANNEL, s->src_data.channel - 1));
  WRITE(p, PDP, D_DATA_CUBE_OUT_WIDTH,
        FIELD(p, PDP_D_DATA_CUBE_OUT_WIDTH, CUBE_OUT_WIDTH, s->dst_data.width - 1));
  WRITE(p, PDP, D_DATA_CUBE_OUT_HEIGHT,
        FIELD(p, PDP_D_DATA_CUBE_OUT_HEIGHT, CUBE_OUT_HEIGHT, s->dst_data.height - 1));
  WRITE(p, PDP, D_DATA_CUBE_OUT_CHANNEL,
        FIELD(p, PDP_D_DATA_CUBE_OUT_CHANNEL, CUBE_OUT_CHANNEL, s->dst_data.channel - 1));
  WRITE(p, PDP, D_OPERATION_MODE_CFG,
        FIELD(p, PDP_D_OPERATION_MODE_CFG, POOLING_METHOD, op->pool_mode) |
            FIELD(p, PDP_D_OPERATION_MODE_CFG, FLYING_MODE, !fly) |
            FIELD(p, PDP_D_OPERATION_MODE_CFG, SPLIT_NUM, op->split_num - 1));
  WRITE(p, PDP, D_NAN_FLUSH_TO_ZERO, 0);
  WRITE(p, PDP, D_PARTIAL_WIDTH_IN,
        FIELD(p, PDP_D_PARTIAL_WIDTH_IN, PARTIAL_WIDTH_IN_FIRST,
              partial(op->partial_in_width_first)) |
            FIELD(p, PDP_D_PARTIAL_WIDTH_IN, PARTIAL_WIDTH_IN_MID,
                  partial(op->partial_in_width_mid)) |
            FIELD(p, PDP_D_PARTIAL_WIDTH_IN, PARTIAL_WIDTH_IN_LAST,
                  partial(op->partial_in_width_last)));
  WRITE(
      p, PDP, D_PARTIAL_WIDTH_OUT,
      FIELD(p, PDP_D_PARTIAL_WIDTH_OUT, PARTIAL_WIDTH_OUT_FIRST, partial(op->partial_width_first)) |
          FIELD(p, PDP_D_PARTIAL_WIDTH_OUT, PARTIAL_WIDTH_OUT_MID, partial(op->partial_width_mid)) |
          FIELD(p, PDP_D_PARTIAL_WIDTH_OUT, PARTIAL_WIDTH_OUT_LAST,
                partial(op->partial_width_last)));
}

static void program_kernel(const DlaPdpOp* op, const RegPass* p) {
  WRITE(p, PDP, D_POOLING_KERNEL_CFG,
        FIELD(p, PDP_D_POOLING_KERNEL_CFG, KERNEL_WIDTH, op->pool_width) |
            FIELD(p, PDP_D_POOLING_KERNEL_CFG, KERNEL_HEIGHT, op->pool_height) |
            FIELD(p, PDP_D_POOLING_KERNEL_CFG, KERNEL_STRIDE_WIDTH, op->stride_x - 1) |
            FIELD(p, PDP_D_POOLING_KERNEL_CFG, KERNEL_STRIDE_HEIGHT, op->stride_y - 1));
  /* 1/k as an unsigned fraction of 16 bits, rounded down. */
  WRITE(p, PDP, D_RECIP_KERNEL_WIDTH, 0x10000u / (op->pool_width + 1u));
  WRITE(p, PDP, D_RECIP_KERNEL_HEIGHT, 0x10000u / (op->pool_height + 1u));
  WRITE(p, PDP, D_POOLING_PADDING_CFG,
        FIELD(p, PDP_D_POOLING_PADDING_CFG, PAD_LEFT, op->pad_left) |
            FIELD(p, PDP_D_POOLING_PADDING_CFG, PAD_RIGHT, op->pad_right) |
            FIELD(p, PDP_D_POOLING_PADDING_CFG, PAD_TOP, op->pad_top) |
            FIELD(p, PDP_D_POOLING_PADDING_CFG, PAD_BOTTOM, op->pad_bottom));
  /* Entry n holds the value of n + 1 padded columns; the seven registers follow each other. */
  for (unsigned i = 0; i < 7; ++i) {
    const uint32_t value =
        SIGNED_FIELD(p, PDP_D_POOLING_PADDING_VALUE_1_CFG, PAD_VALUE_1X, op->padding_value[i]);
    reg_write(p, PDP_BASE + PDP_D_POOLING_PADDING_VALUE_1_CFG + 4 * i, value);
  }
}

bool program_pdp(const Task* task, const TaskOperation* operation, const RegPass* p) {
  const DlaPdpOp* op = &operation->operation.pdp;
  const DlaPairSurface* s = &operation->surface.pair;
  const bool fly = s->src_data.type == DLA_CUBE_STREAM;
  uint64_t src = 0, dst = 0;
  if (!check(task, op, s, p->error)) return false;
  if (!fly && !program_feature(task, &s->src_data, "PDP input", &src, p->error)) return false;
  if (!program_feature(task, &s->dst_data, "PDP output", &dst, p->error)) return false;
  if (!fly) program_rdma(op, &s->src_data, src, p);
  program_sizes(op, s, p);
  program_kernel(op, p);
  WRITE(p, PDP, D_SRC_BASE_ADDR_LOW, low32(src));
  WRITE(p, PDP, D_SRC_BASE_ADDR_HIGH, high32(src));
  WRITE(p, PDP, D_SRC_LINE_STRIDE, fly ? 0 : s->src_data.line_stride);
  WRITE(p, PDP, D_SRC_SURFACE_STRIDE, fly ? 0 : s->src_data.surf_stride);
  WRITE(p, PDP, D_DST_BASE_ADDR_LOW, low32(dst));
  WRITE(p, PDP, D_DST_BASE_ADDR_HIGH, high32(dst));
  WRITE(p, PDP, D_DST_LINE_STRIDE, s->dst_data.line_stride);
  WRITE(p, PDP, D_DST_SURFACE_STRIDE, s->dst_data.surf_stride);
  WRITE(p, PDP, D_DST_RAM_CFG,
        FIELD(p, PDP_D_DST_RAM_CFG, DST_RAM_TYPE, s->dst_data.type == DLA_CUBE_DRAM));
  WRITE(p, PDP, D_DATA_FORMAT, FIELD(p, PDP_D_DATA_FORMAT, INPUT_DATA, op->precision));
  return p->error->code == FW_OK;
}
