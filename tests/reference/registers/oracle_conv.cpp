// Convolution for one operation, direct or on an image, with SDP behind it and perhaps PDP: input
// conversion, the sum over the kernel, accumulator output, element by element. Manual: "Weight for
// direct convolution", "Weight for image input", "Pixel Format", "Convolution pipeline". int8; it
// reads memory only, so a program that reuses buffer contents is given with their addresses.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/reference/registers/program.hpp"

namespace dlavp::reference {

namespace {

namespace d = regs::cdma;
namespace c = regs::csc;

/// The letters of each plane's bytes, lowest address first.
struct Pixel {
  std::string first, second;
};

Pixel pixel(uint32_t code) {
  switch (code) {
    case d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R8:
      return {"R", ""};
    case d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A8B8G8R8:
    case d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_X8B8G8R8:
      return {"RGBA", ""};
    case d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A8R8G8B8:
    case d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_X8R8G8B8:
      return {"BGRA", ""};
    case d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_B8G8R8A8:
    case d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_B8G8R8X8:
      return {"ARGB", ""};
    case d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R8G8B8A8:
    case d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R8G8B8X8:
      return {"ABGR", ""};
    case d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A8Y8U8V8:
      return {"BGRA", ""};
    case d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_V8U8Y8A8:
      return {"ARGB", ""};
    case d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_Y8___U8V8_N444:
      return {"R", "BG"};
    case d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_Y8___V8U8_N444:
      return {"R", "GB"};
    default:
      DLAVP_CHECK(false, "oracle: pixel format {}", code);
      return {};
  }
}

class Convolution {
 public:
  explicit Convolution(const Program& program) : p_(program) {
    image_ = p_.cdma.get(d::D_DATAIN_FORMAT_DATAIN_FORMAT) != 0;
    width_ = p_.cdma.get(d::D_DATAIN_SIZE_0_DATAIN_WIDTH) + 1;
    height_ = p_.cdma.get(d::D_DATAIN_SIZE_0_DATAIN_HEIGHT) + 1;
    channels_ = p_.cdma.get(d::D_DATAIN_SIZE_1_DATAIN_CHANNEL) + 1;
    rows_ = p_.csc.get(c::D_WEIGHT_SIZE_EXT_0_WEIGHT_HEIGHT_EXT) + 1;
    extended_ = p_.csc.get(c::D_WEIGHT_SIZE_EXT_1_WEIGHT_CHANNEL_EXT) + 1;
    columns_ =
        image_ ? extended_ / channels_ : p_.csc.get(c::D_WEIGHT_SIZE_EXT_0_WEIGHT_WIDTH_EXT) + 1;
    kernels_ = p_.csc.get(c::D_WEIGHT_SIZE_EXT_1_WEIGHT_KERNEL) + 1;
    pixels_.resize(static_cast<size_t>(width_ * height_ * channels_));
    for (int64_t y = 0; y < height_; ++y)
      for (int64_t x = 0; x < width_; ++x)
        for (int64_t ch = 0; ch < channels_; ++ch)
          pixels_[index(x, y, ch)] = static_cast<int8_t>(convert(fetch(x, y, ch), ch));
    weights_.resize(static_cast<size_t>(kernels_ * rows_ * columns_ * channels_));
    const uint64_t base = p_.cdma.get(d::D_WEIGHT_ADDR_LOW_WEIGHT_ADDR_LOW);
    for (size_t i = 0; i < weights_.size(); ++i) weights_[i] = load(*p_.memory, base + i);
  }

