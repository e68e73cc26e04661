// Floating-point meaning of convolutions and fully connected layers: columns of the input gathered
// into panels that stay in the cache, products by float_product. Depthwise ones go row by row.
#include "compiler/interpreter/conv_columns.hpp"
#include "compiler/interpreter/float_context.hpp"
#include "compiler/interpreter/float_product.hpp"

namespace dlavp::compiler {
namespace {

constexpr size_t kChunk = 512;  ///< products summed per visit of a panel

struct Convolution : WindowColumns<float> {
  const FloatContext& f;
  const ConvOp& op;

  /// All kernels of a group for the pixels from `first` on, at most kPanelColumns.
  void panel(int64_t group, size_t first, std::vector<float>& data) const {
    const size_t count = std::min(kPanelColumns, pixels() - first);
    const size_t padded = (count + 31) / 32 * 32;
    const auto n = static_cast<size_t>(kernels);
    const size_t first_kernel = static_cast<size_t>(group) * n;
    std::vector<float> rest;  // results of a panel that is not whole
    float* out = f.out().data() + first_kernel * pixels() + first;
    size_t step = pixels();
    if (padded != count) {
      rest.resize(n * padded);
      out = rest.data();
      step = padded;
    }
    for (size_t k = 0; k < n; ++k) std::fill_n(out + k * step, padded, f.in(2)[first_kernel + k]);
    for (size_t at = 0; at < length(); at += kChunk) {
      const size_t chunk = std::min(kChunk, length() - at);
      data.assign(chunk * kPanelColumns, 0.0F);
      for (size_t i = 0; i < chunk; ++i) {
        gather(data.data() + i * kPanelColumns, group, static_cast<int64_t>(at + i),
               static_cast<int64_t>(first), static_cast<int64_t>(count));
      }
      accumulate({f.in(1).data() + first_kernel * length() + at, length(), n, data.data(), chunk,
                  padded, out, step});
    }
    for (size_t k = 0; k < n && padded != count; ++k) {
      std::copy_n(rest.data() + k * padded, count,
                  f.out().data() + (first_kernel + k) * pixels() + first);
    }
  }

  /// A single output pixel: one dot product a kernel.
  void pixel() const {
    std::vector<float> column(length());
    for (int64_t group = 0; group < int64_t{op.groups}; ++group) {
      for (size_t i = 0; i < length(); ++i)
        gather(&column[i], group, static_cast<int64_t>(i), 0, 1);
      for (int64_t k = group * kernels; k < (group + 1) * kernels; ++k) {
        const auto at = static_cast<size_t>(k);
        f.out()[at] =
            dot_float(f.in(1).data() + at * length(), column.data(), length()) + f.in(2)[at];
      }
    }
  }

  /// Tasks from `first` on in steps of `step`: planes, or panels of all groups.
  void part(size_t first, size_t step) const {
    if (channels == 1 && kernels == 1) {
      for (size_t k = first; k < static_cast<size_t>(o.c); k += step) {
        float* to = f.out().data() + k * pixels();
        std::fill_n(to, pixels(), f.in(2)[k]);
        add_depthwise_plane(*this, static_cast<int64_t>(k), f.in(1).data() + k * length(), to);
      }
      return;
    }
    std::vector<float> data;
    const size_t panels = (pixels() + kPanelColumns - 1) / kPanelColumns;
    for (size_t i = first; i < panels * op.groups; i += step)
      panel(static_cast<int64_t>(i / panels), i % panels * kPanelColumns, data);
  }
};

}  // namespace

void float_conv(const FloatContext& f, const ConvOp& op) {
  const Shape& x = f.shape(0);
  const Shape& o = f.out_shape();
  const Convolution c{{f.in(0).data(), x, o, op.window, x.c / op.groups, o.c / op.groups}, f, op};
  if (c.pixels() == 1) {
    c.pixel();
  } else {
    in_parts(c.length() * f.out().size(), [&](size_t first, size_t step) { c.part(first, step); });
  }
  if (op.residual) {
    const float* residual = f.in(3).data();
    float* out = f.out().data();
    for (size_t i = 0; i < f.out().size(); ++i) out[i] += residual[i];
  }
  f.relu_if(op.relu, op.relu_max);
}

void float_conv_transpose(const FloatContext& f, const ConvTransposeOp& op) {
  const Shape& x = f.shape(0);
  const Shape& o = f.out_shape();
  const Window& w = op.window;
  const int64_t kernels = o.c / op.groups;
  const int64_t channels = x.c / op.groups;
  const int64_t plane = o.h * o.w;
  for (int64_t k = 0; k < o.c; ++k) {
    std::fill_n(f.out().begin() + k * plane, plane, f.in(2)[static_cast<size_t>(k)]);
  }
  for (int64_t c = 0; c < x.c; ++c) {
    for (int64_t k = 0; k < kernels; ++k) {
      const float* image = f.in(0).data() + c * x.h * x.w;
      const float* kernel = f.in(1).data() + (c * kernels + k) * w.kernel_h * w.kernel_w;
      float* to = f.out().data() + (c / channels * kernels + k) * plane;
      for (int64_t i = 0; i < x.h * x.w * w.kernel_h * w.kernel_w; ++i) {
        const int64_t s = i % w.kernel_w;
        const int64_t r = i / w.kernel_w % w.kernel_h;
        const int64_t at = i / (int64_t{w.kernel_w} * w.kernel_h);
        const int64_t oy = at / x.w * w.stride_h + r * w.dilation_h - w.pad_top;
        const int64_t ox = at % x.w * w.stride_w + s * w.dilation_w - w.pad_left;
        if (oy < 0 || oy >= o.h || ox < 0 || ox >= o.w) continue;
        to[oy * o.w + ox] += image[at] * kernel[r * w.kernel_w + s];
      }
    }
  }
}

void float_gemm(const FloatContext& f) {
  const std::vector<float>& x = f.in(0);
  for (size_t k = 0; k < f.out().size(); ++k)
    f.out()[k] = dot_float(f.in(1).data() + k * x.size(), x.data(), x.size()) + f.in(2)[k];
}

}  // namespace dlavp::compiler
