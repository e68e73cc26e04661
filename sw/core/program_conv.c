/* Register program of the convolution pipeline: CACC, CMAC, CSC, CDMA. Hardware manual:
 * programming guide, "Convolution". Left out: batch, Winograd and compression beyond passing them
 * on where the accelerator has them. */
#include "program.h"

/* Bytes of a pixel in the first and in the second plane of each image format. */
static const uint8_t kPixelBytes[DLA_FORMAT_FEATURE][2] = {
    {1, 0}, {2, 0}, {2, 0}, {2, 0}, {2, 0}, {2, 0},                  /* R8 to R16_F */
    {8, 0}, {8, 0}, {8, 0}, {8, 0}, {8, 0}, {8, 0},                  /* four 16-bit channels */
    {4, 0}, {4, 0}, {4, 0}, {4, 0}, {4, 0}, {4, 0}, {4, 0}, {4, 0},  /* four 8-bit channels */
    {4, 0}, {4, 0}, {4, 0}, {4, 0}, {4, 0}, {4, 0}, {4, 0}, {4, 0},  /* 2-10-10-10, YUV packed */
    {1, 2}, {1, 2}, {2, 4}, {2, 4}, {2, 4}, {2, 4}, {2, 4}, {2, 4}}; /* two planes */

typedef struct {
  uint64_t input, input_uv, weights, wmb, wgs;
  uint32_t weight_bytes;
} ConvMemory;

static bool resolve_input(const Task* task, const DlaConvOp* op, const DlaConvSurface* s,
                          ConvMemory* m, FwError* error) {
  const DlaCube* src = &s->src_data;
  const uint32_t atom = task->boot->memory_atom_bytes;
  if (op->data_format == DLA_FORMAT_FEATURE) {
    m->input_uv = 0;
    return program_feature(task, src, "conv input", &m->input, error);
  }
  if (op->data_format > DLA_FORMAT_FEATURE)
    return fw_fail(error, FW_E_FIELD, "conv data format %u, expected 0 to 36",
                   (unsigned)op->data_format);
  if (!program_cube_size(src, "conv image", error)) return false;
  const uint8_t* bytes = kPixelBytes[op->data_format];
  const uint64_t rows = src->height - 1u;
  if (!task_resolve(task, src, rows * src->line_stride + (uint64_t)src->width * bytes[0], atom,
                    "conv image", &m->input, error))
    return false;
  m->input_uv = m->input + (uint64_t)s->offset_u;
  if (bytes[1] == 0) return true;
  DlaCube second = *src;
  const int64_t offset = (int64_t)src->offset + s->offset_u;
  if (offset < 0 || offset > UINT32_MAX)
    return fw_fail(error, FW_E_ADDRESS, "conv image: second plane at %lld", (long long)s->offset_u);
  second.offset = (uint32_t)offset;
  return task_resolve(task, &second, rows * s->in_line_uv_stride + (uint64_t)src->width * bytes[1],
                      atom, "conv image, second plane", &m->input_uv, error);
}

static bool resolve_weights(const Task* task, const DlaConvOp* op, const DlaConvSurface* s,
                            ConvMemory* m, FwError* error) {
  const FwBoot* boot = task->boot;
  const uint32_t entry = boot->cbuf_entry_bytes;
  m->weight_bytes = s->weight_data.size;
  m->wmb = m->wgs = 0;
  if (op->weight_format == DLA_WEIGHTS_PLAIN) {
    /* CSC and CDMA walk the buffer by this size: it must be the true one, rounded to the buffer's
     * entry only. */
    const uint64_t exact = (uint64_t)op->bytes_per_kernel * s->dst_data.channel;
    if (exact == 0 || exact > s->weight_data.size)
      return fw_fail(error, FW_E_FIELD, "conv weights: %u kernels of %u bytes, the cube has %u",
                     (unsigned)s->dst_data.channel, (unsigned)op->bytes_per_kernel,
                     (unsigned)s->weight_data.size);
    m->weight_bytes = (uint32_t)((exact + entry - 1) / entry * entry);
    return task_resolve(task, &s->weight_data, exact, boot->memory_atom_bytes, "conv weights",
                        &m->weights, error);
  }
  if (op->weight_format != DLA_WEIGHTS_COMPRESSED)
    return fw_fail(error, FW_E_FIELD, "conv weight format %u, expected 0 or 1",
                   (unsigned)op->weight_format);
  if (!(boot->features & FW_HAS_COMPRESSION))
    return fw_fail(error, FW_E_UNSUPPORTED, "conv: compressed weights, this accelerator has none");
  const uint32_t atom = boot->memory_atom_bytes;
  return task_resolve(task, &s->weight_data, s->weight_data.size, atom, "conv weights", &m->weights,
                      error) &&
         task_resolve(task, &s->wmb_data, s->wmb_data.size, atom, "conv weight mask", &m->wmb,
                      error) &&
         task_resolve(task, &s->wgs_data, s->wgs_data.size, atom, "conv weight groups", &m->wgs,
                      error);
}

