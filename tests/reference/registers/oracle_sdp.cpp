// SDP for one operation from memory or a convolution to memory or PDP: input, X1, X2, Y with its
// tables, output converter, element by element.
#include <algorithm>
#include <utility>
#include <vector>

#include "tests/reference/registers/program.hpp"

namespace dlavp::reference {

namespace {

namespace r = regs::sdp;
namespace rd = regs::sdp_rdma;
using regs::Field;

struct Position {
  uint32_t x, y, surface, lane;
};

struct OperandRegs {
  Field disable, use, size, mode, address, line, surface;
};
const OperandRegs kOperands[3] = {
    {rd::D_BRDMA_CFG_BRDMA_DISABLE, rd::D_BRDMA_CFG_BRDMA_DATA_USE, rd::D_BRDMA_CFG_BRDMA_DATA_SIZE,
     rd::D_BRDMA_CFG_BRDMA_DATA_MODE, rd::D_BS_BASE_ADDR_LOW_BS_BASE_ADDR_LOW,
     rd::D_BS_LINE_STRIDE_BS_LINE_STRIDE, rd::D_BS_SURFACE_STRIDE_BS_SURFACE_STRIDE},
    {rd::D_NRDMA_CFG_NRDMA_DISABLE, rd::D_NRDMA_CFG_NRDMA_DATA_USE, rd::D_NRDMA_CFG_NRDMA_DATA_SIZE,
     rd::D_NRDMA_CFG_NRDMA_DATA_MODE, rd::D_BN_BASE_ADDR_LOW_BN_BASE_ADDR_LOW,
     rd::D_BN_LINE_STRIDE_BN_LINE_STRIDE, rd::D_BN_SURFACE_STRIDE_BN_SURFACE_STRIDE},
    {rd::D_ERDMA_CFG_ERDMA_DISABLE, rd::D_ERDMA_CFG_ERDMA_DATA_USE, rd::D_ERDMA_CFG_ERDMA_DATA_SIZE,
     rd::D_ERDMA_CFG_ERDMA_DATA_MODE, rd::D_EW_BASE_ADDR_LOW_EW_BASE_ADDR_LOW,
     rd::D_EW_LINE_STRIDE_EW_LINE_STRIDE, rd::D_EW_SURFACE_STRIDE_EW_SURFACE_STRIDE}};

class Element {
 public:
  Element(const Program& program, Position at) : p_(program), at_(at) {
    width_ = p_.sdp.get(r::D_DATA_CUBE_WIDTH_WIDTH) + 1;
    height_ = p_.sdp.get(r::D_DATA_CUBE_HEIGHT_HEIGHT) + 1;
  }

  int64_t compute(const Source& source) {
    int64_t v =
        source ? source(at_.x, at_.y, at_.surface, at_.lane)
               : load(*p_.memory, place(rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW,
                                        rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE,
                                        rd::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE, p_.sdp_rdma));
    if (!flag(r::D_DP_BS_CFG_BS_BYPASS))
      v = x_stage(
          v, 0,
          {r::D_DP_BS_CFG_BS_ALU_BYPASS, r::D_DP_BS_CFG_BS_ALU_ALGO, r::D_DP_BS_CFG_BS_MUL_BYPASS,
           r::D_DP_BS_CFG_BS_MUL_PRELU, r::D_DP_BS_CFG_BS_RELU_BYPASS,
           r::D_DP_BS_ALU_CFG_BS_ALU_SRC, r::D_DP_BS_ALU_CFG_BS_ALU_SHIFT_VALUE,
           r::D_DP_BS_ALU_SRC_VALUE_BS_ALU_OPERAND, r::D_DP_BS_MUL_CFG_BS_MUL_SRC,
           r::D_DP_BS_MUL_CFG_BS_MUL_SHIFT_VALUE, r::D_DP_BS_MUL_SRC_VALUE_BS_MUL_OPERAND});
    if (!flag(r::D_DP_BN_CFG_BN_BYPASS))
      v = x_stage(
          v, 1,
          {r::D_DP_BN_CFG_BN_ALU_BYPASS, r::D_DP_BN_CFG_BN_ALU_ALGO, r::D_DP_BN_CFG_BN_MUL_BYPASS,
           r::D_DP_BN_CFG_BN_MUL_PRELU, r::D_DP_BN_CFG_BN_RELU_BYPASS,
           r::D_DP_BN_ALU_CFG_BN_ALU_SRC, r::D_DP_BN_ALU_CFG_BN_ALU_SHIFT_VALUE,
           r::D_DP_BN_ALU_SRC_VALUE_BN_ALU_OPERAND, r::D_DP_BN_MUL_CFG_BN_MUL_SRC,
           r::D_DP_BN_MUL_CFG_BN_MUL_SHIFT_VALUE, r::D_DP_BN_MUL_SRC_VALUE_BN_MUL_OPERAND});
    if (!flag(r::D_DP_EW_CFG_EW_BYPASS)) v = y_stage(v);
    const int64_t scaled =
        (v - signed_reg(r::D_CVT_OFFSET_CVT_OFFSET)) * signed_reg(r::D_CVT_SCALE_CVT_SCALE);
    return clamp_bits(divide(scaled, p_.sdp.get(r::D_CVT_SHIFT_CVT_SHIFT), 49), 8);
  }

