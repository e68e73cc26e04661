// Decode of SDP and SDP_RDMA. Which field counts in which mode follows the RTL: bypassed stages,
// disabled streams, the destination of an operation to PDP, and everything about floating point are
// not looked at, because programs leave arbitrary values there.
#include "models/sdp/sdp_op.hpp"

#include "registers.hpp"

namespace dlavp::sdp {

namespace {

namespace r = regs::sdp;
namespace rd = regs::sdp_rdma;
using regs::Field;
using regs::RegView;

constexpr const char* kStageName[kStages] = {"BS", "BN", "EW"};

/// Collects errors of one group.
class Errors {
 public:
  explicit Errors(std::string place) : place_(std::move(place)) {}
  template <typename... Args>
  void add(const char* id, fmt::format_string<Args...> format, Args&&... args) {
    list_.add(id, place_, fmt::format(format, std::forward<Args>(args)...));
  }
  [[nodiscard]] const Diagnostics& list() const { return list_; }

 private:
  std::string place_;
  Diagnostics list_;
};

uint64_t byte_address(const RegView& v, const Field& high, const Field& low, const HwConfig& hw) {
  const uint64_t address = v.address(high, low);
  return hw.mem_address_width >= 64 ? address
                                    : address & ((uint64_t{1} << hw.mem_address_width) - 1);
}

struct CubeFields {
  const char* name;
  Field high, low, line, surface;
};

CubeRef decode_cube(const RegView& v, const HwConfig& hw, const CubeFields& f, RamType ram,
                    const CubeSize& size, bool strides, Errors& errors) {
  CubeRef cube;
  cube.ram = ram;
  if (ram == RamType::kCv && !hw.secondary_memif)
    errors.add("sdp.no_secondary_memory",
               "D_{}_RAM_TYPE 0 (CV), expected 1 (MC): no second interface", f.name);
  cube.address = byte_address(v, f.high, f.low, hw);
  if (cube.address % hw.memory_atomic_size != 0)
    errors.add("sdp.unaligned", "D_{}_BASE_ADDR {:#x}, expected a multiple of {}", f.name,
               cube.address, hw.memory_atomic_size);
  if (!strides || packed_1x1(size)) return cube;
  cube.line_stride = v.get(f.line);
  cube.surface_stride = v.get(f.surface);
  if (cube.line_stride % hw.memory_atomic_size != 0)
    errors.add("sdp.unaligned", "D_{}_LINE_STRIDE {:#x}, expected a multiple of {}", f.name,
               cube.line_stride, hw.memory_atomic_size);
  if (cube.surface_stride % hw.memory_atomic_size != 0)
    errors.add("sdp.unaligned", "D_{}_SURFACE_STRIDE {:#x}, expected a multiple of {}", f.name,
               cube.surface_stride, hw.memory_atomic_size);
  return cube;
}

RamType ram_type(bool mc) { return mc ? RamType::kMc : RamType::kCv; }

struct XFields {
  Field bypass, alu_bypass, algo, mul_bypass, prelu, relu_bypass, alu_src, alu_shift, alu_operand,
      mul_src, mul_shift, mul_operand;
};

constexpr XFields kX1Fields{r::D_DP_BS_CFG_BS_BYPASS,
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
constexpr XFields kX2Fields{r::D_DP_BN_CFG_BN_BYPASS,
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

// The truncation cell takes six bits of the eight-bit shift field.
constexpr uint32_t kMulShiftMask = 0x3f;

StageOp decode_x(const RegView& v, const XFields& f, const char* name, bool exists,
                 Errors& errors) {
  StageOp x;
  x.enabled = !v.flag(f.bypass);
  if (!x.enabled) return x;
  if (!exists)
    errors.add("sdp.no_stage", "D_DP_{0}_CFG.{0}_BYPASS 0, expected 1: no {0} unit", name);
  x.alu.enabled = !v.flag(f.alu_bypass);
  x.alu.from_memory = v.flag(f.alu_src);
  x.alu.operand = v.get_signed(f.alu_operand);
  x.algo = static_cast<AluAlgo>(v.get(f.algo));
  x.alu_shift = v.get(f.alu_shift);
  x.mul.enabled = !v.flag(f.mul_bypass);
  x.mul.from_memory = v.flag(f.mul_src);
  x.mul.operand = v.get_signed(f.mul_operand);
  x.prelu = x.mul.enabled && v.flag(f.prelu);
  x.mul_shift = v.get(f.mul_shift) & kMulShiftMask;
  x.relu = !v.flag(f.relu_bypass);
  return x;
}

StageOp decode_y(const RegView& v, const HwConfig& hw, Errors& errors) {
  StageOp y;
  y.enabled = !v.flag(r::D_DP_EW_CFG_EW_BYPASS);
  if (!y.enabled) return y;
  if (!hw.sdp_ew) errors.add("sdp.no_stage", "D_DP_EW_CFG.EW_BYPASS 0, expected 1: no EW unit");
  y.alu.enabled = !v.flag(r::D_DP_EW_CFG_EW_ALU_BYPASS);
  y.alu.from_memory = v.flag(r::D_DP_EW_ALU_CFG_EW_ALU_SRC);
  y.alu.operand = v.get_signed(r::D_DP_EW_ALU_SRC_VALUE_EW_ALU_OPERAND);
  y.alu.cvt = {v.flag(r::D_DP_EW_ALU_CFG_EW_ALU_CVT_BYPASS),
               v.get_signed(r::D_DP_EW_ALU_CVT_OFFSET_VALUE_EW_ALU_CVT_OFFSET),
               static_cast<int16_t>(v.get_signed(r::D_DP_EW_ALU_CVT_SCALE_VALUE_EW_ALU_CVT_SCALE)),
               v.get(r::D_DP_EW_ALU_CVT_TRUNCATE_VALUE_EW_ALU_CVT_TRUNCATE)};
  y.algo = static_cast<AluAlgo>(v.get(r::D_DP_EW_CFG_EW_ALU_ALGO));
  y.mul.enabled = !v.flag(r::D_DP_EW_CFG_EW_MUL_BYPASS);
  y.mul.from_memory = v.flag(r::D_DP_EW_MUL_CFG_EW_MUL_SRC);
  y.mul.operand = v.get_signed(r::D_DP_EW_MUL_SRC_VALUE_EW_MUL_OPERAND);
  y.mul.cvt = {v.flag(r::D_DP_EW_MUL_CFG_EW_MUL_CVT_BYPASS),
               v.get_signed(r::D_DP_EW_MUL_CVT_OFFSET_VALUE_EW_MUL_CVT_OFFSET),
               static_cast<int16_t>(v.get_signed(r::D_DP_EW_MUL_CVT_SCALE_VALUE_EW_MUL_CVT_SCALE)),
               v.get(r::D_DP_EW_MUL_CVT_TRUNCATE_VALUE_EW_MUL_CVT_TRUNCATE)};
  y.prelu = y.mul.enabled && v.flag(r::D_DP_EW_CFG_EW_MUL_PRELU);
  y.mul_shift = v.get(r::D_DP_EW_TRUNCATE_VALUE_EW_TRUNCATE);
  y.lut = !v.flag(r::D_DP_EW_CFG_EW_LUT_BYPASS);
  if (y.lut && !hw.sdp_lut)
    errors.add("sdp.no_lut", "D_DP_EW_CFG.EW_LUT_BYPASS 0, expected 1: no look-up table");
  return y;
}

LutParams decode_lut(const RegView& v) {
  LutParams l;
  l.le_linear = v.get(r::S_LUT_CFG_LUT_LE_FUNCTION) == r::S_LUT_CFG_LUT_LE_FUNCTION_LINEAR;
  l.underflow_lo = v.flag(r::S_LUT_CFG_LUT_UFLOW_PRIORITY);
  l.overflow_lo = v.flag(r::S_LUT_CFG_LUT_OFLOW_PRIORITY);
  l.hybrid_lo = v.flag(r::S_LUT_CFG_LUT_HYBRID_PRIORITY);
  l.le_index_offset = v.get_signed(r::S_LUT_INFO_LUT_LE_INDEX_OFFSET);
  l.le_index_select = v.get_signed(r::S_LUT_INFO_LUT_LE_INDEX_SELECT);
  l.lo_index_select = v.get_signed(r::S_LUT_INFO_LUT_LO_INDEX_SELECT);
  l.le_start = v.get_signed(r::S_LUT_LE_START_LUT_LE_START);
  l.le_end = v.get_signed(r::S_LUT_LE_END_LUT_LE_END);
  l.lo_start = v.get_signed(r::S_LUT_LO_START_LUT_LO_START);
  l.lo_end = v.get_signed(r::S_LUT_LO_END_LUT_LO_END);
  const auto scale = [&](const Field& f) { return static_cast<int16_t>(v.get_signed(f)); };
  l.le_underflow_scale = scale(r::S_LUT_LE_SLOPE_SCALE_LUT_LE_SLOPE_UFLOW_SCALE);
  l.le_overflow_scale = scale(r::S_LUT_LE_SLOPE_SCALE_LUT_LE_SLOPE_OFLOW_SCALE);
  l.lo_underflow_scale = scale(r::S_LUT_LO_SLOPE_SCALE_LUT_LO_SLOPE_UFLOW_SCALE);
  l.lo_overflow_scale = scale(r::S_LUT_LO_SLOPE_SCALE_LUT_LO_SLOPE_OFLOW_SCALE);
  l.le_underflow_shift = v.get_signed(r::S_LUT_LE_SLOPE_SHIFT_LUT_LE_SLOPE_UFLOW_SHIFT);
  l.le_overflow_shift = v.get_signed(r::S_LUT_LE_SLOPE_SHIFT_LUT_LE_SLOPE_OFLOW_SHIFT);
  l.lo_underflow_shift = v.get_signed(r::S_LUT_LO_SLOPE_SHIFT_LUT_LO_SLOPE_UFLOW_SHIFT);
  l.lo_overflow_shift = v.get_signed(r::S_LUT_LO_SLOPE_SHIFT_LUT_LO_SLOPE_OFLOW_SHIFT);
  return l;
}

void check_modes(const RegView& v, Errors& errors) {
  if (const uint32_t p = v.get(r::D_DATA_FORMAT_PROC_PRECISION); p != 0)
    errors.add("sdp.unsupported_precision", "D_DATA_FORMAT.PROC_PRECISION {}, expected 0 (int8)",
               p);
  if (const uint32_t p = v.get(r::D_DATA_FORMAT_OUT_PRECISION); p != 0)
    errors.add("sdp.unsupported_precision", "D_DATA_FORMAT.OUT_PRECISION {}, expected 0 (int8)", p);
  if (v.flag(r::D_FEATURE_MODE_CFG_WINOGRAD))
    errors.add("sdp.unsupported_winograd", "D_FEATURE_MODE_CFG.WINOGRAD 1, expected 0");
  if (const uint32_t n = v.get(r::D_FEATURE_MODE_CFG_BATCH_NUMBER); n != 0)
    errors.add("sdp.unsupported_batch", "D_FEATURE_MODE_CFG.BATCH_NUMBER {}, expected 0", n);
}

struct OperandFields {
  Field disable, use, size, mode, ram;
  CubeFields cube;
};

constexpr OperandFields kOperandFields[kStages] = {
    {rd::D_BRDMA_CFG_BRDMA_DISABLE,
     rd::D_BRDMA_CFG_BRDMA_DATA_USE,
     rd::D_BRDMA_CFG_BRDMA_DATA_SIZE,
     rd::D_BRDMA_CFG_BRDMA_DATA_MODE,
     rd::D_BRDMA_CFG_BRDMA_RAM_TYPE,
     {"BS", rd::D_BS_BASE_ADDR_HIGH_BS_BASE_ADDR_HIGH, rd::D_BS_BASE_ADDR_LOW_BS_BASE_ADDR_LOW,
      rd::D_BS_LINE_STRIDE_BS_LINE_STRIDE, rd::D_BS_SURFACE_STRIDE_BS_SURFACE_STRIDE}},
    {rd::D_NRDMA_CFG_NRDMA_DISABLE,
     rd::D_NRDMA_CFG_NRDMA_DATA_USE,
     rd::D_NRDMA_CFG_NRDMA_DATA_SIZE,
     rd::D_NRDMA_CFG_NRDMA_DATA_MODE,
     rd::D_NRDMA_CFG_NRDMA_RAM_TYPE,
     {"BN", rd::D_BN_BASE_ADDR_HIGH_BN_BASE_ADDR_HIGH, rd::D_BN_BASE_ADDR_LOW_BN_BASE_ADDR_LOW,
      rd::D_BN_LINE_STRIDE_BN_LINE_STRIDE, rd::D_BN_SURFACE_STRIDE_BN_SURFACE_STRIDE}},
    {rd::D_ERDMA_CFG_ERDMA_DISABLE,
     rd::D_ERDMA_CFG_ERDMA_DATA_USE,
     rd::D_ERDMA_CFG_ERDMA_DATA_SIZE,
     rd::D_ERDMA_CFG_ERDMA_DATA_MODE,
     rd::D_ERDMA_CFG_ERDMA_RAM_TYPE,
     {"EW", rd::D_EW_BASE_ADDR_HIGH_EW_BASE_ADDR_HIGH, rd::D_EW_BASE_ADDR_LOW_EW_BASE_ADDR_LOW,
      rd::D_EW_LINE_STRIDE_EW_LINE_STRIDE, rd::D_EW_SURFACE_STRIDE_EW_SURFACE_STRIDE}}};

bool stage_exists(const HwConfig& hw, unsigned stage) {
  return stage == kX1 ? hw.sdp_bs : stage == kX2 ? hw.sdp_bn : hw.sdp_ew;
}

OperandRead decode_operand(const RegView& v, const HwConfig& hw, unsigned stage,
                           const CubeSize& size, Errors& errors) {
  const OperandFields& f = kOperandFields[stage];
  OperandRead o;
  // A configuration without the stage has no such stream: its registers act on nothing.
  o.enabled = stage_exists(hw, stage) && !v.flag(f.disable);
  if (!o.enabled) return o;
  const uint32_t use = v.get(f.use);
  o.alu = use == rd::D_BRDMA_CFG_BRDMA_DATA_USE_ALU || use == rd::D_BRDMA_CFG_BRDMA_DATA_USE_BOTH;
  o.mul = use == rd::D_BRDMA_CFG_BRDMA_DATA_USE_MUL || use == rd::D_BRDMA_CFG_BRDMA_DATA_USE_BOTH;
  if (!o.alu && !o.mul)
    errors.add("sdp.data_use", "D_{}RDMA_CFG.DATA_USE {}, expected 0, 1 or 2", "BNE"[stage], use);
  o.element_bytes = v.flag(f.size) ? 2 : 1;
  o.per_element = v.flag(f.mode);
  o.src = decode_cube(v, hw, f.cube, ram_type(v.flag(f.ram)), size, o.per_element, errors);
  return o;
}

}  // namespace

Result<SdpOp> decode_sdp(const RegView& v, const HwConfig& hw) {
  Errors errors(fmt::format("SDP group {}", v.group()));
  SdpOp op;
  op.group = v.group();
  op.size = {v.get(r::D_DATA_CUBE_WIDTH_WIDTH) + 1, v.get(r::D_DATA_CUBE_HEIGHT_HEIGHT) + 1,
             v.get(r::D_DATA_CUBE_CHANNEL_CHANNEL) + 1};
  check_modes(v, errors);
  op.flying = v.flag(r::D_FEATURE_MODE_CFG_FLYING_MODE);
  op.to_pdp = v.flag(r::D_FEATURE_MODE_CFG_OUTPUT_DST);
  op.stage[kX1] = decode_x(v, kX1Fields, kStageName[kX1], hw.sdp_bs, errors);
  op.stage[kX2] = decode_x(v, kX2Fields, kStageName[kX2], hw.sdp_bn, errors);
  op.stage[kY] = decode_y(v, hw, errors);
  const StageOp& y = op.stage[kY];
  op.compare = y.enabled && y.alu.enabled && y.algo == AluAlgo::kEql;
  if (op.compare && op.to_pdp)
    errors.add("sdp.compare_to_pdp", "D_DP_EW_CFG.EW_ALU_ALGO 3 with OUTPUT_DST 1, expected 0");
  if (y.enabled && y.lut) op.lut = decode_lut(v);
  if (op.writes_memory())
    op.dst =
        decode_cube(v, hw,
                    {"DST", r::D_DST_BASE_ADDR_HIGH_DST_BASE_ADDR_HIGH,
                     r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, r::D_DST_LINE_STRIDE_DST_LINE_STRIDE,
                     r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE},
                    ram_type(v.flag(r::D_DST_DMA_CFG_DST_RAM_TYPE)), op.size, true, errors);
  op.out = {v.get_signed(r::D_CVT_OFFSET_CVT_OFFSET),
            static_cast<int16_t>(v.get_signed(r::D_CVT_SCALE_CVT_SCALE)),
            v.get(r::D_CVT_SHIFT_CVT_SHIFT)};
  op.count_dma_stalls = v.flag(r::D_PERF_ENABLE_PERF_DMA_EN);
  op.count_lut = v.flag(r::D_PERF_ENABLE_PERF_LUT_EN);
  op.count_saturation = v.flag(r::D_PERF_ENABLE_PERF_SAT_EN);
  if (!errors.list().empty()) return errors.list();
  return op;
}

Result<RdmaOp> decode_rdma(const RegView& v, const HwConfig& hw) {
  Errors errors(fmt::format("SDP_RDMA group {}", v.group()));
  RdmaOp op;
  op.group = v.group();
  op.size = {v.get(rd::D_DATA_CUBE_WIDTH_WIDTH) + 1, v.get(rd::D_DATA_CUBE_HEIGHT_HEIGHT) + 1,
             v.get(rd::D_DATA_CUBE_CHANNEL_CHANNEL) + 1};
  op.main = !v.flag(rd::D_FEATURE_MODE_CFG_FLYING_MODE);
  if (const uint32_t p = v.get(rd::D_FEATURE_MODE_CFG_PROC_PRECISION); p != 0)
    errors.add("sdp.unsupported_precision",
               "D_FEATURE_MODE_CFG.PROC_PRECISION {}, expected 0 (int8)", p);
  if (v.flag(rd::D_FEATURE_MODE_CFG_WINOGRAD))
    errors.add("sdp.unsupported_winograd", "D_FEATURE_MODE_CFG.WINOGRAD 1, expected 0");
  if (const uint32_t n = v.get(rd::D_FEATURE_MODE_CFG_BATCH_NUMBER); n != 0)
    errors.add("sdp.unsupported_batch", "D_FEATURE_MODE_CFG.BATCH_NUMBER {}, expected 0", n);
  if (op.main) {
    if (const uint32_t p = v.get(rd::D_FEATURE_MODE_CFG_IN_PRECISION); p != 0)
      errors.add("sdp.unsupported_precision",
                 "D_FEATURE_MODE_CFG.IN_PRECISION {}, expected 0 (int8)", p);
    op.src = decode_cube(
        v, hw,
        {"SRC", rd::D_SRC_BASE_ADDR_HIGH_SRC_BASE_ADDR_HIGH,
         rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW, rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE,
         rd::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE},
        ram_type(v.flag(rd::D_SRC_DMA_CFG_SRC_RAM_TYPE)), op.size, true, errors);
  }
  for (unsigned s = 0; s < kStages; ++s) op.operand[s] = decode_operand(v, hw, s, op.size, errors);
  op.count_dma_stalls = v.flag(rd::D_PERF_ENABLE_PERF_DMA_EN);
  if (!errors.list().empty()) return errors.list();
  return op;
}

Diagnostics check_pair(const SdpOp& sdp, const RdmaOp& rdma) {
  Errors errors(fmt::format("SDP group {}, SDP_RDMA group {}", sdp.group, rdma.group));
  if (!(sdp.size == rdma.size))
    errors.add("sdp.cube_mismatch", "SDP cube {}x{}x{}, SDP_RDMA cube {}x{}x{}, expected equal",
               sdp.size.width, sdp.size.height, sdp.size.channels, rdma.size.width,
               rdma.size.height, rdma.size.channels);
  if (sdp.flying == rdma.main)
    errors.add("sdp.flying_mismatch", "SDP FLYING_MODE {}, SDP_RDMA FLYING_MODE {}, expected equal",
               int{sdp.flying}, int{!rdma.main});
  for (unsigned s = 0; s < kStages; ++s) {
    const StageOp& stage = sdp.stage[s];
    const OperandRead& read = rdma.operand[s];
    const auto half = [&](const char* name, const Unary& unary, bool fed) {
      const bool wanted = stage.enabled && unary.enabled && unary.from_memory;
      const bool given = read.enabled && fed;
      if (wanted && !given)
        errors.add("sdp.operand_missing",
                   "{0}_{1}_SRC 1 (memory), but SDP_RDMA reads no {0} {1} data", kStageName[s],
                   name);
      if (given && !wanted)
        errors.add("sdp.operand_unused", "SDP_RDMA reads {0} {1} data that {0} does not take",
                   kStageName[s], name);
    };
    half("ALU", stage.alu, read.alu);
    half("MUL", stage.mul, read.mul);
  }
  return errors.list();
}

std::string SdpOp::summary() const {
  std::string text = fmt::format("{}x{}x{} {}", size.width, size.height, size.channels,
                                 flying ? "from conv" : "from memory");
  for (unsigned s = 0; s < kStages; ++s)
    if (stage[s].enabled) text += fmt::format(" {}", kStageName[s]);
  if (stage[kY].enabled && stage[kY].lut) text += " LUT";
  return text + (to_pdp ? " to pdp" : compare ? " compare" : " to memory");
}

}  // namespace dlavp::sdp
