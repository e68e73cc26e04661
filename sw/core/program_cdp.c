/* Register program of cross-channel normalisation (CDP), its read DMA, and the LUTs of CDP and
 * SDP, whose registers differ only in the width of the bounds. Hardware manual: programming guide,
 * "CDP", and "LUT programming". */
#include "program.h"

static bool check(const Task* task, const DlaCdpOp* op, const DlaPairSurface* s, FwError* error) {
  if (!program_int8(task, op->in_precision, "CDP", error)) return false;
  if (op->in_precision != op->out_precision)
    return fw_fail(error, FW_E_FIELD, "CDP: output precision %u, expected the input's %u",
                   (unsigned)op->out_precision, (unsigned)op->in_precision);
  if (s->src_data.type == DLA_CUBE_STREAM || s->dst_data.type == DLA_CUBE_STREAM)
    return fw_fail(error, FW_E_FIELD, "CDP: memory types %u and %u, expected 0 or 1",
                   (unsigned)s->src_data.type, (unsigned)s->dst_data.type);
  if (op->local_size < 3 || op->local_size > 9 || op->local_size % 2 == 0)
    return fw_fail(error, FW_E_FIELD, "CDP: local size %u, expected 3, 5, 7 or 9",
                   (unsigned)op->local_size);
  return true;
}

static void program_rdma(const DlaCdpOp* op, const DlaCube* src, uint64_t address,
                         const RegPass* p) {
  WRITE(p, CDP_RDMA, D_DATA_CUBE_WIDTH,
        FIELD(p, CDP_RDMA_D_DATA_CUBE_WIDTH, WIDTH, src->width - 1));
  WRITE(p, CDP_RDMA, D_DATA_CUBE_HEIGHT,
        FIELD(p, CDP_RDMA_D_DATA_CUBE_HEIGHT, HEIGHT, src->height - 1));
  WRITE(p, CDP_RDMA, D_DATA_CUBE_CHANNEL,
        FIELD(p, CDP_RDMA_D_DATA_CUBE_CHANNEL, CHANNEL, src->channel - 1));
  WRITE(p, CDP_RDMA, D_SRC_BASE_ADDR_LOW, low32(address));
  WRITE(p, CDP_RDMA, D_SRC_BASE_ADDR_HIGH, high32(address));
  WRITE(p, CDP_RDMA, D_SRC_LINE_STRIDE, src->line_stride);
  WRITE(p, CDP_RDMA, D_SRC_SURFACE_STRIDE, src->surf_stride);
  WRITE(p, CDP_RDMA, D_SRC_DMA_CFG,
        FIELD(p, CDP_RDMA_D_SRC_DMA_CFG, SRC_RAM_TYPE, src->type == DLA_CUBE_DRAM));
  WRITE(p, CDP_RDMA, D_DATA_FORMAT, FIELD(p, CDP_RDMA_D_DATA_FORMAT, INPUT_DATA, op->in_precision));
}

