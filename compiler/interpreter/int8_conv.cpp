// Columns of the input gathered into panels, as in float_conv, and multiplied as floats: the
// product of two int8 is at most 2^14, so kChunk products add up to at most 2^24 and every partial
// sum is a whole number that a float holds exactly. Chunks are added as integers.
#include "compiler/interpreter/int8_conv.hpp"

#include "compiler/interpreter/conv_columns.hpp"
#include "compiler/interpreter/float_product.hpp"

namespace dlavp::compiler {
namespace {

constexpr size_t kChunk = 1024;

struct Convolution : WindowColumns<int8_t> {
  const int8_t* weights;
  std::vector<float> real_weights;  ///< the same, for panels
  int32_t* out;

  [[nodiscard]] bool depthwise() const { return channels == 1 && kernels == 1; }

  /// A single output pixel: one dot product a kernel.
  void pixel(int64_t group) const {
    std::vector<int8_t> column(length());
    for (size_t i = 0; i < length(); ++i) gather(&column[i], group, static_cast<int64_t>(i), 0, 1);
    for (int64_t k = group * kernels; k < (group + 1) * kernels; ++k) {
      const int8_t* kernel = weights + static_cast<size_t>(k) * length();
      int32_t sum = 0;
      for (size_t i = 0; i < length(); ++i) sum += int32_t{kernel[i]} * column[i];
      out[k] = sum;
    }
  }

  struct Buffers {
    std::vector<float> panel, products;
  };

  /// All kernels of a group for the pixels from `first` on, at most kPanelColumns.
  void panel(int64_t group, size_t first, Buffers& b) const {
    const size_t count = std::min(kPanelColumns, pixels() - first);
    const size_t padded = (count + 31) / 32 * 32;
    const auto n = static_cast<size_t>(kernels);
    const size_t first_kernel = static_cast<size_t>(group) * n;
    for (size_t at = 0; at < length(); at += kChunk) {
      const size_t chunk = std::min(kChunk, length() - at);
      b.panel.resize(chunk * kPanelColumns);
      for (size_t i = 0; i < chunk; ++i) {
        gather(b.panel.data() + i * kPanelColumns, group, static_cast<int64_t>(at + i),
               static_cast<int64_t>(first), static_cast<int64_t>(count));
      }
      b.products.assign(n * padded, 0.0F);
      accumulate({real_weights.data() + first_kernel * length() + at, length(), n, b.panel.data(),
                  chunk, padded, b.products.data(), padded});
      for (size_t k = 0; k < n; ++k) {
        int32_t* sums = out + (first_kernel + k) * pixels() + first;
        const float* from = b.products.data() + k * padded;
        for (size_t i = 0; i < count; ++i) sums[i] += static_cast<int32_t>(from[i]);
      }
    }
  }

  /// Tasks from `first` on in steps of `step`: planes, or panels of all groups.
  void part(size_t first, size_t step) const {
    if (depthwise()) {
      for (auto k = static_cast<int64_t>(first); k < o.c; k += static_cast<int64_t>(step)) {
        const auto at = static_cast<size_t>(k);
        add_depthwise_plane(*this, k, weights + at * length(), out + at * pixels());
      }
      return;
    }
    Buffers buffers;
    const size_t panels = (pixels() + kPanelColumns - 1) / kPanelColumns;
    for (size_t i = first; i < panels * static_cast<size_t>(o.c / kernels); i += step)
      panel(static_cast<int64_t>(i / panels), i % panels * kPanelColumns, buffers);
  }
};

/// The input with its padding around it.
std::vector<int8_t> padded(const ConvLayer& layer, std::span<const int8_t> in, const Shape& x,
                           const Shape& with_padding) {
  std::vector<int8_t> out(static_cast<size_t>(with_padding.elements()), layer.pad_value);
  for (int64_t line = 0; line < x.c * x.h; ++line) {
    const int64_t to = line / x.h * with_padding.h + layer.window.pad_top + line % x.h;
    std::copy_n(in.begin() + line * x.w, x.w,
                out.begin() + to * with_padding.w + layer.window.pad_left);
  }
  return out;
}

}  // namespace

std::vector<int32_t> convolution_sums(const ConvLayer& layer, std::span<const int8_t> in,
                                      const Shape& x, const Shape& o) {
  const Window& w = layer.window;
  if (layer.pad_value != 0 && w.padded()) {
    const Shape with_padding{x.n, x.c, x.h + w.pad_top + w.pad_bottom,
                             x.w + w.pad_left + w.pad_right};
    const std::vector<int8_t> whole = padded(layer, in, x, with_padding);
    ConvLayer valid = layer;
    valid.pad_value = 0;
    valid.window.pad_top = valid.window.pad_bottom = 0;
    valid.window.pad_left = valid.window.pad_right = 0;
    return convolution_sums(valid, whole, with_padding, o);
  }
  std::vector<int32_t> sums(static_cast<size_t>(o.elements()));
  const int64_t groups = layer.groups;
  Convolution c{{in.data(), x, o, layer.window, x.c / groups, o.c / groups},
                layer.weights.data(),
                {},
                sums.data()};
  if (c.pixels() == 1) {
    for (int64_t group = 0; group < groups; ++group) c.pixel(group);
    return sums;
  }
  if (!c.depthwise()) c.real_weights.assign(layer.weights.begin(), layer.weights.end());
  in_parts(c.length() * sums.size(), [&](size_t first, size_t step) { c.part(first, step); });
  return sums;
}

}  // namespace dlavp::compiler