  [[nodiscard]] uint64_t place(const Field& base, const Field& line, const Field& surface,
                               const Registers& regs, unsigned bytes = 1) const {
    const uint64_t row = uint64_t{p_.atom} * bytes;
    if (width_ == 1 && height_ == 1)
      return regs.get(base) + at_.surface * row + uint64_t{at_.lane} * bytes;
    return regs.get(base) + uint64_t{at_.surface} * regs.get(surface) +
           uint64_t{at_.y} * regs.get(line) + at_.x * row + uint64_t{at_.lane} * bytes;
  }

 private:
  struct XRegs {
    Field alu_bypass, algo, mul_bypass, prelu, relu_bypass, alu_src, alu_shift, alu_value, mul_src,
        mul_shift, mul_value;
  };
  [[nodiscard]] bool flag(const Field& f) const { return p_.sdp.get(f) != 0; }
  [[nodiscard]] int64_t signed_reg(const Field& f) const { return p_.sdp.get_signed(f); }

  /// The operand of stage `s` from memory; with both uses ALU and MUL values alternate.
  [[nodiscard]] int64_t operand(unsigned s, bool alu) const {
    const OperandRegs& o = kOperands[s];
    const bool both = p_.sdp_rdma.get(o.use) == 2, two = p_.sdp_rdma.get(o.size) != 0;
    const unsigned stride = (both ? 2 : 1) * (two ? 2 : 1);
    uint64_t address = 0;
    if (p_.sdp_rdma.get(o.mode) != 0)
      address = place(o.address, o.line, o.surface, p_.sdp_rdma, stride);
    else
      address = p_.sdp_rdma.get(o.address) + (uint64_t{at_.surface} * p_.atom + at_.lane) * stride;
    if (both && !alu) address += two ? 2 : 1;
    const int64_t low = load(*p_.memory, address);
    return two ? load(*p_.memory, address + 1) * 256 + (low & 0xff) : low;
  }

  int64_t x_stage(int64_t v, unsigned s, const XRegs& f) const {
    if (!flag(f.alu_bypass)) {
      int64_t a = flag(f.alu_src) ? operand(s, true) : signed_reg(f.alu_value);
      for (uint32_t i = 0; i < p_.sdp.get(f.alu_shift); ++i) a = clamp_bits(a * 2, 32);
      const uint32_t algo = p_.sdp.get(f.algo);
      v = algo == 0 ? std::max(v, a) : algo == 1 ? std::min(v, a) : v + a;
    }
    const uint32_t shift = p_.sdp.get(f.mul_shift) % 64;
    bool plain = false;
    if (!flag(f.mul_bypass)) {
      const int64_t m = flag(f.mul_src) ? operand(s, false) : signed_reg(f.mul_value);
      plain = flag(f.prelu) && v >= 0;
      if (!plain) v *= m;
    }
    if (plain) {
      v &= 0xffffffff;
      if (v > INT32_MAX) v -= int64_t{1} << 32;
    } else {
      v = clamp_bits(divide(v, shift, 49), 32);
    }
    return !flag(f.relu_bypass) && v < 0 ? 0 : v;
  }

