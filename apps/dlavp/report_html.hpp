// Runs as one self-contained HTML page: summary, roofline, where each operation's cycles went, the
// units over time, and, for several runs, cycles against multipliers. Pictures are SVG in the page;
// nothing is loaded from anywhere.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dlavp::app {

struct ReportOperation {
  std::string name, engine;
  double start = 0, cycles = 0, bytes = 0, macs = 0;
  std::vector<std::pair<std::string, double>> causes;  ///< of `cycles`
};

struct ReportRun {
  std::string title;                            ///< model and configuration
  std::string details;                          ///< assumptions
  double multipliers = 0, bytes_per_cycle = 0;  ///< of the accelerator and its port
  double cycles = 0, bytes = 0, macs = 0, clock_hz = 0;
  std::vector<ReportOperation> operations;
  std::vector<ReportOperation> layers;  ///< the same summed up; empty: the loadable has no names

  /// Layers where they are known: a network has hundreds of operations.
  [[nodiscard]] const std::vector<ReportOperation>& rows() const {
    return layers.empty() ? operations : layers;
  }
};

[[nodiscard]] std::string report_page(const std::vector<ReportRun>& runs);

}  // namespace dlavp::app
