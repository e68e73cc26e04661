// CFGROM: the read-only description of the accelerator that drivers read (hw 2 only). The published
// RTL holds one fixed table; here every size follows HwConfig, so that a driver sees what is
// simulated. The base latency and burst length stay those of the published table: they describe no
// hardware.
#pragma once

#include "models/common/hw_config.hpp"
#include "models/nvdla/unit.hpp"

namespace dlavp::glb {

class Cfgrom final : public Unit {
 public:
  explicit Cfgrom(const HwConfig& hw);
  std::vector<regs::RegBlock*> reg_blocks() override { return {&regs_}; }
  [[nodiscard]] bool idle() const override { return true; }

 private:
  regs::RegBlock regs_;
};

}  // namespace dlavp::glb
