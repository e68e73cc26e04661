// Instruction decode: 16 or 32 raw bits to an Insn, a pure function. RISC-V unprivileged
// specification, chapters on RV64I, M, A, F, D, C, Zicsr and Zifencei. Reserved encodings decode
// to kIllegal; hints decode to the instruction they are encoded as.
#pragma once

#include <cstdint>

#include "vp/iss/instructions.hpp"

namespace dlavp::iss {

/// One decoded instruction. Fields that its format lacks are 0.
struct Insn {
  InsnId id = InsnId::kIllegal;
  uint8_t length_bytes = 4;
  uint8_t rd = 0, rs1 = 0, rs2 = 0, rs3 = 0;
  uint8_t rm = 0;    ///< rounding mode field, 7 = dynamic
  int64_t imm = 0;   ///< sign-extended; shift amount; CSR number; for the *i CSR forms see `rs1`
  uint32_t raw = 0;  ///< the bits, 16 of them for a compressed instruction
};

/// Bytes of the instruction that starts with this halfword (longer formats than 32 bits are taken
/// as 4 and decode as illegal).
[[nodiscard]] constexpr unsigned insn_length(uint16_t first_half) {
  return (first_half & 3) == 3 ? 4 : 2;
}

/// Decodes 32 bits, or the low 16 of them if they are a compressed instruction.
[[nodiscard]] Insn decode(uint32_t bits);

/// The compressed half of `decode` (decode_compressed.cpp).
[[nodiscard]] Insn decode_compressed(uint16_t bits);

}  // namespace dlavp::iss
