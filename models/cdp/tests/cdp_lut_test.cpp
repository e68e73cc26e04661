// The lookup tables: exact values of indexing, table choice, interpolation and slopes, and random
// tables against loops written from the manual.
#include "models/cdp/cdp_lut.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

using namespace dlavp::cdp;

namespace {

int32_t value(const Lut& lut, int64_t x) {
  LutCounts counts;
  return evaluate(lut, x, counts);
}

/// A table whose entries are `step` apart.
Lut ramp(int16_t le_step, int16_t lo_step) {
  Lut lut;
  for (size_t i = 0; i < kLeEntries; ++i)
    lut.le[i] = static_cast<int16_t>(static_cast<int>(i) * le_step);
  for (size_t i = 0; i < kLoEntries; ++i)
    lut.lo[i] = static_cast<int16_t>(static_cast<int>(i) * lo_step);
  return lut;
}

double round_away(double v) { return v < 0 ? -std::floor(-v + 0.5) : std::floor(v + 0.5); }

}  // namespace

TEST_CASE("cdp lut: a value equal to the start is an underflow") {
  Lut lut;
  lut.le_start = 100;
  REQUIRE(lookup_le(lut, 100).under);
  REQUIRE_FALSE(lookup_le(lut, 101).under);
  REQUIRE(lookup_le(lut, 101).index == 1);
}

TEST_CASE("cdp lut: linear index, fraction and overflow follow the selection") {
  Lut lut;
  lut.lo_select = 4;
  const Lookup at = lookup_lo(lut, 16 * 3 + 4);
  REQUIRE(at.index == 3);
  REQUIRE(at.fraction == 0x4000);
  REQUIRE_FALSE(lookup_lo(lut, 16 * 256 - 1).over);
  REQUIRE(lookup_lo(lut, 16 * 256).over);
  REQUIRE(lookup_lo(lut, 16 * 256).index == 256);
  lut.lo_select = -2;
  REQUIRE(lookup_lo(lut, 5).index == 20);
  REQUIRE(lookup_lo(lut, 5).fraction == 0);
  REQUIRE(lookup_lo(lut, 64).over);
  lut.lo_select = -32;  // its five-bit amount is zero
  REQUIRE(lookup_lo(lut, 5).index == 5);
  lut.le_select = -32;
  REQUIRE(lookup_le(lut, 1).over);
}

TEST_CASE("cdp lut: an exponential table is indexed by the logarithm") {
  Lut lut;
  lut.le_exponent = true;
  lut.le_index_offset = 2;
  REQUIRE(lookup_le(lut, 3).under);
  REQUIRE(lookup_le(lut, 4).index == 0);
  REQUIRE(lookup_le(lut, 4).hit());
  REQUIRE(lookup_le(lut, 12).index == 1);
  REQUIRE(lookup_le(lut, 12).fraction == 0x8000);
  lut.le_index_offset = -50;
  REQUIRE(lookup_le(lut, 1 << 13).index == 63);
  REQUIRE(lookup_le(lut, 1 << 14).over);
}

TEST_CASE("cdp lut: only the low 22 bits of a start are compared") {
  Lut lut;
  lut.le_start = (int64_t{1} << 30) + 7;
  REQUIRE(lookup_le(lut, 8).index == 1);
  lut.le_start = 0x3fffff;  // -1 in 22 bits
  REQUIRE(lookup_le(lut, 0).index == 1);
}

TEST_CASE("cdp lut: interpolation rounds the difference, ties away from zero") {
  Lut lut;
  lut.lo_select = 1;
  lut.both_under = lut.both_over = lut.otherwise = Table::kLo;
  lut.lo[1] = 10;
  lut.lo[2] = 13;
  REQUIRE(value(lut, 3) == 12);  // 10 + 1.5
  lut.lo[2] = 7;
  REQUIRE(value(lut, 3) == 8);  // 10 - 1.5
  lut.lo[1] = -32768;
  lut.lo[2] = 32767;
  REQUIRE(value(lut, 3) == 0);  // -32768 + 32767.5
}

