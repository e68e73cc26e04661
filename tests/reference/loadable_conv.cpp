// Convolution of the reference interpreter: direct and image input. Hardware manual: convolution
// pipeline (CDMA converter, CSC padding, CMAC, CACC truncation) and the weight layouts.
#include <array>

#include "tests/reference/loadable_ops.hpp"

namespace dlavp::reference {
namespace {

/// Where the components R/Y, G/U, B/V, A/X of a four-byte pixel lie; -1 for a format unknown here.
std::array<int, 4> byte_of_component(unsigned format) {
  switch (format) {
    case DLA_FORMAT_A8B8G8R8:
    case DLA_FORMAT_X8B8G8R8:
      return {0, 1, 2, 3};
    case DLA_FORMAT_A8R8G8B8:
    case DLA_FORMAT_X8R8G8B8:
    case DLA_FORMAT_A8Y8U8V8:
      return {2, 1, 0, 3};
    case DLA_FORMAT_B8G8R8A8:
    case DLA_FORMAT_B8G8R8X8:
    case DLA_FORMAT_V8U8Y8A8:
      return {1, 2, 3, 0};
    case DLA_FORMAT_R8G8B8A8:
    case DLA_FORMAT_R8G8B8X8:
      return {3, 2, 1, 0};
    default:
      return {-1, -1, -1, -1};
  }
}

/// Offset of a pixel's component from the cube's first byte.
uint64_t pixel_offset(const DlaConvOp& op, const DlaConvSurface& s, uint32_t x, uint32_t y,
                      uint32_t component) {
  const DlaCube src = s.src_data;
  const uint64_t line = uint64_t{y} * src.line_stride;
  if (op.data_format == DLA_FORMAT_R8) return line + x;
  if (op.data_format == DLA_FORMAT_Y8_U8V8 || op.data_format == DLA_FORMAT_Y8_V8U8) {
    if (component == 0) return line + x;
    const bool second_byte = (component == 1) == (op.data_format == DLA_FORMAT_Y8_U8V8);
    return static_cast<uint64_t>(int64_t{s.offset_u}) + uint64_t{y} * s.in_line_uv_stride +
           uint64_t{x} * 2 + (second_byte ? 1 : 0);
  }
  const int byte = byte_of_component(op.data_format)[component];
  return line + uint64_t{x} * 4 + static_cast<uint64_t>(byte);
}

int64_t mean_of(const DlaConvOp& op, uint32_t component) {
  const std::array<int16_t, 4> means = {op.mean_ry, op.mean_gu, op.mean_bv, op.mean_ax};
  return means[component];
}

/// The converter between memory and the multipliers: subtract, multiply, shift, limit.
int32_t convert(const DlaConvOp& op, int64_t value, int64_t offset) {
  if (op.in_cvt.enable == 0) return static_cast<int32_t>(low_bits(value, 8));
  const int64_t scaled = (value - offset) * op.in_cvt.scale;
  return static_cast<int32_t>(limit(limit(divide_pow2(scaled, op.in_cvt.truncate), 17), 8));
}

/// The input as the multipliers see it.
Grid converted_input(const Machine& m, const loadable::DlaEntry& e, Region& from) {
  const DlaConvOp& op = e.operation.conv;
  const DlaCube src = e.surface.conv.src_data;
  Grid out(src.width, src.height, src.channel);
  if (op.data_format == DLA_FORMAT_FEATURE) {
    const Grid raw = read_feature(m, src, from, false);
    for (uint32_t y = 0; y < src.height; ++y)
      for (uint32_t x = 0; x < src.width; ++x)
        for (uint32_t c = 0; c < src.channel; ++c)
          out.values[out.index(x, y, c)] =
              convert(op, raw.values[raw.index(x, y, c)], op.in_cvt.offset);
    return out;
  }
  for (uint32_t y = 0; y < src.height; ++y)
    for (uint32_t x = 0; x < src.width; ++x)
      for (uint32_t c = 0; c < src.channel; ++c) {
        const int8_t byte = from.get(pixel_offset(op, e.surface.conv, x, y, c));
        const int64_t value = op.pixel_override == DLA_PIXELS_SIGNED || op.in_cvt.enable == 0
                                  ? int64_t{byte}
                                  : int64_t{static_cast<uint8_t>(byte)};
        const bool mean = op.mean_format == DLA_MEAN_ON;
        const int64_t offset = mean ? mean_of(op, c) : int64_t{op.in_cvt.offset};
        out.values[out.index(x, y, c)] = convert(op, value, offset);
      }
  return out;
}

/// Weights by kernel, row, column, channel of the input image, taken apart from the hardware's
/// order.
struct Weights {
  uint32_t kernels = 0, rows = 0, columns = 0, channels = 0;
  std::vector<int8_t> values;
  [[nodiscard]] size_t index(uint32_t k, uint32_t r, uint32_t s, uint32_t c) const {
    return ((size_t{k} * rows + r) * columns + s) * channels + c;
  }
};

/// In memory: groups of kernels; in a group blocks of channels; in a block rows, columns, kernels,
/// channels. For images the columns are folded into the channels (channel = column x channels of a
/// pixel + component), and with post-extension 2 or 4 rows form one step, kernels outside rows.
Weights read_weights(const Machine& m, const loadable::DlaEntry& e, Region& from) {
  const DlaConvOp& op = e.operation.conv;
  const bool image = op.data_format != DLA_FORMAT_FEATURE;
  const uint32_t pixel_channels = e.surface.conv.src_data.channel;
  const uint32_t folded = op.kernel_channel_csc;
  Weights w;
  w.kernels = e.surface.conv.dst_data.channel;
  w.rows = op.kernel_height_csc;
  w.columns = image ? folded / pixel_channels : uint32_t{op.kernel_width_csc};
  w.channels = image ? pixel_channels : folded;
  w.values.assign(size_t{w.kernels} * w.rows * w.columns * w.channels, 0);
  const uint32_t step_rows = image ? 1U << op.post_extension : 1;
  const uint32_t steps_x = image ? 1 : w.columns;
  uint64_t at = 0;
  for (uint32_t k0 = 0; k0 < w.kernels; k0 += m.atomic_k)
    for (uint32_t c0 = 0; c0 < folded; c0 += m.atomic_c)
      for (uint32_t r0 = 0; r0 < w.rows; r0 += step_rows)
        for (uint32_t s = 0; s < steps_x; ++s)
          for (uint32_t k = k0; k < std::min(k0 + m.atomic_k, w.kernels); ++k)
            for (uint32_t r = r0; r < std::min(r0 + step_rows, w.rows); ++r)
              for (uint32_t c = c0; c < std::min(c0 + m.atomic_c, folded); ++c) {
                const uint32_t column = image ? c / pixel_channels : s;
                const uint32_t channel = image ? c % pixel_channels : c;
                w.values[w.index(k, r, column, channel)] = from.get(at++);
              }
  return w;
}

/// The input with its padding around it, so that the sums need no bounds.
Grid padded(const DlaConvOp& op, const Grid& in, uint32_t width, uint32_t height) {
  Grid out(width, height, in.lanes);
  std::fill(out.values.begin(), out.values.end(), static_cast<int32_t>(low_bits(op.pad_val, 8)));
  for (uint32_t y = 0; y < in.height && y + op.pad_y_top < height; ++y)
    for (uint32_t x = 0; x < in.width && x + op.pad_x_left < width; ++x)
      for (uint32_t c = 0; c < in.lanes; ++c)
        out.values[out.index(x + op.pad_x_left, y + op.pad_y_top, c)] =
            in.values[in.index(x, y, c)];
  return out;
}

int64_t dot(const int32_t* a, const int8_t* b, uint32_t count) {
  int32_t sum = 0;  // count is at most 8192, products at most 2^14
  for (uint32_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

Grid run_conv(const Machine& m, const loadable::DlaEntry& e, Region& input, Region& weights) {
  const DlaConvOp& op = e.operation.conv;
  const DlaCube dst = e.surface.conv.dst_data;
  const Weights w = read_weights(m, e, weights);
  const uint32_t width = (dst.width - 1U) * op.conv_stride_x + (w.columns - 1) * op.dilation_x + 1;
  const uint32_t height = (dst.height - 1U) * op.conv_stride_y + (w.rows - 1) * op.dilation_y + 1;
  const Grid in = padded(op, converted_input(m, e, input), width, height);
  Grid out(dst.width, dst.height, round_up(dst.channel, m.atom));
  for (uint32_t y = 0; y < dst.height; ++y)
    for (uint32_t x = 0; x < dst.width; ++x)
      for (uint32_t k = 0; k < dst.channel; ++k) {
        int64_t sum = 0;
        for (uint32_t r = 0; r < w.rows; ++r)
          for (uint32_t s = 0; s < w.columns; ++s) {
            const size_t at = in.index(x * op.conv_stride_x + s * op.dilation_x,
                                       y * op.conv_stride_y + r * op.dilation_y, 0);
            sum += dot(&in.values[at], &w.values[w.index(k, r, s, 0)], w.channels);
          }
        sum = limit(sum, 34);
        out.values[out.index(x, y, k)] =
            static_cast<int32_t>(limit(divide_pow2(sum, op.out_cvt.truncate), 32));
      }
  return out;
}

}  // namespace dlavp::reference
