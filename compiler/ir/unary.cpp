// Evaluation and rewriting of elementwise programs.
#include "compiler/ir/unary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace dlavp::compiler {
namespace {

constexpr double kRootHalf = 0.70710678118654752440;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return x > 30 ? x : std::log1p(std::exp(x)); }

using Function = double (*)(double x, double a, double b);

struct KindInfo {
  std::string_view name;
  int parameters;
  Function function;  ///< of x, a, b; with kinds that refer to a value, that value is `a`
};

using D = double;

constexpr std::array<KindInfo, 37> kKinds = {{
    {"affine", 2, [](D x, D a, D b) { return a * x + b; }},
    {"clip", 2, [](D x, D a, D b) { return std::min(std::max(x, a), b); }},
    {"leaky_relu", 1, [](D x, D a, D) { return x < 0 ? a * x : x; }},
    {"sigmoid", 0, [](D x, D, D) { return sigmoid(x); }},
    {"tanh", 0, [](D x, D, D) { return std::tanh(x); }},
    {"hard_sigmoid", 2, [](D x, D a, D b) { return std::clamp(a * x + b, 0.0, 1.0); }},
    {"hard_swish", 0, [](D x, D, D) { return x * std::clamp(x + 3, 0.0, 6.0) / 6; }},
    {"swish", 1, [](D x, D a, D) { return x * sigmoid(a * x); }},
    {"elu", 1, [](D x, D a, D) { return x < 0 ? a * std::expm1(x) : x; }},
    {"selu", 2, [](D x, D a, D b) { return b * (x < 0 ? a * std::expm1(x) : x); }},
    {"exp", 0, [](D x, D, D) { return std::exp(x); }},
    {"log", 0, [](D x, D, D) { return std::log(x); }},
    {"sqrt", 0, [](D x, D, D) { return std::sqrt(x); }},
    {"reciprocal", 0, [](D x, D, D) { return 1 / x; }},
    {"pow", 1, [](D x, D a, D) { return std::pow(x, a); }},
    {"pow_of", 1, [](D x, D a, D) { return std::pow(a, x); }},
    {"abs", 0, [](D x, D, D) { return std::abs(x); }},
    {"sign", 0, [](D x, D, D) { return x > 0   ? 1.0
                                       : x < 0 ? -1.0
                                               : 0.0; }},
    {"erf", 0, [](D x, D, D) { return std::erf(x); }},
    {"gelu", 0, [](D x, D, D) { return x * 0.5 * (1 + std::erf(x * kRootHalf)); }},
    {"softplus", 0, [](D x, D, D) { return softplus(x); }},
    {"softsign", 0, [](D x, D, D) { return x / (1 + std::abs(x)); }},
    {"mish", 0, [](D x, D, D) { return x * std::tanh(softplus(x)); }},
    {"sin", 0, [](D x, D, D) { return std::sin(x); }},
    {"cos", 0, [](D x, D, D) { return std::cos(x); }},
    {"floor", 0, [](D x, D, D) { return std::floor(x); }},
    {"ceil", 0, [](D x, D, D) { return std::ceil(x); }},
    {"round", 0, [](D x, D, D) { return std::nearbyint(x); }},
    {"threshold", 1, [](D x, D a, D) { return x > a ? x : 0.0; }},
    {"load", 1, [](D, D a, D) { return a; }},
    {"add", 1, [](D x, D a, D) { return x + a; }},
    {"sub", 1, [](D x, D a, D) { return x - a; }},
    {"mul", 1, [](D x, D a, D) { return x * a; }},
    {"div", 1, [](D x, D a, D) { return x / a; }},
    {"max", 1, [](D x, D a, D) { return std::max(x, a); }},
    {"min", 1, [](D x, D a, D) { return std::min(x, a); }},
    {"power", 1, [](D x, D a, D) { return std::pow(x, a); }},
}};
static_assert(kKinds.size() == static_cast<size_t>(UnaryKind::kPowValue) + 1);

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

UnaryFunction::UnaryFunction(const UnaryProgram& program)
    : program_(program), values_(program.size() + 1) {
  for (const UnaryStep& s : program) refers_ = refers_ || refers_to_value(s.kind);
}

double UnaryFunction::operator()(double x) const {
  if (!refers_) {
    for (const UnaryStep& s : program_) x = info(s.kind).function(x, s.a, s.b);
    return x;
  }
  values_[0] = x;
  for (size_t i = 0; i < program_.size(); ++i) {
    const UnaryStep& s = program_[i];
    const double a = refers_to_value(s.kind) ? values_[static_cast<size_t>(s.a)] : s.a;
    values_[i + 1] = info(s.kind).function(values_[i], a, s.b);
  }
  return values_.back();
}

double evaluate(const UnaryProgram& program, double x) { return UnaryFunction(program)(x); }

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
