#include "models/pdp/pdp_core.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "models/common/fixed_point.hpp"

namespace dlavp::pdp {

namespace {

constexpr unsigned kRowBits = 11, kWindowBits = 14, kPaddedBits = 15, kRecipBits = 16;
constexpr uint32_t kMaxLanes = 64;

// A product rounded to its integer part, `bits` wide. The hardware keeps one bit less of a positive
// integer part before it adds the rounding bit, so an overflow wraps differently by sign.
int32_t round_product(int64_t product, unsigned bits) {
  const int64_t floor = product >> kRecipBits;
  const int64_t fraction = product & 0xffff;
  if (product < 0)
    return static_cast<int32_t>(
        sign_extend(static_cast<uint64_t>(floor + (fraction > 0x8000)), bits));
  const uint64_t kept = static_cast<uint64_t>(floor) & ((uint64_t{1} << (bits - 1)) - 1);
  return static_cast<int32_t>(sign_extend(kept + (fraction >= 0x8000 ? 1 : 0), bits));
}

int32_t wrap(int64_t value, unsigned bits) {
  return static_cast<int32_t>(sign_extend(static_cast<uint64_t>(value), bits));
}

/// The part of a window along one axis that lies inside the cube.
struct Range {
  uint32_t begin, end;
};

Range inside(uint32_t index, uint32_t stride, uint32_t pad, uint32_t kernel, uint32_t size) {
  const int64_t first = int64_t{index} * stride - pad;
  return {static_cast<uint32_t>(std::max<int64_t>(first, 0)),
          static_cast<uint32_t>(std::clamp<int64_t>(first + kernel, 0, size))};
}

void average_window(const PdpOp& op, const AtomCube<int8_t>& in, size_t surface_row, Range x,
                    Range y, int8_t* out) {
  const uint32_t lanes = in.atom;
  int32_t window[kMaxLanes] = {};
  const uint32_t missing_x = op.kernel_width - (x.end - x.begin);
  const uint32_t missing_y = op.kernel_height - (y.end - y.begin);
  const int32_t row_pad = wrap(op.pad_value[missing_x], kRowBits);
  for (uint32_t iy = y.begin; iy < y.end; ++iy) {
    int32_t row[kMaxLanes] = {};
    const int8_t* data = &in.values[((surface_row + iy) * in.size.width + x.begin) * lanes];
    for (uint32_t ix = x.begin; ix < x.end; ++ix, data += lanes)
      for (uint32_t lane = 0; lane < lanes; ++lane) row[lane] += data[lane];
    for (uint32_t lane = 0; lane < lanes; ++lane)
      window[lane] += wrap(row[lane] + row_pad, kRowBits);
  }
  const int32_t window_pad =
      missing_y == 0 ? 0 : wrap(int64_t{op.pad_value[missing_y]} * op.kernel_width, kWindowBits);
  for (uint32_t lane = 0; lane < lanes; ++lane)
    out[lane] =
        average(wrap(window[lane], kWindowBits) + window_pad, op.recip_width, op.recip_height);
}

template <typename Better>
void extreme_window(const AtomCube<int8_t>& in, size_t surface_row, Range x, Range y, int8_t* out,
                    Better better) {
  const uint32_t lanes = in.atom;
  std::memcpy(out, &in.values[((surface_row + y.begin) * in.size.width + x.begin) * lanes], lanes);
  for (uint32_t iy = y.begin; iy < y.end; ++iy) {
    const int8_t* data = &in.values[((surface_row + iy) * in.size.width + x.begin) * lanes];
    for (uint32_t ix = x.begin; ix < x.end; ++ix, data += lanes)
      for (uint32_t lane = 0; lane < lanes; ++lane) out[lane] = better(out[lane], data[lane]);
  }
}

}  // namespace

int8_t average(int32_t window_sum, uint32_t recip_width, uint32_t recip_height) {
  const auto product = [](int64_t value, uint32_t recip, unsigned bits) {
    return sign_extend(static_cast<uint64_t>(value * recip), bits + kRecipBits);
  };
  const int32_t row = round_product(product(window_sum, recip_width, kPaddedBits), kRowBits);
  return static_cast<int8_t>(round_product(product(row, recip_height, kRowBits + 1), 8));
}

AtomCube<int8_t> pool(const PdpOp& op, const AtomCube<int8_t>& in) {
  DLAVP_CHECK(in.atom <= kMaxLanes, "{} lanes, at most {}", in.atom, kMaxLanes);
  DLAVP_CHECK(in.size.width == op.in.width && in.size.height == op.in.height,
              "cube {}x{}, op {}x{}", in.size.width, in.size.height, op.in.width, op.in.height);
  AtomCube<int8_t> out(op.out, in.atom);
  for (uint32_t surface = 0; surface < op.surfaces; ++surface) {
    const size_t in_row = size_t{surface} * op.in.height;
    for (uint32_t oy = 0; oy < op.out.height; ++oy) {
      const Range y = inside(oy, op.stride_y, op.pad_top, op.kernel_height, op.in.height);
      for (const Band& band : op.bands) {
        for (uint32_t ox = 0; ox < band.out_width; ++ox) {
          Range x = inside(ox, op.stride_x, band.pad_left, op.kernel_width, band.in_width);
          x.begin += band.in_first;
          x.end += band.in_first;
          int8_t* result = &out.values[((size_t{surface} * op.out.height + oy) * op.out.width +
                                        band.out_first + ox) *
                                       in.atom];
          switch (op.method) {
            case Method::kAverage:
              average_window(op, in, in_row, x, y, result);
              break;
            case Method::kMax:
              extreme_window(in, in_row, x, y, result,
                             [](int8_t a, int8_t b) { return std::max(a, b); });
              break;
            case Method::kMin:
              extreme_window(in, in_row, x, y, result,
                             [](int8_t a, int8_t b) { return std::min(a, b); });
              break;
          }
        }
      }
    }
  }
  return out;
}

bool load_input(const PdpOp& op, uint32_t atom, Memory& memory, AtomCube<int8_t>& in) {
  in = AtomCube<int8_t>(op.in, atom);
  const size_t line_bytes = size_t{op.in.width} * atom;
  auto* at = reinterpret_cast<uint8_t*>(in.values.data());
  for (uint32_t surface = 0; surface < op.surfaces; ++surface)
    for (uint32_t y = 0; y < op.in.height; ++y, at += line_bytes)
      if (!memory.read(op.src.address + surface * op.src.surface_stride + y * op.src.line_stride,
                       std::span(at, line_bytes)))
        return false;
  return true;
}

bool store_output(const PdpOp& op, const AtomCube<int8_t>& out, Memory& memory) {
  const size_t line_bytes = size_t{op.out.width} * out.atom;
  const auto* at = reinterpret_cast<const uint8_t*>(out.values.data());
  for (uint32_t surface = 0; surface < op.surfaces; ++surface)
    for (uint32_t y = 0; y < op.out.height; ++y, at += line_bytes)
      if (!memory.write(op.dst.address + surface * op.dst.surface_stride + y * op.dst.line_stride,
                        std::span(at, line_bytes)))
        return false;
  return true;
}

}  // namespace dlavp::pdp
