// The CDP: input converter, sum of squares, two tables, product, output converter.
#include "compiler/interpreter/lrn_interpreter.hpp"

#include <bit>

#include "models/common/fixed_point.hpp"

namespace dlavp::compiler {
namespace {

constexpr int64_t kFractionBits = 16;

struct Hit {
  bool under = false, over = false;
  int64_t value = 0;
  [[nodiscard]] bool inside() const { return !under && !over; }
};

int64_t slope(int64_t edge, int64_t distance, const LutSlope& s) {
  const int64_t product = distance * s.scale;
  const int64_t part = s.shift >= 0 ? round_shift_right(product, static_cast<unsigned>(s.shift))
                                    : product * (int64_t{1} << -s.shift);
  return saturate(edge + part, 16);
}

int64_t between(const std::vector<int16_t>& table, size_t i, int64_t fraction) {
  const int64_t y0 = table[i], y1 = table[i + 1];
  return saturate(y0 + round_shift_right((y1 - y0) * fraction, kFractionBits), 16);
}

Hit linear(const std::vector<int16_t>& table, int64_t x, int64_t start, int64_t end, int8_t select,
           const LutSlope& under, const LutSlope& over) {
  const int64_t d = x - start;
  if (d <= 0) return {true, false, slope(table.front(), d, under)};
  const int64_t i = select >= 0 ? d >> select : d << -select;
  if (i >= static_cast<int64_t>(table.size()) - 1)
    return {false, true, slope(table.back(), x - end, over)};
  const int64_t low = select > 0 ? d & ((int64_t{1} << select) - 1) : 0;
  const int64_t fraction = select > kFractionBits
                               ? low >> (select - kFractionBits)
                               : low << (select > 0 ? kFractionBits - select : 0);
  return {false, false, between(table, static_cast<size_t>(i), fraction)};
}

Hit octaves(const Lut& lut, int64_t x) {
  const int64_t d = x - lut.le_start;
  const int64_t bias = lut.le_index >= 0 ? int64_t{1} << lut.le_index : 0;
  const Hit below{true, false, slope(lut.le.front(), d - bias, lut.le_under)};
  if (d <= 0) return below;
  const int64_t octave = std::bit_width(static_cast<uint64_t>(d)) - 1;
  const int64_t i = octave - lut.le_index;
  if (i < 0) return below;
  if (i >= static_cast<int64_t>(lut.le.size()) - 1)
    return {false, true, slope(lut.le.back(), x - lut.le_end, lut.le_over)};
  const int64_t low = d - (int64_t{1} << octave);
  const int64_t fraction =
      octave > kFractionBits ? low >> (octave - kFractionBits) : low << (kFractionBits - octave);
  return {false, false, between(lut.le, static_cast<size_t>(i), fraction)};
}

}  // namespace

int64_t cdp_look_up(const Lut& lut, int64_t x) {
  const Hit le = lut.le_exponential ? octaves(lut, x)
                                    : linear(lut.le, x, lut.le_start, lut.le_end, lut.le_index,
                                             lut.le_under, lut.le_over);
  const Hit lo =
      linear(lut.lo, x, lut.lo_start, lut.lo_end, lut.lo_index, lut.lo_under, lut.lo_over);
  bool use_lo = lut.lo_when_both_hit;
  if (le.under && lo.under) {
    use_lo = lut.lo_when_under;
  } else if (le.over && lo.over) {
    use_lo = lut.lo_when_over;
  } else if (le.inside() != lo.inside()) {
    use_lo = lo.inside();
  }
  return use_lo ? lo.value : le.value;
}

void interpret_lrn(const LayerProgram& program, const Layer& layer, const LrnLayer& lrn,
                   Int8Values& values) {
  const Shape& s = program.tensors[layer.output].shape;
  const int64_t plane = s.h * s.w, reach = lrn.size / 2;
  const std::vector<int8_t>& in = values[lrn.input];
  std::vector<int8_t>& out = values[layer.output];
  std::vector<int64_t> x(static_cast<size_t>(s.c));
  for (int64_t p = 0; p < plane; ++p) {
    for (int64_t c = 0; c < s.c; ++c) {
      x[static_cast<size_t>(c)] =
          rshr(in[static_cast<size_t>(c * plane + p)] * int64_t{lrn.in_scale}, lrn.in_shift, 9);
    }
    for (int64_t c = 0; c < s.c; ++c) {
      int64_t squares = 0;
      for (int64_t i = std::max<int64_t>(0, c - reach); i <= std::min(s.c - 1, c + reach); ++i)
        squares += x[static_cast<size_t>(i)] * x[static_cast<size_t>(i)];
      const int64_t product = x[static_cast<size_t>(c)] * cdp_look_up(lrn.lut, squares);
      out[static_cast<size_t>(c * plane + p)] =
          static_cast<int8_t>(rshr(product * lrn.out_scale, lrn.out_shift, 8));
    }
  }
}

}  // namespace dlavp::compiler
