#include "compiler/custom/expression.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <vector>

namespace dlavp::compiler {
namespace {

constexpr int kDeepest = 64;

/// Recursive descent; the first error is thrown and becomes the result.
class Expression {
 public:
  Expression(const std::string& text, const std::map<std::string, int64_t>& names)
      : text_(text), names_(names) {}

  int64_t run() {
    const int64_t value = sum();
    if (peek() != 0) syntax("an operator");
    return value;
  }

 private:
  [[noreturn]] void fail(const char* id, const std::string& message) const {
    throw Error{id, "", fmt::format("'{}': {}", text_, message)};
  }
  [[noreturn]] void syntax(const char* expected) const {
    fail("custom.expression",
         at_ < text_.size()
             ? fmt::format("'{}' at character {}, expected {}", text_[at_], at_ + 1, expected)
             : fmt::format("ends early, expected {}", expected));
  }
  char peek() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  template <typename F>
  int64_t exact(F overflows, int64_t a, int64_t b) const {
    int64_t out = 0;
    if (overflows(a, b, &out)) fail("custom.value", "the result is too large");
    return out;
  }
  int64_t sum() {
    int64_t value = product();
    for (;;) {
      if (take('+'))
        value = exact([](auto a, auto b, auto* o) { return __builtin_add_overflow(a, b, o); },
                      value, product());
      else if (take('-'))
        value = exact([](auto a, auto b, auto* o) { return __builtin_sub_overflow(a, b, o); },
                      value, product());
      else
        return value;
    }
  }
  int64_t product() {
    int64_t value = factor();
    for (;;) {
      if (take('*')) {
        value = exact([](auto a, auto b, auto* o) { return __builtin_mul_overflow(a, b, o); },
                      value, factor());
        continue;
      }
      const bool divide = take('/');
      if (!divide && !take('%')) return value;
      const int64_t by = factor();
      if (by <= 0) fail("custom.value", fmt::format("a division by {}", by));
      const int64_t down = value / by - (value % by < 0 ? 1 : 0);
      value = divide ? down : value - down * by;
    }
  }
  int64_t factor() {
    if (++depth_ > kDeepest) fail("custom.expression", "is nested too deeply");
    const int64_t value = plain_factor();
    --depth_;
    return value;
  }
  int64_t plain_factor() {
    const char c = peek();
    if (take('-'))
      return exact([](auto a, auto b, auto* o) { return __builtin_sub_overflow(a, b, o); }, 0,
                   factor());
    if (take('(')) {
      const int64_t value = sum();
      if (!take(')')) syntax("')'");
      return value;
    }
    const size_t begin = at_;
    const auto word = [](char ch) {
      return std::isalnum(static_cast<unsigned char>(ch)) != 0 || ch == '_';
    };
    while (at_ < text_.size() && word(text_[at_])) ++at_;
    const std::string name = text_.substr(begin, at_ - begin);
    if (name.empty()) syntax("a number, a name or '('");
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) return number(name);
    if ((name == "min" || name == "max") && take('(')) return extreme(name == "min");
    const auto known = names_.find(name);
    if (known != names_.end()) return known->second;
    std::vector<std::string> all;
    for (const auto& [key, value] : names_) all.push_back(key);
    fail("custom.expression",
         fmt::format("unknown name '{}'; there are {}", name, fmt::join(all, ", ")));
  }
  int64_t number(const std::string& digits) const {
    int64_t value = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (code != std::errc() || end != digits.data() + digits.size())
      fail("custom.expression", fmt::format("'{}' is no whole number", digits));
    return value;
  }
  int64_t extreme(bool smallest) {
    int64_t value = sum();
    while (take(',')) {
      const int64_t next = sum();
      value = smallest ? std::min(value, next) : std::max(value, next);
    }
    if (!take(')')) syntax("')'");
    return value;
  }

  const std::string& text_;
  const std::map<std::string, int64_t>& names_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<int64_t> evaluate_expression(const std::string& text,
                                    const std::map<std::string, int64_t>& names) {
  try {
    return Expression(text, names).run();
  } catch (const Error& error) {
    return error;
  }
}

}  // namespace dlavp::compiler