  [[nodiscard]] int64_t y_operand(bool alu) const {
    const int64_t v = operand(2, alu);
    if (flag(alu ? r::D_DP_EW_ALU_CFG_EW_ALU_CVT_BYPASS : r::D_DP_EW_MUL_CFG_EW_MUL_CVT_BYPASS))
      return v;
    const int64_t offset = signed_reg(alu ? r::D_DP_EW_ALU_CVT_OFFSET_VALUE_EW_ALU_CVT_OFFSET
                                          : r::D_DP_EW_MUL_CVT_OFFSET_VALUE_EW_MUL_CVT_OFFSET);
    const int64_t scale = signed_reg(alu ? r::D_DP_EW_ALU_CVT_SCALE_VALUE_EW_ALU_CVT_SCALE
                                         : r::D_DP_EW_MUL_CVT_SCALE_VALUE_EW_MUL_CVT_SCALE);
    const uint32_t shift = p_.sdp.get(alu ? r::D_DP_EW_ALU_CVT_TRUNCATE_VALUE_EW_ALU_CVT_TRUNCATE
                                          : r::D_DP_EW_MUL_CVT_TRUNCATE_VALUE_EW_MUL_CVT_TRUNCATE);
    return clamp_bits(divide((v - offset) * scale, shift, 49), 32);
  }

  int64_t y_stage(int64_t v) const {
    if (!flag(r::D_DP_EW_CFG_EW_MUL_BYPASS)) {
      const int64_t m = flag(r::D_DP_EW_MUL_CFG_EW_MUL_SRC)
                            ? y_operand(false)
                            : signed_reg(r::D_DP_EW_MUL_SRC_VALUE_EW_MUL_OPERAND);
      if (!flag(r::D_DP_EW_CFG_EW_MUL_PRELU) || v < 0)
        v = clamp_bits(divide(v * m, p_.sdp.get(r::D_DP_EW_TRUNCATE_VALUE_EW_TRUNCATE), 64), 32);
    }
    if (!flag(r::D_DP_EW_CFG_EW_ALU_BYPASS)) {
      const int64_t a = flag(r::D_DP_EW_ALU_CFG_EW_ALU_SRC)
                            ? y_operand(true)
                            : signed_reg(r::D_DP_EW_ALU_SRC_VALUE_EW_ALU_OPERAND);
      const uint32_t algo = p_.sdp.get(r::D_DP_EW_CFG_EW_ALU_ALGO);
      v = algo == 0 ? std::max(v, a) : algo == 1 ? std::min(v, a) : clamp_bits(v + a, 32);
    }
    return flag(r::D_DP_EW_CFG_EW_LUT_BYPASS) ? v : look_up(v);
  }

  enum class Miss { kHit, kUnder, kOver };
  struct Found {
    Miss miss = Miss::kHit;
    int64_t index = 0;
    int64_t fraction = 0;  ///< of 2^35
  };

  static Found find_linear(int64_t v, int64_t start, int64_t select, int64_t last) {
    if (v <= start) return {Miss::kUnder, 0, 0};
    const int64_t distance = v - start;
    if (select < 0) {
      int64_t index = distance;
      for (int64_t i = 0; i < -select && index < last; ++i) index *= 2;
      return index >= last ? Found{Miss::kOver, last, 0} : Found{Miss::kHit, index, 0};
    }
    if (select >= 40) return {Miss::kHit, 0, select < 70 ? distance >> (select - 35) : 0};
    const int64_t step = int64_t{1} << select, index = distance / step, rest = distance % step;
    if (index >= last) return {Miss::kOver, last, 0};
    return {Miss::kHit, index,
            select <= 28 ? (rest << 35) / step
                         : (select <= 35 ? rest << (35 - select) : rest >> (select - 35))};
  }
  static Found find_exponent(int64_t v, int64_t start, int64_t offset, int64_t last) {
    if (v <= start) return {Miss::kUnder, 0, 0};
    const int64_t distance = v - start;
    int64_t log = 0;
    while ((distance >> (log + 1)) != 0) ++log;
    if (log < offset) return {Miss::kUnder, 0, 0};
    if (log - offset >= last) return {Miss::kOver, last, 0};
    return {Miss::kHit, log - offset, (distance - (int64_t{1} << log)) << (35 - log)};
  }

