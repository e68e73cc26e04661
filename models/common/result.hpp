// Errors caused by the outside (user input, guest programs): values, never exceptions.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "models/common/check.hpp"

namespace dlavp {

/// One thing that is wrong. `id` is stable and greppable ("pdp.out_width"), `place` says where
/// (file:line:column, unit and group, ONNX node), `message` gives both values.
struct Error {
  std::string id;
  std::string place;
  std::string message;

  [[nodiscard]] std::string text() const {
    return place.empty() ? fmt::format("{} [{}]", message, id)
                         : fmt::format("{}: {} [{}]", place, message, id);
  }
};

/// All errors found in one input; empty means the input is fine.
class Diagnostics {
 public:
  Diagnostics() = default;
  explicit Diagnostics(Error error) { errors_.push_back(std::move(error)); }

  void add(std::string id, std::string place, std::string message) {
    errors_.push_back({std::move(id), std::move(place), std::move(message)});
  }
  void append(const Diagnostics& other) {
    errors_.insert(errors_.end(), other.errors_.begin(), other.errors_.end());
  }
  [[nodiscard]] bool empty() const { return errors_.empty(); }
  [[nodiscard]] const std::vector<Error>& errors() const { return errors_; }
  [[nodiscard]] bool has(const std::string& id) const {
    for (const Error& e : errors_)
      if (e.id == id) return true;
    return false;
  }
  /// One line an error.
  [[nodiscard]] std::string text() const {
    std::string out;
    for (const Error& e : errors_) out += (out.empty() ? "" : "\n") + e.text();
    return out;
  }

 private:
  std::vector<Error> errors_;
};

/// Either a value or a non-empty list of errors.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}                        // NOLINT(google-explicit-constructor)
  Result(Diagnostics errors) : state_(std::move(errors)) {             // NOLINT(google-explicit-constructor)
    DLAVP_CHECK(!std::get<Diagnostics>(state_).empty(), "failed Result without an error");
  }
  Result(Error error) : state_(Diagnostics(std::move(error))) {}       // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const T& value() const& { check(); return std::get<T>(state_); }
  [[nodiscard]] T& value() & { check(); return std::get<T>(state_); }
  [[nodiscard]] T&& value() && { check(); return std::get<T>(std::move(state_)); }
  const T* operator->() const { return &value(); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  [[nodiscard]] const Diagnostics& errors() const { return std::get<Diagnostics>(state_); }

 private:
  void check() const {
    DLAVP_CHECK(ok(), "value of a failed Result: {}", std::get<Diagnostics>(state_).text());
  }
  std::variant<T, Diagnostics> state_;
};

}  // namespace dlavp
