// The int8 interpreter's convolution sums against the definition, one product at a time.
#include <catch2/catch.hpp>
#include <random>

#include "compiler/interpreter/int8_conv.hpp"
#include "compiler/tests/networks.hpp"

using namespace dlavp::compiler;
using dlavp::compiler::testing::window;

namespace {

struct Case {
  Shape x, o;
  ConvLayer layer;
};

Case make(const Shape& x, int64_t kernels, uint32_t groups, const Window& w) {
  Case c{x, {1, kernels, w.out_h(x.h), w.out_w(x.w)}, {}};
  c.layer.window = w;
  c.layer.groups = groups;
  c.layer.weights.resize(static_cast<size_t>(kernels * x.c / groups * w.kernel_h * w.kernel_w));
  return c;
}

int64_t sum_at(const Case& c, const std::vector<int8_t>& in, int64_t k, int64_t y, int64_t x) {
  const Window& w = c.layer.window;
  const int64_t channels = c.x.c / c.layer.groups;
  const int64_t first = k / (c.o.c / c.layer.groups) * channels;
  int64_t sum = 0;
  for (int64_t ch = 0; ch < channels; ++ch) {
    for (int64_t r = 0; r < w.kernel_h; ++r) {
      for (int64_t s = 0; s < w.kernel_w; ++s) {
        const int64_t iy = y * w.stride_h + r * w.dilation_h - w.pad_top;
        const int64_t ix = x * w.stride_w + s * w.dilation_w - w.pad_left;
        if (iy < 0 || iy >= c.x.h || ix < 0 || ix >= c.x.w) continue;
        const int64_t weight = ((k * channels + ch) * w.kernel_h + r) * w.kernel_w + s;
        sum += int64_t{c.layer.weights[static_cast<size_t>(weight)]} *
               in[static_cast<size_t>(((first + ch) * c.x.h + iy) * c.x.w + ix)];
      }
    }
  }
  return sum;
}

void compare(const Case& c, const std::vector<int8_t>& in) {
  const std::vector<int32_t> sums = convolution_sums(c.layer, in, c.x, c.o);
  REQUIRE(sums.size() == static_cast<size_t>(c.o.elements()));
  size_t i = 0;
  for (int64_t k = 0; k < c.o.c; ++k) {
    for (int64_t y = 0; y < c.o.h; ++y) {
      for (int64_t x = 0; x < c.o.w; ++x, ++i) {
        if (sums[i] != sum_at(c, in, k, y, x))
          FAIL("kernel " << k << " row " << y << " column " << x);
      }
    }
  }
}

}  // namespace

TEST_CASE("int8 convolution: the largest sums are exact, beyond what one chunk of floats adds") {
  Case c = make({1, 800, 5, 7}, 5, 1, window(3, 1, 1));  // 7200 products a sum
  const std::vector<int8_t> in(static_cast<size_t>(c.x.elements()), -128);
  std::fill(c.layer.weights.begin(), c.layer.weights.end(), int8_t{-128});
  compare(c, in);
  std::fill(c.layer.weights.begin(), c.layer.weights.end(), int8_t{127});
  compare(c, in);
}

TEST_CASE("int8 convolution: random shapes equal the definition") {
  std::mt19937 random(7);
  const auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  size_t pixels = 0, depthwise = 0, panels = 0;
  for (int i = 0; i < 60; ++i) {
    Window w = window(1, 1, 0);
    w.kernel_h = static_cast<uint32_t>(pick(1, 4)), w.kernel_w = static_cast<uint32_t>(pick(1, 4));
    w.stride_h = static_cast<uint32_t>(pick(1, 3)), w.stride_w = static_cast<uint32_t>(pick(1, 3));
    w.dilation_h = static_cast<uint32_t>(pick(1, 2)),
    w.dilation_w = static_cast<uint32_t>(pick(1, 3));
    w.pad_top = static_cast<uint32_t>(pick(0, 3)), w.pad_left = static_cast<uint32_t>(pick(0, 3));
    w.pad_bottom = static_cast<uint32_t>(pick(0, 3)),
    w.pad_right = static_cast<uint32_t>(pick(0, 9));
    const int64_t groups = pick(1, 4);
    const int64_t channels = i % 3 == 0 ? 1 : pick(1, 9), kernels = i % 3 == 0 ? 1 : pick(1, 9);
    const bool one = i % 10 == 9;  // a single output pixel
    if (one) w.pad_top = w.pad_bottom = w.pad_left = w.pad_right = 0;
    const int64_t h = one ? w.extent_h() : pick(7, 24);
    const int64_t width = one ? w.extent_w() : pick(10, 24);
    Case c =
        make({1, channels * groups, h, width}, kernels * groups, static_cast<uint32_t>(groups), w);
    std::vector<int8_t> in(static_cast<size_t>(c.x.elements()));
    for (int8_t& v : in) v = static_cast<int8_t>(pick(-128, 127));
    for (int8_t& v : c.layer.weights) v = static_cast<int8_t>(pick(-128, 127));
    INFO("case " << i << ": " << c.x.text() << " to " << c.o.text());
    (c.o.h * c.o.w == 1 ? pixels : channels * kernels == 1 ? depthwise : panels) += 1;
    compare(c, in);
  }
  CHECK(pixels > 3);
  CHECK(depthwise > 3);
  CHECK(panels > 3);
}
