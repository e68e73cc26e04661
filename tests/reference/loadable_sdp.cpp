// The point-wise processor of the reference interpreter: X1, X2, Y with LUT, output converter.
// Hardware manual: single data point processor and LUT programming. Equal mode is left out.
#include <bit>

#include "tests/reference/loadable_ops.hpp"

namespace dlavp::reference {
namespace {

/// Shifts left without losing the sign: limited to 32 bits.
int64_t shift_left_32(int64_t x, unsigned shift) {
  for (unsigned i = 0; i < shift && x != 0; ++i) {
    x = limit(x * 2, 32);
    if (x == INT32_MAX || x == INT32_MIN) break;
  }
  return x;
}

/// Two numbers for one element: what the adder and what the multiplier get.
struct Operands {
  int64_t alu = 0, mul = 0;
};

/// Memory operands of one stage at a pixel; lanes beyond the cube's channels get zero.
class OperandReader {
 public:
  OperandReader(const Machine& m, const DlaSdpStage& stage, const DlaCube& cube, uint32_t channels,
                Region& from)
      : atom_(m.atom), stage_(stage), cube_(cube), channels_(channels), from_(from) {}

  Operands at(uint32_t x, uint32_t y, uint32_t c) {
    if (stage_.mode == DLA_PER_LAYER) return {stage_.alu_operand, stage_.mul_operand};
    if (c >= channels_ || stage_.type == DLA_SDP_NONE) return {};
    const uint32_t element = stage_.precision == DLA_INT8 ? 1 : 2;
    const uint32_t numbers = stage_.type == DLA_SDP_BOTH ? 2 : 1;
    const uint64_t size = uint64_t{element} * numbers;
    uint64_t where = c * size;
    if (stage_.mode == DLA_PER_POINT)
      where = uint64_t{c / atom_} * cube_.surf_stride + uint64_t{y} * cube_.line_stride +
              (uint64_t{x} * atom_ + c % atom_) * size;
    const int64_t first = read(where, element);
    if (numbers == 1) return {first, first};
    return {first, read(where + element, element)};
  }

