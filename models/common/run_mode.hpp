// RunMode: how much of an operation is simulated - its time event by event, in closed form or not
// at all; its bytes or only its time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace dlavp {

enum class TimingMode : uint8_t {
  kCycle,  ///< every decision of the hardware
  kFast,   ///< per operation, in closed form
  kNone    ///< operations take next to no time; cycles mean nothing
};

struct RunMode {
  TimingMode timing = TimingMode::kCycle;
  bool function = true;  ///< off: nothing is read, computed or written, only time passes

  /// Units handle an operation as a whole, without requests, stripes and atoms.
  [[nodiscard]] bool whole() const { return timing != TimingMode::kCycle; }
  [[nodiscard]] bool timed() const { return timing != TimingMode::kNone; }
};

[[nodiscard]] inline std::optional<TimingMode> parse_timing_mode(const std::string& text) {
  if (text == "cycle") return TimingMode::kCycle;
  if (text == "fast") return TimingMode::kFast;
  if (text == "none") return TimingMode::kNone;
  return std::nullopt;
}

[[nodiscard]] constexpr const char* timing_mode_name(TimingMode mode) {
  return mode == TimingMode::kCycle ? "cycle" : mode == TimingMode::kFast ? "fast" : "none";
}

}  // namespace dlavp
