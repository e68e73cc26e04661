// Legal random register programs as lists of writes, one function a datapath, for the fuzzer to
// start from: SDP, PDP and CDP from memory, and convolution with SDP (and PDP) behind it on the
// fly. Sizes are small and every address lies in the map of fuzz/csb_target.cpp. Hardware manual:
// "Programming".
#pragma once

#include <vector>

#include "models/common/hw_config.hpp"
#include "models/regs/reg_table.hpp"

namespace dlavp::fuzz {

struct Write {
  const regs::UnitTable* unit = nullptr;
  uint32_t offset = 0, value = 0;
};

enum class Path : uint8_t { kSdp, kPdp, kCdp, kConv, kConvToPdp };
inline constexpr unsigned kPaths = 5;

/// The writes of one operation for `group`, D_OP_ENABLE last; nothing where `hw` lacks the unit.
[[nodiscard]] std::vector<Write> legal_program(Path path, const HwConfig& hw, uint32_t seed,
                                               unsigned group);

}  // namespace dlavp::fuzz
