// What the user sees of long work: a progress bar, and how long each stage took.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>
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

/// Seconds that each stage took, from the names that the driver calls out: on the clock, and of
/// processor time, which other work on the machine leaves as it is.
class StageTimes {
 public:
  void enter(const std::string& stage) {
    const Time now{std::chrono::steady_clock::now(), std::clock()};
    if (!stages_.empty()) {
      stages_.back().seconds = std::chrono::duration<double>(now.clock - entered_.clock).count();
      stages_.back().cpu_seconds =
          static_cast<double>(now.processor - entered_.processor) / CLOCKS_PER_SEC;
    }
    stages_.push_back({stage, 0.0, 0.0});
    entered_ = now;
  }
  /// `without_samples`: leaves out what depends on the number of sample inputs.
  [[nodiscard]] double total(bool without_samples) const {
    double sum = 0;
    for (const Stage& s : stages_) {
      if (!without_samples || (s.name != "calibrate" && s.name != "measure")) sum += s.seconds;
    }
    return sum;
  }
  void add_to(nlohmann::ordered_json& summary) const {
    summary["seconds"] = json(&Stage::seconds);
    summary["cpu_seconds"] = json(&Stage::cpu_seconds);
  }

 private:
  struct Time {
    std::chrono::steady_clock::time_point clock;
    std::clock_t processor = 0;
  };
  struct Stage {
    std::string name;
    double seconds, cpu_seconds;
  };
  [[nodiscard]] nlohmann::ordered_json json(double Stage::*time) const {
    nlohmann::ordered_json j = nlohmann::ordered_json::object();
    for (const Stage& s : stages_) j[s.name] = s.*time;
    return j;
  }
  std::vector<Stage> stages_;
  Time entered_;
};

}  // namespace dlavp::app
