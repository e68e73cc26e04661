// CdpOp: one cross-channel operation with true sizes, decoded once from the registers of CDP, its
// read DMA and its lookup tables. Hardware manual: "Cross Channel Data Processor". int8 only.
#pragma once

#include "models/cdp/cdp_lut.hpp"
#include "models/common/cube.hpp"
#include "models/common/hw_config.hpp"
#include "models/common/result.hpp"
#include "models/regs/reg_block.hpp"

namespace dlavp::cdp {

struct CdpOp {
  CubeSize size;
  uint32_t surfaces = 0;
  CubeRef src, dst;
  uint32_t window = 3;  ///< channels of one normalisation: 3, 5, 7 or 9
  bool sqsum_bypass = false, mul_bypass = false;
  int32_t in_offset = 0, in_scale = 1, out_offset = 0, out_scale = 1;
  uint32_t in_shift = 0, out_shift = 0;
  Lut lut;
  bool count_read_stalls = false, count_write_stalls = false;

  /// One line for tables.
  [[nodiscard]] std::string summary() const;
};

/// The tables as the LUT access registers filled them.
struct LutTables {
  std::array<int16_t, kLeEntries> le{};
  std::array<int16_t, kLoEntries> lo{};
};

/// Decodes one group. Errors: every illegal combination, with the register names and both values.
Result<CdpOp> decode(const regs::RegView& cdp, const regs::RegView& rdma, const LutTables& tables,
                     const HwConfig& hw);

}  // namespace dlavp::cdp
