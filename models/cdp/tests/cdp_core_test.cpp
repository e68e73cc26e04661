// The normalisation core against exact values and against naive loops written from the manual.
#include "models/cdp/cdp_core.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

using namespace dlavp;
using namespace dlavp::cdp;

namespace {

/// A table that gives `y` everywhere.
Lut constant(int16_t y) {
  Lut lut;
  lut.le.fill(y);
  lut.lo.fill(y);
  return lut;
}

/// A table that gives its own input up to 256 (LO, one entry a step).
Lut identity() {
  Lut lut;
  for (size_t i = 0; i < kLoEntries; ++i) lut.lo[i] = static_cast<int16_t>(i);
  lut.both_under = lut.both_over = lut.otherwise = Table::kLo;
  lut.le_start = 0x1fffff;
  lut.lo_under = {1, 0};
  lut.lo_over = {1, 0};
  lut.lo_end = 256;
  return lut;
}

CdpOp make_op(CubeSize size, uint32_t atom, const Lut& lut) {
  CdpOp op;
  op.size = size;
  op.surfaces = (size.channels + atom - 1) / atom;
  op.lut = lut;
  return op;
}

std::vector<int8_t> run(const CdpOp& op, const AtomCube<int8_t>& in) {
  LutCounts counts;
  return normalise(op, in, counts).values;
}

}  // namespace

TEST_CASE("cdp: the input converter subtracts, scales, rounds away from zero and keeps nine bits") {
  CdpOp op = make_op({1, 1, 8}, 8, constant(0));
  op.in_offset = 3;
  op.in_scale = 5;
  op.in_shift = 1;
  REQUIRE(convert_in(op, 4) == 3);   // 2.5
  REQUIRE(convert_in(op, 2) == -3);  // -2.5
  REQUIRE(convert_in(op, 127) == 255);
  REQUIRE(convert_in(op, -128) == -256);
  op.in_shift = 25;
  REQUIRE(convert_in(op, -128) == 0);
}

TEST_CASE("cdp: the output converter subtracts, scales, rounds away from zero and saturates") {
  CdpOp op = make_op({1, 1, 8}, 8, constant(0));
  op.out_offset = -10;
  op.out_scale = -3;
  op.out_shift = 2;
  REQUIRE(convert_out(op, 0) == -8);   // -7.5
  REQUIRE(convert_out(op, -20) == 8);  // 7.5
  REQUIRE(convert_out(op, 4000) == -128);
  op.out_shift = 42;
  REQUIRE(convert_out(op, -4000) == 0);
}

TEST_CASE("cdp: a window reaches over atoms and ends at the cube") {
  AtomCube<int8_t> in({1, 1, 16}, 8);
  for (size_t c = 0; c < 16; ++c) in.values[c] = 1;
  CdpOp op = make_op(in.size, 8, identity());
  op.mul_bypass = true;  // the result is the number of channels in the window
  for (uint32_t window : {3u, 5u, 7u, 9u}) {
    op.window = window;
    const std::vector<int8_t> out = run(op, in);
    for (int c = 0; c < 16; ++c) {
      const int reach = static_cast<int>(window / 2);
      REQUIRE(out[static_cast<size_t>(c)] == std::min(c + reach, 15) - std::max(c - reach, 0) + 1);
    }
  }
}

TEST_CASE("cdp: lanes beyond the channels are zero, see their neighbours and are written") {
  AtomCube<int8_t> in({1, 1, 7}, 8);
  in.values.assign(8, 3);  // lane 7 holds something that does not count
  CdpOp op = make_op(in.size, 8, identity());
  op.mul_bypass = true;
  REQUIRE(run(op, in) == std::vector<int8_t>{18, 27, 27, 27, 27, 27, 18, 9});
  op.mul_bypass = false;
  op.out_offset = -5;  // zero times the table, then the output converter
  REQUIRE(run(op, in)[7] == 5);
}

TEST_CASE("cdp: with the sum bypassed the table sees the signed centre") {
  AtomCube<int8_t> in({1, 1, 8}, 8);
  in.values = {-3, 0, 1, 2, 100, -100, 5, 6};
  CdpOp op = make_op(in.size, 8, identity());
  op.sqsum_bypass = op.mul_bypass = true;
  REQUIRE(run(op, in) == in.values);
  op.mul_bypass = false;
  REQUIRE(run(op, in)[0] == 9);
}

TEST_CASE("cdp: random cubes equal naive loops") {
  const uint32_t seed = 31;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto pick = [&](int low, int high) {
    return low + static_cast<int>(random() % static_cast<uint32_t>(high - low + 1));
  };
  for (int i = 0; i < 300; ++i) {
    const uint32_t atom = 8u << pick(0, 2);
    const CubeSize size{static_cast<uint32_t>(pick(1, 4)), static_cast<uint32_t>(pick(1, 3)),
                        static_cast<uint32_t>(pick(1, 40))};
    Lut lut = identity();
    lut.lo_select = pick(0, 9);
    for (int16_t& v : lut.lo) v = static_cast<int16_t>(pick(-300, 300));
    lut.lo_end = 256 << lut.lo_select;
    CdpOp op = make_op(size, atom, lut);
    op.window = static_cast<uint32_t>(3 + 2 * pick(0, 3));
    op.in_offset = pick(-20, 20);
    op.in_scale = pick(-3, 3);
    op.in_shift = static_cast<uint32_t>(pick(0, 2));
    op.out_scale = pick(-3, 3);
    op.out_offset = pick(-1000, 1000);
    op.out_shift = static_cast<uint32_t>(pick(0, 12));
    AtomCube<int8_t> in(size, atom);
    for (int8_t& v : in.values) v = static_cast<int8_t>(random());
    LutCounts counts;
    const AtomCube<int8_t> out = normalise(op, in, counts);
    const auto rounded = [](double v) {
      return v < 0 ? -std::floor(-v + 0.5) : std::floor(v + 0.5);
    };
    const auto centre = [&](uint32_t x, uint32_t y, int c) -> double {
      if (c < 0 || c >= static_cast<int>(size.channels)) return 0;
      const double v = in.at(x, y, static_cast<uint32_t>(c));
      return std::clamp(rounded((v - op.in_offset) * op.in_scale / (1 << op.in_shift)), -256.0,
                        255.0);
    };
    for (uint32_t y = 0; y < size.height; ++y)
      for (uint32_t x = 0; x < size.width; ++x)
        for (uint32_t c = 0; c < op.surfaces * atom; ++c) {
          double sum = 0;
          for (int n = -static_cast<int>(op.window / 2); n <= static_cast<int>(op.window / 2); ++n)
            sum += std::pow(centre(x, y, static_cast<int>(c) + n), 2);
          LutCounts ignored;
          const double factor = evaluate(op.lut, static_cast<int64_t>(sum), ignored);
          const double product = factor * centre(x, y, static_cast<int>(c));
          const double expected =
              std::clamp(rounded((product - op.out_offset) * op.out_scale / (1 << op.out_shift)),
                         -128.0, 127.0);
          if (out.at(x, y, c) != static_cast<int8_t>(expected)) {
            CAPTURE(i, x, y, c);
            REQUIRE(int{out.at(x, y, c)} == static_cast<int>(expected));
          }
        }
    REQUIRE(counts.both_under + counts.both_over + counts.le_only + counts.lo_only +
                counts.hybrid ==
            out.values.size());
  }
}