static bool check(const Task* task, const DlaConvOp* op, const DlaConvSurface* s, FwError* error) {
  const FwBoot* boot = task->boot;
  if (!program_int8(task, op->in_precision, "conv input", error) ||
      !program_int8(task, op->out_precision, "conv", error))
    return false;
  if (!program_cube_size(&s->dst_data, "conv output", error)) return false;
  if (op->conv_mode > DLA_CONV_WINOGRAD)
    return fw_fail(error, FW_E_FIELD, "conv mode %u, expected 0 or 1", (unsigned)op->conv_mode);
  if (op->conv_mode == DLA_CONV_WINOGRAD && !(boot->features & FW_HAS_WINOGRAD))
    return fw_fail(error, FW_E_UNSUPPORTED, "conv: Winograd, this accelerator has none");
  if (op->batch > 1 && !(boot->features & FW_HAS_BATCH))
    return fw_fail(error, FW_E_UNSUPPORTED, "conv: batch %u, this accelerator has none",
                   (unsigned)op->batch);
  if (op->data_bank == 0 || op->weight_bank == 0 ||
      (uint32_t)op->data_bank + op->weight_bank > boot->cbuf_banks)
    return fw_fail(error, FW_E_FIELD, "conv: %u data banks and %u weight banks, the buffer has %u",
                   (unsigned)op->data_bank, (unsigned)op->weight_bank, (unsigned)boot->cbuf_banks);
  if (s->dst_data.type != DLA_CUBE_STREAM)
    return fw_fail(error, FW_E_FIELD, "conv output: memory type %u, expected 2 (the stream to SDP)",
                   (unsigned)s->dst_data.type);
  if (op->out_cvt.scale != 1 || op->out_cvt.offset != 0)
    return fw_fail(error, FW_E_FIELD, "conv output converter: scale %d, offset %d, expected 1, 0",
                   (int)op->out_cvt.scale, (int)op->out_cvt.offset);
  return true;
}

static void program_cacc(const DlaConvOp* op, const DlaConvSurface* s, const RegPass* p) {
  const DlaCube* dst = &s->dst_data;
  const uint32_t packed = dst->width == 1 && dst->height == 1;
  const uint32_t misc = FIELD(p, CACC_D_MISC_CFG, CONV_MODE, op->conv_mode) |
                        FIELD(p, CACC_D_MISC_CFG, PROC_PRECISION, op->out_precision);
  WRITE(p, CACC, D_MISC_CFG, misc);
  WRITE(p, CACC, D_DATAOUT_SIZE_0,
        FIELD(p, CACC_D_DATAOUT_SIZE_0, DATAOUT_WIDTH, dst->width - 1) |
            FIELD(p, CACC_D_DATAOUT_SIZE_0, DATAOUT_HEIGHT, dst->height - 1));
  WRITE(p, CACC, D_DATAOUT_SIZE_1,
        FIELD(p, CACC_D_DATAOUT_SIZE_1, DATAOUT_CHANNEL, dst->channel - 1));
  /* The stream has no address; the strides describe the cube that SDP writes and nothing reads
   * them. */
  WRITE(p, CACC, D_DATAOUT_ADDR, 0);
  WRITE(p, CACC, D_BATCH_NUMBER, FIELD(p, CACC_D_BATCH_NUMBER, BATCHES, op->batch - 1));
  WRITE(p, CACC, D_LINE_STRIDE, dst->line_stride & CACC_D_LINE_STRIDE_LINE_STRIDE_MASK);
  WRITE(p, CACC, D_SURF_STRIDE, dst->surf_stride & CACC_D_SURF_STRIDE_SURF_STRIDE_MASK);
  WRITE(p, CACC, D_DATAOUT_MAP,
        FIELD(p, CACC_D_DATAOUT_MAP, LINE_PACKED, packed) |
            FIELD(p, CACC_D_DATAOUT_MAP, SURF_PACKED, packed));
  WRITE(p, CACC, D_CLIP_CFG, FIELD(p, CACC_D_CLIP_CFG, CLIP_TRUNCATE, op->out_cvt.truncate));
  WRITE(p, CMAC_A, D_MISC_CFG, misc);
  WRITE(p, CMAC_B, D_MISC_CFG, misc);
}

