// The look-up tables' corner cases: equality with the start, both ends, both kinds of index, the
// choice of table and extrapolation.
#include <catch2/catch.hpp>

#include "models/sdp/sdp_lut.hpp"

using namespace dlavp::sdp;

namespace {

LutTables ramp() {
  LutTables t;
  for (unsigned i = 0; i < kLeEntries; ++i) t.le[i] = static_cast<int16_t>(100 * i);
  for (unsigned i = 0; i < kLoEntries; ++i)
    t.lo[i] = static_cast<int16_t>(-10 * static_cast<int>(i));
  return t;
}

LutParams linear() {
  LutParams p;
  p.le_linear = true;
  p.le_start = 0;
  p.le_end = 64;
  p.lo_start = 1000;
  p.lo_end = 1256;
  return p;
}

int32_t value(int32_t x, const LutParams& p, LutCounts* counts = nullptr) {
  LutCounts local;
  return look_up(x, p, ramp(), counts ? *counts : local);
}

}  // namespace

TEST_CASE("sdp: a value equal to the start underflows") {
  REQUIRE(linear_index(10, 10, 0, kLeEntries).underflow);
  REQUIRE(linear_index(11, 10, 0, kLeEntries).hit());
  REQUIRE(linear_index(11, 10, 0, kLeEntries).index == 1);
  REQUIRE(exponent_index(10, 10, 0, kLeEntries).underflow);
}

TEST_CASE("sdp: a linear index overflows at the last entry, also by left shifts") {
  REQUIRE(linear_index(63, 0, 0, kLeEntries).hit());
  REQUIRE(linear_index(64, 0, 0, kLeEntries).overflow);
  REQUIRE(linear_index(64, 0, 0, kLeEntries).index == 64);
  REQUIRE(linear_index(255, 0, 0, kLoEntries).hit());
  REQUIRE(linear_index(256, 0, 0, kLoEntries).overflow);
  REQUIRE(linear_index(3, 0, -4, kLeEntries).index == 48);
  REQUIRE(linear_index(4, 0, -4, kLeEntries).overflow);
  REQUIRE(linear_index(1, 0, -128, kLoEntries).overflow);
  REQUIRE(linear_index(INT32_MAX, INT32_MIN, 32, kLoEntries).index == 0);
  REQUIRE(linear_index(INT32_MAX, INT32_MIN, 24, kLoEntries).index == 255);
}

TEST_CASE("sdp: the fraction has 35 bits, left justified") {
  REQUIRE(linear_index(5, 0, 2, kLeEntries).fraction == uint64_t{1} << 33);
  REQUIRE(linear_index(7, 0, 0, kLeEntries).fraction == 0);
  REQUIRE(linear_index(7, 0, 40, kLeEntries).fraction == 0);
  REQUIRE(linear_index(64, 0, 40, kLeEntries).fraction == 2);
  REQUIRE(exponent_index(12, 0, 0, kLeEntries).index == 3);
  REQUIRE(exponent_index(12, 0, 0, kLeEntries).fraction == uint64_t{1} << 34);
}

TEST_CASE("sdp: an exponential index underflows below its offset") {
  REQUIRE(exponent_index(7, 0, 3, kLeEntries).underflow);
  REQUIRE(exponent_index(8, 0, 3, kLeEntries).index == 0);
  REQUIRE(exponent_index(8, 0, -60, kLeEntries).index == 63);
  REQUIRE(exponent_index(16, 0, -60, kLeEntries).overflow);
}

TEST_CASE("sdp: hits interpolate with one rounding of the weighted sum") {
  LutParams p = linear();
  p.le_index_select = 1;
  REQUIRE(value(5, p) == 250);
  LutTables t = ramp();
  t.le[0] = 0;
  t.le[1] = -1;
  LutCounts counts;
  REQUIRE(look_up(1, p, t, counts) == -1);  // -0.5
}

TEST_CASE("sdp: priorities choose between tables that both miss or both hit") {
  LutParams p = linear();
  p.lo_start = 0;
  p.lo_end = 256;
  REQUIRE(value(10, p) == 1000);
  p.hybrid_lo = true;
  REQUIRE(value(10, p) == -100);
  REQUIRE(value(-1, p) == 0);
  p.le_underflow_scale = 5;
  REQUIRE(value(-1, p) == -5);
  p.underflow_lo = true;
  REQUIRE(value(-1, p) == 0);
  REQUIRE(value(300, p) == 6400);
  p.overflow_lo = true;
  REQUIRE(value(300, p) == -2560);
}

TEST_CASE("sdp: exactly one hit wins, and misses on different sides follow the hybrid priority") {
  LutParams p = linear();
  LutCounts counts;
  REQUIRE(value(1010, p, &counts) == -100);  // LE overflows, LO hits
  REQUIRE(value(10, p, &counts) == 1000);    // LE hits, LO underflows
  REQUIRE(value(500, p, &counts) == 6400);   // LE overflows, LO underflows: LE
  p.hybrid_lo = true;
  REQUIRE(value(500, p, &counts) == 0);  // LO
  REQUIRE(counts.le_hit == 1);
  REQUIRE(counts.lo_hit == 1);
  REQUIRE(counts.hybrid == 2);
  REQUIRE(counts.overflow == 1);
  REQUIRE(counts.underflow == 1);
}

TEST_CASE("sdp: extrapolation scales the distance by a signed shift and saturates") {
  LutParams p = linear();
  p.le_overflow_scale = 3;
  p.le_overflow_shift = 1;
  REQUIRE(value(65, p) == 6402);  // 1.5 rounds to 2
  p.le_overflow_shift = -4;
  REQUIRE(value(65, p) == 6448);
  p.le_overflow_scale = INT16_MAX;
  p.le_overflow_shift = -16;
  p.overflow_lo = false;
  REQUIRE(value(INT32_MAX, p) == INT32_MAX);
}

TEST_CASE("sdp: an exponential table underflows from 2^offset above its start, also for offset 0") {
  LutParams p = linear();
  p.le_linear = false;
  p.le_underflow_scale = 1;
  p.le_index_offset = 0;
  REQUIRE(value(-3, p) == -4);
  p.le_index_offset = 3;
  REQUIRE(value(-3, p) == -11);
  p.le_index_offset = -1;
  REQUIRE(value(-3, p) == -3);
}
