// The generators. Fields that an operation does not use keep random values, as programs leave them.
#include "tests/reference/registers/random_ops.hpp"

#include <algorithm>
#include <tuple>

namespace dlavp::reference {

namespace {

using regs::Field;

constexpr uint32_t kSource = 0x10000, kDestination = 0x800000, kOperands = 0x200000,
                   kOperandStep = 0x100000;

struct CubeFields {
  Field base, line, surface;
};

/// Packed strides plus up to two atoms of gap.
void place(Registers& regs, const CubeFields& f, uint32_t base, const Size& size, uint32_t atom,
           Random& random) {
  const uint32_t line = (size.width + random.below(3)) * atom;
  regs.set(f.base, base + atom * random.below(4));
  regs.set(f.line, line);
  regs.set(f.surface, line * size.height + atom * random.below(3));
}

void fill(Tables& tables, Random& random) {
  for (int16_t& v : tables.le) v = static_cast<int16_t>(random.number(16));
  for (int16_t& v : tables.lo) v = static_cast<int16_t>(random.number(16));
}

struct OperandFields {
  Field disable, use, size, mode, ram;
  CubeFields cube;
};

void read_operands(Program& p, Random& random, const HwConfig& hw, const OperandFields& f, bool alu,
                   bool mul, const Size& size, uint32_t base) {
  namespace rd = regs::sdp_rdma;
  p.sdp_rdma.set(f.disable, alu || mul ? 0 : 1);
  const bool two = random.flip();
  p.sdp_rdma.set(f.use, alu && mul ? 2 : alu ? 1 : 0);
  p.sdp_rdma.set(f.size, two);
  p.sdp_rdma.set(f.mode, random.flip());
  p.sdp_rdma.set(f.ram, random.ram(hw));
  place(p.sdp_rdma, f.cube, base, size, p.atom * (two ? 2 : 1) * (alu && mul ? 2 : 1), random);
  p.sdp_rdma.set(f.cube.base, base);
}

void x_stage(Program& p, Random& random, const HwConfig& hw, bool exists, const Field* f,
             const OperandFields& operands, const Size& size, uint32_t base) {
  // f: bypass, ALU bypass, algo, MUL bypass, PReLU, ReLU bypass, ALU source, shift, value, MUL
  // source, shift, value
  const bool on = random.flip() && exists;
  const bool alu = random.flip(), mul = random.flip(), alu_memory = random.flip(),
             mul_memory = random.flip();
  p.sdp.set(f[0], !on);
  p.sdp.set(f[1], !alu);
  p.sdp.set(f[2], random.below(3));
  p.sdp.set(f[3], !mul);
  p.sdp.set(f[4], random.chance(3));
  p.sdp.set(f[5], random.flip());
  p.sdp.set(f[6], alu_memory);
  p.sdp.set(f[7], random.chance(4) ? random.below(64) : random.below(12));
  p.sdp.set(f[8], random.number(16));
  p.sdp.set(f[9], mul_memory);
  p.sdp.set(f[10], random.chance(4) ? random.below(64) : random.below(12));
  p.sdp.set(f[11], random.number(16));
  read_operands(p, random, hw, operands, on && alu && alu_memory, on && mul && mul_memory, size,
                base);
}

namespace rd = regs::sdp_rdma;
const OperandFields kBs{
    rd::D_BRDMA_CFG_BRDMA_DISABLE,
    rd::D_BRDMA_CFG_BRDMA_DATA_USE,
    rd::D_BRDMA_CFG_BRDMA_DATA_SIZE,
    rd::D_BRDMA_CFG_BRDMA_DATA_MODE,
    rd::D_BRDMA_CFG_BRDMA_RAM_TYPE,
    {rd::D_BS_BASE_ADDR_LOW_BS_BASE_ADDR_LOW, rd::D_BS_LINE_STRIDE_BS_LINE_STRIDE,
     rd::D_BS_SURFACE_STRIDE_BS_SURFACE_STRIDE}};
const OperandFields kBn{
    rd::D_NRDMA_CFG_NRDMA_DISABLE,
    rd::D_NRDMA_CFG_NRDMA_DATA_USE,
    rd::D_NRDMA_CFG_NRDMA_DATA_SIZE,
    rd::D_NRDMA_CFG_NRDMA_DATA_MODE,
    rd::D_NRDMA_CFG_NRDMA_RAM_TYPE,
    {rd::D_BN_BASE_ADDR_LOW_BN_BASE_ADDR_LOW, rd::D_BN_LINE_STRIDE_BN_LINE_STRIDE,
     rd::D_BN_SURFACE_STRIDE_BN_SURFACE_STRIDE}};
const OperandFields kEw{
    rd::D_ERDMA_CFG_ERDMA_DISABLE,
    rd::D_ERDMA_CFG_ERDMA_DATA_USE,
    rd::D_ERDMA_CFG_ERDMA_DATA_SIZE,
    rd::D_ERDMA_CFG_ERDMA_DATA_MODE,
    rd::D_ERDMA_CFG_ERDMA_RAM_TYPE,
    {rd::D_EW_BASE_ADDR_LOW_EW_BASE_ADDR_LOW, rd::D_EW_LINE_STRIDE_EW_LINE_STRIDE,
     rd::D_EW_SURFACE_STRIDE_EW_SURFACE_STRIDE}};

void y_stage(Program& p, Random& random, const HwConfig& hw, const Size& size) {
  namespace r = regs::sdp;
  const bool on = hw.sdp_ew && random.flip();
  const bool alu = random.flip(), mul = random.flip(), alu_memory = random.flip(),
             mul_memory = random.flip();
  for (const auto& [field, value] : std::initializer_list<std::pair<Field, int64_t>>{
           {r::D_DP_EW_CFG_EW_BYPASS, !on},
           {r::D_DP_EW_CFG_EW_ALU_BYPASS, !alu},
           {r::D_DP_EW_CFG_EW_ALU_ALGO, random.below(3)},
           {r::D_DP_EW_CFG_EW_MUL_BYPASS, !mul},
           {r::D_DP_EW_CFG_EW_MUL_PRELU, random.chance(3)},
           {r::D_DP_EW_CFG_EW_LUT_BYPASS, !(hw.sdp_lut && random.flip())},
           {r::D_DP_EW_ALU_CFG_EW_ALU_SRC, alu_memory},
           {r::D_DP_EW_ALU_CFG_EW_ALU_CVT_BYPASS, random.flip()},
           {r::D_DP_EW_ALU_SRC_VALUE_EW_ALU_OPERAND, random.number(32)},
           {r::D_DP_EW_ALU_CVT_OFFSET_VALUE_EW_ALU_CVT_OFFSET, random.number(32)},
           {r::D_DP_EW_ALU_CVT_SCALE_VALUE_EW_ALU_CVT_SCALE, random.number(16)},
           {r::D_DP_EW_ALU_CVT_TRUNCATE_VALUE_EW_ALU_CVT_TRUNCATE,
            random.below(random.chance(4) ? 64 : 16)},
           {r::D_DP_EW_MUL_CFG_EW_MUL_SRC, mul_memory},
           {r::D_DP_EW_MUL_CFG_EW_MUL_CVT_BYPASS, random.flip()},
           {r::D_DP_EW_MUL_SRC_VALUE_EW_MUL_OPERAND, random.number(32)},
           {r::D_DP_EW_MUL_CVT_OFFSET_VALUE_EW_MUL_CVT_OFFSET, random.number(32)},
           {r::D_DP_EW_MUL_CVT_SCALE_VALUE_EW_MUL_CVT_SCALE, random.number(16)},
           {r::D_DP_EW_MUL_CVT_TRUNCATE_VALUE_EW_MUL_CVT_TRUNCATE,
            random.below(random.chance(4) ? 64 : 16)},
           {r::D_DP_EW_TRUNCATE_VALUE_EW_TRUNCATE, random.below(random.chance(4) ? 80 : 24)},
           {r::S_LUT_CFG_LUT_LE_FUNCTION, random.below(2)},
           {r::S_LUT_CFG_LUT_UFLOW_PRIORITY, random.below(2)},
           {r::S_LUT_CFG_LUT_OFLOW_PRIORITY, random.below(2)},
           {r::S_LUT_CFG_LUT_HYBRID_PRIORITY, random.below(2)},
           {r::S_LUT_INFO_LUT_LE_INDEX_OFFSET, random.number(random.chance(4) ? 8 : 4)},
           {r::S_LUT_INFO_LUT_LE_INDEX_SELECT, random.number(random.chance(4) ? 8 : 4)},
           {r::S_LUT_INFO_LUT_LO_INDEX_SELECT, random.number(random.chance(4) ? 8 : 4)},
           {r::S_LUT_LE_START_LUT_LE_START, random.number(32)},
           {r::S_LUT_LE_END_LUT_LE_END, random.number(32)},
           {r::S_LUT_LO_START_LUT_LO_START, random.number(32)},
           {r::S_LUT_LO_END_LUT_LO_END, random.number(32)},
           {r::S_LUT_LE_SLOPE_SCALE_LUT_LE_SLOPE_UFLOW_SCALE, random.number(16)},
           {r::S_LUT_LE_SLOPE_SCALE_LUT_LE_SLOPE_OFLOW_SCALE, random.number(16)},
           {r::S_LUT_LO_SLOPE_SCALE_LUT_LO_SLOPE_UFLOW_SCALE, random.number(16)},
           {r::S_LUT_LO_SLOPE_SCALE_LUT_LO_SLOPE_OFLOW_SCALE, random.number(16)},
           {r::S_LUT_LE_SLOPE_SHIFT_LUT_LE_SLOPE_UFLOW_SHIFT, random.number(5)},
           {r::S_LUT_LE_SLOPE_SHIFT_LUT_LE_SLOPE_OFLOW_SHIFT, random.number(5)},
           {r::S_LUT_LO_SLOPE_SHIFT_LUT_LO_SLOPE_UFLOW_SHIFT, random.number(5)},
           {r::S_LUT_LO_SLOPE_SHIFT_LUT_LO_SLOPE_OFLOW_SHIFT, random.number(5)}})
    p.sdp.set(field, value);
  fill(p.sdp_tables, random);
  read_operands(p, random, hw, kEw, on && alu && alu_memory, on && mul && mul_memory, size,
                kOperands + 2 * kOperandStep);
}

}  // namespace

void make_sdp(Program& p, Random& random, const HwConfig& hw, const Size& size) {
  namespace r = regs::sdp;
  const Field x1[] = {r::D_DP_BS_CFG_BS_BYPASS,
                      r::D_DP_BS_CFG_BS_ALU_BYPASS,
                      r::D_DP_BS_CFG_BS_ALU_ALGO,
                      r::D_DP_BS_CFG_BS_MUL_BYPASS,
                      r::D_DP_BS_CFG_BS_MUL_PRELU,
                      r::D_DP_BS_CFG_BS_RELU_BYPASS,
                      r::D_DP_BS_ALU_CFG_BS_ALU_SRC,
                      r::D_DP_BS_ALU_CFG_BS_ALU_SHIFT_VALUE,
                      r::D_DP_BS_ALU_SRC_VALUE_BS_ALU_OPERAND,
                      r::D_DP_BS_MUL_CFG_BS_MUL_SRC,
                      r::D_DP_BS_MUL_CFG_BS_MUL_SHIFT_VALUE,
                      r::D_DP_BS_MUL_SRC_VALUE_BS_MUL_OPERAND};
  const Field x2[] = {r::D_DP_BN_CFG_BN_BYPASS,
                      r::D_DP_BN_CFG_BN_ALU_BYPASS,
                      r::D_DP_BN_CFG_BN_ALU_ALGO,
                      r::D_DP_BN_CFG_BN_MUL_BYPASS,
                      r::D_DP_BN_CFG_BN_MUL_PRELU,
                      r::D_DP_BN_CFG_BN_RELU_BYPASS,
                      r::D_DP_BN_ALU_CFG_BN_ALU_SRC,
                      r::D_DP_BN_ALU_CFG_BN_ALU_SHIFT_VALUE,
                      r::D_DP_BN_ALU_SRC_VALUE_BN_ALU_OPERAND,
                      r::D_DP_BN_MUL_CFG_BN_MUL_SRC,
                      r::D_DP_BN_MUL_CFG_BN_MUL_SHIFT_VALUE,
                      r::D_DP_BN_MUL_SRC_VALUE_BN_MUL_OPERAND};
  p.sdp.set(r::D_DATA_CUBE_WIDTH_WIDTH, size.width - 1);
  p.sdp.set(r::D_DATA_CUBE_HEIGHT_HEIGHT, size.height - 1);
  p.sdp.set(r::D_DATA_CUBE_CHANNEL_CHANNEL, size.channels - 1);
  p.sdp_rdma.set(rd::D_DATA_CUBE_WIDTH_WIDTH, size.width - 1);
  p.sdp_rdma.set(rd::D_DATA_CUBE_HEIGHT_HEIGHT, size.height - 1);
  p.sdp_rdma.set(rd::D_DATA_CUBE_CHANNEL_CHANNEL, size.channels - 1);
  p.sdp_rdma.set(rd::D_FEATURE_MODE_CFG_IN_PRECISION, 0);
  p.sdp_rdma.set(rd::D_FEATURE_MODE_CFG_PROC_PRECISION, 0);
  p.sdp_rdma.set(rd::D_SRC_DMA_CFG_SRC_RAM_TYPE, random.ram(hw));
  p.sdp.set(r::D_DST_DMA_CFG_DST_RAM_TYPE, random.ram(hw));
  place(p.sdp_rdma,
        {rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW, rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE,
         rd::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE},
        kSource, size, p.atom, random);
  place(p.sdp,
        {r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, r::D_DST_LINE_STRIDE_DST_LINE_STRIDE,
         r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE},
        kDestination, size, p.atom, random);
  x_stage(p, random, hw, hw.sdp_bs, x1, kBs, size, kOperands);
  x_stage(p, random, hw, hw.sdp_bn, x2, kBn, size, kOperands + kOperandStep);
  y_stage(p, random, hw, size);
  p.sdp.set(r::D_CVT_OFFSET_CVT_OFFSET, random.number(random.flip() ? 32 : 8));
  p.sdp.set(r::D_CVT_SCALE_CVT_SCALE, random.flip() ? 1 : random.number(16));
  p.sdp.set(r::D_CVT_SHIFT_CVT_SHIFT, random.chance(4) ? random.below(64) : random.below(20));
}

namespace {

/// The input registers of PDP itself mirror those of its read DMA.
void mirror_input(Program& p) {
  namespace r = regs::pdp;
  namespace pr = regs::pdp_rdma;
  p.pdp.set(r::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW,
            p.pdp_rdma.get(pr::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW));
  p.pdp.set(r::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE,
            p.pdp_rdma.get(pr::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE));
  p.pdp.set(r::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE,
            p.pdp_rdma.get(pr::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE));
}

/// The registers hold n times one pad value.
void pad_values(Program& p, Random& random) {
  namespace r = regs::pdp;
  const Field pads[] = {
      r::D_POOLING_PADDING_VALUE_1_CFG_PAD_VALUE_1X, r::D_POOLING_PADDING_VALUE_2_CFG_PAD_VALUE_2X,
      r::D_POOLING_PADDING_VALUE_3_CFG_PAD_VALUE_3X, r::D_POOLING_PADDING_VALUE_4_CFG_PAD_VALUE_4X,
      r::D_POOLING_PADDING_VALUE_5_CFG_PAD_VALUE_5X, r::D_POOLING_PADDING_VALUE_6_CFG_PAD_VALUE_6X,
      r::D_POOLING_PADDING_VALUE_7_CFG_PAD_VALUE_7X};
  const int64_t pad = random.number(8);
  for (int64_t i = 0; i < 7; ++i) p.pdp.set(pads[i], pad * (i + 1));
}

void place_pdp(Program& p, Random& random, const Size& in, const Size& out) {
  namespace r = regs::pdp;
  namespace pr = regs::pdp_rdma;
  place(p.pdp_rdma,
        {pr::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW, pr::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE,
         pr::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE},
        kSource, in, p.atom, random);
  mirror_input(p);
  place(p.pdp,
        {r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, r::D_DST_LINE_STRIDE_DST_LINE_STRIDE,
         r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE},
        kDestination, out, p.atom, random);
}

/// Padding that begins more windows than there are outputs, and unused input: refused by the model.
bool emits_unfinished(uint32_t span, uint32_t before, uint32_t stride) {
  return before / stride > span / stride && span % stride != 0;
}

/// The hardware flushes a window for each whole stride of the padding behind: of padding that no
/// window reaches only less than a stride may be left, and none on an axis below a kernel.
uint32_t used_padding(uint32_t size, uint32_t before, uint32_t behind, uint32_t kernel,
                      uint32_t stride) {
  const uint32_t unused = (size + before + behind - kernel) % stride;
  const uint32_t used = behind - std::min(unused, behind);
  return used / stride == behind / stride && size + before >= kernel ? behind : used;
}

/// Cuts the width of one in three into two to four bands, if the windows allow it: whole windows,
/// the first band with the padding in front, neighbours sharing what both of their windows reach.
void split_width(Program& p, Random& random, uint32_t width, uint32_t windows, uint32_t kernel,
                 uint32_t stride, uint32_t left, uint32_t right) {
  if (!random.chance(3)) return;
  namespace r = regs::pdp;
  namespace pr = regs::pdp_rdma;
  const uint32_t bands = 2 + random.below(3);
  if (windows < bands) return;
  const int64_t first = 1 + random.below(windows - bands + 1);
  const int64_t mid = bands == 2 ? 1 : 1 + random.below((windows - first - 1) / (bands - 2));
  const int64_t last = windows - first - mid * (bands - 2);
  const int64_t in_first = (first - 1) * stride + kernel - left;
  const int64_t last_start = (first + mid * (bands - 2)) * stride - left;
  const int64_t in_last = int64_t{width} - last_start - (int64_t{kernel} - stride);
  constexpr int64_t kWidest = 1024;  // of a band's registers
  if (std::max({first, mid, last, in_first, mid * stride, in_last}) > kWidest) return;
  if (last < 1 || in_first < 1 || first * stride < left || in_last < 1 || last_start >= width)
    return;
  const auto last_width = static_cast<uint32_t>(width - last_start);
  if (used_padding(last_width, 0, right, kernel, stride) != right) return;
  p.pdp.set(r::D_OPERATION_MODE_CFG_SPLIT_NUM, bands - 1);
  p.pdp_rdma.set(pr::D_OPERATION_MODE_CFG_SPLIT_NUM, bands - 1);
  p.pdp.set(r::D_PARTIAL_WIDTH_OUT_PARTIAL_WIDTH_OUT_FIRST, first - 1);
  p.pdp.set(r::D_PARTIAL_WIDTH_OUT_PARTIAL_WIDTH_OUT_MID, mid - 1);
  p.pdp.set(r::D_PARTIAL_WIDTH_OUT_PARTIAL_WIDTH_OUT_LAST, last - 1);
  for (const auto& [ours, theirs, value] : std::initializer_list<std::tuple<Field, Field, int64_t>>{
           {r::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_FIRST,
            pr::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_FIRST, in_first},
           {r::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_MID, pr::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_MID,
            mid * stride},
           {r::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_LAST,
            pr::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_LAST, in_last}}) {
    p.pdp.set(ours, value - 1);
    p.pdp_rdma.set(theirs, value - 1);
  }
}

/// Changes stride and padding behind to what the model accepts.
void settle_axis(uint32_t size, uint32_t before, uint32_t& behind, uint32_t kernel,
                 uint32_t& stride) {
  if (emits_unfinished(size + before + behind - kernel, before, stride)) stride = 1;
  behind = used_padding(size, before, behind, kernel, stride);
}

}  // namespace

void make_pdp(Program& p, Random& random, const HwConfig& hw, const Size& wanted, bool from_sdp) {
  namespace r = regs::pdp;
  namespace pr = regs::pdp_rdma;
  uint32_t kw = 1 + random.below(8), kh = 1 + random.below(8);
  if (from_sdp) {
    kw = std::min(kw, wanted.width);
    kh = std::min(kh, wanted.height);
  }
  uint32_t sx = 1 + random.below(random.chance(4) ? 16 : 4),
           sy = 1 + random.below(random.chance(4) ? 16 : 4);
  uint32_t left = random.below(kw), right = random.below(kw), top = random.below(kh),
           bottom = random.below(kh);
  Size in = wanted;
  in.width = std::max(in.width, kw > left + right ? kw - left - right : 1);
  in.height = std::max(in.height, kh > top + bottom ? kh - top - bottom : 1);
  settle_axis(in.width, left, right, kw, sx);
  settle_axis(in.height, top, bottom, kh, sy);
  const Size out{(in.width + left + right - kw) / sx + 1, (in.height + top + bottom - kh) / sy + 1,
                 in.channels, 1};
  const auto reciprocal = [&](uint32_t n) {
    return random.chance(5) ? random.below(65536 / n + 1) : 65536 / n;  // never an overflow
  };
  for (const auto& [field, value] : std::initializer_list<std::pair<Field, int64_t>>{
           {r::D_DATA_CUBE_IN_WIDTH_CUBE_IN_WIDTH, in.width - 1},
           {r::D_DATA_CUBE_IN_HEIGHT_CUBE_IN_HEIGHT, in.height - 1},
           {r::D_DATA_CUBE_IN_CHANNEL_CUBE_IN_CHANNEL, in.channels - 1},
           {r::D_DATA_CUBE_OUT_WIDTH_CUBE_OUT_WIDTH, out.width - 1},
           {r::D_DATA_CUBE_OUT_HEIGHT_CUBE_OUT_HEIGHT, out.height - 1},
           {r::D_DATA_CUBE_OUT_CHANNEL_CUBE_OUT_CHANNEL, in.channels - 1},
           {r::D_OPERATION_MODE_CFG_POOLING_METHOD, random.below(3)},
           {r::D_OPERATION_MODE_CFG_FLYING_MODE, !from_sdp},
           {r::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_FIRST, in.width - 1},
           {r::D_PARTIAL_WIDTH_OUT_PARTIAL_WIDTH_OUT_FIRST, out.width - 1},
           {r::D_POOLING_KERNEL_CFG_KERNEL_WIDTH, kw - 1},
           {r::D_POOLING_KERNEL_CFG_KERNEL_HEIGHT, kh - 1},
           {r::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_WIDTH, sx - 1},
           {r::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_HEIGHT, sy - 1},
           {r::D_RECIP_KERNEL_WIDTH_RECIP_KERNEL_WIDTH, reciprocal(kw)},
           {r::D_RECIP_KERNEL_HEIGHT_RECIP_KERNEL_HEIGHT, reciprocal(kh)},
           {r::D_POOLING_PADDING_CFG_PAD_LEFT, left},
           {r::D_POOLING_PADDING_CFG_PAD_RIGHT, right},
           {r::D_POOLING_PADDING_CFG_PAD_TOP, top},
           {r::D_POOLING_PADDING_CFG_PAD_BOTTOM, bottom},
           {r::D_DST_RAM_CFG_DST_RAM_TYPE, random.ram(hw)}})
    p.pdp.set(field, value);
  pad_values(p, random);
  for (const auto& [field, value] : std::initializer_list<std::pair<Field, int64_t>>{
           {pr::D_DATA_CUBE_IN_WIDTH_CUBE_IN_WIDTH, in.width - 1},
           {pr::D_DATA_CUBE_IN_HEIGHT_CUBE_IN_HEIGHT, in.height - 1},
           {pr::D_DATA_CUBE_IN_CHANNEL_CUBE_IN_CHANNEL, in.channels - 1},
           {pr::D_FLYING_MODE_FLYING_MODE, 1},
           {pr::D_SRC_RAM_CFG_SRC_RAM_TYPE, random.ram(hw)},
           {pr::D_POOLING_KERNEL_CFG_KERNEL_WIDTH, kw - 1},
           {pr::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_WIDTH, sx - 1},
           {pr::D_POOLING_PADDING_CFG_PAD_WIDTH, left},
           {pr::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_FIRST, in.width - 1}})
    p.pdp_rdma.set(field, value);
  place_pdp(p, random, in, out);
  if (!from_sdp) split_width(p, random, in.width, out.width, kw, sx, left, right);
}

void make_cdp(Program& p, Random& random, const HwConfig& hw, const Size& size) {
  namespace r = regs::cdp;
  namespace cr = regs::cdp_rdma;
  p.cdp_rdma.set(cr::D_DATA_CUBE_WIDTH_WIDTH, size.width - 1);
  p.cdp_rdma.set(cr::D_DATA_CUBE_HEIGHT_HEIGHT, size.height - 1);
  p.cdp_rdma.set(cr::D_DATA_CUBE_CHANNEL_CHANNEL, size.channels - 1);
  p.cdp_rdma.set(cr::D_SRC_DMA_CFG_SRC_RAM_TYPE, random.ram(hw));
  place(p.cdp_rdma,
        {cr::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW, cr::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE,
         cr::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE},
        kSource, size, p.atom, random);
  place(p.cdp,
        {r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, r::D_DST_LINE_STRIDE_DST_LINE_STRIDE,
         r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE},
        kDestination, size, p.atom, random);
  const auto wide = [&](const Field& high, const Field& low, int64_t value) {
    p.cdp.set(low, value & 0xffffffff);
    p.cdp.set(high, value >> 32);
  };
  // Within the 22 bits that the hardware's comparison looks at.
  wide(r::S_LUT_LE_START_HIGH_LUT_LE_START_HIGH, r::S_LUT_LE_START_LOW_LUT_LE_START_LOW,
       random.number(18));
  wide(r::S_LUT_LO_START_HIGH_LUT_LO_START_HIGH, r::S_LUT_LO_START_LOW_LUT_LO_START_LOW,
       random.number(18));
  wide(r::S_LUT_LE_END_HIGH_LUT_LE_END_HIGH, r::S_LUT_LE_END_LOW_LUT_LE_END_LOW, random.number(20));
  wide(r::S_LUT_LO_END_HIGH_LUT_LO_END_HIGH, r::S_LUT_LO_END_LOW_LUT_LO_END_LOW, random.number(20));
  for (const auto& [field, value] : std::initializer_list<std::pair<Field, int64_t>>{
           {r::D_FUNC_BYPASS_SQSUM_BYPASS, random.chance(3)},
           {r::D_FUNC_BYPASS_MUL_BYPASS, random.chance(3)},
           {r::D_DST_DMA_CFG_DST_RAM_TYPE, random.ram(hw)},
           {r::D_LRN_CFG_NORMALZ_LEN, random.below(4)},
           {r::D_DATIN_OFFSET_DATIN_OFFSET, random.number(8)},
           {r::D_DATIN_SCALE_DATIN_SCALE, random.flip() ? 1 : random.number(16)},
           {r::D_DATIN_SHIFTER_DATIN_SHIFTER, random.below(12)},
           {r::D_DATOUT_OFFSET_DATOUT_OFFSET, random.number(random.flip() ? 25 : 8)},
           {r::D_DATOUT_SCALE_DATOUT_SCALE, random.number(16)},
           {r::D_DATOUT_SHIFTER_DATOUT_SHIFTER, random.below(random.chance(4) ? 64 : 24)},
           {r::S_LUT_CFG_LUT_LE_FUNCTION, random.below(2)},
           {r::S_LUT_CFG_LUT_UFLOW_PRIORITY, random.below(2)},
           {r::S_LUT_CFG_LUT_OFLOW_PRIORITY, random.below(2)},
           {r::S_LUT_CFG_LUT_HYBRID_PRIORITY, random.below(2)},
           {r::S_LUT_INFO_LUT_LE_INDEX_OFFSET, random.number(4)},
           {r::S_LUT_INFO_LUT_LE_INDEX_SELECT, random.number(4)},
           {r::S_LUT_INFO_LUT_LO_INDEX_SELECT, random.number(4)},
           {r::S_LUT_LE_SLOPE_SCALE_LUT_LE_SLOPE_UFLOW_SCALE, random.number(16)},
           {r::S_LUT_LE_SLOPE_SCALE_LUT_LE_SLOPE_OFLOW_SCALE, random.number(16)},
           {r::S_LUT_LO_SLOPE_SCALE_LUT_LO_SLOPE_UFLOW_SCALE, random.number(16)},
           {r::S_LUT_LO_SLOPE_SCALE_LUT_LO_SLOPE_OFLOW_SCALE, random.number(16)},
           {r::S_LUT_LE_SLOPE_SHIFT_LUT_LE_SLOPE_UFLOW_SHIFT, random.number(5)},
           {r::S_LUT_LE_SLOPE_SHIFT_LUT_LE_SLOPE_OFLOW_SHIFT, random.number(5)},
           {r::S_LUT_LO_SLOPE_SHIFT_LUT_LO_SLOPE_UFLOW_SHIFT, random.number(5)},
           {r::S_LUT_LO_SLOPE_SHIFT_LUT_LO_SLOPE_OFLOW_SHIFT, random.number(5)}})
    p.cdp.set(field, value);
  fill(p.cdp_tables, random);
}

}  // namespace dlavp::reference