static uint32_t csc_misc(const DlaConvOp* op, const RegPass* p) {
  return FIELD(p, CSC_D_MISC_CFG, CONV_MODE, op->conv_mode) |
         FIELD(p, CSC_D_MISC_CFG, IN_PRECISION, op->out_precision) |
         FIELD(p, CSC_D_MISC_CFG, PROC_PRECISION, op->out_precision) |
         FIELD(p, CSC_D_MISC_CFG, DATA_REUSE, op->data_reuse) |
         FIELD(p, CSC_D_MISC_CFG, WEIGHT_REUSE, op->weight_reuse) |
         FIELD(p, CSC_D_MISC_CFG, SKIP_DATA_RLS, op->skip_data_rls) |
         FIELD(p, CSC_D_MISC_CFG, SKIP_WEIGHT_RLS, op->skip_weight_rls);
}

static void program_csc(const DlaConvOp* op, const DlaConvSurface* s, const ConvMemory* m,
                        const RegPass* p) {
  const DlaCube* dst = &s->dst_data;
  const bool direct = op->conv_mode == DLA_CONV_DIRECT;
  WRITE(p, CSC, D_MISC_CFG, csc_misc(op, p));
  WRITE(p, CSC, D_DATAIN_FORMAT,
        FIELD(p, CSC_D_DATAIN_FORMAT, DATAIN_FORMAT, op->data_format != DLA_FORMAT_FEATURE));
  WRITE(p, CSC, D_DATAIN_SIZE_EXT_0,
        FIELD(p, CSC_D_DATAIN_SIZE_EXT_0, DATAIN_WIDTH_EXT, op->input_width_csc - 1) |
            FIELD(p, CSC_D_DATAIN_SIZE_EXT_0, DATAIN_HEIGHT_EXT, op->input_height_csc - 1));
  WRITE(p, CSC, D_DATAIN_SIZE_EXT_1,
        FIELD(p, CSC_D_DATAIN_SIZE_EXT_1, DATAIN_CHANNEL_EXT, op->input_channel_csc - 1));
  WRITE(p, CSC, D_BATCH_NUMBER, FIELD(p, CSC_D_BATCH_NUMBER, BATCHES, op->batch - 1));
  WRITE(p, CSC, D_POST_Y_EXTENSION,
        FIELD(p, CSC_D_POST_Y_EXTENSION, Y_EXTENSION, op->post_extension));
  WRITE(p, CSC, D_ENTRY_PER_SLICE,
        FIELD(p, CSC_D_ENTRY_PER_SLICE, ENTRIES, op->entry_per_slice - 1));
  WRITE(p, CSC, D_WEIGHT_FORMAT, FIELD(p, CSC_D_WEIGHT_FORMAT, WEIGHT_FORMAT, op->weight_format));
  WRITE(p, CSC, D_WEIGHT_SIZE_EXT_0,
        FIELD(p, CSC_D_WEIGHT_SIZE_EXT_0, WEIGHT_WIDTH_EXT, op->kernel_width_csc - 1) |
            FIELD(p, CSC_D_WEIGHT_SIZE_EXT_0, WEIGHT_HEIGHT_EXT, op->kernel_height_csc - 1));
  WRITE(p, CSC, D_WEIGHT_SIZE_EXT_1,
        FIELD(p, CSC_D_WEIGHT_SIZE_EXT_1, WEIGHT_CHANNEL_EXT, op->kernel_channel_csc - 1) |
            FIELD(p, CSC_D_WEIGHT_SIZE_EXT_1, WEIGHT_KERNEL, dst->channel - 1));
  WRITE(p, CSC, D_WEIGHT_BYTES, m->weight_bytes);
  WRITE(p, CSC, D_WMB_BYTES,
        op->weight_format ? FIELD(p, CSC_D_WMB_BYTES, WMB_BYTES, s->wmb_data.size) : 0);
  WRITE(p, CSC, D_DATAOUT_SIZE_0,
        FIELD(p, CSC_D_DATAOUT_SIZE_0, DATAOUT_WIDTH, op->input_width_cmac - 1) |
            FIELD(p, CSC_D_DATAOUT_SIZE_0, DATAOUT_HEIGHT, op->input_height_cmac - 1));
  WRITE(p, CSC, D_DATAOUT_SIZE_1,
        FIELD(p, CSC_D_DATAOUT_SIZE_1, DATAOUT_CHANNEL, dst->channel - 1));
  WRITE(p, CSC, D_ATOMICS, FIELD(p, CSC_D_ATOMICS, ATOMICS, (int64_t)dst->width * dst->height - 1));
  WRITE(p, CSC, D_RELEASE, FIELD(p, CSC_D_RELEASE, RLS_SLICES, op->release - 1));
  WRITE(p, CSC, D_CONV_STRIDE_EXT,
        FIELD(p, CSC_D_CONV_STRIDE_EXT, CONV_X_STRIDE_EXT, direct ? op->conv_stride_x - 1 : 0) |
            FIELD(p, CSC_D_CONV_STRIDE_EXT, CONV_Y_STRIDE_EXT, direct ? op->conv_stride_y - 1 : 0));
  WRITE(p, CSC, D_DILATION_EXT,
        FIELD(p, CSC_D_DILATION_EXT, X_DILATION_EXT, op->dilation_x - 1) |
            FIELD(p, CSC_D_DILATION_EXT, Y_DILATION_EXT, op->dilation_y - 1));
  WRITE(p, CSC, D_ZERO_PADDING,
        FIELD(p, CSC_D_ZERO_PADDING, PAD_LEFT, direct ? op->pad_x_left : 0) |
            FIELD(p, CSC_D_ZERO_PADDING, PAD_TOP, direct ? op->pad_y_top : 0));
  WRITE(p, CSC, D_ZERO_PADDING_VALUE,
        SIGNED_FIELD(p, CSC_D_ZERO_PADDING_VALUE, PAD_VALUE, op->pad_val));
  WRITE(p, CSC, D_BANK,
        FIELD(p, CSC_D_BANK, DATA_BANK, op->data_bank - 1) |
            FIELD(p, CSC_D_BANK, WEIGHT_BANK, op->weight_bank - 1));
  WRITE(p, CSC, D_PRA_CFG, FIELD(p, CSC_D_PRA_CFG, PRA_TRUNCATE, op->pra_truncate));
}

