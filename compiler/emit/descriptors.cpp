// Field by field from operation to descriptor (facts of the loadable's format, interface 0.12).
#include "compiler/emit/descriptors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace dlavp::compiler {
namespace {

DlaCube cube_of(const View& v, const Locate& locate) {
  DlaCube c{};
  c.width = static_cast<uint16_t>(v.width);
  c.height = static_cast<uint16_t>(v.height);
  c.channel = static_cast<uint16_t>(v.channels);
  c.line_stride = v.line_stride;
  c.surf_stride = v.surface_stride;
  c.size = static_cast<uint32_t>(v.bytes);
  if (v.stream) {
    c.type = DLA_CUBE_STREAM;
    c.address = DLA_NO_INDEX;
  } else {
    const Location at = locate(v.buffer);
    c.type = at.sram ? DLA_CUBE_SRAM : DLA_CUBE_DRAM;
    c.address = at.address;
    c.offset = static_cast<uint32_t>(at.offset + v.offset);
  }
  return c;
}

DlaConverter converter(int16_t scale, uint8_t truncate, uint8_t enable, int32_t offset) {
  DlaConverter c{};
  c.scale = scale;
  c.truncate = truncate;
  c.enable = enable;
  c.offset = offset;
  return c;
}

void describe_geometry(const HwConv& c, DlaConvOp& op) {
  const Window& w = c.window;
  // Pixels: columns are folded into channels, so that the sequencer sees kernels one column wide.
  op.input_width_csc = static_cast<uint16_t>(c.src.width);
  op.input_height_csc = static_cast<uint16_t>(c.src.height);
  op.input_channel_csc = static_cast<uint16_t>(c.src.channels);
  op.kernel_width_csc = static_cast<uint16_t>(c.image ? 1 : w.kernel_w);
  op.kernel_height_csc = static_cast<uint16_t>(w.kernel_h);
  op.kernel_channel_csc =
      static_cast<uint16_t>(c.image ? c.src.channels * w.kernel_w : c.src.channels);
  op.input_width_cmac = static_cast<uint16_t>(c.dst.width);
  op.input_height_cmac = static_cast<uint16_t>(c.dst.height);
  op.bytes_per_kernel = c.bytes_per_kernel;
  op.conv_stride_x = static_cast<uint8_t>(w.stride_w);
  op.conv_stride_y = static_cast<uint8_t>(w.stride_h);
  op.pad_x_left = static_cast<uint8_t>(w.pad_left);
  op.pad_x_right = static_cast<uint8_t>(w.pad_right);
  op.pad_y_top = static_cast<uint8_t>(w.pad_top);
  op.pad_y_bottom = static_cast<uint8_t>(w.pad_bottom);
  op.dilation_x = static_cast<uint8_t>(w.dilation_w);
  op.dilation_y = static_cast<uint8_t>(w.dilation_h);
  op.pad_val = c.pad_value;
}

void describe_conv(const HwConv& c, const Locate& locate, DlaConvOp& op, DlaConvSurface& surface) {
  op.conv_mode = DLA_CONV_DIRECT;
  op.entry_per_slice = static_cast<uint16_t>(c.entries_per_slice);
  const uint8_t pixels = c.image_channels == 1 ? DLA_FORMAT_R8 : DLA_FORMAT_A8B8G8R8;
  op.data_format = c.image ? pixels : uint8_t{DLA_FORMAT_FEATURE};
  op.pixel_mapping = DLA_PIXELS_PITCH_LINEAR;
  op.fetch_grain = 1;
  op.batch = 1;
  op.weight_format = DLA_WEIGHTS_PLAIN;
  op.post_extension = static_cast<uint8_t>(std::countr_zero(c.y_extension));
  op.weight_reuse = c.reuse_weights ? 1 : 0;
  op.skip_weight_rls = c.keep_weights ? 1 : 0;
  op.data_bank = static_cast<uint8_t>(c.data_banks);
  op.weight_bank = static_cast<uint8_t>(c.weight_banks);
  op.pixel_override = DLA_PIXELS_UNSIGNED;
  op.release = static_cast<uint16_t>(c.src.height);
  describe_geometry(c, op);
  op.mean_format = DLA_MEAN_OFF;
  op.in_precision = op.out_precision = DLA_INT8;
  const InputConverter& in = c.converter;
  const bool convert = c.image && (in.offset != 0 || in.scale != 1 || in.truncate != 0);
  op.in_cvt = converter(in.scale, in.truncate, convert ? 1 : 0, in.offset);
  op.out_cvt = converter(1, 0, 1, 0);

  const Location weights = locate(c.weights);
  surface.weight_data.type = DLA_CUBE_DRAM;
  surface.weight_data.address = weights.address;
  surface.weight_data.offset = static_cast<uint32_t>(weights.offset + c.weight_offset);
  surface.weight_data.size = c.weight_bytes;
  surface.weight_data.width = op.kernel_width_csc;
  surface.weight_data.height = op.kernel_height_csc;
  surface.weight_data.channel = op.kernel_channel_csc;
  surface.wmb_data.address = surface.wgs_data.address = DLA_NO_INDEX;
  surface.src_data = cube_of(c.src, locate);
  surface.dst_data = cube_of(c.dst, locate);
}

DlaSdpStage describe_stage(const HwStage& s) {
  DlaSdpStage out{};
  if (s.kind == StageKind::kOff) return out;
  static constexpr uint8_t kTypes[] = {DLA_SDP_NONE, DLA_SDP_MUL, DLA_SDP_ALU, DLA_SDP_BOTH};
  static constexpr uint8_t kModes[] = {DLA_PER_LAYER, DLA_PER_KERNEL, DLA_PER_POINT};
  out.enable = 1;
  static constexpr uint8_t kAlu[] = {DLA_ALU_SUM, DLA_ALU_MAX, DLA_ALU_MIN};
  out.alu_type = kAlu[static_cast<size_t>(s.alu_op)];
  out.type = kTypes[static_cast<size_t>(s.kind)];
  out.mode = kModes[static_cast<size_t>(s.mode)];
  const uint8_t linear = s.prelu ? DLA_ACT_PRELU : DLA_ACT_NONE;
  out.act = s.relu ? uint8_t{DLA_ACT_RELU} : linear;
  out.shift_value = s.alu_shift;
  out.truncate = s.mul_shift;
  out.precision = s.wide ? DLA_INT16 : DLA_INT8;
  out.alu_operand = s.alu;
  out.mul_operand = s.mul;
  return out;
}

void describe_sdp(const HwSdp& s, int16_t lut, const Locate& locate, DlaSdpOp& op,
                  DlaSdpSurface& surface) {
  op.src_precision = op.dst_precision = DLA_INT8;
  op.lut_index = lut;
  if (s.lut) {
    op.y_op.enable = 1;
    op.y_op.act = DLA_ACT_LUT;
  }
  op.out_cvt = converter(s.out_scale, s.out_shift, 1, s.out_offset);
  op.conv_mode = DLA_CONV_DIRECT;
  op.batch_num = 1;
  op.x1_op = describe_stage(s.x1);
  op.x2_op = describe_stage(s.x2);
  surface.src_data = cube_of(s.src, locate);
  surface.dst_data = cube_of(s.dst, locate);
  surface.x1_data.address = surface.x2_data.address = surface.y_data.address = DLA_NO_INDEX;
  if (s.x1.data) surface.x1_data = cube_of(*s.x1.data, locate);
  if (s.x2.data) surface.x2_data = cube_of(*s.x2.data, locate);
}

/// Of the padding behind an axis, what a window reaches: PDP flushes windows by it.
uint8_t reached_padding(uint32_t in, uint32_t out, uint32_t kernel, uint32_t stride,
                        uint32_t before, uint32_t behind) {
  const int64_t reached = int64_t{out - 1} * stride + kernel - in - before;
  return static_cast<uint8_t>(std::clamp<int64_t>(reached, 0, behind));
}

void describe_pdp(const HwPdp& p, const Locate& locate, DlaPdpOp& op, DlaPairSurface& surface) {
  op.partial_in_width_first = static_cast<uint16_t>(p.split.first_in);
  op.partial_in_width_mid = static_cast<uint16_t>(p.split.mid_in);
  op.partial_in_width_last = static_cast<uint16_t>(p.split.last_in);
  op.partial_width_first = static_cast<uint16_t>(p.split.first_out);
  op.partial_width_mid = static_cast<uint16_t>(p.split.mid_out);
  op.partial_width_last = static_cast<uint16_t>(p.split.last_out);
  op.split_num = static_cast<uint8_t>(p.split.parts);
  op.pool_mode = p.kind == PoolKind::kMax ? DLA_POOL_MAX : DLA_POOL_AVERAGE;
  op.pool_width = static_cast<uint8_t>(p.window.kernel_w - 1);
  op.pool_height = static_cast<uint8_t>(p.window.kernel_h - 1);
  op.stride_x = static_cast<uint8_t>(p.window.stride_w);
  op.stride_y = static_cast<uint8_t>(p.window.stride_h);
  op.pad_left = static_cast<uint8_t>(p.window.pad_left);
  op.pad_right = reached_padding(p.src.width, p.dst.width, p.window.kernel_w, p.window.stride_w,
                                 p.window.pad_left, p.window.pad_right);
  op.pad_top = static_cast<uint8_t>(p.window.pad_top);
  op.pad_bottom = reached_padding(p.src.height, p.dst.height, p.window.kernel_h, p.window.stride_h,
                                  p.window.pad_top, p.window.pad_bottom);
  for (int32_t i = 0; i < 7; ++i) op.padding_value[i] = (i + 1) * p.pad_value;
  op.precision = DLA_INT8;
  surface.src_data = cube_of(p.src, locate);
  surface.dst_data = cube_of(p.dst, locate);
}

void describe_cdp(const HwCdp& c, int16_t lut, const Locate& locate, DlaCdpOp& op,
                  DlaPairSurface& surface) {
  op.in_precision = op.out_precision = DLA_INT8;
  op.lut_index = lut;
  op.in_cvt = converter(c.lrn.in_scale, c.lrn.in_shift, 1, 0);
  op.out_cvt = converter(c.lrn.out_scale, c.lrn.out_shift, 1, 0);
  op.local_size = static_cast<uint8_t>(c.lrn.size);
  surface.src_data = cube_of(c.src, locate);
  surface.dst_data = cube_of(c.dst, locate);
}

DlaConsumer consumer(const Wait& w) {
  DlaConsumer c{};
  c.index = static_cast<int16_t>(w.index);
  c.event = static_cast<uint8_t>(w.index < 0 ? Event::kCompleted : w.event);
  return c;
}

}  // namespace

