// Elementwise functions of one value as short straight-line programs. Whatever is computed from one
// tensor alone, element by element, becomes one such program, and for int8 one table of 256 values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dlavp::compiler {

/// What a step does to the value x that the step before it left. Kinds from kLoad on refer to an
/// earlier value v: number `a` = 0 is the program's input, n the result of step n.
enum class UnaryKind : uint8_t {
  kAffine,     ///< a * x + b
  kClip,       ///< to a..b
  kLeakyRelu,  ///< a * x below 0
  kSigmoid,
  kTanh,
  kHardSigmoid,  ///< a * x + b, clipped to 0..1
  kHardSwish,    ///< x * clip(x + 3, 0, 6) / 6
  kSwish,        ///< x * sigmoid(a * x)
  kElu,          ///< a * (e^x - 1) below 0
  kSelu,         ///< b * x, below 0: b * a * (e^x - 1)
  kExp,
  kLog,
  kSqrt,
  kReciprocal,
  kPow,    ///< x ^ a
  kPowOf,  ///< a ^ x
  kAbs,
  kSign,
  kErf,
  kGelu,  ///< x * (1 + erf(x / sqrt 2)) / 2
  kSoftplus,
  kSoftsign,
  kMish,
  kSin,
  kCos,
  kFloor,
  kCeil,
  kRound,      ///< ties to even
  kThreshold,  ///< 0 where x is not above a
  kLoad,       ///< v
  kAddValue,   ///< x + v
  kSubValue,   ///< x - v
  kMulValue,   ///< x * v
  kDivValue,   ///< x / v
  kMaxValue,
  kMinValue,
  kPowValue,  ///< x ^ v
};

struct UnaryStep {
  UnaryKind kind = UnaryKind::kAffine;
  double a = 0, b = 0;
  bool operator==(const UnaryStep&) const = default;
};

using UnaryProgram = std::vector<UnaryStep>;

[[nodiscard]] std::string_view unary_name(UnaryKind kind);
[[nodiscard]] std::optional<UnaryKind> unary_kind(std::string_view name);
/// Whether `a` of such a step is the number of an earlier value.
[[nodiscard]] constexpr bool refers_to_value(UnaryKind kind) { return kind >= UnaryKind::kLoad; }

/// The program's value for x. Precondition: well formed (`unary_problem` is empty).
[[nodiscard]] double evaluate(const UnaryProgram& program, double x);
/// A program prepared for many values. Keeps a reference to `program`.
class UnaryFunction {
 public:
  explicit UnaryFunction(const UnaryProgram& program);
  double operator()(double x) const;

 private:
  const UnaryProgram& program_;
  bool refers_ = false;
  mutable std::vector<double> values_;
};
/// What is wrong with a program, or an empty text.
[[nodiscard]] std::string unary_problem(const UnaryProgram& program);
/// "affine(2, 1) sigmoid mul(#0)"
[[nodiscard]] std::string unary_text(const UnaryProgram& program);
/// `second` after `first`.
[[nodiscard]] UnaryProgram compose(const UnaryProgram& first, const UnaryProgram& second);
/// f(x) combined with g(x) by `kind` (kAddValue to kPowValue): f kind g.
[[nodiscard]] UnaryProgram combine(const UnaryProgram& f, UnaryKind kind, const UnaryProgram& g);
/// The same function in fewer steps: identities dropped, affine steps merged.
[[nodiscard]] UnaryProgram simplify(UnaryProgram program);

}  // namespace dlavp::compiler
