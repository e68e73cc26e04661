// Pooling and local response normalisation of the reference interpreter. Hardware manual: planar
// data processor, cross-channel data processor, LUT programming.
#include <bit>

#include "tests/reference/loadable_ops.hpp"

namespace dlavp::reference {
namespace {

struct Window {
  int64_t sum = 0, largest = INT8_MIN, smallest = INT8_MAX;
  uint32_t missing_rows = 0;
  int64_t padding = 0;  ///< contribution of missing columns
};

/// How many of `size` positions from `start` lie before 0 and at or after `end`.
struct Missing {
  uint32_t before, after;
};
Missing missing(int64_t start, uint32_t size, uint32_t end) {
  Missing out{0, 0};
  for (uint32_t i = 0; i < size; ++i) {
    if (start + i < 0) ++out.before;
    if (start + i >= end) ++out.after;
  }
  return out;
}

int64_t padding_of(const DlaPdpOp& op, uint32_t count) {
  return count == 0 || count > 7 ? 0 : low_bits(op.padding_value[count - 1], 19);
}

Window gather(const DlaPdpOp& op, const Grid& in, int64_t x0, int64_t y0, uint32_t c) {
  const uint32_t kw = op.pool_width + 1U, kh = op.pool_height + 1U;
  const Missing columns = missing(x0, kw, in.width);
  Window w;
  for (uint32_t r = 0; r < kh; ++r) {
    if (y0 + r < 0 || y0 + r >= in.height) continue;
    w.padding += padding_of(op, columns.before) + padding_of(op, columns.after);
    for (uint32_t s = 0; s < kw; ++s) {
      if (x0 + s < 0 || x0 + s >= in.width) continue;
      const int64_t v =
          in.values[in.index(static_cast<uint32_t>(x0 + s), static_cast<uint32_t>(y0 + r), c)];
      w.sum += v;
      w.largest = std::max(w.largest, v);
      w.smallest = std::min(w.smallest, v);
    }
  }
  const Missing rows = missing(y0, kh, in.height);
  w.padding += (padding_of(op, rows.before) + padding_of(op, rows.after)) * kw;
  return w;
}

int64_t pooled(const DlaPdpOp& op, const Window& w) {
  if (op.pool_mode == DLA_POOL_MAX) return w.largest;
  if (op.pool_mode == DLA_POOL_MIN) return w.smallest;
  // The firmware interface has no reciprocals: 2^16 over the kernel size, rounded down.
  const int64_t by_width = 65536 / (op.pool_width + 1), by_height = 65536 / (op.pool_height + 1);
  const int64_t once = divide_pow2((w.sum + w.padding) * by_width, 16);
  return low_bits(divide_pow2(once * by_height, 16), 8);
}

int64_t convert_in(const DlaConverter& c, int64_t v) {
  const int64_t scaled = (v - low_bits(c.offset, 8)) * c.scale;
  return limit(divide_pow2(scaled, c.truncate & 31U), 9);
}

/// CDP's table position: the fraction has 16 bits only.
struct Position {
  bool under = false, over = false;
  uint32_t index = 0;
  int64_t fraction = 0;
  [[nodiscard]] bool hit() const { return !under && !over; }
};

Position look_linear(int64_t d, int select, uint32_t last) {
  Position p;
  p.under = d <= 0;
  if (p.under) return p;
  const int64_t at = select >= 0 ? d >> select : (-select > 20 ? last : d << -select);
  p.over = at >= last;
  p.index = p.over ? last : static_cast<uint32_t>(at);
  if (p.over || select <= 0) return p;
  const int64_t rest = d & ((int64_t{1} << select) - 1);
  p.fraction = select >= 16 ? rest >> (select - 16) : rest << (16 - select);
  return p;
}

Position look_exponent(int64_t d, int offset, uint32_t last) {
  Position p;
  const int log = d <= 0 ? 0 : std::bit_width(static_cast<uint64_t>(d)) - 1;
  p.under = d <= 0 || log < offset;
  if (p.under) return p;
  p.over = log - offset >= static_cast<int>(last);
  p.index = p.over ? last : static_cast<uint32_t>(log - offset);
  if (p.over) return p;
  const int64_t rest = d - (int64_t{1} << log);
  p.fraction = log >= 16 ? rest >> (log - 16) : rest << (16 - log);
  return p;
}

int64_t follow(int64_t distance, const DlaSlope& slope, int64_t edge) {
  const auto shift = static_cast<int>(low_bits(slope.shifter, 5));
  const int64_t product = distance * slope.scale;
  const int64_t v = shift >= 0 ? divide_pow2(product, static_cast<unsigned>(shift))
                               : limit(product, 45) * (int64_t{1} << -shift);
  return limit(edge + v, 16);
}

int64_t between(int64_t low, int64_t high, int64_t fraction) {
  return limit(low + divide_pow2((high - low) * fraction, 16), 16);
}

int64_t look_up(const DlaLut& t, int64_t x) {
  const auto le_offset = static_cast<int8_t>(t.linear_exp_offset & 0xff);
  const auto lo_select = static_cast<int>(low_bits(t.linear_only_offset, 6));
  const int64_t le_start = low_bits(static_cast<int64_t>(t.linear_exp_start), 38);
  const int64_t lo_start = low_bits(static_cast<int64_t>(t.linear_only_start), 38);
  const bool exponential = t.method == DLA_LUT_EXPONENT;
  const Position le =
      exponential
          ? look_exponent(x - le_start, le_offset, DLA_LE_ENTRIES - 1)
          : look_linear(x - le_start, static_cast<int>(low_bits(le_offset, 6)), DLA_LE_ENTRIES - 1);
  const Position lo = look_linear(x - lo_start, lo_select, DLA_LO_ENTRIES - 1);
  bool take_lo = t.hybrid_priority == DLA_LUT_PREFER_LO;
  if (le.under && lo.under)
    take_lo = t.underflow_priority == DLA_LUT_PREFER_LO;
  else if (le.over && lo.over)
    take_lo = t.overflow_priority == DLA_LUT_PREFER_LO;
  else if (le.hit() != lo.hit())
    take_lo = lo.hit();
  const Position& p = take_lo ? lo : le;
  const auto entry = [&](uint32_t i) {
    return int64_t{take_lo ? t.linear_only_table[i] : t.linear_exp_table[i]};
  };
  if (p.hit()) return between(entry(p.index), entry(p.index + 1), p.fraction);
  if (p.under) {
    const int64_t bias = !take_lo && exponential && le_offset >= 0 ? int64_t{1} << le_offset : 0;
    return follow(x - (take_lo ? lo_start : le_start + bias),
                  take_lo ? t.linear_only_underflow_slope : t.linear_exp_underflow_slope, entry(0));
  }
  const auto end = static_cast<int64_t>(take_lo ? t.linear_only_end : t.linear_exp_end);
  return follow(x - low_bits(end, 38),
                take_lo ? t.linear_only_overflow_slope : t.linear_exp_overflow_slope,
                entry(p.index));
}

int64_t convert_out(const DlaConverter& c, int64_t v) {
  const int64_t scaled = (v - low_bits(c.offset, 25)) * c.scale;
  return limit(divide_pow2(scaled, c.truncate & 63U), 8);
}

}  // namespace

Grid run_pdp(const loadable::DlaEntry& e, const Grid& in) {
  const DlaPdpOp& op = e.operation.pdp;
  const DlaCube dst = e.surface.pair.dst_data;
  Grid out(dst.width, dst.height, in.lanes);
  for (uint32_t y = 0; y < out.height; ++y)
    for (uint32_t x = 0; x < out.width; ++x)
      for (uint32_t c = 0; c < out.lanes; ++c) {
        const int64_t x0 = int64_t{x} * op.stride_x - op.pad_left;
        const int64_t y0 = int64_t{y} * op.stride_y - op.pad_top;
        out.values[out.index(x, y, c)] =
            static_cast<int32_t>(pooled(op, gather(op, in, x0, y0, c)));
      }
  return out;
}

Grid run_cdp(const loadable::DlaEntry& e, const Grid& in, const std::vector<DlaLut>& luts) {
  const DlaCdpOp& op = e.operation.cdp;
  const uint32_t channels = e.surface.pair.src_data.channel;
  const int half = op.local_size / 2;
  Grid out(in.width, in.height, in.lanes);
  for (uint32_t y = 0; y < in.height; ++y)
    for (uint32_t x = 0; x < in.width; ++x)
      for (uint32_t c = 0; c < in.lanes; ++c) {
        // Channels outside the cube convert to zero.
        const auto value = [&](int64_t channel) -> int64_t {
          if (channel < 0 || channel >= channels) return 0;
          const size_t at = in.index(x, y, static_cast<uint32_t>(channel));
          return convert_in(op.in_cvt, in.values[at]);
        };
        int64_t sum = 0;
        for (int i = -half; i <= half; ++i) sum += value(int64_t{c} + i) * value(int64_t{c} + i);
        if (op.bypass_sqsum != 0) sum = value(c);
        int64_t v = op.lut_index < 0 ? 0 : look_up(luts[static_cast<size_t>(op.lut_index)], sum);
        if (op.bypass_out_mul == 0) v *= value(c);
        out.values[out.index(x, y, c)] = static_cast<int32_t>(convert_out(op.out_cvt, v));
      }
  return out;
}

}  // namespace dlavp::reference
