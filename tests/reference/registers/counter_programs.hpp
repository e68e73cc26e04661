// Small register programs of nv_small with their performance counters on, for counters_test.cpp.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "tests/reference/registers/program.hpp"

namespace dlavp::reference {

inline uint32_t op_enable_offset(const Registers& unit) {
  for (const regs::RegInfo& info : unit.table().registers)
    if (info.name == "D_OP_ENABLE") return info.offset;
  return 0;
}

namespace counted {

inline constexpr int64_t kAtom = 8, kInput = 0x10000, kOperand = 0x20000, kOutput = 0x30000;

inline void set_all(Registers& unit,
                    std::initializer_list<std::pair<regs::Field, int64_t>> values) {
  for (const auto& [field, value] : values) unit.set(field, value);
}

}  // namespace counted

/// Maximum of 2x2 windows of a cube 12 wide and 8 channels deep.
inline Program counted_pooling(int64_t half_height) {
  namespace r = regs::pdp;
  namespace rd = regs::pdp_rdma;
  using namespace counted;
  constexpr int64_t kAcross = 12;
  const int64_t height = 2 * half_height, line = kAcross * kAtom;
  Program p;
  set_all(p.pdp_rdma, {{rd::D_DATA_CUBE_IN_WIDTH_CUBE_IN_WIDTH, kAcross - 1},
                       {rd::D_DATA_CUBE_IN_HEIGHT_CUBE_IN_HEIGHT, height - 1},
                       {rd::D_DATA_CUBE_IN_CHANNEL_CUBE_IN_CHANNEL, kAtom - 1},
                       {rd::D_FLYING_MODE_FLYING_MODE, 1},
                       {rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW, kInput},
                       {rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE, line},
                       {rd::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE, line * height},
                       {rd::D_SRC_RAM_CFG_SRC_RAM_TYPE, 1},
                       {rd::D_PERF_ENABLE_DMA_EN, 1}});
  set_all(p.pdp, {{r::D_DATA_CUBE_IN_WIDTH_CUBE_IN_WIDTH, kAcross - 1},
                  {r::D_DATA_CUBE_IN_HEIGHT_CUBE_IN_HEIGHT, height - 1},
                  {r::D_DATA_CUBE_IN_CHANNEL_CUBE_IN_CHANNEL, kAtom - 1},
                  {r::D_DATA_CUBE_OUT_WIDTH_CUBE_OUT_WIDTH, kAcross / 2 - 1},
                  {r::D_DATA_CUBE_OUT_HEIGHT_CUBE_OUT_HEIGHT, half_height - 1},
                  {r::D_DATA_CUBE_OUT_CHANNEL_CUBE_OUT_CHANNEL, kAtom - 1},
                  {r::D_OPERATION_MODE_CFG_POOLING_METHOD, 1},
                  {r::D_OPERATION_MODE_CFG_FLYING_MODE, 1},
                  {r::D_POOLING_KERNEL_CFG_KERNEL_WIDTH, 1},
                  {r::D_POOLING_KERNEL_CFG_KERNEL_HEIGHT, 1},
                  {r::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_WIDTH, 1},
                  {r::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_HEIGHT, 1},
                  {r::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE, line},
                  {r::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE, line * height},
                  {r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, kOutput},
                  {r::D_DST_LINE_STRIDE_DST_LINE_STRIDE, line / 2},
                  {r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE, line * height},
                  {r::D_DST_RAM_CFG_DST_RAM_TYPE, 1},
                  {r::D_PERF_ENABLE_DMA_EN, 1}});
  return p;
}

/// A cube 16 wide and 16 channels deep copied by CDP (both halves of the normalisation off).
inline Program counted_copy_by_cdp(int64_t height) {
  namespace r = regs::cdp;
  namespace rd = regs::cdp_rdma;
  using namespace counted;
  constexpr int64_t kLine = 16 * kAtom;
  Program p;
  set_all(p.cdp_rdma, {{rd::D_DATA_CUBE_WIDTH_WIDTH, 15},
                       {rd::D_DATA_CUBE_HEIGHT_HEIGHT, height - 1},
                       {rd::D_DATA_CUBE_CHANNEL_CHANNEL, 2 * kAtom - 1},
                       {rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW, kInput},
                       {rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE, kLine},
                       {rd::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE, kLine * height},
                       {rd::D_SRC_DMA_CFG_SRC_RAM_TYPE, 1},
                       {rd::D_PERF_ENABLE_DMA_EN, 1}});
  set_all(p.cdp, {{r::D_FUNC_BYPASS_SQSUM_BYPASS, 1},
                  {r::D_FUNC_BYPASS_MUL_BYPASS, 1},
                  {r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, kOutput},
                  {r::D_DST_LINE_STRIDE_DST_LINE_STRIDE, kLine},
                  {r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE, kLine * height},
                  {r::D_DST_DMA_CFG_DST_RAM_TYPE, 1},
                  {r::D_DATIN_SCALE_DATIN_SCALE, 1},
                  {r::D_DATOUT_SCALE_DATOUT_SCALE, 1},
                  {r::D_PERF_ENABLE_DMA_EN, 1}});
  return p;
}

/// The sum of two cubes of 20x16x8.
inline Program counted_sum_by_sdp() {
  namespace r = regs::sdp;
  namespace rd = regs::sdp_rdma;
  using namespace counted;
  constexpr int64_t kAcross = 20, kDown = 16, kLine = kAcross * kAtom;
  Program p;
  set_all(p.sdp_rdma, {{rd::D_DATA_CUBE_WIDTH_WIDTH, kAcross - 1},
                       {rd::D_DATA_CUBE_HEIGHT_HEIGHT, kDown - 1},
                       {rd::D_DATA_CUBE_CHANNEL_CHANNEL, kAtom - 1},
                       {rd::D_FEATURE_MODE_CFG_IN_PRECISION, 0},
                       {rd::D_FEATURE_MODE_CFG_PROC_PRECISION, 0},
                       {rd::D_SRC_DMA_CFG_SRC_RAM_TYPE, 1},
                       {rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW, kInput},
                       {rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE, kLine},
                       {rd::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE, kLine * kDown},
                       {rd::D_BRDMA_CFG_BRDMA_DISABLE, 0},
                       {rd::D_BRDMA_CFG_BRDMA_DATA_USE, 1},
                       {rd::D_BRDMA_CFG_BRDMA_DATA_SIZE, 0},
                       {rd::D_BRDMA_CFG_BRDMA_DATA_MODE, 1},
                       {rd::D_BRDMA_CFG_BRDMA_RAM_TYPE, 1},
                       {rd::D_BS_BASE_ADDR_LOW_BS_BASE_ADDR_LOW, kOperand},
                       {rd::D_BS_LINE_STRIDE_BS_LINE_STRIDE, kLine},
                       {rd::D_BS_SURFACE_STRIDE_BS_SURFACE_STRIDE, kLine * kDown},
                       {rd::D_NRDMA_CFG_NRDMA_DISABLE, 1},
                       {rd::D_ERDMA_CFG_ERDMA_DISABLE, 1},
                       {rd::D_PERF_ENABLE_PERF_DMA_EN, 1}});
  set_all(p.sdp, {{r::D_DATA_CUBE_WIDTH_WIDTH, kAcross - 1},
                  {r::D_DATA_CUBE_HEIGHT_HEIGHT, kDown - 1},
                  {r::D_DATA_CUBE_CHANNEL_CHANNEL, kAtom - 1},
                  {r::D_DST_DMA_CFG_DST_RAM_TYPE, 1},
                  {r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, kOutput},
                  {r::D_DST_LINE_STRIDE_DST_LINE_STRIDE, kLine},
                  {r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE, kLine * kDown},
                  {r::D_DP_BS_CFG_BS_BYPASS, 0},
                  {r::D_DP_BS_CFG_BS_ALU_BYPASS, 0},
                  {r::D_DP_BS_CFG_BS_ALU_ALGO, 2},
                  {r::D_DP_BS_CFG_BS_MUL_BYPASS, 1},
                  {r::D_DP_BS_CFG_BS_RELU_BYPASS, 1},
                  {r::D_DP_BS_ALU_CFG_BS_ALU_SRC, 1},
                  {r::D_DP_BN_CFG_BN_BYPASS, 1},
                  {r::D_DP_EW_CFG_EW_BYPASS, 1},
                  {r::D_CVT_SCALE_CVT_SCALE, 1},
                  {r::D_PERF_ENABLE_PERF_DMA_EN, 1}});
  return p;
}

namespace counted {

inline constexpr int64_t kWidth = 12, kHeight = 6, kChannels = 24, kKernels = 16, kTaps = 3;
inline constexpr int64_t kOutWidth = kWidth - kTaps + 1, kOutHeight = kHeight - kTaps + 1;
inline constexpr int64_t kEntries = kWidth * kChannels / kAtom;
inline constexpr int64_t kKernelBytes = kTaps * kTaps * kChannels, kBytes = kKernels * kKernelBytes;

inline void fetch_for_convolution(Program& p) {
  namespace d = regs::cdma;
  constexpr int64_t kLine = kWidth * kAtom;
  set_all(p.cdma, {{d::D_MISC_CFG_IN_PRECISION, 0},
                   {d::D_MISC_CFG_PROC_PRECISION, 0},
                   {d::D_DATAIN_SIZE_0_DATAIN_WIDTH, kWidth - 1},
                   {d::D_DATAIN_SIZE_0_DATAIN_HEIGHT, kHeight - 1},
                   {d::D_DATAIN_SIZE_1_DATAIN_CHANNEL, kChannels - 1},
                   {d::D_DATAIN_SIZE_EXT_0_DATAIN_WIDTH_EXT, kWidth - 1},
                   {d::D_DATAIN_SIZE_EXT_0_DATAIN_HEIGHT_EXT, kHeight - 1},
                   {d::D_DAIN_RAM_TYPE_DATAIN_RAM_TYPE, 1},
                   {d::D_DAIN_ADDR_LOW_0_DATAIN_ADDR_LOW_0, kInput},
                   {d::D_LINE_STRIDE_LINE_STRIDE, kLine},
                   {d::D_SURF_STRIDE_SURF_STRIDE, kLine * kHeight},
                   {d::D_DAIN_MAP_LINE_PACKED, 1},
                   {d::D_DAIN_MAP_SURF_PACKED, 1},
                   {d::D_ENTRY_PER_SLICE_ENTRIES, kEntries - 1},
                   {d::D_WEIGHT_SIZE_0_BYTE_PER_KERNEL, kKernelBytes - 1},
                   {d::D_WEIGHT_SIZE_1_WEIGHT_KERNEL, kKernels - 1},
                   {d::D_WEIGHT_RAM_TYPE_WEIGHT_RAM_TYPE, 1},
                   {d::D_WEIGHT_ADDR_LOW_WEIGHT_ADDR_LOW, kOperand},
                   {d::D_WEIGHT_BYTES_WEIGHT_BYTES, kBytes},
                   {d::D_PERF_ENABLE_DMA_EN, 1}});
}

inline void sequence_convolution(Program& p) {
  namespace c = regs::csc;
  set_all(p.csc, {{c::D_MISC_CFG_IN_PRECISION, 0},
                  {c::D_MISC_CFG_PROC_PRECISION, 0},
                  {c::D_DATAIN_SIZE_EXT_0_DATAIN_WIDTH_EXT, kWidth - 1},
                  {c::D_DATAIN_SIZE_EXT_0_DATAIN_HEIGHT_EXT, kHeight - 1},
                  {c::D_DATAIN_SIZE_EXT_1_DATAIN_CHANNEL_EXT, kChannels - 1},
                  {c::D_ENTRY_PER_SLICE_ENTRIES, kEntries - 1},
                  {c::D_WEIGHT_SIZE_EXT_0_WEIGHT_WIDTH_EXT, kTaps - 1},
                  {c::D_WEIGHT_SIZE_EXT_0_WEIGHT_HEIGHT_EXT, kTaps - 1},
                  {c::D_WEIGHT_SIZE_EXT_1_WEIGHT_CHANNEL_EXT, kChannels - 1},
                  {c::D_WEIGHT_SIZE_EXT_1_WEIGHT_KERNEL, kKernels - 1},
                  {c::D_WEIGHT_BYTES_WEIGHT_BYTES, kBytes},
                  {c::D_DATAOUT_SIZE_0_DATAOUT_WIDTH, kOutWidth - 1},
                  {c::D_DATAOUT_SIZE_0_DATAOUT_HEIGHT, kOutHeight - 1},
                  {c::D_DATAOUT_SIZE_1_DATAOUT_CHANNEL, kKernels - 1},
                  {c::D_ATOMICS_ATOMICS, kOutWidth * kOutHeight - 1},
                  {c::D_RELEASE_RLS_SLICES, kHeight - 1}});
}

}  // namespace counted

/// 3x3 windows of 12x6x24, 16 kernels, SDP passing the sums on.
inline Program counted_convolution() {
  namespace a = regs::cacc;
  namespace r = regs::sdp;
  using namespace counted;
  Program p;
  fetch_for_convolution(p);
  sequence_convolution(p);
  for (Registers* cmac : {&p.cmac_a, &p.cmac_b})  // the same layout
    set_all(*cmac, {{regs::cmac_a::D_MISC_CFG_PROC_PRECISION, 0}});
  set_all(p.cacc, {{a::D_MISC_CFG_PROC_PRECISION, 0},
                   {a::D_DATAOUT_SIZE_0_DATAOUT_WIDTH, kOutWidth - 1},
                   {a::D_DATAOUT_SIZE_0_DATAOUT_HEIGHT, kOutHeight - 1},
                   {a::D_DATAOUT_SIZE_1_DATAOUT_CHANNEL, kKernels - 1}});
  set_all(p.sdp, {{r::D_DATA_CUBE_WIDTH_WIDTH, kOutWidth - 1},
                  {r::D_DATA_CUBE_HEIGHT_HEIGHT, kOutHeight - 1},
                  {r::D_DATA_CUBE_CHANNEL_CHANNEL, kKernels - 1},
                  {r::D_FEATURE_MODE_CFG_FLYING_MODE, 1},
                  {r::D_DST_DMA_CFG_DST_RAM_TYPE, 1},
                  {r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, kOutput},
                  {r::D_DST_LINE_STRIDE_DST_LINE_STRIDE, kOutWidth * kAtom},
                  {r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE, kOutWidth * kOutHeight * kAtom},
                  {r::D_DP_BS_CFG_BS_BYPASS, 1},
                  {r::D_DP_BN_CFG_BN_BYPASS, 1},
                  {r::D_DP_EW_CFG_EW_BYPASS, 1},
                  {r::D_CVT_SCALE_CVT_SCALE, 1}});
  return p;
}

/// 1x1 kernels over 5x6x8, eight of them, SDP passing the sums on to averages of 2x1 windows with a
/// padded column on each side: PDP is the slowest and inserts a position behind each line.
inline Program convolution_into_pooling() {
  namespace d = regs::cdma;
  namespace c = regs::csc;
  namespace a = regs::cacc;
  namespace r = regs::sdp;
  namespace q = regs::pdp;
  using namespace counted;
  constexpr int64_t kAcross = 5, kBytesOfAll = kAtom * kAtom, kLine = kAcross * kAtom;
  Program p = counted_convolution();
  set_all(p.cdma, {{d::D_DATAIN_SIZE_0_DATAIN_WIDTH, kAcross - 1},
                   {d::D_DATAIN_SIZE_1_DATAIN_CHANNEL, kAtom - 1},
                   {d::D_DATAIN_SIZE_EXT_0_DATAIN_WIDTH_EXT, kAcross - 1},
                   {d::D_LINE_STRIDE_LINE_STRIDE, kLine},
                   {d::D_SURF_STRIDE_SURF_STRIDE, kLine * kHeight},
                   {d::D_ENTRY_PER_SLICE_ENTRIES, kAcross - 1},
                   {d::D_WEIGHT_SIZE_0_BYTE_PER_KERNEL, kAtom - 1},
                   {d::D_WEIGHT_SIZE_1_WEIGHT_KERNEL, kAtom - 1},
                   {d::D_WEIGHT_BYTES_WEIGHT_BYTES, kBytesOfAll}});
  set_all(p.csc, {{c::D_DATAIN_SIZE_EXT_0_DATAIN_WIDTH_EXT, kAcross - 1},
                  {c::D_DATAIN_SIZE_EXT_1_DATAIN_CHANNEL_EXT, kAtom - 1},
                  {c::D_ENTRY_PER_SLICE_ENTRIES, kAcross - 1},
                  {c::D_WEIGHT_SIZE_EXT_0_WEIGHT_WIDTH_EXT, 0},
                  {c::D_WEIGHT_SIZE_EXT_0_WEIGHT_HEIGHT_EXT, 0},
                  {c::D_WEIGHT_SIZE_EXT_1_WEIGHT_CHANNEL_EXT, kAtom - 1},
                  {c::D_WEIGHT_SIZE_EXT_1_WEIGHT_KERNEL, kAtom - 1},
                  {c::D_WEIGHT_BYTES_WEIGHT_BYTES, kBytesOfAll},
                  {c::D_DATAOUT_SIZE_0_DATAOUT_WIDTH, kAcross - 1},
                  {c::D_DATAOUT_SIZE_0_DATAOUT_HEIGHT, kHeight - 1},
                  {c::D_DATAOUT_SIZE_1_DATAOUT_CHANNEL, kAtom - 1},
                  {c::D_ATOMICS_ATOMICS, kAcross * kHeight - 1}});
  set_all(p.cacc, {{a::D_DATAOUT_SIZE_0_DATAOUT_WIDTH, kAcross - 1},
                   {a::D_DATAOUT_SIZE_0_DATAOUT_HEIGHT, kHeight - 1},
                   {a::D_DATAOUT_SIZE_1_DATAOUT_CHANNEL, kAtom - 1}});
  set_all(p.sdp, {{r::D_DATA_CUBE_WIDTH_WIDTH, kAcross - 1},
                  {r::D_DATA_CUBE_HEIGHT_HEIGHT, kHeight - 1},
                  {r::D_DATA_CUBE_CHANNEL_CHANNEL, kAtom - 1},
                  {r::D_FEATURE_MODE_CFG_OUTPUT_DST, 1}});
  set_all(p.pdp, {{q::D_DATA_CUBE_IN_WIDTH_CUBE_IN_WIDTH, kAcross - 1},
                  {q::D_DATA_CUBE_IN_HEIGHT_CUBE_IN_HEIGHT, kHeight - 1},
                  {q::D_DATA_CUBE_IN_CHANNEL_CUBE_IN_CHANNEL, kAtom - 1},
                  {q::D_DATA_CUBE_OUT_WIDTH_CUBE_OUT_WIDTH, kAcross},
                  {q::D_DATA_CUBE_OUT_HEIGHT_CUBE_OUT_HEIGHT, kHeight - 1},
                  {q::D_DATA_CUBE_OUT_CHANNEL_CUBE_OUT_CHANNEL, kAtom - 1},
                  {q::D_OPERATION_MODE_CFG_POOLING_METHOD, 0},
                  {q::D_OPERATION_MODE_CFG_FLYING_MODE, 0},
                  {q::D_POOLING_KERNEL_CFG_KERNEL_WIDTH, 1},
                  {q::D_POOLING_PADDING_CFG_PAD_LEFT, 1},
                  {q::D_POOLING_PADDING_CFG_PAD_RIGHT, 1},
                  {q::D_RECIP_KERNEL_WIDTH_RECIP_KERNEL_WIDTH, 0x8000},
                  {q::D_RECIP_KERNEL_HEIGHT_RECIP_KERNEL_HEIGHT, 0x10000},
                  {q::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, kOutput},
                  {q::D_DST_LINE_STRIDE_DST_LINE_STRIDE, kLine + kAtom},
                  {q::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE, (kLine + kAtom) * kHeight},
                  {q::D_DST_RAM_CFG_DST_RAM_TYPE, 1}});
  return p;
}

}  // namespace dlavp::reference
