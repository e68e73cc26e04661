// The pooling core against exact values and against naive loops written from the manual.
#include <catch2/catch.hpp>
#include <random>

#include "models/pdp/pdp_core.hpp"

using namespace dlavp;
using namespace dlavp::pdp;

namespace {

/// One pooled element, element by element, with the arithmetic of the manual in plain integers.
int8_t naive(const PdpOp& op, const AtomCube<int8_t>& in, uint32_t lane_index, uint32_t ox,
             uint32_t oy) {
  const int left = static_cast<int>(ox * op.stride_x) - static_cast<int>(op.bands[0].pad_left);
  const int top = static_cast<int>(oy * op.stride_y) - static_cast<int>(op.pad_top);
  int best = op.method == Method::kMax ? -1000 : 1000;
  long total = 0;
  int rows_missing = 0;
  for (int y = top; y < top + static_cast<int>(op.kernel_height); ++y) {
    if (y < 0 || y >= static_cast<int>(op.in.height)) {
      ++rows_missing;
      continue;
    }
    int missing = 0;
    for (int x = left; x < left + static_cast<int>(op.kernel_width); ++x) {
      if (x < 0 || x >= static_cast<int>(op.in.width)) {
        ++missing;
        continue;
      }
      const int value = in.at(static_cast<uint32_t>(x), static_cast<uint32_t>(y), lane_index);
      best = op.method == Method::kMax ? std::max(best, value) : std::min(best, value);
      total += value;
    }
    total += op.pad_value[static_cast<size_t>(missing)];
  }
  if (op.method != Method::kAverage) return static_cast<int8_t>(best);
  total += long{op.pad_value[static_cast<size_t>(rows_missing)]} * op.kernel_width;
  const auto scaled = [](long value, uint32_t recip) {
    const long product = value * static_cast<long>(recip);
    const long magnitude = (std::labs(product) + 0x8000) / 0x10000;
    return product < 0 ? -magnitude : magnitude;
  };
  return static_cast<int8_t>(scaled(scaled(total, op.recip_width), op.recip_height));
}

PdpOp make_op(Method method, CubeSize in, uint32_t kw, uint32_t kh, uint32_t sx, uint32_t sy,
              uint32_t left, uint32_t right, uint32_t top, uint32_t bottom, uint32_t atom) {
  PdpOp op;
  op.method = method;
  op.in = in;
  op.kernel_width = kw;
  op.kernel_height = kh;
  op.stride_x = sx;
  op.stride_y = sy;
  op.pad_top = top;
  op.pad_bottom = bottom;
  op.out = {(in.width + left + right - kw) / sx + 1, (in.height + top + bottom - kh) / sy + 1,
            in.channels};
  op.bands = {{0, in.width, 0, op.out.width, left, right}};
  op.surfaces = (in.channels + atom - 1) / atom;
  op.recip_width = 0x10000 / kw;
  op.recip_height = 0x10000 / kh;
  return op;
}

AtomCube<int8_t> random_cube(CubeSize size, uint32_t atom, std::mt19937& random) {
  AtomCube<int8_t> cube(size, atom);
  for (int8_t& v : cube.values) v = static_cast<int8_t>(random());
  return cube;
}

}  // namespace

TEST_CASE("pdp: average pool rounds half away from zero, once per reciprocal") {
  constexpr uint32_t kOne = 0x10000, kHalf = 0x8000;
  REQUIRE(average(5, kHalf, kOne) == 3);    // 2.5
  REQUIRE(average(-5, kHalf, kOne) == -3);  // -2.5
  REQUIRE(average(1, kHalf, kOne) == 1);
  REQUIRE(average(-1, kHalf, kOne) == -1);
  REQUIRE(average(3, kHalf, kHalf) == 1);  // 1.5 -> 2 -> 1
  REQUIRE(average(5, kHalf, kHalf) == 2);  // 2.5 -> 3 -> 1.5 -> 2, in one step it were 1.25 -> 1
  REQUIRE(average(-5, kHalf, kHalf) == -2);
  REQUIRE(average(127, kOne, kOne) == 127);
  REQUIRE(average(-128, kOne, kOne) == -128);
  REQUIRE(average(7, 0, kOne) == 0);
}

TEST_CASE("pdp: an average that overflows keeps low bits, it does not saturate") {
  constexpr uint32_t kOne = 0x10000;
  REQUIRE(average(-129, kOne, kOne) == 127);
  REQUIRE(average(200, kOne, kOne) == 200 - 128);  // seven bits of a positive integer part remain
  REQUIRE(average(1024 + 5, kOne, kOne) == 5);     // ten after the first reciprocal
}

