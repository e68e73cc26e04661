// What `dlavp estimate` prints: the spreadsheet's figure, the platform's timed one, and the way
// from one to the other, one assumption at a time; the same as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "apps/dlavp/timed_run.hpp"
#include "apps/estimate/published.hpp"

namespace dlavp::app {

/// A figure that our platform gave for the same network.
struct TimedFigure {
  TimeSplit split;
  uint64_t operations = 0, macs = 0;
  double clock_hz = 0;
  std::string memory;  ///< of the platform, in words
};

struct EstimateReport {
  estimate::SheetNetwork network;
  estimate::SheetMachine machine;
  std::optional<HwConfig> hw;
  std::optional<TimedFigure> timed;
};

/// One step from the spreadsheet's cycles to the timed ones.
struct EstimateStep {
  std::string why;
  double cycles = 0;  ///< added by it
};
/// Each step replaces one assumption of the page by what `hw` is; the last ones are what the timed
/// run spent. They sum up to timed minus sheet.
[[nodiscard]] std::vector<EstimateStep> steps(const EstimateReport& report);

void print_estimate(const EstimateReport& report, bool with_layers);
[[nodiscard]] nlohmann::ordered_json estimate_json(const EstimateReport& report);

void print_published(const std::vector<estimate::PublishedFigure>& figures);
[[nodiscard]] nlohmann::ordered_json published_json(
    const std::vector<estimate::PublishedFigure>& figures);

}  // namespace dlavp::app
