// Played traces against cycles measured on RTL: error per unit, configuration and latency, its
// distribution, the cases that are furthest off with where their cycles went and why, and the speed
// of the simulation; as text and as a page.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vp/trace/runner.hpp"

namespace dlavp::app {

/// One trace that RTL was run with.
struct Compared {
  const trace::Outcome* outcome = nullptr;
  trace::RtlRow rtl;
  double error = 0;  ///< signed, relative
  bool beats_equal = false;
};

struct ErrorSummary {
  size_t rows = 0, beats_equal = 0;
  double median = 0, worst = 0;  ///< of the absolute errors
};

/// Those of `outcomes` that have cycles on both sides, in their order.
[[nodiscard]] std::vector<Compared> compare(const std::vector<trace::Outcome>& outcomes,
                                            const trace::RtlTable& rtl);
[[nodiscard]] ErrorSummary summarise(const std::vector<const Compared*>& rows);

struct ErrorGroup {
  std::string unit, config;
  uint32_t mem_latency = 0;
  ErrorSummary summary;
};
/// One a unit, configuration and latency, sorted by these.
[[nodiscard]] std::vector<ErrorGroup> group(const std::vector<Compared>& rows);

void print_groups(const std::vector<Compared>& rows);

/// The page; `networks` is its section about them. `notes` gives mechanisms by "config/trace" (the longest prefix counts); `command` is
/// how the page was made.
[[nodiscard]] std::string validation_page(const std::vector<trace::Outcome>& outcomes,
                                          const std::vector<Compared>& rows,
                                          const std::map<std::string, std::string>& notes,
                                          const std::string& networks,
                                          const std::string& command);

/// Notes from YAML: a map from "config/trace" or a prefix of it to a sentence. Errors:
/// "validation.*".
Result<std::map<std::string, std::string>> load_notes(const std::string& path);

}  // namespace dlavp::app
