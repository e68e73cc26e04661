// What each output pixel of a convolution sees, gathered into rows of floats: one row an element of
// the kernel, for a run of output pixels. The float and the int8 interpreter multiply the rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <thread>

#include "compiler/interpreter/columns.hpp"
#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

template <typename T>
struct WindowColumns {
  const T* image;  ///< CHW
  const Shape& x;
  const Shape& o;
  const Window& w;
  int64_t channels;  ///< of one group
  int64_t kernels;   ///< of one group

  [[nodiscard]] size_t length() const {
    return static_cast<size_t>(channels * w.kernel_h * w.kernel_w);
  }
  [[nodiscard]] size_t pixels() const { return static_cast<size_t>(o.h * o.w); }

  /// What `count` pixels from `first` on see of element `tap` of the kernels of a group; zero
  /// beyond the input.
  template <typename Out>
  void gather(Out* row, int64_t group, int64_t tap, int64_t first, int64_t count) const {
    const int64_t s = tap % w.kernel_w;
    const int64_t r = tap / w.kernel_w % w.kernel_h;
    const int64_t c = group * channels + tap / (int64_t{w.kernel_w} * w.kernel_h);
    const T* plane = image + c * x.h * x.w;
    const Columns inside = columns_inside(w, s, x.w, o.w);
    for (int64_t done = 0; done < count;) {
      const int64_t y = (first + done) / o.w;
      const int64_t from = (first + done) % o.w;
      const int64_t to = std::min(o.w, from + count - done);
      const int64_t iy = y * w.stride_h + r * w.dilation_h - w.pad_top;
      Out* out = row + done - from;
      const bool empty = iy < 0 || iy >= x.h;
      const int64_t begin = empty ? to : std::clamp(inside.begin, from, to);
      const int64_t end = empty ? to : std::clamp(inside.end, begin, to);
      std::fill(out + from, out + begin, Out{0});
      const T* line = plane + iy * x.w + inside.offset;
      if (w.stride_w == 1) {  // without a stride the compiler can use vectors
        std::copy(line + begin, line + end, out + begin);
      } else {
        for (int64_t i = begin; i < end; ++i) out[i] = static_cast<Out>(line[i * w.stride_w]);
      }
      std::fill(out + end, out + to, Out{0});
      done += to - from;
    }
  }
};

/// Adds weight x input row to an output row; columns outside the input count as zero.
template <typename T, typename Sum>
void add_row(Sum* to, const T* from, Sum weight, const Columns& c, int64_t stride) {
  if (stride == 1) {
    for (int64_t x = c.begin; x < c.end; ++x) to[x] += weight * from[x + c.offset];
  } else {
    for (int64_t x = c.begin; x < c.end; ++x) to[x] += weight * from[x * stride + c.offset];
  }
}

/// Adds to `to`, an output plane, what kernel `k` of a depthwise convolution gives.
template <typename T, typename Sum>
void add_depthwise_plane(const WindowColumns<T>& v, int64_t k, const T* kernel, Sum* to) {
  const T* plane = v.image + k * v.x.h * v.x.w;
  for (int64_t s = 0; s < v.w.kernel_w; ++s) {
    const Columns columns = columns_inside(v.w, s, v.x.w, v.o.w);
    for (int64_t r = 0; r < v.w.kernel_h; ++r) {
      const auto weight = static_cast<Sum>(kernel[r * v.w.kernel_w + s]);
      for (int64_t y = 0; y < v.o.h; ++y) {
        const int64_t iy = y * v.w.stride_h + r * v.w.dilation_h - v.w.pad_top;
        if (iy < 0 || iy >= v.x.h) continue;
        add_row(to + y * v.o.w, plane + iy * v.x.w, weight, columns, v.w.stride_w);
      }
    }
  }
}

/// part(first, step) does tasks first, first + step, ...; with many products every other task goes
/// to a second thread.
template <typename Part>
void in_parts(size_t products, const Part& part) {
  constexpr size_t kThreadedProducts = 1U << 24U;  // below, a thread costs more than it saves
  if (products < kThreadedProducts || std::thread::hardware_concurrency() < 2) {
    part(size_t{0}, size_t{1});
    return;
  }
  std::thread other([&] { part(size_t{1}, size_t{2}); });
  part(size_t{0}, size_t{2});
  other.join();
}

}  // namespace dlavp::compiler
