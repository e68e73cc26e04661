// Register programs for PDP tests: a shape in true sizes, written to a register block.
#pragma once

#include "models/pdp/pdp_op.hpp"
#include "registers.hpp"

namespace dlavp::pdp::test {

/// A pooling operation as a test states it; `program` derives the output size.
struct Shape {
  uint32_t width = 8, height = 8, channels = 8;
  uint32_t kernel_width = 1, kernel_height = 1, stride_x = 1, stride_y = 1;
  uint32_t left = 0, right = 0, top = 0, bottom = 0;
  uint32_t method = 1;
  uint64_t src = 0x1000, dst = 0x100000;
  [[nodiscard]] uint32_t out_width() const {
    return (width + left + right - kernel_width) / stride_x + 1;
  }
  [[nodiscard]] uint32_t out_height() const {
    return (height + top + bottom - kernel_height) / stride_y + 1;
  }
};

inline void set(regs::RegBlock& block, const regs::Field& field, uint32_t value) {
  const uint32_t old = block.read(field.offset);
  block.write(field.offset, (old & ~field.mask()) | ((value << field.lsb) & field.mask()));
}

inline void program(regs::RegBlock& pdp, regs::RegBlock& rdma, const Shape& s, uint32_t atom) {
  namespace r = regs::pdp;
  namespace rd = regs::pdp_rdma;
  set(pdp, r::D_DATA_CUBE_IN_WIDTH_CUBE_IN_WIDTH, s.width - 1);
  set(pdp, r::D_DATA_CUBE_IN_HEIGHT_CUBE_IN_HEIGHT, s.height - 1);
  set(pdp, r::D_DATA_CUBE_IN_CHANNEL_CUBE_IN_CHANNEL, s.channels - 1);
  set(pdp, r::D_DATA_CUBE_OUT_WIDTH_CUBE_OUT_WIDTH, s.out_width() - 1);
  set(pdp, r::D_DATA_CUBE_OUT_HEIGHT_CUBE_OUT_HEIGHT, s.out_height() - 1);
  set(pdp, r::D_DATA_CUBE_OUT_CHANNEL_CUBE_OUT_CHANNEL, s.channels - 1);
  set(pdp, r::D_OPERATION_MODE_CFG_POOLING_METHOD, s.method);
  set(pdp, r::D_OPERATION_MODE_CFG_FLYING_MODE, 1);
  set(pdp, r::D_POOLING_KERNEL_CFG_KERNEL_WIDTH, s.kernel_width - 1);
  set(pdp, r::D_POOLING_KERNEL_CFG_KERNEL_HEIGHT, s.kernel_height - 1);
  set(pdp, r::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_WIDTH, s.stride_x - 1);
  set(pdp, r::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_HEIGHT, s.stride_y - 1);
  set(pdp, r::D_POOLING_PADDING_CFG_PAD_LEFT, s.left);
  set(pdp, r::D_POOLING_PADDING_CFG_PAD_RIGHT, s.right);
  set(pdp, r::D_POOLING_PADDING_CFG_PAD_TOP, s.top);
  set(pdp, r::D_POOLING_PADDING_CFG_PAD_BOTTOM, s.bottom);
  set(pdp, r::D_RECIP_KERNEL_WIDTH_RECIP_KERNEL_WIDTH, 0x10000 / s.kernel_width);
  set(pdp, r::D_RECIP_KERNEL_HEIGHT_RECIP_KERNEL_HEIGHT, 0x10000 / s.kernel_height);
  set(pdp, r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, static_cast<uint32_t>(s.dst));
  set(pdp, r::D_DST_LINE_STRIDE_DST_LINE_STRIDE, s.out_width() * atom);
  set(pdp, r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE, s.out_width() * s.out_height() * atom);
  set(pdp, r::D_DST_RAM_CFG_DST_RAM_TYPE, 1);
  set(rdma, rd::D_DATA_CUBE_IN_WIDTH_CUBE_IN_WIDTH, s.width - 1);
  set(rdma, rd::D_DATA_CUBE_IN_HEIGHT_CUBE_IN_HEIGHT, s.height - 1);
  set(rdma, rd::D_DATA_CUBE_IN_CHANNEL_CUBE_IN_CHANNEL, s.channels - 1);
  set(rdma, rd::D_FLYING_MODE_FLYING_MODE, 1);
  set(rdma, rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW, static_cast<uint32_t>(s.src));
  set(rdma, rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE, s.width * atom);
  set(rdma, rd::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE, s.width * s.height * atom);
  set(rdma, rd::D_SRC_RAM_CFG_SRC_RAM_TYPE, 1);
  set(rdma, rd::D_POOLING_KERNEL_CFG_KERNEL_WIDTH, s.kernel_width - 1);
  set(rdma, rd::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_WIDTH, s.stride_x - 1);
}

/// Splits the width into `first`, any number of `mid` and `last` input columns.
inline void split(regs::RegBlock& pdp, regs::RegBlock& rdma, uint32_t bands, uint32_t in_first,
                  uint32_t in_mid, uint32_t in_last, uint32_t out_first, uint32_t out_mid,
                  uint32_t out_last) {
  namespace r = regs::pdp;
  namespace rd = regs::pdp_rdma;
  set(pdp, r::D_OPERATION_MODE_CFG_SPLIT_NUM, bands - 1);
  set(pdp, r::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_FIRST, in_first - 1);
  set(pdp, r::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_MID, in_mid - 1);
  set(pdp, r::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_LAST, in_last - 1);
  set(pdp, r::D_PARTIAL_WIDTH_OUT_PARTIAL_WIDTH_OUT_FIRST, out_first - 1);
  set(pdp, r::D_PARTIAL_WIDTH_OUT_PARTIAL_WIDTH_OUT_MID, out_mid - 1);
  set(pdp, r::D_PARTIAL_WIDTH_OUT_PARTIAL_WIDTH_OUT_LAST, out_last - 1);
  set(rdma, rd::D_OPERATION_MODE_CFG_SPLIT_NUM, bands - 1);
  set(rdma, rd::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_FIRST, in_first - 1);
  set(rdma, rd::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_MID, in_mid - 1);
  set(rdma, rd::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_LAST, in_last - 1);
}

}  // namespace dlavp::pdp::test
