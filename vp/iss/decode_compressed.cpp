// Decode of the C extension (RV64C): each 16-bit instruction becomes the base instruction it is
// defined to expand to, with length 2. RISC-V unprivileged specification, chapter "C".
#include "vp/iss/decode.hpp"

namespace dlavp::iss {
namespace {

using enum InsnId;

constexpr uint32_t field(uint32_t bits, unsigned high, unsigned low) {
  return (bits >> low) & ((uint32_t{1} << (high - low + 1)) - 1);
}
constexpr int64_t extend(uint32_t value, unsigned width) {
  const unsigned up = 64 - width;
  return static_cast<int64_t>(uint64_t{value} << up) >> up;
}
/// Three-bit register fields name x8 to x15.
constexpr uint8_t short_register(uint32_t bits, unsigned low) {
  return static_cast<uint8_t>(8 + field(bits, low + 2, low));
}
constexpr uint8_t full_register(uint32_t bits, unsigned low) {
  return static_cast<uint8_t>(field(bits, low + 4, low));
}

constexpr uint32_t offset_word(uint32_t b) {
  return (field(b, 12, 10) << 3) | (field(b, 6, 6) << 2) | (field(b, 5, 5) << 6);
}
constexpr uint32_t offset_double(uint32_t b) {
  return (field(b, 12, 10) << 3) | (field(b, 6, 5) << 6);
}
constexpr int64_t imm6(uint32_t b) { return extend((field(b, 12, 12) << 5) | field(b, 6, 2), 6); }
constexpr uint32_t shamt6(uint32_t b) { return (field(b, 12, 12) << 5) | field(b, 6, 2); }
constexpr int64_t jump_offset(uint32_t b) {
  return extend((field(b, 12, 12) << 11) | (field(b, 11, 11) << 4) | (field(b, 10, 9) << 8) |
                    (field(b, 8, 8) << 10) | (field(b, 7, 7) << 6) | (field(b, 6, 6) << 7) |
                    (field(b, 5, 3) << 1) | (field(b, 2, 2) << 5),
                12);
}
constexpr int64_t branch_offset(uint32_t b) {
  return extend((field(b, 12, 12) << 8) | (field(b, 11, 10) << 3) | (field(b, 6, 5) << 6) |
                    (field(b, 4, 3) << 1) | (field(b, 2, 2) << 5),
                9);
}

void set(Insn& insn, InsnId id, unsigned rd, unsigned rs1, unsigned rs2, int64_t imm) {
  insn.id = id;
  insn.rd = static_cast<uint8_t>(rd);
  insn.rs1 = static_cast<uint8_t>(rs1);
  insn.rs2 = static_cast<uint8_t>(rs2);
  insn.imm = imm;
}

void quadrant0(uint32_t b, Insn& insn) {
  const uint8_t low = short_register(b, 2);
  const uint8_t base = short_register(b, 7);
  switch (field(b, 15, 13)) {
    case 0: {
      const uint32_t imm = (field(b, 12, 11) << 4) | (field(b, 10, 7) << 6) |
                           (field(b, 6, 6) << 2) | (field(b, 5, 5) << 3);
      if (imm != 0) set(insn, kAddi, low, 2, 0, imm);
      return;
    }
    case 1:
      return set(insn, kFld, low, base, 0, offset_double(b));
    case 2:
      return set(insn, kLw, low, base, 0, offset_word(b));
    case 3:
      return set(insn, kLd, low, base, 0, offset_double(b));
    case 5:
      return set(insn, kFsd, 0, base, low, offset_double(b));
    case 6:
      return set(insn, kSw, 0, base, low, offset_word(b));
    case 7:
      return set(insn, kSd, 0, base, low, offset_double(b));
    default:
      return;
  }
}

/// c.srli, c.srai, c.andi and the register-register group.
void quadrant1_arithmetic(uint32_t b, Insn& insn) {
  const uint8_t rd = short_register(b, 7);
  const uint8_t rs2 = short_register(b, 2);
  switch (field(b, 11, 10)) {
    case 0:
      return set(insn, kSrli, rd, rd, 0, shamt6(b));
    case 1:
      return set(insn, kSrai, rd, rd, 0, shamt6(b));
    case 2:
      return set(insn, kAndi, rd, rd, 0, imm6(b));
    default:
      break;
  }
  static constexpr InsnId kWide[4] = {kSub, kXor, kOr, kAnd};
  static constexpr InsnId kNarrow[4] = {kSubw, kAddw, kIllegal, kIllegal};
  const uint32_t which = field(b, 6, 5);
  set(insn, field(b, 12, 12) == 0 ? kWide[which] : kNarrow[which], rd, rd, rs2, 0);
}

void quadrant1(uint32_t b, Insn& insn) {
  const uint8_t rd = full_register(b, 7);
  switch (field(b, 15, 13)) {
    case 0:
      return set(insn, kAddi, rd, rd, 0, imm6(b));
    case 1:
      if (rd != 0) set(insn, kAddiw, rd, rd, 0, imm6(b));
      return;
    case 2:
      return set(insn, kAddi, rd, 0, 0, imm6(b));
    case 3: {
      if (imm6(b) == 0) return;
      if (rd != 2) return set(insn, kLui, rd, 0, 0, imm6(b) * 4096);
      const uint32_t imm = (field(b, 12, 12) << 9) | (field(b, 6, 6) << 4) | (field(b, 5, 5) << 6) |
                           (field(b, 4, 3) << 7) | (field(b, 2, 2) << 5);
      return set(insn, kAddi, 2, 2, 0, extend(imm, 10));
    }
    case 4:
      return quadrant1_arithmetic(b, insn);
    case 5:
      return set(insn, kJal, 0, 0, 0, jump_offset(b));
    case 6:
      return set(insn, kBeq, 0, short_register(b, 7), 0, branch_offset(b));
    default:
      return set(insn, kBne, 0, short_register(b, 7), 0, branch_offset(b));
  }
}

void quadrant2_jump_move_add(uint32_t b, Insn& insn) {
  const uint8_t rd = full_register(b, 7);
  const uint8_t rs2 = full_register(b, 2);
  if (field(b, 12, 12) == 0) {
    if (rs2 != 0) return set(insn, kAdd, rd, 0, rs2, 0);
    if (rd != 0) set(insn, kJalr, 0, rd, 0, 0);
    return;
  }
  if (rs2 != 0) return set(insn, kAdd, rd, rd, rs2, 0);
  if (rd != 0) return set(insn, kJalr, 1, rd, 0, 0);
  set(insn, kEbreak, 0, 0, 0, 0);
}

void quadrant2(uint32_t b, Insn& insn) {
  const uint8_t rd = full_register(b, 7);
  const uint8_t rs2 = full_register(b, 2);
  const uint32_t load_word =
      (field(b, 12, 12) << 5) | (field(b, 6, 4) << 2) | (field(b, 3, 2) << 6);
  const uint32_t load_double =
      (field(b, 12, 12) << 5) | (field(b, 6, 5) << 3) | (field(b, 4, 2) << 6);
  const uint32_t store_word = (field(b, 12, 9) << 2) | (field(b, 8, 7) << 6);
  const uint32_t store_double = (field(b, 12, 10) << 3) | (field(b, 9, 7) << 6);
  switch (field(b, 15, 13)) {
    case 0:
      return set(insn, kSlli, rd, rd, 0, shamt6(b));
    case 1:
      return set(insn, kFld, rd, 2, 0, load_double);
    case 2:
      if (rd != 0) set(insn, kLw, rd, 2, 0, load_word);
      return;
    case 3:
      if (rd != 0) set(insn, kLd, rd, 2, 0, load_double);
      return;
    case 4:
      return quadrant2_jump_move_add(b, insn);
    case 5:
      return set(insn, kFsd, 0, 2, rs2, store_double);
    case 6:
      return set(insn, kSw, 0, 2, rs2, store_word);
    default:
      return set(insn, kSd, 0, 2, rs2, store_double);
  }
}

}  // namespace

Insn decode_compressed(uint16_t bits) {
  Insn insn;
  insn.length_bytes = 2;
  insn.raw = bits;
  switch (bits & 3) {
    case 0:
      quadrant0(bits, insn);
      break;
    case 1:
      quadrant1(bits, insn);
      break;
    default:
      quadrant2(bits, insn);
      break;
  }
  return insn;
}

}  // namespace dlavp::iss
