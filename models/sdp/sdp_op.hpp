// What one operation of SDP is, with true sizes: decoded once from the registers of SDP and its
// read DMA (hardware manual: "Single Data Point Processor"; programming guide: SDP). Fields that
// the programmed mode does not use are not read. int16, fp16, Winograd order and batches are
// refused by name; no published int8 configuration has them.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "models/common/cube.hpp"
#include "models/common/hw_config.hpp"
#include "models/common/result.hpp"
#include "models/regs/reg_block.hpp"

namespace dlavp::sdp {

/// The three operand streams and the stages that take them: X1 (BS), X2 (BN), Y (EW).
enum Stage : unsigned { kX1, kX2, kY };
inline constexpr unsigned kStages = 3;

/// EQL in X adds, as the hardware's adder does; only Y compares.
enum class AluAlgo : uint8_t { kMax, kMin, kSum, kEql };

/// The converter of a Y operand from memory.
struct OperandCvt {
  bool bypass = true;
  int32_t offset = 0;
  int16_t scale = 0;
  unsigned truncate = 0;
  bool operator==(const OperandCvt&) const = default;
};

/// One half (ALU or multiplier) of a stage.
struct Unary {
  bool enabled = false;
  bool from_memory = false;
  int32_t operand = 0;  ///< register operand; 16 bits in X, 32 in Y
  OperandCvt cvt;       ///< Y and from_memory only
  bool operator==(const Unary&) const = default;
};

/// X1 and X2: ALU, multiplier, truncation, ReLU in this order. Y: multiplier, truncation, ALU, LUT.
struct StageOp {
  bool enabled = false;
  Unary alu, mul;
  AluAlgo algo = AluAlgo::kSum;
  unsigned alu_shift = 0;  ///< left shift of the X ALU operand
  bool prelu = false;
  unsigned mul_shift = 0;  ///< X: also applied with the multiplier bypassed; Y: with it only
  bool relu = false;       ///< X only
  bool lut = false;        ///< Y only
  bool operator==(const StageOp&) const = default;
};

/// The look-up tables' addressing: LE (65 entries, exponent or linear), LO (257 entries, linear).
struct LutParams {
  bool le_linear = false;
  bool underflow_lo = false, overflow_lo = false, hybrid_lo = false;  ///< priorities: LO before LE
  int le_index_offset = 0, le_index_select = 0, lo_index_select = 0;
  int32_t le_start = 0, le_end = 0, lo_start = 0, lo_end = 0;
  int16_t le_underflow_scale = 0, le_overflow_scale = 0;
  int16_t lo_underflow_scale = 0, lo_overflow_scale = 0;
  int le_underflow_shift = 0, le_overflow_shift = 0;
  int lo_underflow_shift = 0, lo_overflow_shift = 0;
};

struct OutputCvt {
  int32_t offset = 0;
  int16_t scale = 1;
  unsigned shift = 0;
};

/// SDP's own registers.
struct SdpOp {
  unsigned group = 0;
  CubeSize size;
  bool flying = false;  ///< input from convolution
  bool to_pdp = false;
  bool compare = false;  ///< EQL: nothing is written, D_STATUS tells
  CubeRef dst;           ///< unless to_pdp or compare
  std::array<StageOp, kStages> stage;
  LutParams lut;
  OutputCvt out;
  bool count_dma_stalls = false, count_lut = false, count_saturation = false;

  [[nodiscard]] bool writes_memory() const { return !to_pdp && !compare; }
  /// The read DMA must run beside this operation.
  [[nodiscard]] bool needs_rdma() const {
    if (!flying) return true;
    for (const StageOp& s : stage)
      if (s.enabled &&
          ((s.alu.enabled && s.alu.from_memory) || (s.mul.enabled && s.mul.from_memory)))
        return true;
    return false;
  }
  [[nodiscard]] std::string summary() const;
};

/// One operand stream of the read DMA.
struct OperandRead {
  bool enabled = false;
  bool alu = false, mul = false;  ///< which halves it feeds; both: ALU and MUL values interleaved
  unsigned element_bytes = 1;
  bool per_element = false;  ///< else one value a channel
  CubeRef src;
  /// Memory atoms for the operands of one data atom.
  [[nodiscard]] unsigned atoms_per_atom() const { return element_bytes * (alu && mul ? 2 : 1); }
};

/// The read DMA's registers.
struct RdmaOp {
  unsigned group = 0;
  CubeSize size;
  bool main = false;  ///< reads the input cube
  CubeRef src;
  std::array<OperandRead, kStages> operand;
  bool count_dma_stalls = false;
};

/// A cube of one line and column lies in memory without strides: all surfaces one after another.
[[nodiscard]] inline bool packed_1x1(const CubeSize& size) {
  return size.width == 1 && size.height == 1;
}

/// Errors have the place "SDP group N"; each names registers and both values.
[[nodiscard]] Result<SdpOp> decode_sdp(const regs::RegView& regs, const HwConfig& hw);
[[nodiscard]] Result<RdmaOp> decode_rdma(const regs::RegView& regs, const HwConfig& hw);

/// What the two halves of one operation disagree about; hardware would hang or mix data.
[[nodiscard]] Diagnostics check_pair(const SdpOp& sdp, const RdmaOp& rdma);

}  // namespace dlavp::sdp
