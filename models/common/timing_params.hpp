// TimingParams: the figures that no event produces (pipeline latencies, FIFO depths), from
// configs/timing/*.yaml. Every entry has a provenance: rtl, spec or assumed.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "models/common/hw_config.hpp"
#include "models/common/result.hpp"

namespace dlavp {

/// Parameters resolved for one HwConfig. File `pdp.yaml` with entry `first_request` is "pdp.first_request".
///
/// An entry is `{value: 18, provenance: rtl, source: "..."}` or, where the hardware's own generator
/// makes it depend on a size, `{by: memory_atomic_size, values: {8: 20, 16: 18}, provenance: ...}`:
/// `by` names an HwConfig parameter and the largest key not above the configured value is taken.
class TimingParams {
 public:
  /// Resolves every file of `dir` (default config_dir()/timing) for `hw`.
  static Result<TimingParams> load(const HwConfig& hw, const std::filesystem::path& dir = config_dir() / "timing");

  /// The figure; an unknown name is an internal error.
  [[nodiscard]] int64_t get(const std::string& name) const;
  [[nodiscard]] const std::map<std::string, int64_t>& all() const { return values_; }
  void set(const std::string& name, int64_t value) { values_[name] = value; }

 private:
  std::map<std::string, int64_t> values_;
};

}  // namespace dlavp