TEST_CASE("pdp: maximum and minimum skip the padding") {
  AtomCube<int8_t> in({1, 1, 8}, 8);
  for (uint32_t lane = 0; lane < 8; ++lane) in.values[lane] = static_cast<int8_t>(lane * 30 - 128);
  for (Method method : {Method::kMax, Method::kMin}) {
    PdpOp op = make_op(method, in.size, 3, 3, 1, 1, 1, 1, 1, 1, 8);
    op.pad_value.fill(100);
    REQUIRE(pool(op, in).values == in.values);
  }
}

TEST_CASE("pdp: a window counts missing columns left and right together") {
  AtomCube<int8_t> in({1, 1, 8}, 8);
  in.values.assign(8, 10);
  PdpOp op = make_op(Method::kAverage, in.size, 3, 1, 1, 1, 1, 1, 0, 0, 8);
  op.recip_width = 0x10000;
  op.pad_value = {0, 1, 20, 0,
                  0, 0, 0,  0};  // two missing: the entry for two, not twice that for one
  REQUIRE(pool(op, in).values == std::vector<int8_t>(8, 30));
}

TEST_CASE("pdp: missing rows add the pad value times the kernel width") {
  AtomCube<int8_t> in({2, 1, 8}, 8);
  in.values.assign(16, 10);
  PdpOp op = make_op(Method::kAverage, in.size, 2, 3, 1, 1, 0, 0, 1, 1, 8);
  op.recip_width = op.recip_height = 0x10000;
  op.pad_value = {0, 0, -7, 0, 0, 0, 0, 0};
  REQUIRE(pool(op, in).values == std::vector<int8_t>(8, 20 - 14));
}

TEST_CASE("pdp: lanes beyond the channels are pooled like the others") {
  AtomCube<int8_t> in({2, 2, 3}, 8);
  in.values.assign(32, 5);
  const PdpOp op = make_op(Method::kMax, in.size, 2, 2, 1, 1, 0, 0, 0, 0, 8);
  REQUIRE(pool(op, in).values == std::vector<int8_t>(8, 5));
}

TEST_CASE("pdp: bands give what the whole width gives") {
  std::mt19937 random(11);
  const AtomCube<int8_t> in = random_cube({20, 7, 16}, 8, random);
  PdpOp whole = make_op(Method::kAverage, in.size, 3, 3, 1, 1, 1, 1, 1, 1, 8);
  whole.pad_value = {0, 3, 6, 9, 12, 15, 18, 21};
  PdpOp split = whole;
  split.bands = {{0, 8, 0, 7, 1, 0}, {6, 8, 7, 6, 0, 0}, {12, 8, 13, 7, 0, 1}};
  REQUIRE(pool(split, in).values == pool(whole, in).values);
}

TEST_CASE("pdp: random operations equal naive loops") {
  const uint32_t seed = 20;
  std::mt19937 random(seed);
  INFO("seed " << seed);
  const auto pick = [&](uint32_t low, uint32_t high) {
    return low + static_cast<uint32_t>(random() % (high - low + 1));
  };
  for (int i = 0; i < 1500; ++i) {
    const uint32_t atom = 8u << pick(0, 2);
    const CubeSize size{pick(1, 12), pick(1, 12), pick(1, 2 * atom + 1)};
    const uint32_t kw = pick(1, 8), kh = pick(1, 8);
    const uint32_t left = pick(0, kw - 1), right = pick(0, kw - 1), top = pick(0, kh - 1),
                   bottom = pick(0, kh - 1);
    if (size.width + left + right < kw || size.height + top + bottom < kh) continue;
    PdpOp op = make_op(static_cast<Method>(pick(0, 2)), size, kw, kh, pick(1, 10), pick(1, 10),
                       left, right, top, bottom, atom);
    for (size_t n = 1; n < 8; ++n) op.pad_value[n] = static_cast<int32_t>(pick(0, 60)) - 30;
    const AtomCube<int8_t> in = random_cube(size, atom, random);
    const AtomCube<int8_t> out = pool(op, in);
    if ((op.out.width - 1) * op.stride_x >= size.width + left ||
        (op.out.height - 1) * op.stride_y >= size.height + top)
      continue;
    for (uint32_t c = 0; c < op.surfaces * atom; ++c)
      for (uint32_t y = 0; y < op.out.height; ++y)
        for (uint32_t x = 0; x < op.out.width; ++x)
          if (out.at(x, y, c) != naive(op, in, c, x, y)) {
            CAPTURE(i, c, x, y, kw, kh, size.width, size.height);
            REQUIRE(int{out.at(x, y, c)} == int{naive(op, in, c, x, y)});
          }
  }
}