static void program_cdma_input(const Task* task, const DlaConvOp* op, const DlaConvSurface* s,
                               const ConvMemory* m, const RegPass* p) {
  const DlaCube* src = &s->src_data;
  const bool feature = op->data_format == DLA_FORMAT_FEATURE;
  const uint64_t line = (uint64_t)src->width * task->boot->memory_atom_bytes;
  WRITE(p, CDMA, D_DATAIN_FORMAT,
        FIELD(p, CDMA_D_DATAIN_FORMAT, DATAIN_FORMAT, !feature) |
            FIELD(p, CDMA_D_DATAIN_FORMAT, PIXEL_FORMAT, feature ? 0 : op->data_format) |
            FIELD(p, CDMA_D_DATAIN_FORMAT, PIXEL_MAPPING, op->pixel_mapping) |
            FIELD(p, CDMA_D_DATAIN_FORMAT, PIXEL_SIGN_OVERRIDE, op->pixel_override));
  WRITE(p, CDMA, D_DATAIN_SIZE_0,
        FIELD(p, CDMA_D_DATAIN_SIZE_0, DATAIN_WIDTH, src->width - 1) |
            FIELD(p, CDMA_D_DATAIN_SIZE_0, DATAIN_HEIGHT, src->height - 1));
  WRITE(p, CDMA, D_DATAIN_SIZE_1, FIELD(p, CDMA_D_DATAIN_SIZE_1, DATAIN_CHANNEL, src->channel - 1));
  WRITE(p, CDMA, D_DATAIN_SIZE_EXT_0,
        FIELD(p, CDMA_D_DATAIN_SIZE_EXT_0, DATAIN_WIDTH_EXT, op->input_width_csc - 1) |
            FIELD(p, CDMA_D_DATAIN_SIZE_EXT_0, DATAIN_HEIGHT_EXT, op->input_height_csc - 1));
  WRITE(p, CDMA, D_PIXEL_OFFSET, 0);
  WRITE(p, CDMA, D_DAIN_RAM_TYPE,
        FIELD(p, CDMA_D_DAIN_RAM_TYPE, DATAIN_RAM_TYPE, src->type == DLA_CUBE_DRAM));
  WRITE(p, CDMA, D_DAIN_ADDR_HIGH_0, high32(m->input));
  WRITE(p, CDMA, D_DAIN_ADDR_LOW_0, low32(m->input));
  WRITE(p, CDMA, D_DAIN_ADDR_HIGH_1, high32(m->input_uv));
  WRITE(p, CDMA, D_DAIN_ADDR_LOW_1, low32(m->input_uv));
  WRITE(p, CDMA, D_LINE_STRIDE, src->line_stride);
  WRITE(p, CDMA, D_LINE_UV_STRIDE, s->in_line_uv_stride);
  WRITE(p, CDMA, D_SURF_STRIDE, src->surf_stride);
  WRITE(p, CDMA, D_DAIN_MAP,
        FIELD(p, CDMA_D_DAIN_MAP, LINE_PACKED, feature && src->line_stride == line) |
            FIELD(p, CDMA_D_DAIN_MAP, SURF_PACKED,
                  feature && src->surf_stride == line * src->height));
  WRITE(p, CDMA, D_RESERVED_X_CFG, 0);
  WRITE(p, CDMA, D_RESERVED_Y_CFG, 0);
  WRITE(p, CDMA, D_BATCH_NUMBER, FIELD(p, CDMA_D_BATCH_NUMBER, BATCHES, op->batch - 1));
  WRITE(p, CDMA, D_BATCH_STRIDE, op->batch_stride);
  WRITE(p, CDMA, D_ENTRY_PER_SLICE,
        FIELD(p, CDMA_D_ENTRY_PER_SLICE, ENTRIES, op->entry_per_slice - 1));
  WRITE(p, CDMA, D_FETCH_GRAIN, FIELD(p, CDMA_D_FETCH_GRAIN, GRAINS, op->fetch_grain - 1));
}

