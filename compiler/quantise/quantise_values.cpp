// Weights to int8, several at a time. Compiled once for each instruction set that Highway knows on
// this architecture; all give the same values.
#include <algorithm>
#include <cmath>

#include "compiler/quantise/multiplier.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compiler/quantise/quantise_values.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace dlavp::compiler::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// As many as fill whole vectors; returns their number.
size_t quantise_vectors(const float* real, size_t count, double scale, int8_t* out) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> floats;
  const hn::Rebind<int32_t, decltype(d)> words;
  const hn::Rebind<int8_t, decltype(d)> bytes;
  const size_t lanes = hn::Lanes(d);
  const auto step = hn::Set(d, scale);
  const auto half = hn::Set(d, 0.5);
  const auto most = hn::Set(d, 127.0);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto v = hn::Div(hn::PromoteTo(d, hn::LoadU(floats, real + i)), step);
    const auto size = hn::Min(hn::Abs(v), most);
    auto n = hn::Trunc(hn::Add(size, half));
    // size + 0.5 was rounded up
    n = hn::Sub(n, hn::IfThenElseZero(hn::Gt(hn::Sub(n, size), half), hn::Set(d, 1.0)));
    hn::StoreU(hn::DemoteTo(bytes, hn::DemoteTo(words, hn::CopySign(n, v))), bytes, out + i);
  }
  return i;
}

}  // namespace dlavp::compiler::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dlavp::compiler {

HWY_EXPORT(quantise_vectors);

void quantise_values(std::span<const float> real, double scale, std::span<int8_t> out) {
  DLAVP_CHECK(real.size() == out.size(), "{} values, {} results", real.size(), out.size());
  size_t i = HWY_DYNAMIC_DISPATCH(quantise_vectors)(real.data(), real.size(), scale, out.data());
  for (; i < real.size(); ++i) out[i] = quantise_value(double{real[i]}, scale);
}

}  // namespace dlavp::compiler
#endif
