/* Exponential, logarithm and power from arithmetic alone. The build turns
 * contraction off (no fused multiply-add), so results do not depend on the machine. */
#include <stdint.h>
#include <string.h>

#include "core_math.h"

static double from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static uint64_t to_bits(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static const uint64_t kInfinity = UINT64_C(0x7ff0000000000000), kNan = UINT64_C(0x7ff8000000000000);

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

enum { kExpTerms = 15 };
static const double kInverseFactorial[kExpTerms] = {1.0,
                                                    1.0,
                                                    1.0 / 2,
                                                    1.0 / 6,
                                                    1.0 / 24,
                                                    1.0 / 120,
                                                    1.0 / 720,
                                                    1.0 / 5040,
                                                    1.0 / 40320,
                                                    1.0 / 362880,
                                                    1.0 / 3628800,
                                                    1.0 / 39916800,
                                                    1.0 / 479001600,
                                                    1.0 / 6227020800,
                                                    1.0 / 87178291200};

double emu_exp(double x) {
  if (x != x) return x;
  if (x > 709) return from_bits(kInfinity);
  if (x < -708) return 0;
  const double turns = x / kLn2;
  const int n = (int)(turns + (turns < 0 ? -0.5 : 0.5));
  const double r = x - n * kLn2;
  /* |r| <= 0.35: the next term is below a double's last place. */
  double sum = kInverseFactorial[kExpTerms - 1];
  for (int i = kExpTerms - 2; i >= 0; --i) sum = sum * r + kInverseFactorial[i];
  return scale2(sum, n);
}

/* ln x of a positive, normal x: x = m * 2^e with m in [0.7, 1.41], ln m = 2 atanh((m - 1) / (m +
 * 1)). */
static double log_normal(double x) {
  const uint64_t bits = to_bits(x);
  int e = (int)(bits >> 52) - 1023;
  double m = from_bits((bits & UINT64_C(0xfffffffffffff)) | UINT64_C(0x3ff0000000000000));
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

double emu_log(double x) {
  if (!(x >= 2.3e-308)) return x >= 0 ? -from_bits(kInfinity) : from_bits(kNan);
  return x > 1.7e308 ? x : log_normal(x);
}

double emu_pow(double x, double p) {
  if (p == 0) return 1;
  if (p > -1e6 && p < 1e6 && (double)(int32_t)p == p) {
    int32_t n = p < 0 ? -(int32_t)p : (int32_t)p;
    double base = x, result = 1;
    for (; n; n >>= 1, base *= base)
      if (n & 1) result *= base;
    return p < 0 ? 1 / result : result;
  }
  if (!(x >= 0)) return from_bits(kNan); /* no real result */
  if (x < 2.3e-308) return p < 0 ? from_bits(kInfinity) : 0;
  if (x > 1.7e308) return p < 0 ? 0 : x;
  return emu_exp(p * log_normal(x));
}

int8_t emu_to_int8(double x) {
  if (x != x) return 0;
  if (x >= 127) return 127;
  if (x <= -128) return -128;
  return (int8_t)(int32_t)(x + (x < 0 ? -0.5 : 0.5));
}