bool program_cdp(const Task* task, const TaskOperation* operation, const RegPass* p) {
  const DlaCdpOp* op = &operation->operation.cdp;
  const DlaPairSurface* s = &operation->surface.pair;
  uint64_t src, dst;
  if (!check(task, op, s, p->error) ||
      !program_feature(task, &s->src_data, "CDP input", &src, p->error) ||
      !program_feature(task, &s->dst_data, "CDP output", &dst, p->error))
    return false;
  program_rdma(op, &s->src_data, src, p);
  WRITE(p, CDP, D_DST_BASE_ADDR_LOW, low32(dst));
  WRITE(p, CDP, D_DST_BASE_ADDR_HIGH, high32(dst));
  WRITE(p, CDP, D_DST_LINE_STRIDE, s->dst_data.line_stride);
  WRITE(p, CDP, D_DST_SURFACE_STRIDE, s->dst_data.surf_stride);
  WRITE(p, CDP, D_DST_DMA_CFG,
        FIELD(p, CDP_D_DST_DMA_CFG, DST_RAM_TYPE, s->dst_data.type == DLA_CUBE_DRAM));
  WRITE(p, CDP, D_DATA_FORMAT, FIELD(p, CDP_D_DATA_FORMAT, INPUT_DATA_TYPE, op->in_precision));
  WRITE(p, CDP, D_NAN_FLUSH_TO_ZERO, 0);
  WRITE(p, CDP, D_LRN_CFG, FIELD(p, CDP_D_LRN_CFG, NORMALZ_LEN, (op->local_size - 3) / 2));
  WRITE(p, CDP, D_DATIN_OFFSET,
        SIGNED_FIELD(p, CDP_D_DATIN_OFFSET, DATIN_OFFSET, op->in_cvt.offset));
  WRITE(p, CDP, D_DATIN_SCALE, SIGNED_FIELD(p, CDP_D_DATIN_SCALE, DATIN_SCALE, op->in_cvt.scale));
  WRITE(p, CDP, D_DATIN_SHIFTER, FIELD(p, CDP_D_DATIN_SHIFTER, DATIN_SHIFTER, op->in_cvt.truncate));
  WRITE(p, CDP, D_DATOUT_OFFSET, (uint32_t)op->out_cvt.offset);
  WRITE(p, CDP, D_DATOUT_SCALE,
        SIGNED_FIELD(p, CDP_D_DATOUT_SCALE, DATOUT_SCALE, op->out_cvt.scale));
  WRITE(p, CDP, D_DATOUT_SHIFTER,
        FIELD(p, CDP_D_DATOUT_SHIFTER, DATOUT_SHIFTER, op->out_cvt.truncate));
  WRITE(p, CDP, D_FUNC_BYPASS,
        FIELD(p, CDP_D_FUNC_BYPASS, SQSUM_BYPASS, op->bypass_sqsum != 0) |
            FIELD(p, CDP_D_FUNC_BYPASS, MUL_BYPASS, op->bypass_out_mul != 0));
  return p->error->code == FW_OK;
}

/* The LUT registers of an engine by their distance from its LUT_ACCESS_CFG; CDP's bounds have two
 * words. */
typedef struct {
  uint32_t base;
  uint32_t le_start, le_end, lo_start, lo_end;
  uint32_t le_scale, le_shift, lo_scale, lo_shift;
  bool wide;
} LutRegisters;

static void write_bound(const LutRegisters* r, uint32_t offset, uint64_t value) {
  fw_csb_write(r->base + offset, low32(value));
  if (r->wide)
    fw_csb_write(r->base + offset + 4,
                 high32(value) & CDP_S_LUT_LE_START_HIGH_LUT_LE_START_HIGH_MASK);
}

static uint32_t slope_scale(const DlaSlope* under, const DlaSlope* over) {
  return (uint16_t)under->scale | (uint32_t)(uint16_t)over->scale
                                      << CDP_S_LUT_LE_SLOPE_SCALE_LUT_LE_SLOPE_OFLOW_SCALE_SHIFT;
}

static uint32_t slope_shift(const DlaSlope* under, const DlaSlope* over) {
  const uint32_t mask = CDP_S_LUT_LE_SLOPE_SHIFT_LUT_LE_SLOPE_UFLOW_SHIFT_MASK;
  return ((uint8_t)under->shifter & mask) |
         ((uint8_t)over->shifter & mask) << CDP_S_LUT_LE_SLOPE_SHIFT_LUT_LE_SLOPE_OFLOW_SHIFT_SHIFT;
}

static void write_table(const LutRegisters* r, uint32_t table, const int16_t* values,
                        unsigned count) {
  fw_csb_write(r->base, table << CDP_S_LUT_ACCESS_CFG_LUT_TABLE_ID_SHIFT |
                            CDP_S_LUT_ACCESS_CFG_LUT_ACCESS_TYPE_WRITE
                                << CDP_S_LUT_ACCESS_CFG_LUT_ACCESS_TYPE_SHIFT);
  /* Each access moves the hardware's index on. */
  for (unsigned i = 0; i < count; ++i)
    fw_csb_write(r->base + (CDP_S_LUT_ACCESS_DATA - CDP_S_LUT_ACCESS_CFG), (uint16_t)values[i]);
}

