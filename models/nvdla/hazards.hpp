// HazardChecker: compares the memory of operations in flight. A write that another operation in
// flight reads or writes too is a program's mistake: nothing orders the two, so the result depends
// on time. Hardware manual: "Programming". It sees no accesses of the host.
#pragma once

#include <map>

#include "models/common/result.hpp"
#include "models/nvdla/memory_claims.hpp"

namespace dlavp::nvdla {

class HazardChecker final : public MemoryWatcher {
 public:
  uint64_t new_operation() override { return ++operations_; }
  uint64_t begin(uint64_t operation, const MemoryUse& use) override;
  void end(uint64_t claim) override { in_flight_.erase(claim); }

  /// "hazard.read_after_write", "hazard.write_after_read", "hazard.write_after_write": the later
  /// operation's unit and group, and both ranges. At most kMostReports.
  [[nodiscard]] const Diagnostics& found() const { return found_; }
  static constexpr size_t kMostReports = 100;

 private:
  struct Claim {
    uint64_t operation = 0;
    MemoryUse use;
  };
  uint64_t operations_ = 0, claims_ = 0;
  std::map<uint64_t, Claim> in_flight_;
  Diagnostics found_;
};

}  // namespace dlavp::nvdla
