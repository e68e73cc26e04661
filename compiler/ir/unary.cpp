// Evaluation and rewriting of elementwise programs.
#include "compiler/ir/unary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace dlavp::compiler {
namespace {

struct KindInfo {
  std::string_view name;
  int parameters;
};

constexpr std::array<KindInfo, 37> kKinds = {{
    {"affine", 2},       {"clip", 2},       {"leaky_relu", 1}, {"sigmoid", 0},    {"tanh", 0},
    {"hard_sigmoid", 2}, {"hard_swish", 0}, {"swish", 1},      {"elu", 1},        {"selu", 2},
    {"exp", 0},          {"log", 0},        {"sqrt", 0},       {"reciprocal", 0}, {"pow", 1},
    {"pow_of", 1},       {"abs", 0},        {"sign", 0},       {"erf", 0},        {"gelu", 0},
    {"softplus", 0},     {"softsign", 0},   {"mish", 0},       {"sin", 0},        {"cos", 0},
    {"floor", 0},        {"ceil", 0},       {"round", 0},      {"threshold", 1},  {"load", 1},
    {"add", 1},          {"sub", 1},        {"mul", 1},        {"div", 1},        {"max", 1},
    {"min", 1},          {"power", 1},
}};
static_assert(kKinds.size() == static_cast<size_t>(UnaryKind::kPowValue) + 1);

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return x > 30 ? x : std::log1p(std::exp(x)); }

double with_value(UnaryKind kind, double x, double v) {
  switch (kind) {
    case UnaryKind::kLoad:
      return v;
    case UnaryKind::kAddValue:
      return x + v;
    case UnaryKind::kSubValue:
      return x - v;
    case UnaryKind::kMulValue:
      return x * v;
    case UnaryKind::kDivValue:
      return x / v;
    case UnaryKind::kMaxValue:
      return std::max(x, v);
    case UnaryKind::kMinValue:
      return std::min(x, v);
    default:
      return std::pow(x, v);
  }
}

double function(const UnaryStep& s, double x) {
  switch (s.kind) {
    case UnaryKind::kAffine:
      return s.a * x + s.b;
    case UnaryKind::kClip:
      return std::min(std::max(x, s.a), s.b);
    case UnaryKind::kLeakyRelu:
      return x < 0 ? s.a * x : x;
    case UnaryKind::kSigmoid:
      return sigmoid(x);
    case UnaryKind::kTanh:
      return std::tanh(x);
    case UnaryKind::kHardSigmoid:
      return std::clamp(s.a * x + s.b, 0.0, 1.0);
    case UnaryKind::kHardSwish:
      return x * std::clamp(x + 3, 0.0, 6.0) / 6;
    case UnaryKind::kSwish:
      return x * sigmoid(s.a * x);
    case UnaryKind::kElu:
      return x < 0 ? s.a * std::expm1(x) : x;
    case UnaryKind::kSelu:
      return s.b * (x < 0 ? s.a * std::expm1(x) : x);
    case UnaryKind::kExp:
      return std::exp(x);
    case UnaryKind::kLog:
      return std::log(x);
    case UnaryKind::kSqrt:
      return std::sqrt(x);
    case UnaryKind::kReciprocal:
      return 1 / x;
    case UnaryKind::kPow:
      return std::pow(x, s.a);
    case UnaryKind::kPowOf:
      return std::pow(s.a, x);
    case UnaryKind::kAbs:
      return std::abs(x);
    case UnaryKind::kSign:
      return x > 0 ? 1 : x < 0 ? -1 : 0;
    case UnaryKind::kErf:
      return std::erf(x);
    case UnaryKind::kGelu:
      return x * 0.5 * (1 + std::erf(x * 0.70710678118654752440));
    case UnaryKind::kSoftplus:
      return softplus(x);
    case UnaryKind::kSoftsign:
      return x / (1 + std::abs(x));
    case UnaryKind::kMish:
      return x * std::tanh(softplus(x));
    case UnaryKind::kSin:
      return std::sin(x);
    case UnaryKind::kCos:
      return std::cos(x);
    case UnaryKind::kFloor:
      return std::floor(x);
    case UnaryKind::kCeil:
      return std::ceil(x);
    case UnaryKind::kRound:
      return std::nearbyint(x);
    case UnaryKind::kThreshold:
      return x > s.a ? x : 0;
    default:
      return x;
  }
}

const KindInfo& info(UnaryKind kind) { return kKinds[static_cast<size_t>(kind)]; }

bool is_identity(const UnaryStep& s) {
  return s.kind == UnaryKind::kAffine && s.a == 1 && s.b == 0;
}