DescribedOperation describe(const HwOperation& op, size_t index, int16_t lut,
                            const Locate& locate) {
  DescribedOperation out;
  std::memset(&out.operation, 0, sizeof out.operation);
  std::memset(&out.surface, 0, sizeof out.surface);
  DlaDependency& d = out.dependency;
  d.index = static_cast<int16_t>(index);
  d.op_type = static_cast<uint8_t>(op.engine());
  d.dependency_count = static_cast<uint8_t>(op.dependencies);
  for (size_t e = 0; e < kEngines; ++e) d.consumers[e] = consumer(op.consumers[e]);
  d.fused_parent = consumer(op.fused_parent);
  if (const auto* c = std::get_if<HwConv>(&op.work))
    describe_conv(*c, locate, out.operation.conv, out.surface.conv);
  if (const auto* s = std::get_if<HwSdp>(&op.work))
    describe_sdp(*s, lut, locate, out.operation.sdp, out.surface.sdp);
  if (const auto* c = std::get_if<HwCdp>(&op.work))
    describe_cdp(*c, lut, locate, out.operation.cdp, out.surface.pair);
  if (const auto* p = std::get_if<HwPdp>(&op.work))
    describe_pdp(*p, locate, out.operation.pdp, out.surface.pair);
  return out;
}

