#include "models/cdp/cdp_op.hpp"

#include "models/common/fixed_point.hpp"
#include "registers.hpp"

namespace dlavp::cdp {

namespace {

namespace r = regs::cdp;
namespace rd = regs::cdp_rdma;

constexpr unsigned kTableAddressBits = 38, kSelectBits = 6;
constexpr unsigned kInOffsetBits = 8, kOutOffsetBits = 25;
// What the functional core is willing to hold of one cube.
constexpr uint64_t kMaxCubeBytes = uint64_t{1} << 31;

int64_t table_address(const regs::RegView& cdp, const regs::Field& high, const regs::Field& low) {
  return sign_extend((uint64_t{cdp.get(high)} << 32) | cdp.get(low), kTableAddressBits);
}

Slope slope(const regs::RegView& cdp, const regs::Field& scale, const regs::Field& shift) {
  return {static_cast<int16_t>(cdp.get_signed(scale)), static_cast<int8_t>(cdp.get_signed(shift))};
}

Table table(const regs::RegView& cdp, const regs::Field& field) {
  return cdp.flag(field) ? Table::kLo : Table::kLe;
}

Lut decode_lut(const regs::RegView& cdp, const LutTables& tables) {
  Lut lut;
  lut.le = tables.le;
  lut.lo = tables.lo;
  lut.le_exponent = cdp.get(r::S_LUT_CFG_LUT_LE_FUNCTION) == r::S_LUT_CFG_LUT_LE_FUNCTION_EXPONENT;
  lut.both_under = table(cdp, r::S_LUT_CFG_LUT_UFLOW_PRIORITY);
  lut.both_over = table(cdp, r::S_LUT_CFG_LUT_OFLOW_PRIORITY);
  lut.otherwise = table(cdp, r::S_LUT_CFG_LUT_HYBRID_PRIORITY);
  lut.le_index_offset = cdp.get_signed(r::S_LUT_INFO_LUT_LE_INDEX_OFFSET);
  const auto select = [&](const regs::Field& field) {
    return static_cast<int>(sign_extend(cdp.get(field), kSelectBits));
  };
  lut.le_select = select(r::S_LUT_INFO_LUT_LE_INDEX_SELECT);
  lut.lo_select = select(r::S_LUT_INFO_LUT_LO_INDEX_SELECT);
  lut.le_start = table_address(cdp, r::S_LUT_LE_START_HIGH_LUT_LE_START_HIGH,
                               r::S_LUT_LE_START_LOW_LUT_LE_START_LOW);
  lut.le_end =
      table_address(cdp, r::S_LUT_LE_END_HIGH_LUT_LE_END_HIGH, r::S_LUT_LE_END_LOW_LUT_LE_END_LOW);
  lut.lo_start = table_address(cdp, r::S_LUT_LO_START_HIGH_LUT_LO_START_HIGH,
                               r::S_LUT_LO_START_LOW_LUT_LO_START_LOW);
  lut.lo_end =
      table_address(cdp, r::S_LUT_LO_END_HIGH_LUT_LO_END_HIGH, r::S_LUT_LO_END_LOW_LUT_LO_END_LOW);
  lut.le_under = slope(cdp, r::S_LUT_LE_SLOPE_SCALE_LUT_LE_SLOPE_UFLOW_SCALE,
                       r::S_LUT_LE_SLOPE_SHIFT_LUT_LE_SLOPE_UFLOW_SHIFT);
  lut.le_over = slope(cdp, r::S_LUT_LE_SLOPE_SCALE_LUT_LE_SLOPE_OFLOW_SCALE,
                      r::S_LUT_LE_SLOPE_SHIFT_LUT_LE_SLOPE_OFLOW_SHIFT);
  lut.lo_under = slope(cdp, r::S_LUT_LO_SLOPE_SCALE_LUT_LO_SLOPE_UFLOW_SCALE,
                       r::S_LUT_LO_SLOPE_SHIFT_LUT_LO_SLOPE_UFLOW_SHIFT);
  lut.lo_over = slope(cdp, r::S_LUT_LO_SLOPE_SCALE_LUT_LO_SLOPE_OFLOW_SCALE,
                      r::S_LUT_LO_SLOPE_SHIFT_LUT_LO_SLOPE_OFLOW_SHIFT);
  return lut;
}

void check_cube(const char* name, const CubeRef& cube, const HwConfig& hw, const std::string& place,
                Diagnostics& errors) {
  if (cube.ram == RamType::kCv && !hw.secondary_memif)
    errors.add("cdp.no_secondary_memory", place,
               fmt::format("{}_RAM_TYPE CV, the configuration has no CVIF", name));
  const uint32_t atom = hw.memory_atomic_size;
  if (cube.address % atom != 0 || cube.line_stride % atom != 0 || cube.surface_stride % atom != 0)
    errors.add(
        "cdp.alignment", place,
        fmt::format("{} address {:#x}, line stride {:#x}, surface stride {:#x}: each must be "
                    "a multiple of the memory atom, {}",
                    name, cube.address, cube.line_stride, cube.surface_stride, atom));
}

}  // namespace

std::string CdpOp::summary() const {
  return fmt::format("{}x{}x{}, window {}{}{}", size.width, size.height, size.channels, window,
                     sqsum_bypass ? ", sum bypassed" : "",
                     mul_bypass ? ", multiplier bypassed" : "");
}

Result<CdpOp> decode(const regs::RegView& cdp, const regs::RegView& rdma, const LutTables& tables,
                     const HwConfig& hw) {
  const std::string place = fmt::format("CDP group {}", cdp.group());
  Diagnostics errors;
  CdpOp op;
  op.size = {rdma.get(rd::D_DATA_CUBE_WIDTH_WIDTH) + 1, rdma.get(rd::D_DATA_CUBE_HEIGHT_HEIGHT) + 1,
             rdma.get(rd::D_DATA_CUBE_CHANNEL_CHANNEL) + 1};
  op.surfaces = (op.size.channels + hw.memory_atomic_size - 1) / hw.memory_atomic_size;
  op.src = {static_cast<RamType>(rdma.get(rd::D_SRC_DMA_CFG_SRC_RAM_TYPE)),
            rdma.address(rd::D_SRC_BASE_ADDR_HIGH_SRC_BASE_ADDR_HIGH,
                         rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW),
            rdma.get(rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE),
            rdma.get(rd::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE)};
  op.dst = {static_cast<RamType>(cdp.get(r::D_DST_DMA_CFG_DST_RAM_TYPE)),
            cdp.address(r::D_DST_BASE_ADDR_HIGH_DST_BASE_ADDR_HIGH,
                        r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW),
            cdp.get(r::D_DST_LINE_STRIDE_DST_LINE_STRIDE),
            cdp.get(r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE)};
  check_cube("SRC", op.src, hw, place, errors);
  check_cube("DST", op.dst, hw, place, errors);
  const uint32_t precision = cdp.get(r::D_DATA_FORMAT_INPUT_DATA_TYPE);
  const bool only_int8 =  // such a design ignores the field
      !hw.supports_feature(DataType::kInt16) && !hw.supports_feature(DataType::kFp16);
  if (!only_int8 && precision != r::D_DATA_FORMAT_INPUT_DATA_TYPE_INT8)
    errors.add("cdp.unsupported_precision", place,
               fmt::format("INPUT_DATA_TYPE {}, only 0 (INT8) is modelled", precision));
  const uint64_t atoms = op.size.pixels() * op.surfaces;
  if (atoms > kMaxCubeBytes / hw.memory_atomic_size)
    errors.add("cdp.unsupported_size", place,
               fmt::format("a cube of {} memory atoms, at most {} are modelled", atoms,
                           kMaxCubeBytes / hw.memory_atomic_size));
  op.window = 3 + 2 * cdp.get(r::D_LRN_CFG_NORMALZ_LEN);
  op.sqsum_bypass = cdp.flag(r::D_FUNC_BYPASS_SQSUM_BYPASS);
  op.mul_bypass = cdp.flag(r::D_FUNC_BYPASS_MUL_BYPASS);
  op.in_offset =
      static_cast<int32_t>(sign_extend(cdp.get(r::D_DATIN_OFFSET_DATIN_OFFSET), kInOffsetBits));
  op.in_scale = cdp.get_signed(r::D_DATIN_SCALE_DATIN_SCALE);
  op.in_shift = cdp.get(r::D_DATIN_SHIFTER_DATIN_SHIFTER);
  op.out_offset =
      static_cast<int32_t>(sign_extend(cdp.get(r::D_DATOUT_OFFSET_DATOUT_OFFSET), kOutOffsetBits));
  op.out_scale = cdp.get_signed(r::D_DATOUT_SCALE_DATOUT_SCALE);
  op.out_shift = cdp.get(r::D_DATOUT_SHIFTER_DATOUT_SHIFTER);
  op.lut = decode_lut(cdp, tables);
  op.count_read_stalls = rdma.flag(rd::D_PERF_ENABLE_DMA_EN);
  op.count_write_stalls = cdp.flag(r::D_PERF_ENABLE_DMA_EN);
  if (!errors.empty()) return errors;
  return op;
}

}  // namespace dlavp::cdp
