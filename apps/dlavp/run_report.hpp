// What `dlavp run` prints: classes or tensors, the table of operations, totals with their
// assumptions; the same as JSON.
#pragma once

#include <memory>
#include <string>

#include "vp/host/session.hpp"

namespace dlavp::app {

class RunReport {
 public:
  RunReport(const HwConfig& hw, const PlatformConfig& platform, const vp::Network& network,
            std::string model);
  ~RunReport();
  RunReport(const RunReport&) = delete;
  RunReport& operator=(const RunReport&) = delete;

  /// Text of one run on stdout.
  void print(const vp::RunResult& result, const std::string& input, bool with_table) const;
  /// Collects one run; json() gives all of them.
  void add_json(const vp::RunResult& result, const std::string& input);
  [[nodiscard]] std::string json() const;

 private:
  struct Collected;
  HwConfig hw_;
  PlatformConfig platform_;
  vp::Network network_;
  std::string model_;
  std::unique_ptr<Collected> collected_;
};

}  // namespace dlavp::app
