// SDP's arithmetic: exact values of each rounding and saturation rule, and seeded random lines
// against plain formulas in wide integers.
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "models/sdp/sdp_stages.hpp"

using namespace dlavp;
using namespace dlavp::sdp;

namespace {

int32_t x_one(StageOp op, int32_t value, int32_t alu = 0, int32_t mul = 0) {
  op.enabled = true;
  run_x(op, {&value, 1, 1}, {&alu, 0}, {&mul, 0});
  return value;
}

int32_t y_one(StageOp op, int32_t value, int32_t alu = 0, int32_t mul = 0) {
  op.enabled = true;
  run_y(op, {&value, 1, 1}, {&alu, 0}, {&mul, 0});
  return value;
}

StageOp with_mul(unsigned shift, bool prelu = false) {
  StageOp op;
  op.mul.enabled = true;
  op.mul_shift = shift;
  op.prelu = prelu;
  return op;
}

StageOp with_alu(AluAlgo algo) {
  StageOp op;
  op.alu.enabled = true;
  op.algo = algo;
  return op;
}

int8_t out_one(const OutputCvt& cvt, int32_t value, uint64_t* saturated = nullptr) {
  int8_t out = 0;
  const uint64_t n = convert(cvt, {&value, 1}, &out);
  if (saturated) *saturated = n;
  return out;
}

/// x / 2^shift, nearest, ties away from zero, by long double (exact for 64 bits).
int64_t divided(int64_t x, unsigned shift) {
  return static_cast<int64_t>(
      std::round(std::ldexp(static_cast<long double>(x), -static_cast<int>(shift))));
}

int64_t clamped(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}
int64_t clamped32(int64_t x) { return clamped(x, INT32_MIN, INT32_MAX); }

}  // namespace

TEST_CASE("sdp: X truncation rounds ties away from zero") {
  REQUIRE(x_one(with_mul(1), 3, 0, 1) == 2);
  REQUIRE(x_one(with_mul(1), -3, 0, 1) == -2);
  REQUIRE(x_one(with_mul(2), -2, 0, 1) == -1);
  REQUIRE(x_one(with_mul(2), -1, 0, 1) == 0);
  REQUIRE(x_one(with_mul(2), 5, 0, 1) == 1);
  REQUIRE(x_one(with_mul(0), 7, 0, -9) == -63);
}

TEST_CASE("sdp: X truncation acts with the multiplier bypassed, and gives 0 from 49 bits on") {
  StageOp op;
  op.mul_shift = 3;
  REQUIRE(x_one(op, 100) == 13);
  op.mul_shift = 48;
  REQUIRE(x_one(op, INT32_MAX) == 0);
  REQUIRE(x_one(with_mul(49), INT32_MIN, 0, INT16_MIN) == 0);
  REQUIRE(x_one(with_mul(48), INT32_MIN, 0, INT16_MIN) == 0);
  REQUIRE(x_one(with_mul(46), INT32_MIN, 0, INT16_MIN) == 1);
}

TEST_CASE("sdp: X sum keeps 33 bits until truncation saturates it") {
  StageOp op = with_alu(AluAlgo::kSum);
  REQUIRE(x_one(op, INT32_MAX, 1) == INT32_MAX);
  op.mul_shift = 1;
  REQUIRE(x_one(op, INT32_MAX, INT32_MAX) == INT32_MAX);
  REQUIRE(x_one(op, INT32_MIN, INT32_MIN) == INT32_MIN);
}

TEST_CASE("sdp: X takes maximum and minimum, and EQL adds") {
  REQUIRE(x_one(with_alu(AluAlgo::kMax), -5, 3) == 3);
  REQUIRE(x_one(with_alu(AluAlgo::kMin), -5, 3) == -5);
  REQUIRE(x_one(with_alu(AluAlgo::kEql), -5, 3) == -2);
}

TEST_CASE("sdp: X PReLU passes non-negative values beside the truncation, with wrapping") {
  REQUIRE(x_one(with_mul(4, true), 100, 0, 7) == 100);
  REQUIRE(x_one(with_mul(4, true), 0, 0, 7) == 0);
  REQUIRE(x_one(with_mul(1, true), -3, 0, 3) == -5);
  StageOp op = with_mul(4, true);
  op.alu.enabled = true;
  REQUIRE(x_one(op, INT32_MAX, 1, 7) == INT32_MIN);
}

TEST_CASE("sdp: X ReLU comes after truncation") {
  StageOp op = with_mul(1);
  op.relu = true;
  REQUIRE(x_one(op, -8, 0, 1) == 0);
  REQUIRE(x_one(op, -8, 0, -1) == 4);
}

TEST_CASE("sdp: the X ALU operand saturates when shifted") {
  REQUIRE(x_alu_operand(1, 30) == 1 << 30);
  REQUIRE(x_alu_operand(1, 31) == INT32_MAX);
  REQUIRE(x_alu_operand(-1, 31) == INT32_MIN);
  REQUIRE(x_alu_operand(-1, 32) == INT32_MIN);
  REQUIRE(x_alu_operand(0, 63) == 0);
}

