// What the user sees of long work: a progress bar, and how long each stage took.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace dlavp::app {

/// A bar on a terminal, nothing in a pipe.
class Progress {
 public:
  explicit Progress(bool wanted) : on_(wanted && isatty(STDERR_FILENO) != 0) {}
  ~Progress() { clear(); }
  void show(const std::string& stage, double done) const {
    if (!on_) return;
    const auto filled = static_cast<int>(done * kWidth);
    fmt::print(stderr, "\r[{:#<{}}{:.<{}}] {:<26.26}", "", filled, "", kWidth - filled, stage);
    std::fflush(stderr);
  }
  void clear() const {
    if (on_) fmt::print(stderr, "\r{:60}\r", "");
  }

 private:
  static constexpr int kWidth = 30;
  bool on_;
};

/// Seconds that each stage took, from the names that the driver calls out.
class StageTimes {
 public:
  void enter(const std::string& stage) {
    const auto now = Clock::now();
    if (!stages_.empty())
      stages_.back().second = std::chrono::duration<double>(now - entered_).count();
    stages_.emplace_back(stage, 0.0);
    entered_ = now;
  }
  /// `without_samples`: leaves out what depends on the number of sample inputs.
  [[nodiscard]] double total(bool without_samples) const {
    double sum = 0;
    for (const auto& [stage, seconds] : stages_) {
      if (!without_samples || (stage != "calibrate" && stage != "measure")) sum += seconds;
    }
    return sum;
  }
  [[nodiscard]] nlohmann::ordered_json json() const {
    nlohmann::ordered_json j = nlohmann::ordered_json::object();
    for (const auto& [stage, seconds] : stages_) j[stage] = seconds;
    return j;
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::vector<std::pair<std::string, double>> stages_;
  Clock::time_point entered_;
};

}  // namespace dlavp::app