  [[nodiscard]] int64_t look_up(int64_t v) const {
    const bool linear = flag(r::S_LUT_CFG_LUT_LE_FUNCTION);
    const int64_t offset = signed_reg(r::S_LUT_INFO_LUT_LE_INDEX_OFFSET);
    const int64_t le_start = signed_reg(r::S_LUT_LE_START_LUT_LE_START);
    const int64_t lo_start = signed_reg(r::S_LUT_LO_START_LUT_LO_START);
    const Found le =
        linear ? find_linear(v, le_start, signed_reg(r::S_LUT_INFO_LUT_LE_INDEX_SELECT), 64)
               : find_exponent(v, le_start, offset, 64);
    const Found lo = find_linear(v, lo_start, signed_reg(r::S_LUT_INFO_LUT_LO_INDEX_SELECT), 256);
    bool take_lo = flag(r::S_LUT_CFG_LUT_HYBRID_PRIORITY);
    if (le.miss == Miss::kUnder && lo.miss == Miss::kUnder)
      take_lo = flag(r::S_LUT_CFG_LUT_UFLOW_PRIORITY);
    else if (le.miss == Miss::kOver && lo.miss == Miss::kOver)
      take_lo = flag(r::S_LUT_CFG_LUT_OFLOW_PRIORITY);
    else if (le.miss == Miss::kHit && lo.miss != Miss::kHit)
      take_lo = false;
    else if (lo.miss == Miss::kHit && le.miss != Miss::kHit)
      take_lo = true;
    const Found& at = take_lo ? lo : le;
    const auto entry = [&](int64_t i) -> int64_t {
      const auto n = static_cast<size_t>(i);
      return take_lo ? p_.sdp_tables.lo[n] : p_.sdp_tables.le[n];
    };
    if (at.miss == Miss::kHit) {
      const int64_t one = int64_t{1} << 35;
      return clamp_bits(
          divide(entry(at.index) * (one - at.fraction) + entry(at.index + 1) * at.fraction, 35, 53),
          32);
    }
    const bool under = at.miss == Miss::kUnder;
    int64_t base = take_lo ? (under ? lo_start : signed_reg(r::S_LUT_LO_END_LUT_LO_END))
                           : (under ? le_start : signed_reg(r::S_LUT_LE_END_LUT_LE_END));
    if (!take_lo && under && !linear && offset >= 0 && offset < 32) base += int64_t{1} << offset;
    const int64_t scale =
        signed_reg(take_lo ? (under ? r::S_LUT_LO_SLOPE_SCALE_LUT_LO_SLOPE_UFLOW_SCALE
                                    : r::S_LUT_LO_SLOPE_SCALE_LUT_LO_SLOPE_OFLOW_SCALE)
                           : (under ? r::S_LUT_LE_SLOPE_SCALE_LUT_LE_SLOPE_UFLOW_SCALE
                                    : r::S_LUT_LE_SLOPE_SCALE_LUT_LE_SLOPE_OFLOW_SCALE));
    const int64_t shift =
        signed_reg(take_lo ? (under ? r::S_LUT_LO_SLOPE_SHIFT_LUT_LO_SLOPE_UFLOW_SHIFT
                                    : r::S_LUT_LO_SLOPE_SHIFT_LUT_LO_SLOPE_OFLOW_SHIFT)
                           : (under ? r::S_LUT_LE_SLOPE_SHIFT_LUT_LE_SLOPE_UFLOW_SHIFT
                                    : r::S_LUT_LE_SLOPE_SHIFT_LUT_LE_SLOPE_OFLOW_SHIFT));
    return clamp_bits(shift_signed((v - base) * scale, shift, 32) + entry(at.index), 32);
  }

  const Program& p_;
  Position at_;
  uint32_t width_, height_;
};

}  // namespace

int64_t sdp_element(const Program& p, uint32_t x, uint32_t y, uint32_t surface, uint32_t lane,
                    const Source& source) {
  return Element(p, {x, y, surface, lane}).compute(source);
}

std::vector<uint64_t> run_sdp(const Program& p, const Source& source) {
  const uint32_t width = p.sdp.get(r::D_DATA_CUBE_WIDTH_WIDTH) + 1;
  const uint32_t height = p.sdp.get(r::D_DATA_CUBE_HEIGHT_HEIGHT) + 1;
  const uint32_t channels = p.sdp.get(r::D_DATA_CUBE_CHANNEL_CHANNEL) + 1;
  std::vector<std::pair<uint64_t, int64_t>> results;  // all reads come before all writes
  for (uint32_t s = 0; s * p.atom < channels; ++s)
    for (uint32_t y = 0; y < height; ++y)
      for (uint32_t x = 0; x < width; ++x)
        for (uint32_t lane = 0; lane < p.atom; ++lane) {
          Element element(p, {x, y, s, lane});
          results.emplace_back(element.place(r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW,
                                             r::D_DST_LINE_STRIDE_DST_LINE_STRIDE,
                                             r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE, p.sdp),
                               element.compute(source));
        }
  std::vector<uint64_t> written;
  for (const auto& [address, value] : results) {
    store(*p.memory, address, value);
    written.push_back(address);
  }
  return written;
}

}  // namespace dlavp::reference
