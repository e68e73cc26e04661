// The stages' loops. Their arithmetic has one rounding rule (nearest, ties away from zero); the
// branch-free form of it lets the compiler keep the loops tight: adding a half, less one for
// negative values, and shifting down rounds away from zero on both sides.
#include "models/sdp/sdp_stages.hpp"

#include <algorithm>
#include <limits>

#include "models/common/fixed_point.hpp"

namespace dlavp::sdp {

namespace {

constexpr int64_t kMin32 = std::numeric_limits<int32_t>::min();
constexpr int64_t kMax32 = std::numeric_limits<int32_t>::max();
constexpr unsigned kXProductBits = 49, kCvtProductBits = 49, kYProductBits = 64;
constexpr unsigned kCvtBits = 17;

/// Division by a fixed power of two.
class Rounder {
 public:
  /// `shift` below 63.
  explicit Rounder(unsigned shift)
      : shift_(shift),
        half_(shift == 0 ? 0 : int64_t{1} << (shift - 1)),
        tie_(shift == 0 ? 0 : 1) {}
  [[nodiscard]] int64_t operator()(int64_t v) const {
    return (v + half_ - (v < 0 ? tie_ : 0)) >> shift_;
  }
  [[nodiscard]] unsigned shift() const { return shift_; }

 private:
  unsigned shift_;
  int64_t half_, tie_;
};

int32_t clamp32(int64_t v) { return static_cast<int32_t>(std::clamp(v, kMin32, kMax32)); }

enum class Alu { kNone, kMax, kMin, kSum };
enum class Mul { kNone, kMul, kPrelu };

template <Alu A>
int64_t x_alu(int32_t x, int32_t operand) {
  if constexpr (A == Alu::kMax) return std::max(x, operand);
  if constexpr (A == Alu::kMin) return std::min(x, operand);
  if constexpr (A == Alu::kSum) return int64_t{x} + operand;
  return x;
}

// The truncation cell gives 0 for a shift of its input's width or more; PReLU's positive values
// pass beside it and keep their low 32 bits.
template <Alu A, Mul M>
void x_loop(const StageOp& op, const Line& line, Values alu, Values mul) {
  const bool vanishes = op.mul_shift >= kXProductBits;
  const Rounder round(vanishes ? 0 : op.mul_shift);
  const int64_t keep = vanishes ? 0 : 1;
  const int32_t floor = op.relu ? 0 : std::numeric_limits<int32_t>::min();
  for (size_t w = 0; w < line.pixels; ++w) {
    int32_t* x = line.data + w * line.lanes;
    const int32_t* a = alu.data + w * alu.pixel_stride;
    const int32_t* m = mul.data + w * mul.pixel_stride;
    for (size_t k = 0; k < line.lanes; ++k) {
      const int64_t sum = x_alu<A>(x[k], A == Alu::kNone ? 0 : a[k]);
      int32_t y;
      if constexpr (M == Mul::kNone)
        y = clamp32(round(sum) * keep);
      else if constexpr (M == Mul::kMul)
        y = clamp32(round(sum * m[k]) * keep);
      else
        y = sum >= 0 ? static_cast<int32_t>(sum) : clamp32(round(sum * m[k]) * keep);
      x[k] = std::max(y, floor);
    }
  }
}

template <Alu A>
void x_select(const StageOp& op, const Line& line, Values alu, Values mul) {
  if (!op.mul.enabled)
    x_loop<A, Mul::kNone>(op, line, alu, mul);
  else if (!op.prelu)
    x_loop<A, Mul::kMul>(op, line, alu, mul);
  else
    x_loop<A, Mul::kPrelu>(op, line, alu, mul);
}

// A 64-bit product shifted by 63 can still be one: only the square of the most negative value.
int64_t y_truncate(int64_t product, unsigned shift) {
  if (shift >= kYProductBits) return 0;
  if (shift == kYProductBits - 1) return product == (int64_t{1} << 62) ? 1 : 0;
  return round_shift_right(product, shift);
}

int32_t y_mul(const StageOp& op, int32_t x, int32_t operand) {
  if (op.prelu && x >= 0) return x;
  return clamp32(y_truncate(int64_t{x} * operand, op.mul_shift));
}

int32_t y_alu(AluAlgo algo, int32_t x, int32_t operand) {
  switch (algo) {
    case AluAlgo::kMax:
      return std::max(x, operand);
    case AluAlgo::kMin:
      return std::min(x, operand);
    case AluAlgo::kSum:
      return clamp32(int64_t{x} + operand);
    case AluAlgo::kEql:
      return x == operand ? 0 : 1;
  }
  return x;
}

}  // namespace

void run_x(const StageOp& op, const Line& line, Values alu, Values mul) {
  if (!op.alu.enabled) return x_select<Alu::kNone>(op, line, alu, mul);
  switch (op.algo) {
    case AluAlgo::kMax:
      return x_select<Alu::kMax>(op, line, alu, mul);
    case AluAlgo::kMin:
      return x_select<Alu::kMin>(op, line, alu, mul);
    case AluAlgo::kSum:
    case AluAlgo::kEql:
      return x_select<Alu::kSum>(op, line, alu, mul);
  }
}

int32_t x_alu_operand(int16_t value, unsigned shift) {
  return static_cast<int32_t>(lshl(value, shift, 32));
}

void run_y(const StageOp& op, const Line& line, Values alu, Values mul) {
  for (size_t w = 0; w < line.pixels; ++w) {
    int32_t* x = line.data + w * line.lanes;
    const int32_t* a = alu.data + w * alu.pixel_stride;
    const int32_t* m = mul.data + w * mul.pixel_stride;
    if (op.mul.enabled)
      for (size_t k = 0; k < line.lanes; ++k) x[k] = y_mul(op, x[k], m[k]);
    if (op.alu.enabled)
      for (size_t k = 0; k < line.lanes; ++k) x[k] = y_alu(op.algo, x[k], a[k]);
  }
}

int32_t y_operand(int16_t value, const OperandCvt& cvt) {
  if (cvt.bypass) return value;
  const int64_t product = (int64_t{value} - cvt.offset) * cvt.scale;
  return static_cast<int32_t>(rshr(product, cvt.truncate, 32, kCvtProductBits));
}

uint64_t convert(const OutputCvt& cvt, std::span<const int32_t> in, int8_t* out) {
  if (cvt.shift >= kCvtProductBits) {
    std::fill_n(out, in.size(), int8_t{0});
    return 0;
  }
  const Rounder round(cvt.shift);
  const int64_t low = signed_min(kCvtBits), high = signed_max(kCvtBits);
  uint64_t saturated = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    const int64_t product = (int64_t{in[i]} - cvt.offset) * cvt.scale;
    const int64_t value = round(product);
    // The cell decides before rounding for negative values, after it for others.
    saturated += product < 0 ? (product >> cvt.shift) < low : value > high;
    out[i] = static_cast<int8_t>(std::clamp<int64_t>(value, -128, 127));
  }
  return saturated;
}

}  // namespace dlavp::sdp
