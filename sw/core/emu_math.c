/* Exponential, logarithm and power of single precision from arithmetic alone. The build turns
 * contraction off (no fused multiply-add), so results do not depend on the machine. */
#include <stdint.h>
#include <string.h>

#include "emu.h"

static float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static uint32_t to_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* x * 2^n in two steps, so that results near the ends of the range are right. */
static double scale2(double x, int n) {
  while (n > 0) {
    const int step = n > 60 ? 60 : n;
    x *= (double)(UINT64_C(1) << step);
    n -= step;
  }
  while (n < 0) {
    const int step = -n > 60 ? 60 : -n;
    x /= (double)(UINT64_C(1) << step);
    n += step;
  }
  return x;
}

static const double kLn2 = 0.693147180559945309417232;

static double exp_double(double x) {
  if (x != x) return x;
  if (x > 200) x = 200;
  if (x < -200) return 0;
  const double turns = x / kLn2;
  const int n = (int)(turns + (turns < 0 ? -0.5 : 0.5));
  const double r = x - n * kLn2;
  double term = 1, sum = 1; /* |r| <= 0.35: 14 terms are below the last place of a double */
  for (int i = 1; i <= 14; ++i) {
    term = term * r / i;
    sum += term;
  }
  return scale2(sum, n);
}

/* ln x of a positive, normal x: x = m * 2^e with m in [0.7, 1.41], ln m = 2 atanh((m - 1) / (m +
 * 1)). */
static double log_double(float x) {
  const uint32_t bits = to_bits(x);
  int e = (int)(bits >> 23) - 127;
  double m = (double)from_bits((bits & 0x7fffffu) | 0x3f800000u);
  if (m > 1.4142135623730951) {
    m /= 2;
    ++e;
  }
  const double t = (m - 1) / (m + 1), square = t * t;
  double power = t, sum = t;
  for (int i = 3; i <= 25; i += 2) {
    power = power * square;
    sum += power / i;
  }
  return 2 * sum + e * kLn2;
}

float emu_exp(float x) {
  const double y = exp_double((double)x);
  return y > 3.4e38 ? from_bits(0x7f800000u) : (float)y;
}

float emu_pow(float x, float p) {
  if (p == 0) return 1;
  if (p == 1) return x;
  const bool whole = p > -1e6f && p < 1e6f && (float)(int32_t)p == p;
  if (whole) {
    int32_t n = (int32_t)p < 0 ? -(int32_t)p : (int32_t)p;
    double base = x, result = 1;
    for (; n; n >>= 1, base *= base)
      if (n & 1) result *= base;
    return (float)(p < 0 ? 1 / result : result);
  }
  if (x < 0) return from_bits(0x7fc00000u); /* no real result */
  if (x == 0) return p < 0 ? from_bits(0x7f800000u) : 0;
  if (to_bits(x) < 0x00800000u) return p < 0 ? from_bits(0x7f800000u) : 0;
  const double y = exp_double((double)p * log_double(x));
  return y > 3.4e38 ? from_bits(0x7f800000u) : (float)y;
}

int8_t emu_to_int8(float x) {
  if (x != x) return 0;
  if (x >= 127) return 127;
  if (x <= -128) return -128;
  return (int8_t)(int32_t)((double)x + (x < 0 ? -0.5 : 0.5));
}
