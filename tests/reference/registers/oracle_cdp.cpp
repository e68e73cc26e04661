// CDP for one operation from memory to memory: input converter, sum of squares over channels,
// look-up tables, product, output converter.
#include <utility>
#include <vector>

#include "tests/reference/registers/program.hpp"

namespace dlavp::reference {

namespace {

namespace r = regs::cdp;
namespace rd = regs::cdp_rdma;

int64_t wide(const Program& p, const regs::Field& high, const regs::Field& low) {
  const int64_t raw = (int64_t{p.cdp.get(high)} << 32) | p.cdp.get(low), top = int64_t{1} << 37;
  return raw >= top ? raw - 2 * top : raw;
}

struct Found {
  int miss = 0;                     ///< -1 below, 1 above
  int64_t index = 0, fraction = 0;  ///< of 2^16
};

Found find_linear(int64_t v, int64_t start, int64_t select, int64_t last) {
  const int64_t distance = v - start;
  if (distance <= 0) return {-1, 0, 0};
  if (select < 0) {
    int64_t index = distance;
    for (int64_t i = 0; i < -select && index < last; ++i) index *= 2;
    return index >= last ? Found{1, last, 0} : Found{0, index, 0};
  }
  const int64_t step = int64_t{1} << select, index = distance / step, rest = distance % step;
  if (index >= last) return {1, last, 0};
  return {0, index, select <= 16 ? rest << (16 - select) : rest >> (select - 16)};
}

Found find_exponent(int64_t v, int64_t start, int64_t offset, int64_t last) {
  const int64_t distance = v - start;
  if (distance <= 0) return {-1, 0, 0};
  int64_t log = 0;
  while ((distance >> (log + 1)) != 0) ++log;
  if (log < offset) return {-1, 0, 0};
  if (log - offset >= last) return {1, last, 0};
  const int64_t rest = distance - (int64_t{1} << log);
  return {0, log - offset, log <= 16 ? rest << (16 - log) : rest >> (log - 16)};
}

int64_t look_up(const Program& p, int64_t v) {
  const bool linear = p.cdp.get(r::S_LUT_CFG_LUT_LE_FUNCTION) != 0;
  const int64_t offset = p.cdp.get_signed(r::S_LUT_INFO_LUT_LE_INDEX_OFFSET);
  const int64_t le_start =
      wide(p, r::S_LUT_LE_START_HIGH_LUT_LE_START_HIGH, r::S_LUT_LE_START_LOW_LUT_LE_START_LOW);
  const int64_t lo_start =
      wide(p, r::S_LUT_LO_START_HIGH_LUT_LO_START_HIGH, r::S_LUT_LO_START_LOW_LUT_LO_START_LOW);
  const Found le =
      linear ? find_linear(v, le_start, p.cdp.get_signed(r::S_LUT_INFO_LUT_LE_INDEX_SELECT), 64)
             : find_exponent(v, le_start, offset, 64);
  const Found lo =
      find_linear(v, lo_start, p.cdp.get_signed(r::S_LUT_INFO_LUT_LO_INDEX_SELECT), 256);
  bool take_lo = p.cdp.get(r::S_LUT_CFG_LUT_HYBRID_PRIORITY) != 0;
  if (le.miss == -1 && lo.miss == -1)
    take_lo = p.cdp.get(r::S_LUT_CFG_LUT_UFLOW_PRIORITY) != 0;
  else if (le.miss == 1 && lo.miss == 1)
    take_lo = p.cdp.get(r::S_LUT_CFG_LUT_OFLOW_PRIORITY) != 0;
  else if ((le.miss == 0) != (lo.miss == 0))
    take_lo = lo.miss == 0;
  const Found& at = take_lo ? lo : le;
  const auto entry = [&](int64_t i) -> int64_t {
    return take_lo ? p.cdp_tables.lo[static_cast<size_t>(i)]
                   : p.cdp_tables.le[static_cast<size_t>(i)];
  };
  if (at.miss == 0)
    return clamp_bits(
        entry(at.index) + divide((entry(at.index + 1) - entry(at.index)) * at.fraction, 16, 64),
        16);
  const bool under = at.miss < 0;
  int64_t base =
      under     ? (take_lo ? lo_start : le_start)
      : take_lo ? wide(p, r::S_LUT_LO_END_HIGH_LUT_LO_END_HIGH, r::S_LUT_LO_END_LOW_LUT_LO_END_LOW)
                : wide(p, r::S_LUT_LE_END_HIGH_LUT_LE_END_HIGH, r::S_LUT_LE_END_LOW_LUT_LE_END_LOW);
  if (under && !take_lo && !linear && offset >= 0) base += int64_t{1} << offset;
  const int64_t scale =
      p.cdp.get_signed(take_lo ? (under ? r::S_LUT_LO_SLOPE_SCALE_LUT_LO_SLOPE_UFLOW_SCALE
                                        : r::S_LUT_LO_SLOPE_SCALE_LUT_LO_SLOPE_OFLOW_SCALE)
                               : (under ? r::S_LUT_LE_SLOPE_SCALE_LUT_LE_SLOPE_UFLOW_SCALE
                                        : r::S_LUT_LE_SLOPE_SCALE_LUT_LE_SLOPE_OFLOW_SCALE));
  const int64_t shift =
      p.cdp.get_signed(take_lo ? (under ? r::S_LUT_LO_SLOPE_SHIFT_LUT_LO_SLOPE_UFLOW_SHIFT
                                        : r::S_LUT_LO_SLOPE_SHIFT_LUT_LO_SLOPE_OFLOW_SHIFT)
                               : (under ? r::S_LUT_LE_SLOPE_SHIFT_LUT_LE_SLOPE_UFLOW_SHIFT
                                        : r::S_LUT_LE_SLOPE_SHIFT_LUT_LE_SLOPE_OFLOW_SHIFT));
  // Far below any 16-bit result the shifter's saturation does not matter; 40 bits are enough.
  return clamp_bits(entry(at.index) + shift_signed((v - base) * scale, shift, 40), 16);
}

/// The converted input of channel `c`; the outside of the cube converts to zero.
int64_t converted(const Program& p, uint32_t x, uint32_t y, int64_t c, int64_t channels) {
  if (c < 0 || c >= channels) return 0;
  const auto channel = static_cast<uint64_t>(c);
  const int64_t v =
      load(*p.memory,
           p.cdp_rdma.get(rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW) +
               channel / p.atom * p.cdp_rdma.get(rd::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE) +
               uint64_t{y} * p.cdp_rdma.get(rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE) +
               uint64_t{x} * p.atom + channel % p.atom);
  const int64_t raw = p.cdp.get(r::D_DATIN_OFFSET_DATIN_OFFSET) & 0xff;
  const int64_t offset = raw >= 128 ? raw - 256 : raw;
  return clamp_bits(divide((v - offset) * p.cdp.get_signed(r::D_DATIN_SCALE_DATIN_SCALE),
                           p.cdp.get(r::D_DATIN_SHIFTER_DATIN_SHIFTER), 25),
                    9);
}

}  // namespace

std::vector<uint64_t> run_cdp(const Program& p) {
  const uint32_t width = p.cdp_rdma.get(rd::D_DATA_CUBE_WIDTH_WIDTH) + 1;
  const uint32_t height = p.cdp_rdma.get(rd::D_DATA_CUBE_HEIGHT_HEIGHT) + 1;
  const int64_t channels = p.cdp_rdma.get(rd::D_DATA_CUBE_CHANNEL_CHANNEL) + 1;
  const int64_t reach = p.cdp.get(r::D_LRN_CFG_NORMALZ_LEN) + 1;
  std::vector<std::pair<uint64_t, int64_t>> results;
  for (uint32_t y = 0; y < height; ++y)
    for (uint32_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t centre = converted(p, x, y, c, channels);
        int64_t v = centre;
        if (p.cdp.get(r::D_FUNC_BYPASS_SQSUM_BYPASS) == 0) {
          v = 0;
          for (int64_t n = c - reach; n <= c + reach; ++n) {
            const int64_t e = converted(p, x, y, n, channels);
            v += e * e;
          }
        }
        v = look_up(p, v);
        if (p.cdp.get(r::D_FUNC_BYPASS_MUL_BYPASS) == 0) v *= centre;
        const int64_t raw = p.cdp.get(r::D_DATOUT_OFFSET_DATOUT_OFFSET) & 0x1ffffff;
        const int64_t offset = raw >= (1 << 24) ? raw - (1 << 25) : raw;
        const int64_t scaled = (v - offset) * p.cdp.get_signed(r::D_DATOUT_SCALE_DATOUT_SCALE);
        const auto channel = static_cast<uint64_t>(c);
        results.emplace_back(
            p.cdp.get(r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW) +
                channel / p.atom * p.cdp.get(r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE) +
                uint64_t{y} * p.cdp.get(r::D_DST_LINE_STRIDE_DST_LINE_STRIDE) +
                uint64_t{x} * p.atom + channel % p.atom,
            clamp_bits(divide(scaled, p.cdp.get(r::D_DATOUT_SHIFTER_DATOUT_SHIFTER), 42), 8));
      }
  std::vector<uint64_t> written;
  for (const auto& [address, value] : results) {
    store(*p.memory, address, value);
    written.push_back(address);
  }
  return written;
}

}  // namespace dlavp::reference