  [[nodiscard]] int64_t output(int64_t ox, int64_t oy, int64_t kernel) const {
    if (kernel >= kernels_) return 0;
    const auto csc = [&](const regs::Field& f) { return int64_t{p_.csc.get(f)}; };
    const int64_t step_x = image_ ? 1 : csc(c::D_DILATION_EXT_X_DILATION_EXT) + 1;
    const int64_t step_y = image_ ? 1 : csc(c::D_DILATION_EXT_Y_DILATION_EXT) + 1;
    const int64_t left =
        image_ ? int64_t{p_.cdma.get(d::D_ZERO_PADDING_PAD_LEFT)} : csc(c::D_ZERO_PADDING_PAD_LEFT);
    const int64_t x0 = ox * (csc(c::D_CONV_STRIDE_EXT_CONV_X_STRIDE_EXT) + 1) - left;
    const int64_t y0 =
        oy * (csc(c::D_CONV_STRIDE_EXT_CONV_Y_STRIDE_EXT) + 1) - csc(c::D_ZERO_PADDING_PAD_TOP);
    int64_t sum = 0;
    for (int64_t row = 0; row < rows_; ++row)
      for (int64_t column = 0; column < columns_; ++column)
        for (int64_t ch = 0; ch < channels_; ++ch)
          sum +=
              input(x0 + column * step_x, y0 + row * step_y, ch) * weight(kernel, row, column, ch);
    const uint32_t truncate = p_.cacc.get(regs::cacc::D_CLIP_CFG_CLIP_TRUNCATE);
    return clamp_bits(divide(clamp_bits(sum, 34), truncate, 64), 32);
  }

 private:
  [[nodiscard]] size_t index(int64_t x, int64_t y, int64_t ch) const {
    return static_cast<size_t>((y * width_ + x) * channels_ + ch);
  }

  /// A stored byte of the input, signed or not as the format says.
  [[nodiscard]] int64_t fetch(int64_t x, int64_t y, int64_t ch) const {
    const auto reg = [&](const regs::Field& f) { return int64_t{p_.cdma.get(f)}; };
    const int64_t base = reg(d::D_DAIN_ADDR_LOW_0_DATAIN_ADDR_LOW_0);
    const int64_t line = reg(d::D_LINE_STRIDE_LINE_STRIDE);
    if (!image_) {
      const int64_t atom = p_.atom;
      const bool one = width_ == 1 && height_ == 1 && reg(d::D_DAIN_MAP_SURF_PACKED) != 0;
      const int64_t surface = one ? atom : reg(d::D_SURF_STRIDE_SURF_STRIDE);
      return load(*p_.memory, static_cast<uint64_t>(base + ch / atom * surface + y * line +
                                                    x * atom + ch % atom));
    }
    const Pixel layout = pixel(p_.cdma.get(d::D_DATAIN_FORMAT_PIXEL_FORMAT));
    const char letter = "RGBA"[ch];
    const bool in_first = layout.first.find(letter) != std::string::npos;
    const std::string& bytes = in_first ? layout.first : layout.second;
    const auto size = static_cast<int64_t>(bytes.size());
    const int64_t at = (x + reg(d::D_PIXEL_OFFSET_PIXEL_X_OFFSET)) * size +
                       static_cast<int64_t>(bytes.find(letter));
    const int64_t start = in_first ? base + y * line
                                   : reg(d::D_DAIN_ADDR_LOW_1_DATAIN_ADDR_LOW_1) +
                                         y * reg(d::D_LINE_UV_STRIDE_UV_LINE_STRIDE);
    const int64_t byte = load(*p_.memory, static_cast<uint64_t>(start + at));
    const bool is_signed = reg(d::D_DATAIN_FORMAT_PIXEL_SIGN_OVERRIDE) != 0;
    // Without the convertor the byte passes as it is.
    return is_signed || reg(d::D_CVT_CFG_CVT_EN) == 0 ? byte : byte & 0xff;
  }

  [[nodiscard]] int64_t convert(int64_t v, int64_t ch) const {
    if (p_.cdma.get(d::D_CVT_CFG_CVT_EN) == 0) return v;
    const regs::Field means[4] = {d::D_MEAN_GLOBAL_0_MEAN_RY, d::D_MEAN_GLOBAL_0_MEAN_GU,
                                  d::D_MEAN_GLOBAL_1_MEAN_BV, d::D_MEAN_GLOBAL_1_MEAN_AX};
    const bool mean = image_ && p_.cdma.get(d::D_MEAN_FORMAT_MEAN_FORMAT) != 0;
    const int64_t offset = p_.cdma.get_signed(mean ? means[ch] : d::D_CVT_OFFSET_CVT_OFFSET);
    const int64_t scaled = (v - offset) * p_.cdma.get_signed(d::D_CVT_SCALE_CVT_SCALE);
    const int64_t shifted =
        clamp_bits(divide(scaled, p_.cdma.get(d::D_CVT_CFG_CVT_TRUNCATE), 34), 17);
    return clamp_bits(shifted, 8);
  }