 private:
  int64_t read(uint64_t where, uint32_t element) {
    return element == 1 ? int64_t{from_.get(where)} : int64_t{from_.get16(where)};
  }
  uint32_t atom_;
  const DlaSdpStage& stage_;
  DlaCube cube_;
  uint32_t channels_;
  Region& from_;
};

bool has_alu(const DlaSdpStage& s) { return s.type == DLA_SDP_ALU || s.type == DLA_SDP_BOTH; }
bool has_mul(const DlaSdpStage& s) { return s.type == DLA_SDP_MUL || s.type == DLA_SDP_BOTH; }

int64_t alu(unsigned type, int64_t data, int64_t operand) {
  if (type == DLA_ALU_MAX) return std::max(data, operand);
  if (type == DLA_ALU_MIN) return std::min(data, operand);
  return data + operand;
}

/// X1 and X2: adder, multiplier, truncation, ReLU. The truncation acts even without a multiplier.
int64_t x_stage(const DlaSdpStage& s, int64_t data, const Operands& o) {
  if (s.enable == 0) return data;
  int64_t v = data;
  if (has_alu(s)) v = alu(s.alu_type, v, shift_left_32(low_bits(o.alu, 16), s.shift_value & 63U));
  if (has_mul(s) && s.act == DLA_ACT_PRELU && v >= 0) return low_bits(v, 32);
  if (has_mul(s)) v *= low_bits(o.mul, 16);
  v = limit(divide_pow2(v, s.truncate & 63U), 32);
  return s.act == DLA_ACT_RELU ? std::max<int64_t>(v, 0) : v;
}

int64_t y_operand(const DlaSdpStage& s, const DlaConverter& cvt, int64_t operand) {
  if (s.mode == DLA_PER_LAYER) return operand;
  if (cvt.enable == 0) return low_bits(operand, 16);
  const int64_t scaled = (low_bits(operand, 16) - cvt.offset) * cvt.scale;
  return limit(divide_pow2(scaled, cvt.truncate & 63U), 32);
}

/// Y before its LUT: multiplier with truncation first, then the adder.
int64_t y_stage(const DlaSdpStage& s, int64_t data, const Operands& o) {
  int64_t v = data;
  if (has_mul(s) && !(s.act == DLA_ACT_PRELU && v >= 0))
    v = limit(divide_pow2(v * y_operand(s, s.cvt.mul_cvt, o.mul), s.truncate), 32);
  if (has_alu(s)) v = limit(alu(s.alu_type, v, y_operand(s, s.cvt.alu_cvt, o.alu)), 32);
  return v;
}

/// How one table answers an input: inside with a position, or outside with the line to follow.
struct Lookup {
  bool under = false, over = false;
  uint32_t index = 0;
  int64_t fraction = 0;  ///< of 2^35
  [[nodiscard]] bool hit() const { return !under && !over; }
};

constexpr unsigned kFraction = 35;

Lookup look_linear(int64_t x, int32_t start, int select, uint32_t last) {
  Lookup out;
  if (x <= start) {
    out.under = true;
    return out;
  }
  const int64_t d = x - start;
  const int64_t position = select >= 0
                               ? (select > 40 ? 0 : d >> select)
                               : (-select > 20 ? last : std::min<int64_t>(d << -select, last));
  if (position >= last) {
    out.over = true;
    out.index = last;
    return out;
  }
  out.index = static_cast<uint32_t>(position);
  if (select > 0 && select <= 35)
    out.fraction = (d & ((int64_t{1} << select) - 1))
                   << (kFraction - static_cast<unsigned>(select));
  return out;
}

Lookup look_exponent(int64_t x, int32_t start, int offset, uint32_t last) {
  Lookup out;
  const int64_t d = x - start;
  const int log = d <= 0 ? -1 : std::bit_width(static_cast<uint64_t>(d)) - 1;
  if (d <= 0 || log < offset) {
    out.under = true;
    return out;
  }
  if (log - offset >= static_cast<int>(last)) {
    out.over = true;
    out.index = last;
    return out;
  }
  out.index = static_cast<uint32_t>(log - offset);
  out.fraction = (d - (int64_t{1} << log)) << (kFraction - static_cast<unsigned>(log));
  return out;
}

int64_t follow_slope(int64_t distance, const DlaSlope& slope, int64_t edge) {
  const int64_t product = distance * slope.scale;
  const auto shift = static_cast<int>(low_bits(slope.shifter, 5));
  int64_t v = 0;
  if (shift >= 0) {
    v = limit(divide_pow2(product, static_cast<unsigned>(shift)), 32);
  } else {
    v = limit(product, 50);
    for (int i = 0; i < -shift; ++i) v = limit(v * 2, 52);
    v = limit(v, 32);
  }
  return limit(v + edge, 32);
}

int64_t between(int64_t low, int64_t high, int64_t fraction) {
  const int64_t one = int64_t{1} << kFraction;
  return limit(divide_pow2(low * (one - fraction) + high * fraction, kFraction), 32);
}

bool use_lo(const DlaLut& t, const Lookup& le, const Lookup& lo) {
  if (le.under && lo.under) return t.underflow_priority == DLA_LUT_PREFER_LO;
  if (le.over && lo.over) return t.overflow_priority == DLA_LUT_PREFER_LO;
  if (le.hit() != lo.hit()) return lo.hit();
  return t.hybrid_priority == DLA_LUT_PREFER_LO;
}

int64_t lut_value(const DlaLut& t, int64_t x) {
  const auto le_offset = static_cast<int8_t>(t.linear_exp_offset & 0xff);
  const auto lo_select = static_cast<int8_t>(t.linear_only_offset & 0xff);
  const auto le_start = static_cast<int32_t>(t.linear_exp_start);
  const auto lo_start = static_cast<int32_t>(t.linear_only_start);
  const bool exponential = t.method == DLA_LUT_EXPONENT;
  const Lookup le = exponential ? look_exponent(x, le_start, le_offset, DLA_LE_ENTRIES - 1)
                                : look_linear(x, le_start, le_offset, DLA_LE_ENTRIES - 1);
  const Lookup lo = look_linear(x, lo_start, lo_select, DLA_LO_ENTRIES - 1);
  if (use_lo(t, le, lo)) {
    if (lo.under)
      return follow_slope(x - lo_start, t.linear_only_underflow_slope, t.linear_only_table[0]);
    if (lo.over)
      return follow_slope(x - static_cast<int32_t>(t.linear_only_end), t.linear_only_overflow_slope,
                          t.linear_only_table[DLA_LO_ENTRIES - 1]);
    return between(t.linear_only_table[lo.index], t.linear_only_table[lo.index + 1], lo.fraction);
  }
  const int64_t bias = exponential && le_offset >= 0 ? int64_t{1} << le_offset : 0;
  if (le.under)
    return follow_slope(x - le_start - bias, t.linear_exp_underflow_slope, t.linear_exp_table[0]);
  if (le.over)
    return follow_slope(x - static_cast<int32_t>(t.linear_exp_end), t.linear_exp_overflow_slope,
                        t.linear_exp_table[DLA_LE_ENTRIES - 1]);
  return between(t.linear_exp_table[le.index], t.linear_exp_table[le.index + 1], le.fraction);
}

int64_t output_converter(const DlaConverter& c, int64_t v) {
  const int64_t scaled = (v - c.offset) * c.scale;
  return limit(limit(divide_pow2(scaled, c.truncate & 63U), 17), 8);
}

}  // namespace

Grid run_sdp(const Machine& m, const loadable::DlaEntry& e, const Grid& input,
             std::span<Region> operands, const std::vector<DlaLut>& luts) {
  const DlaSdpOp& op = e.operation.sdp;
  const DlaSdpSurface& s = e.surface.sdp;
  const uint32_t channels = s.src_data.channel;
  OperandReader x1(m, op.x1_op, s.x1_data, channels, operands[0]);
  OperandReader x2(m, op.x2_op, s.x2_data, channels, operands[1]);
  OperandReader y_in(m, op.y_op, s.y_data, channels, operands[2]);
  Grid out(input.width, input.height, input.lanes);
  for (uint32_t y = 0; y < input.height; ++y)
    for (uint32_t x = 0; x < input.width; ++x)
      for (uint32_t c = 0; c < input.lanes; ++c) {
        int64_t v = input.values[input.index(x, y, c)];
        v = x_stage(op.x1_op, v, x1.at(x, y, c));
        v = x_stage(op.x2_op, v, x2.at(x, y, c));
        if (op.y_op.enable != 0) {
          v = y_stage(op.y_op, v, y_in.at(x, y, c));
          if (op.y_op.act == DLA_ACT_LUT) v = lut_value(luts[static_cast<size_t>(op.lut_index)], v);
        }
        out.values[out.index(x, y, c)] = static_cast<int32_t>(output_converter(op.out_cvt, v));
      }
  return out;
}

}  // namespace dlavp::reference
