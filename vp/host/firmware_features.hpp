// What the firmware is told of the accelerator: FwBoot.features from HwConfig.
#pragma once

#include <cstdint>

#include "models/common/hw_config.hpp"
#include "sw/core/fw_abi.h"

namespace dlavp::vp {

[[nodiscard]] inline uint32_t firmware_features(const HwConfig& hw) {
  uint32_t f = 0;
  const auto flag = [&f](bool there, uint32_t bit) { f |= there ? bit : 0; };
  flag(hw.bdma, FW_HAS_BDMA);
  flag(hw.rubik, FW_HAS_RUBIK);
  flag(hw.cdp, FW_HAS_CDP);
  flag(hw.pdp, FW_HAS_PDP);
  flag(hw.sdp_ew, FW_HAS_SDP_EW);
  flag(hw.sdp_lut, FW_HAS_SDP_LUT);
  flag(hw.secondary_memif.has_value(), FW_HAS_CVIF);
  flag(hw.winograd, FW_HAS_WINOGRAD);
  flag(hw.weight_compression, FW_HAS_COMPRESSION);
  flag(hw.batch, FW_HAS_BATCH);
  flag(hw.supports_feature(DataType::kInt16), FW_HAS_INT16);
  flag(hw.supports_feature(DataType::kFp16), FW_HAS_FP16);
  return f;
}

}  // namespace dlavp::vp