TEST_CASE("cdp lut: slopes continue a table behind its ends and saturate") {
  Lut lut = ramp(1, 1);
  lut.both_under = lut.both_over = Table::kLo;
  lut.lo_start = 100;
  lut.lo_end = 356;
  lut.le_start = 100;
  lut.lo_under = {3, 1};
  lut.lo_over = {2, -1};
  REQUIRE(value(lut, 97) == -5);  // 0 + (-9 / 2), ties away
  REQUIRE(value(lut, 366) == 256 + 40);
  lut.lo_over = {32767, -15};
  REQUIRE(value(lut, 400) == 32767);
  lut.lo_over = {-32768, -16};
  REQUIRE(value(lut, 400) == -32768);
}

TEST_CASE("cdp lut: below a logarithmic table the slope begins at start plus two to the offset") {
  Lut lut;
  lut.le_exponent = true;
  lut.lo_start = 1000;  // LO misses, both are under: LE by priority
  lut.le_under = {1, 0};
  lut.le[0] = 50;
  REQUIRE(value(lut, -9) == 50 - 9 - 1);  // offset 0 adds one
  lut.le_index_offset = 3;
  REQUIRE(value(lut, 5) == 50 + 5 - 8);
  lut.le_index_offset = -1;
  REQUIRE(value(lut, -9) == 50 - 9);
}

TEST_CASE("cdp lut: the priorities decide where both tables hit or miss") {
  Lut lut;
  Lookup hit, under, over;
  under.under = over.over = true;
  lut.both_under = Table::kLo;
  lut.both_over = Table::kLe;
  lut.otherwise = Table::kLo;
  REQUIRE(choose(lut, hit, under) == Table::kLe);
  REQUIRE(choose(lut, over, hit) == Table::kLo);
  REQUIRE(choose(lut, under, under) == Table::kLo);
  REQUIRE(choose(lut, over, over) == Table::kLe);
  REQUIRE(choose(lut, hit, hit) == Table::kLo);
  REQUIRE(choose(lut, under, over) == Table::kLo);
}

TEST_CASE("cdp lut: each value is counted once by its case") {
  Lut lut;
  lut.le_start = 10;
  lut.lo_start = 100;
  LutCounts counts;
  for (int64_t x : {0, 50, 105, 74, 500}) (void)evaluate(lut, x, counts);
  REQUIRE(counts.both_under == 1);  // 0
  REQUIRE(counts.le_only == 1);     // 50
  REQUIRE(counts.lo_only == 1);     // 105: LE ended at 74
  REQUIRE(counts.hybrid == 1);      // 74: one over, the other under
  REQUIRE(counts.both_over == 1);
}

TEST_CASE("cdp lut: random linear tables equal the formula") {
  const uint32_t seed = 5;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 3000; ++i) {
    Lut lut;
    for (int16_t& v : lut.lo) v = static_cast<int16_t>(random() % 4000 - 2000);
    lut.both_under = lut.both_over = lut.otherwise = Table::kLo;
    lut.le_start = 0x1fffff;  // LE never hits
    lut.lo_start = static_cast<int64_t>(random() % 2000) - 1000;
    lut.lo_select = static_cast<int>(random() % 8);
    lut.lo_end = lut.lo_start + (256 << lut.lo_select);
    lut.lo_under = {static_cast<int16_t>(random() % 200 - 100), static_cast<int8_t>(random() % 5)};
    lut.lo_over = {static_cast<int16_t>(random() % 200 - 100), static_cast<int8_t>(random() % 5)};
    const int64_t x =
        lut.lo_start - 300 + static_cast<int64_t>(random() % ((256u << lut.lo_select) + 900));
    const double position = static_cast<double>(x - lut.lo_start) / (1 << lut.lo_select);
    double expected;
    if (position <= 0)
      expected =
          lut.lo[0] + round_away(static_cast<double>((x - lut.lo_start) * lut.lo_under.scale) /
                                 (1 << lut.lo_under.shift));
    else if (position >= 256)
      expected =
          lut.lo[256] + round_away(static_cast<double>((x - lut.lo_end) * lut.lo_over.scale) /
                                   (1 << lut.lo_over.shift));
    else {
      const auto index = static_cast<size_t>(position);
      const double fraction = std::floor((position - static_cast<double>(index)) * 65536);
      expected = lut.lo[index] + round_away((lut.lo[index + 1] - lut.lo[index]) * fraction / 65536);
    }
    REQUIRE(value(lut, x) == static_cast<int32_t>(std::clamp(expected, -32768.0, 32767.0)));
  }
}