void program_lut(uint8_t engine, const DlaLut* lut) {
  static const LutRegisters sdp = {SDP_BASE + SDP_S_LUT_ACCESS_CFG,
                                   SDP_S_LUT_LE_START - SDP_S_LUT_ACCESS_CFG,
                                   SDP_S_LUT_LE_END - SDP_S_LUT_ACCESS_CFG,
                                   SDP_S_LUT_LO_START - SDP_S_LUT_ACCESS_CFG,
                                   SDP_S_LUT_LO_END - SDP_S_LUT_ACCESS_CFG,
                                   SDP_S_LUT_LE_SLOPE_SCALE - SDP_S_LUT_ACCESS_CFG,
                                   SDP_S_LUT_LE_SLOPE_SHIFT - SDP_S_LUT_ACCESS_CFG,
                                   SDP_S_LUT_LO_SLOPE_SCALE - SDP_S_LUT_ACCESS_CFG,
                                   SDP_S_LUT_LO_SLOPE_SHIFT - SDP_S_LUT_ACCESS_CFG,
                                   false};
  static const LutRegisters cdp = {CDP_BASE + CDP_S_LUT_ACCESS_CFG,
                                   CDP_S_LUT_LE_START_LOW - CDP_S_LUT_ACCESS_CFG,
                                   CDP_S_LUT_LE_END_LOW - CDP_S_LUT_ACCESS_CFG,
                                   CDP_S_LUT_LO_START_LOW - CDP_S_LUT_ACCESS_CFG,
                                   CDP_S_LUT_LO_END_LOW - CDP_S_LUT_ACCESS_CFG,
                                   CDP_S_LUT_LE_SLOPE_SCALE - CDP_S_LUT_ACCESS_CFG,
                                   CDP_S_LUT_LE_SLOPE_SHIFT - CDP_S_LUT_ACCESS_CFG,
                                   CDP_S_LUT_LO_SLOPE_SCALE - CDP_S_LUT_ACCESS_CFG,
                                   CDP_S_LUT_LO_SLOPE_SHIFT - CDP_S_LUT_ACCESS_CFG,
                                   true};
  const LutRegisters* r = engine == DLA_ENGINE_SDP ? &sdp : &cdp;
  int16_t le[DLA_LE_ENTRIES], lo[DLA_LO_ENTRIES];
  for (unsigned i = 0; i < DLA_LE_ENTRIES; ++i) le[i] = lut->linear_exp_table[i];
  for (unsigned i = 0; i < DLA_LO_ENTRIES; ++i) lo[i] = lut->linear_only_table[i];
  write_table(r, CDP_S_LUT_ACCESS_CFG_LUT_TABLE_ID_LE, le, DLA_LE_ENTRIES);
  write_table(r, CDP_S_LUT_ACCESS_CFG_LUT_TABLE_ID_LO, lo, DLA_LO_ENTRIES);
  const bool exponential = lut->method == DLA_LUT_EXPONENT;
  fw_csb_write(r->base + (CDP_S_LUT_CFG - CDP_S_LUT_ACCESS_CFG),
               (lut->method & 1u) << CDP_S_LUT_CFG_LUT_LE_FUNCTION_SHIFT |
                   (lut->underflow_priority & 1u) << CDP_S_LUT_CFG_LUT_UFLOW_PRIORITY_SHIFT |
                   (lut->overflow_priority & 1u) << CDP_S_LUT_CFG_LUT_OFLOW_PRIORITY_SHIFT |
                   (lut->hybrid_priority & 1u) << CDP_S_LUT_CFG_LUT_HYBRID_PRIORITY_SHIFT);
  fw_csb_write(r->base + (CDP_S_LUT_INFO - CDP_S_LUT_ACCESS_CFG),
               (lut->linear_exp_offset & 0xffu)
                       << (exponential ? CDP_S_LUT_INFO_LUT_LE_INDEX_OFFSET_SHIFT
                                       : CDP_S_LUT_INFO_LUT_LE_INDEX_SELECT_SHIFT) |
                   (lut->linear_only_offset & 0xffu) << CDP_S_LUT_INFO_LUT_LO_INDEX_SELECT_SHIFT);
  write_bound(r, r->le_start, lut->linear_exp_start);
  write_bound(r, r->le_end, lut->linear_exp_end);
  write_bound(r, r->lo_start, lut->linear_only_start);
  write_bound(r, r->lo_end, lut->linear_only_end);
  fw_csb_write(r->base + r->le_scale,
               slope_scale(&lut->linear_exp_underflow_slope, &lut->linear_exp_overflow_slope));
  fw_csb_write(r->base + r->le_shift,
               slope_shift(&lut->linear_exp_underflow_slope, &lut->linear_exp_overflow_slope));
  fw_csb_write(r->base + r->lo_scale,
               slope_scale(&lut->linear_only_underflow_slope, &lut->linear_only_overflow_slope));
  fw_csb_write(r->base + r->lo_shift,
               slope_shift(&lut->linear_only_underflow_slope, &lut->linear_only_overflow_slope));
}