static void program_cdma_weights(const DlaConvOp* op, const DlaConvSurface* s, const ConvMemory* m,
                                 const RegPass* p) {
  WRITE(p, CDMA, D_WEIGHT_FORMAT, FIELD(p, CDMA_D_WEIGHT_FORMAT, WEIGHT_FORMAT, op->weight_format));
  WRITE(p, CDMA, D_WEIGHT_SIZE_0,
        FIELD(p, CDMA_D_WEIGHT_SIZE_0, BYTE_PER_KERNEL, (int64_t)op->bytes_per_kernel - 1));
  WRITE(p, CDMA, D_WEIGHT_SIZE_1,
        FIELD(p, CDMA_D_WEIGHT_SIZE_1, WEIGHT_KERNEL, s->dst_data.channel - 1));
  WRITE(p, CDMA, D_WEIGHT_RAM_TYPE,
        FIELD(p, CDMA_D_WEIGHT_RAM_TYPE, WEIGHT_RAM_TYPE, s->weight_data.type == DLA_CUBE_DRAM));
  WRITE(p, CDMA, D_WEIGHT_ADDR_HIGH, high32(m->weights));
  WRITE(p, CDMA, D_WEIGHT_ADDR_LOW, low32(m->weights));
  WRITE(p, CDMA, D_WEIGHT_BYTES, m->weight_bytes);
  WRITE(p, CDMA, D_WGS_ADDR_HIGH, high32(m->wgs));
  WRITE(p, CDMA, D_WGS_ADDR_LOW, low32(m->wgs));
  WRITE(p, CDMA, D_WMB_ADDR_HIGH, high32(m->wmb));
  WRITE(p, CDMA, D_WMB_ADDR_LOW, low32(m->wmb));
  WRITE(p, CDMA, D_WMB_BYTES,
        op->weight_format ? FIELD(p, CDMA_D_WMB_BYTES, WMB_BYTES, s->wmb_data.size) : 0);
}

