// What `dlavp run` prints: classes or tensors, the table of operations, totals with their
// assumptions; the same as JSON.
#pragma once

#include <memory>
#include <string>

#include "vp/host/session.hpp"

namespace dlavp::app {

struct RunTotals {
  uint64_t accelerator_cycles = 0;  ///< first enable to last completion
  uint64_t core_cycles = 0;         ///< first task to last, of the core's clock
  uint64_t core_asleep = 0, setup_cycles = 0;
  uint64_t bytes = 0, macs = 0;
  double utilisation = 0;  ///< of the multipliers, 0 to 1
};
[[nodiscard]] RunTotals totals(const vp::RunResult& result, const vp::Network& network,
                               const HwConfig& hw);
/// The memory as figures need it for company: "fixed latency 32".
[[nodiscard]] std::string memory_text(const MemoryConfig& memory);

/// Which table a run is printed with: of layers where the loadable names them, else of operations.
enum class RunTable : uint8_t { kNone, kLayers, kOperations };

class RunReport {
 public:
  RunReport(const HwConfig& hw, const PlatformConfig& platform, const vp::Network& network,
            std::string model);
  ~RunReport();
  RunReport(const RunReport&) = delete;
  RunReport& operator=(const RunReport&) = delete;

  /// Text of one run on stdout.
  void print(const vp::RunResult& result, const std::string& input, RunTable table) const;
  /// Collects one run; json() gives all of them.
  void add_json(const vp::RunResult& result, const std::string& input);
  [[nodiscard]] std::string json() const;

 private:
  /// The accelerator's clock over the core's.
  [[nodiscard]] double clocks() const;

  struct Collected;
  HwConfig hw_;
  PlatformConfig platform_;
  vp::Network network_;
  std::string model_;
  std::unique_ptr<Collected> collected_;
};

}  // namespace dlavp::app