TEST_CASE("sdp: Y multiplies before it adds, and its sum saturates") {
  StageOp op = with_mul(1);
  op.alu.enabled = true;
  REQUIRE(y_one(op, 3, 10, 1) == 12);
  REQUIRE(y_one(with_alu(AluAlgo::kSum), INT32_MAX, 1) == INT32_MAX);
  REQUIRE(y_one(with_alu(AluAlgo::kSum), INT32_MIN, -1) == INT32_MIN);
  REQUIRE(y_one(with_alu(AluAlgo::kEql), 4, 4) == 0);
  REQUIRE(y_one(with_alu(AluAlgo::kEql), 4, 5) == 1);
}

TEST_CASE("sdp: Y truncates with its multiplier only, by up to ten bits of shift") {
  StageOp op;
  op.mul_shift = 5;
  REQUIRE(y_one(op, 100) == 100);
  REQUIRE(y_one(with_mul(63), INT32_MIN, 0, INT32_MIN) == 1);
  REQUIRE(y_one(with_mul(63), INT32_MIN, 0, INT32_MAX) == 0);
  REQUIRE(y_one(with_mul(64), INT32_MIN, 0, INT32_MIN) == 0);
  REQUIRE(y_one(with_mul(31), INT32_MIN, 0, INT32_MIN) == INT32_MAX);
  REQUIRE(y_one(with_mul(8, true), 77, 0, 1000) == 77);
}

TEST_CASE("sdp: the Y operand converter subtracts, scales, then truncates") {
  REQUIRE(y_operand(-7, {true, 100, 3, 2}) == -7);
  REQUIRE(y_operand(10, {false, 3, 5, 1}) == 18);
  REQUIRE(y_operand(-10, {false, -3, 5, 1}) == -18);
  REQUIRE(y_operand(INT16_MIN, {false, INT32_MAX, INT16_MIN, 0}) == INT32_MAX);
  REQUIRE(y_operand(INT16_MIN, {false, INT32_MAX, INT16_MIN, 49}) == 0);
}

TEST_CASE("sdp: the output converter clamps to int8 and counts what leaves 17 bits") {
  uint64_t saturated = 9;
  REQUIRE(out_one({0, 1, 0}, 300, &saturated) == 127);
  REQUIRE(saturated == 0);
  REQUIRE(out_one({0, 1, 0}, 65535, &saturated) == 127);
  REQUIRE(saturated == 0);
  REQUIRE(out_one({0, 1, 0}, 65536, &saturated) == 127);
  REQUIRE(saturated == 1);
  REQUIRE(out_one({0, 1, 0}, -65536, &saturated) == -128);
  REQUIRE(saturated == 0);
  // -65536.25 rounds back into range, but the cell saturates before it rounds.
  REQUIRE(out_one({0, 1, 2}, -262145, &saturated) == -128);
  REQUIRE(saturated == 1);
  REQUIRE(out_one({22401, 23956, 14}, 22401 + 3) == 4);
  REQUIRE(out_one({0, 0, 0}, 12345) == 0);
  REQUIRE(out_one({0, 1, 63}, INT32_MIN) == 0);
}

TEST_CASE("sdp: random lines equal the plain formulas") {
  const uint32_t seed = 20240611;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto bits = [&](unsigned n) { return static_cast<int32_t>(random()) >> (32 - n); };
  for (int i = 0; i < 20000; ++i) {
    StageOp op;
    op.alu.enabled = random() % 2;
    op.mul.enabled = random() % 2;
    op.prelu = op.mul.enabled && random() % 3 == 0;
    op.algo = static_cast<AluAlgo>(random() % 3);
    op.mul_shift = random() % 64;
    op.relu = random() % 2;
    const int32_t x = bits(1 + random() % 32), a = bits(1 + random() % 32),
                  m = bits(1 + random() % 16);
    CAPTURE(i, x, a, m, op.mul_shift, int(op.algo), op.prelu);
    int64_t sum = x;
    if (op.alu.enabled)
      sum = op.algo == AluAlgo::kMax   ? std::max(x, a)
            : op.algo == AluAlgo::kMin ? std::min(x, a)
                                       : int64_t{x} + a;
    const int64_t product = op.mul.enabled ? sum * m : sum;
    int64_t expected = op.mul_shift >= 49 ? 0 : clamped32(divided(product, op.mul_shift));
    if (op.prelu && sum >= 0) expected = static_cast<int32_t>(sum);
    if (op.relu) expected = std::max<int64_t>(expected, 0);
    REQUIRE(x_one(op, x, a, m) == expected);

    const OutputCvt cvt{bits(1 + random() % 32), static_cast<int16_t>(bits(1 + random() % 16)),
                        static_cast<unsigned>(random() % 64)};
    const int64_t scaled = (int64_t{x} - cvt.offset) * cvt.scale;
    const int64_t out = cvt.shift >= 49 ? 0 : clamped(divided(scaled, cvt.shift), -128, 127);
    REQUIRE(out_one(cvt, x) == out);
  }
}