DlaLut describe_lut(const Lut& lut) {
  DlaLut out{};
  const auto slope = [](const LutSlope& s) { return DlaSlope{s.scale, s.shift, 0}; };
  for (size_t i = 0; i < DLA_LE_ENTRIES; ++i) out.linear_exp_table[i] = lut.le[i];
  for (size_t i = 0; i < DLA_LO_ENTRIES; ++i) out.linear_only_table[i] = lut.lo[i];
  out.linear_exp_offset = static_cast<uint8_t>(lut.le_index);
  out.linear_only_offset = static_cast<uint8_t>(lut.lo_index);
  out.linear_exp_start = static_cast<uint64_t>(lut.le_start);
  out.linear_exp_end = static_cast<uint64_t>(lut.le_end);
  out.linear_only_start = static_cast<uint64_t>(lut.lo_start);
  out.linear_only_end = static_cast<uint64_t>(lut.lo_end);
  out.linear_exp_underflow_slope = slope(lut.le_under);
  out.linear_exp_overflow_slope = slope(lut.le_over);
  out.linear_only_underflow_slope = slope(lut.lo_under);
  out.linear_only_overflow_slope = slope(lut.lo_over);
  const auto priority = [](bool lo) {
    return static_cast<uint8_t>(lo ? DLA_LUT_PREFER_LO : DLA_LUT_PREFER_LE);
  };
  out.hybrid_priority = priority(lut.lo_when_both_hit);
  out.underflow_priority = priority(lut.lo_when_under);
  out.overflow_priority = priority(lut.lo_when_over);
  out.method = lut.le_exponential ? DLA_LUT_EXPONENT : DLA_LUT_LINEAR;
  return out;
}

}  // namespace dlavp::compiler
