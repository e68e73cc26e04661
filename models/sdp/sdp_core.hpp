// What SDP computes: pure functions of an operation, its captured inputs and the look-up tables.
// All surfaces are computed in whole atoms: lanes beyond the last channel hold what the hardware
// makes of their inputs. Hardware manual: "Single Data Point Processor"; rounding as in the RTL.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/common/memory.hpp"
#include "models/sdp/sdp_lut.hpp"
#include "models/sdp/sdp_op.hpp"

namespace dlavp::sdp {

/// Bytes of the streams in the order in which the read DMA fetches them, without strides.
struct Inputs {
  std::vector<uint8_t> main;
  std::array<std::vector<uint8_t>, kStages> operand;
};

struct Outcome {
  AtomCube<int8_t> cube;
  bool unequal = false;  ///< D_STATUS: some output byte is not zero (not with output to PDP)
  uint64_t saturated = 0;
  LutCounts lut;
};

/// Reads everything that `rdma` fetches. Error: sdp.unmapped_read.
[[nodiscard]] Result<Inputs> capture(const RdmaOp& rdma, const HwConfig& hw,
                                     const MemorySpaces& memory);

/// `rdma` is null if the operation reads no memory, `from_conv` unless it is flying.
[[nodiscard]] Outcome compute(const SdpOp& op, const RdmaOp* rdma, const Inputs& inputs,
                              const AtomCube<int32_t>* from_conv, const LutTables& tables,
                              unsigned atom);

/// Writes the cube to op.dst. Error: sdp.unmapped_write.
[[nodiscard]] Diagnostics store(const SdpOp& op, const AtomCube<int8_t>& cube,
                                const MemorySpaces& memory);

}  // namespace dlavp::sdp