  [[nodiscard]] int64_t input(int64_t x, int64_t y, int64_t ch) const {
    if (y >= 0 && y < height_ && x >= 0 && x < width_) return pixels_[index(x, y, ch)];
    const bool beside = image_ && y >= 0 && y < height_;  // padded by CDMA, the rest by CSC
    const uint32_t pad = beside ? p_.cdma.get(d::D_ZERO_PADDING_VALUE_PAD_VALUE)
                                : p_.csc.get(c::D_ZERO_PADDING_VALUE_PAD_VALUE);
    return static_cast<int8_t>(pad & 0xff);
  }

  /// Kernels in groups; within a group blocks of channels, then rows, columns, kernels, and within
  /// that the channels of the block. On images a row of the kernel counts as one run of channels;
  /// with post-extension two or four rows of a kernel follow each other.
  [[nodiscard]] int64_t weight(int64_t kernel, int64_t row, int64_t column, int64_t ch) const {
    const int64_t in_row = image_ ? column * channels_ + ch : ch;
    const int64_t positions = image_ ? 1 : columns_;
    const int64_t run = image_ ? extended_ : channels_;
    const int64_t group = kernel / p_.mac_kernels * p_.mac_kernels;
    const int64_t together = std::min<int64_t>(p_.mac_kernels, kernels_ - group);
    const int64_t block = in_row / p_.mac_channels * p_.mac_channels;
    const int64_t block_size = std::min<int64_t>(p_.mac_channels, run - block);
    const int64_t joined = image_ ? int64_t{1} << p_.csc.get(c::D_POST_Y_EXTENSION_Y_EXTENSION) : 1;
    const int64_t first_row = row / joined * joined;
    const int64_t rows_together = std::min(joined, rows_ - first_row);
    const int64_t place = (image_ ? 0 : column) * together + kernel - group;
    const int64_t at = group * rows_ * positions * run + together * rows_ * positions * block +
                       together * first_row * positions * block_size +
                       (place * rows_together + row - first_row) * block_size + in_row - block;
    return weights_[static_cast<size_t>(at)];
  }

  const Program& p_;
  bool image_;
  int64_t width_, height_, channels_, rows_, columns_, extended_, kernels_;
  std::vector<int8_t> pixels_, weights_;
};

}  // namespace

std::vector<uint64_t> run_conv(const Program& p) {
  const Convolution convolution(p);
  const Source sums = [&](uint32_t x, uint32_t y, uint32_t surface, uint32_t lane) {
    return convolution.output(x, y, int64_t{surface} * p.atom + lane);
  };
  if (p.sdp.get(regs::sdp::D_FEATURE_MODE_CFG_OUTPUT_DST) == 0) return run_sdp(p, sums);
  const uint32_t width = p.sdp.get(regs::sdp::D_DATA_CUBE_WIDTH_WIDTH) + 1;
  const uint32_t height = p.sdp.get(regs::sdp::D_DATA_CUBE_HEIGHT_HEIGHT) + 1;
  const uint32_t surfaces = p.sdp.get(regs::sdp::D_DATA_CUBE_CHANNEL_CHANNEL) / p.atom + 1;
  std::vector<int64_t> results;
  for (uint32_t s = 0; s < surfaces; ++s)
    for (uint32_t y = 0; y < height; ++y)
      for (uint32_t x = 0; x < width; ++x)
        for (uint32_t lane = 0; lane < p.atom; ++lane)
          results.push_back(sdp_element(p, x, y, s, lane, sums));
  return run_pdp(p, [&](uint32_t x, uint32_t y, uint32_t surface, uint32_t lane) {
    return results[((size_t{surface} * height + y) * width + x) * p.atom + lane];
  });
}

}  // namespace dlavp::reference