static void program_cdma_conversion(const DlaConvOp* op, const RegPass* p) {
  const bool mean = op->mean_format == DLA_MEAN_ON;
  const DlaConverter* cvt = &op->in_cvt;
  WRITE(p, CDMA, D_MEAN_FORMAT, FIELD(p, CDMA_D_MEAN_FORMAT, MEAN_FORMAT, op->mean_format));
  WRITE(p, CDMA, D_MEAN_GLOBAL_0,
        SIGNED_FIELD(p, CDMA_D_MEAN_GLOBAL_0, MEAN_RY, mean ? op->mean_ry : 0) |
            SIGNED_FIELD(p, CDMA_D_MEAN_GLOBAL_0, MEAN_GU, mean ? op->mean_gu : 0));
  WRITE(p, CDMA, D_MEAN_GLOBAL_1,
        SIGNED_FIELD(p, CDMA_D_MEAN_GLOBAL_1, MEAN_BV, mean ? op->mean_bv : 0) |
            SIGNED_FIELD(p, CDMA_D_MEAN_GLOBAL_1, MEAN_AX, mean ? op->mean_ax : 0));
  WRITE(p, CDMA, D_CVT_CFG,
        FIELD(p, CDMA_D_CVT_CFG, CVT_EN, cvt->enable) |
            FIELD(p, CDMA_D_CVT_CFG, CVT_TRUNCATE, cvt->enable ? cvt->truncate : 0));
  WRITE(p, CDMA, D_CVT_OFFSET,
        SIGNED_FIELD(p, CDMA_D_CVT_OFFSET, CVT_OFFSET, cvt->enable ? cvt->offset : 0));
  WRITE(p, CDMA, D_CVT_SCALE,
        SIGNED_FIELD(p, CDMA_D_CVT_SCALE, CVT_SCALE, cvt->enable ? cvt->scale : 1));
  WRITE(p, CDMA, D_CONV_STRIDE,
        FIELD(p, CDMA_D_CONV_STRIDE, CONV_X_STRIDE, op->conv_stride_x - 1) |
            FIELD(p, CDMA_D_CONV_STRIDE, CONV_Y_STRIDE, op->conv_stride_y - 1));
  WRITE(p, CDMA, D_ZERO_PADDING,
        FIELD(p, CDMA_D_ZERO_PADDING, PAD_LEFT, op->pad_x_left) |
            FIELD(p, CDMA_D_ZERO_PADDING, PAD_RIGHT, op->pad_x_right) |
            FIELD(p, CDMA_D_ZERO_PADDING, PAD_TOP, op->pad_y_top) |
            FIELD(p, CDMA_D_ZERO_PADDING, PAD_BOTTOM, op->pad_y_bottom));
  WRITE(p, CDMA, D_ZERO_PADDING_VALUE,
        SIGNED_FIELD(p, CDMA_D_ZERO_PADDING_VALUE, PAD_VALUE, op->pad_val));
  WRITE(p, CDMA, D_BANK,
        FIELD(p, CDMA_D_BANK, DATA_BANK, op->data_bank - 1) |
            FIELD(p, CDMA_D_BANK, WEIGHT_BANK, op->weight_bank - 1));
  WRITE(p, CDMA, D_NAN_FLUSH_TO_ZERO, 0);
}

bool program_conv(const Task* task, const TaskOperation* operation, const RegPass* p) {
  const DlaConvOp* op = &operation->operation.conv;
  const DlaConvSurface* s = &operation->surface.conv;
  ConvMemory memory;
  if (!check(task, op, s, p->error) || !resolve_input(task, op, s, &memory, p->error) ||
      !resolve_weights(task, op, s, &memory, p->error))
    return false;
  program_cacc(op, s, p);
  program_csc(op, s, &memory, p);
  WRITE(p, CDMA, D_MISC_CFG,
        FIELD(p, CDMA_D_MISC_CFG, CONV_MODE, op->conv_mode) |
            FIELD(p, CDMA_D_MISC_CFG, IN_PRECISION, op->in_precision) |
            FIELD(p, CDMA_D_MISC_CFG, PROC_PRECISION, op->out_precision) |
            FIELD(p, CDMA_D_MISC_CFG, DATA_REUSE, op->data_reuse) |
            FIELD(p, CDMA_D_MISC_CFG, WEIGHT_REUSE, op->weight_reuse) |
            FIELD(p, CDMA_D_MISC_CFG, SKIP_DATA_RLS, op->skip_data_rls) |
            FIELD(p, CDMA_D_MISC_CFG, SKIP_WEIGHT_RLS, op->skip_weight_rls));
  program_cdma_input(task, op, s, &memory, p);
  program_cdma_weights(op, s, &memory, p);
  program_cdma_conversion(op, p);
  return p->error->code == FW_OK;
}
