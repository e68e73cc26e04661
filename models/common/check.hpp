// Internal invariants: on in all builds. A failed check is a bug in dlavp, never user input.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace dlavp {

/// Thrown by DLAVP_CHECK; caught only at the top of a program, which reports it and exits.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] inline void internal_error(const char* file, int line, std::string_view what) {
  throw InternalError(fmt::format("internal error at {}:{}: {}", file, line, what));
}

}  // namespace dlavp

/// Stops unless `condition` holds. Further arguments: an fmt format string and both values.
#define DLAVP_CHECK(condition, ...)                                                    \
  do {                                                                                 \
    if (!(condition))                                                                  \
      ::dlavp::internal_error(__FILE__, __LINE__, std::string(#condition ": ") + ::fmt::format(__VA_ARGS__)); \
  } while (false)