/// Removes step `at` (0-based) whose value the steps after it take from value `replacement`.
void remove_step(UnaryProgram& p, size_t at, size_t replacement) {
  p.erase(p.begin() + static_cast<std::ptrdiff_t>(at));
  for (size_t i = at; i < p.size(); ++i) {
    if (!refers_to_value(p[i].kind)) continue;
    if (p[i].a == static_cast<double>(at + 1)) {
      p[i].a = static_cast<double>(replacement);
    } else if (p[i].a > static_cast<double>(at + 1)) {
      p[i].a -= 1;
    }
  }
}

bool referred_to(const UnaryProgram& p, size_t value) {
  return std::any_of(p.begin(), p.end(), [&](const UnaryStep& s) {
    return refers_to_value(s.kind) && s.a == static_cast<double>(value);
  });
}

}  // namespace

std::string_view unary_name(UnaryKind kind) { return info(kind).name; }

std::optional<UnaryKind> unary_kind(std::string_view name) {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i].name == name) return static_cast<UnaryKind>(i);
  }
  return std::nullopt;
}

double evaluate(const UnaryProgram& program, double x) {
  if (std::none_of(program.begin(), program.end(),
                   [](const UnaryStep& s) { return refers_to_value(s.kind); })) {
    for (const UnaryStep& s : program) x = function(s, x);
    return x;
  }
  std::vector<double> values = {x};
  values.reserve(program.size() + 1);
  for (const UnaryStep& s : program) {
    values.push_back(refers_to_value(s.kind)
                         ? with_value(s.kind, values.back(), values[static_cast<size_t>(s.a)])
                         : function(s, values.back()));
  }
  return values.back();
}

std::string unary_problem(const UnaryProgram& program) {
  for (size_t i = 0; i < program.size(); ++i) {
    const UnaryStep& s = program[i];
    if (s.kind > UnaryKind::kPowValue) return fmt::format("step {} is of no known kind", i + 1);
    const auto name = unary_name(s.kind);
    if (std::isnan(s.a) || std::isnan(s.b)) return fmt::format("{} with a NaN", name);
    if (refers_to_value(s.kind) &&
        !(s.a >= 0 && s.a <= static_cast<double>(i) && s.a == std::floor(s.a))) {
      return fmt::format("step {} ({}) refers to value {} of {}", i + 1, name, s.a, i + 1);
    }
    const bool bounded = std::isfinite(s.a) && std::isfinite(s.b);
    if (s.kind == UnaryKind::kClip ? s.a > s.b : !bounded) {
      return fmt::format("{}({}, {})", name, s.a, s.b);
    }
  }
  return {};
}

std::string unary_text(const UnaryProgram& program) {
  std::string out;
  for (const UnaryStep& s : program) {
    if (!out.empty()) out += ' ';
    out += unary_name(s.kind);
    if (refers_to_value(s.kind)) {
      out += fmt::format("(#{:g})", s.a);
    } else if (info(s.kind).parameters == 1) {
      out += fmt::format("({:g})", s.a);
    } else if (info(s.kind).parameters == 2) {
      out += fmt::format("({:g}, {:g})", s.a, s.b);
    }
  }
  return out;
}

UnaryProgram compose(const UnaryProgram& first, const UnaryProgram& second) {
  UnaryProgram out = first;
  for (UnaryStep s : second) {
    if (refers_to_value(s.kind)) s.a += static_cast<double>(first.size());
    out.push_back(s);
  }
  return out;
}

UnaryProgram combine(const UnaryProgram& f, UnaryKind kind, const UnaryProgram& g) {
  // g first, so that f's result is the running value when the two meet. A program of no steps
  // still needs its value loaded.
  UnaryProgram out = g;
  const auto g_value = static_cast<double>(g.size());
  if (!g.empty()) out.push_back({UnaryKind::kLoad, 0, 0});
  const size_t start = out.size();
  for (UnaryStep s : f) {
    // Value 0 of f is the input itself, its others follow the load.
    if (refers_to_value(s.kind) && s.a != 0) s.a += static_cast<double>(start);
    out.push_back(s);
  }
  out.push_back({kind, g_value, 0});
  return out;
}

UnaryProgram simplify(UnaryProgram p) {
  for (bool again = true; again;) {
    again = false;
    for (size_t i = 0; i < p.size() && !again; ++i) {
      if (is_identity(p[i])) {
        remove_step(p, i, i);
        again = true;
      } else if (p[i].kind == UnaryKind::kLoad && p[i].a == static_cast<double>(i)) {
        remove_step(p, i, i);
        again = true;
      } else if (i + 1 < p.size() && p[i].kind == UnaryKind::kAffine &&
                 p[i + 1].kind == UnaryKind::kAffine && !referred_to(p, i + 1)) {
        p[i + 1] = {UnaryKind::kAffine, p[i + 1].a * p[i].a, p[i + 1].a * p[i].b + p[i + 1].b};
        remove_step(p, i, i);
        again = true;
      }
    }
  }
  return p;
}

}  // namespace dlavp::compiler
