#include "compiler/interpreter/core_math.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace dlavp::compiler {
namespace {

constexpr double kSmallestNormal = 2.3e-308, kLargest = 1.7e308;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kTerms = 15;

/// 1 / n! for each term.
constexpr std::array<double, kTerms> inverse_factorials() {
  std::array<double, kTerms> terms{};
  double factorial = 1;  // exact: below 2^53
  for (int n = 0; n < kTerms; ++n) {
    if (n > 0) factorial *= n;
    terms[static_cast<size_t>(n)] = 1 / factorial;
  }
  return terms;
}

/// ln x of a positive, normal x.
double log_normal(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent) * 2;  // in [1, 2)
  --exponent;
  if (m > std::numbers::sqrt2) {
    m /= 2;
    ++exponent;
  }
  const double t = (m - 1) / (m + 1);
  const double square = t * t;
  double power = t, sum = t;
  for (int divisor = 3; divisor <= 25; divisor += 2) {
    power *= square;
    sum += power / divisor;
  }
  return 2 * sum + exponent * std::numbers::ln2;
}

double whole_power(double x, int n) {
  double square = x, result = 1;
  for (unsigned rest = static_cast<unsigned>(n < 0 ? -n : n); rest != 0; rest /= 2) {
    if (rest % 2 != 0) result *= square;
    square *= square;
  }
  return n < 0 ? 1 / result : result;
}

}  // namespace

double core_exp(double x) {
  static constexpr auto kFactors = inverse_factorials();
  if (std::isnan(x)) return x;
  if (x > 709) return kInfinity;
  if (x < -708) return 0;
  const double turns = x / std::numbers::ln2;
  const double n = std::trunc(turns + (turns < 0 ? -0.5 : 0.5));
  const double r = x - n * std::numbers::ln2;
  double sum = 0;
  for (size_t i = kTerms; i-- > 0;) sum = sum * r + kFactors[i];
  return std::ldexp(sum, static_cast<int>(n));
}

double core_log(double x) {
  if (!(x >= kSmallestNormal))
    return x >= 0 ? -kInfinity : std::numeric_limits<double>::quiet_NaN();
  return x > kLargest ? x : log_normal(x);
}

double core_pow(double x, double p) {
  if (p == 0) return 1;
  if (p > -1e6 && p < 1e6 && std::trunc(p) == p) return whole_power(x, static_cast<int>(p));
  if (!(x >= 0)) return std::numeric_limits<double>::quiet_NaN();
  if (x < kSmallestNormal) return p < 0 ? kInfinity : 0;
  if (x > kLargest) return p < 0 ? 0 : x;
  return core_exp(p * log_normal(x));
}

}  // namespace dlavp::compiler
