// Floating-point meaning of convolutions and fully connected layers.
#include "compiler/interpreter/columns.hpp"
#include "compiler/interpreter/float_context.hpp"

namespace dlavp::compiler {
namespace {

/// Adds weight x input row to an output row; columns outside the input count as zero.
void add_row(double* to, const float* from, float weight, const Window& w, int64_t s, int64_t in_w,
             int64_t out_w) {
  const Columns c = columns_inside(w, s, in_w, out_w);
  const double factor{weight};
  if (w.stride_w == 1) {  // without a stride the compiler can use vectors
    for (int64_t x = c.begin; x < c.end; ++x) to[x] += factor * double{from[x + c.offset]};
  } else {
    for (int64_t x = c.begin; x < c.end; ++x)
      to[x] += factor * double{from[x * w.stride_w + c.offset]};
  }
}

}  // namespace

void float_conv(const FloatContext& f, const ConvOp& op) {
  const Shape& x = f.shape(0);
  const Shape& o = f.out_shape();
  const Window& w = op.window;
  const int64_t in_channels = x.c / op.groups;
  const int64_t kernels = o.c / op.groups;
  std::vector<double> plane(static_cast<size_t>(o.h * o.w));
  for (int64_t k = 0; k < o.c; ++k) {
    std::fill(plane.begin(), plane.end(), double{f.in(2)[static_cast<size_t>(k)]});
    for (int64_t c = 0; c < in_channels; ++c) {
      const float* image = f.in(0).data() + (k / kernels * in_channels + c) * x.h * x.w;
      const float* kernel = f.in(1).data() + (k * in_channels + c) * w.kernel_h * w.kernel_w;
      for (int64_t y = 0; y < o.h; ++y) {
        for (int64_t r = 0; r < w.kernel_h; ++r) {
          const int64_t iy = y * w.stride_h + r * w.dilation_h - w.pad_top;
          if (iy < 0 || iy >= x.h) continue;
          for (int64_t s = 0; s < w.kernel_w; ++s) {
            add_row(plane.data() + y * o.w, image + iy * x.w, kernel[r * w.kernel_w + s], w, s, x.w,
                    o.w);
          }
        }
      }
    }
    std::copy(plane.begin(), plane.end(), f.out().begin() + k * o.h * o.w);
  }
  if (op.residual) {
    for (size_t i = 0; i < f.out().size(); ++i) f.out()[i] += f.in(3)[i];
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
  const std::vector<float>& w = f.in(1);
  const size_t c = x.size();
  for (size_t k = 0; k < f.out().size(); ++k) {
    double sum = f.in(2)[k];
    for (size_t i = 0; i < c; ++i) sum += double{w[k * c + i]} * double{x[i]};
    f.out()[k] = static_cast<float>(sum);
  }
}

}  // namespace dlavp::compiler
