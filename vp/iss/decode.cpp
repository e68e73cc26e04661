// Decode of the 32-bit formats, by major opcode as the specification's opcode map lists them.
#include "vp/iss/decode.hpp"

#include <array>

namespace dlavp::iss {
namespace {

using enum InsnId;

constexpr uint32_t bits_of(uint32_t value, unsigned high, unsigned low) {
  return (value >> low) & ((uint32_t{1} << (high - low + 1)) - 1);
}
constexpr int64_t signed_bits(uint32_t value, unsigned width) {
  const unsigned up = 64 - width;
  return static_cast<int64_t>(uint64_t{value} << up) >> up;
}
constexpr int64_t imm_i(uint32_t b) { return signed_bits(b >> 20, 12); }
constexpr int64_t imm_s(uint32_t b) {
  return signed_bits((bits_of(b, 31, 25) << 5) | bits_of(b, 11, 7), 12);
}
constexpr int64_t imm_b(uint32_t b) {
  return signed_bits((bits_of(b, 31, 31) << 12) | (bits_of(b, 7, 7) << 11) |
                         (bits_of(b, 30, 25) << 5) | (bits_of(b, 11, 8) << 1),
                     13);
}
constexpr int64_t imm_u(uint32_t b) { return signed_bits(b & 0xFFFFF000u, 32); }
constexpr int64_t imm_j(uint32_t b) {
  return signed_bits((bits_of(b, 31, 31) << 20) | (bits_of(b, 19, 12) << 12) |
                         (bits_of(b, 20, 20) << 11) | (bits_of(b, 30, 21) << 1),
                     21);
}

/// The identifier `steps` places after `first` in the list.
constexpr InsnId after(InsnId first, unsigned steps) {
  return static_cast<InsnId>(static_cast<unsigned>(first) + steps);
}

InsnId decode_op_imm(uint32_t b, Insn& insn) {
  const uint32_t funct3 = bits_of(b, 14, 12);
  const uint32_t top = bits_of(b, 31, 26);
  insn.imm = imm_i(b);
  if (funct3 == 1 || funct3 == 5) insn.imm = bits_of(b, 25, 20);
  switch (funct3) {
    case 0:
      return kAddi;
    case 1:
      return top == 0 ? kSlli : kIllegal;
    case 2:
      return kSlti;
    case 3:
      return kSltiu;
    case 4:
      return kXori;
    case 5:
      return top == 0 ? kSrli : top == 0x10 ? kSrai : kIllegal;
    case 6:
      return kOri;
    default:
      return kAndi;
  }
}

InsnId decode_op_imm32(uint32_t b, Insn& insn) {
  const uint32_t funct3 = bits_of(b, 14, 12);
  const uint32_t top = bits_of(b, 31, 25);
  insn.imm = funct3 == 0 ? imm_i(b) : bits_of(b, 24, 20);
  switch (funct3) {
    case 0:
      return kAddiw;
    case 1:
      return top == 0 ? kSlliw : kIllegal;
    case 5:
      return top == 0 ? kSrliw : top == 0x20 ? kSraiw : kIllegal;
    default:
      return kIllegal;
  }
}

InsnId decode_op(uint32_t b) {
  static constexpr std::array<InsnId, 8> kBase = {kAdd, kSll, kSlt, kSltu, kXor, kSrl, kOr, kAnd};
  static constexpr std::array<InsnId, 8> kMulDiv = {kMul, kMulh, kMulhsu, kMulhu,
                                                    kDiv, kDivu, kRem,    kRemu};
  const uint32_t funct3 = bits_of(b, 14, 12);
  switch (bits_of(b, 31, 25)) {
    case 0x00:
      return kBase[funct3];
    case 0x01:
      return kMulDiv[funct3];
    case 0x20:
      return funct3 == 0 ? kSub : funct3 == 5 ? kSra : kIllegal;
    default:
      return kIllegal;
  }
}

InsnId decode_op32(uint32_t b) {
  const uint32_t funct3 = bits_of(b, 14, 12);
  switch (bits_of(b, 31, 25)) {
    case 0x00:
      return funct3 == 0 ? kAddw : funct3 == 1 ? kSllw : funct3 == 5 ? kSrlw : kIllegal;
    case 0x01:
      switch (funct3) {
        case 0:
          return kMulw;
        case 4:
          return kDivw;
        case 5:
          return kDivuw;
        case 6:
          return kRemw;
        case 7:
          return kRemuw;
        default:
          return kIllegal;
      }
    case 0x20:
      return funct3 == 0 ? kSubw : funct3 == 5 ? kSraw : kIllegal;
    default:
      return kIllegal;
  }
}

InsnId decode_system(uint32_t b, Insn& insn) {
  const uint32_t funct3 = bits_of(b, 14, 12);
  if (funct3 == 0) {
    switch (b) {
      case 0x00000073:
        return kEcall;
      case 0x00100073:
        return kEbreak;
      case 0x30200073:
        return kMret;
      case 0x10500073:
        return kWfi;
      default:
        return kIllegal;
    }
  }
  insn.imm = bits_of(b, 31, 20);
  switch (funct3) {
    case 1:
      return kCsrrw;
    case 2:
      return kCsrrs;
    case 3:
      return kCsrrc;
    case 5:
      return kCsrrwi;
    case 6:
      return kCsrrsi;
    case 7:
      return kCsrrci;
    default:
      return kIllegal;
  }
}

InsnId decode_amo(uint32_t b, Insn& insn) {
  const uint32_t funct3 = bits_of(b, 14, 12);
  if (funct3 != 2 && funct3 != 3) return kIllegal;
  insn.imm = 0;
  InsnId word = kIllegal;
  switch (bits_of(b, 31, 27)) {
    case 0x00:
      word = kAmoaddW;
      break;
    case 0x01:
      word = kAmoswapW;
      break;
    case 0x02:
      word = insn.rs2 == 0 ? kLrW : kIllegal;
      break;
    case 0x03:
      word = kScW;
      break;
    case 0x04:
      word = kAmoxorW;
      break;
    case 0x08:
      word = kAmoorW;
      break;
    case 0x0C:
      word = kAmoandW;
      break;
    case 0x10:
      word = kAmominW;
      break;
    case 0x14:
      word = kAmomaxW;
      break;
    case 0x18:
      word = kAmominuW;
      break;
    case 0x1C:
      word = kAmomaxuW;
      break;
    default:
      return kIllegal;
  }
  if (word == kIllegal) return kIllegal;
  const unsigned to_double = static_cast<unsigned>(kLrD) - static_cast<unsigned>(kLrW);
  return funct3 == 2 ? word : after(word, to_double);
}

/// Single-precision identifier to the double one of the same row of the list.
constexpr InsnId with_precision(InsnId single, bool is_double) {
  const unsigned distance = static_cast<unsigned>(kFmaddD) - static_cast<unsigned>(kFmaddS);
  return single == kIllegal || !is_double ? single : after(single, distance);
}

/// fsgnj, fmin/fmax, compare and class, where the rm field selects the operation.
InsnId decode_fp_by_rm(uint32_t b, const Insn& insn) {
  const uint32_t funct3 = bits_of(b, 14, 12);
  switch (bits_of(b, 31, 27)) {
    case 0x04:
      return funct3 <= 2 ? after(kFsgnjS, funct3) : kIllegal;
    case 0x05:
      return funct3 <= 1 ? after(kFminS, funct3) : kIllegal;
    case 0x14:
      return funct3 == 2 ? kFeqS : funct3 == 1 ? kFltS : funct3 == 0 ? kFleS : kIllegal;
    case 0x1C:
      if (insn.rs2 != 0) return kIllegal;
      if (funct3 == 1) return kFclassS;
      return kIllegal;
    default:
      return kIllegal;
  }
}

/// Moves between the register files: bits, no arithmetic.
InsnId decode_fp_move(uint32_t b, const Insn& insn, bool is_double) {
  if (bits_of(b, 14, 12) != 0 || insn.rs2 != 0) return kIllegal;
  if (bits_of(b, 31, 27) == 0x1C) return is_double ? kFmvXD : kFmvXW;
  if (bits_of(b, 31, 27) == 0x1E) return is_double ? kFmvDX : kFmvWX;
  return kIllegal;
}

InsnId decode_op_fp(uint32_t b, Insn& insn) {
  const uint32_t format = bits_of(b, 26, 25);
  if (format > 1) return kIllegal;
  const bool is_double = format == 1;
  const InsnId move = decode_fp_move(b, insn, is_double);
  if (move != kIllegal) return move;
  const InsnId by_rm = decode_fp_by_rm(b, insn);
  if (by_rm != kIllegal) return with_precision(by_rm, is_double);
  if (insn.rm == 5 || insn.rm == 6) return kIllegal;
  InsnId single = kIllegal;
  switch (bits_of(b, 31, 27)) {
    case 0x00:
      single = kFaddS;
      break;
    case 0x01:
      single = kFsubS;
      break;
    case 0x02:
      single = kFmulS;
      break;
    case 0x03:
      single = kFdivS;
      break;
    case 0x0B:
      single = insn.rs2 == 0 ? kFsqrtS : kIllegal;
      break;
    case 0x08:
      if (insn.rs2 > 1 || (insn.rs2 == 1) == is_double) return kIllegal;
      return is_double ? kFcvtDS : kFcvtSD;
    case 0x18:
      single = insn.rs2 < 4 ? after(kFcvtWS, insn.rs2) : kIllegal;
      break;
    case 0x1A:
      single = insn.rs2 < 4 ? after(kFcvtSW, insn.rs2) : kIllegal;
      break;
    default:
      return kIllegal;
  }
  return with_precision(single, is_double);
}

InsnId decode_fma(uint32_t b, Insn& insn, uint32_t opcode) {
  const uint32_t format = bits_of(b, 26, 25);
  if (format > 1 || insn.rm == 5 || insn.rm == 6) return kIllegal;
  insn.rs3 = static_cast<uint8_t>(bits_of(b, 31, 27));
  return with_precision(after(kFmaddS, (opcode - 0x43) >> 2), format == 1);
}

InsnId decode_load_store(uint32_t b, Insn& insn, uint32_t opcode) {
  static constexpr std::array<InsnId, 8> kLoads = {kLb, kLh, kLw, kLd, kLbu, kLhu, kLwu, kIllegal};
  const uint32_t funct3 = bits_of(b, 14, 12);
  switch (opcode) {
    case 0x03:
      insn.imm = imm_i(b);
      return kLoads[funct3];
    case 0x07:
      insn.imm = imm_i(b);
      return funct3 == 2 ? kFlw : funct3 == 3 ? kFld : kIllegal;
    case 0x23:
      insn.imm = imm_s(b);
      return funct3 <= 3 ? after(kSb, funct3) : kIllegal;
    default:
      insn.imm = imm_s(b);
      return funct3 == 2 ? kFsw : funct3 == 3 ? kFsd : kIllegal;
  }
}

InsnId decode_by_opcode(uint32_t b, Insn& insn) {
  static constexpr std::array<InsnId, 8> kBranches = {kBeq, kBne, kIllegal, kIllegal,
                                                      kBlt, kBge, kBltu,    kBgeu};
  const uint32_t funct3 = bits_of(b, 14, 12);
  const uint32_t opcode = b & 0x7F;
  switch (opcode) {
    case 0x03:
    case 0x07:
    case 0x23:
    case 0x27:
      return decode_load_store(b, insn, opcode);
    case 0x0F:
      return funct3 == 0 ? kFence : funct3 == 1 ? kFenceI : kIllegal;
    case 0x13:
      return decode_op_imm(b, insn);
    case 0x17:
      insn.imm = imm_u(b);
      return kAuipc;
    case 0x1B:
      return decode_op_imm32(b, insn);
    case 0x2F:
      return decode_amo(b, insn);
    case 0x33:
      return decode_op(b);
    case 0x37:
      insn.imm = imm_u(b);
      return kLui;
    case 0x3B:
      return decode_op32(b);
    case 0x43:
    case 0x47:
    case 0x4B:
    case 0x4F:
      return decode_fma(b, insn, opcode);
    case 0x53:
      return decode_op_fp(b, insn);
    case 0x63:
      insn.imm = imm_b(b);
      return kBranches[funct3];
    case 0x67:
      insn.imm = imm_i(b);
      return funct3 == 0 ? kJalr : kIllegal;
    case 0x6F:
      insn.imm = imm_j(b);
      return kJal;
    case 0x73:
      return decode_system(b, insn);
    default:
      return kIllegal;
  }
}

struct InsnInfo {
  std::string_view name;
  CostClass cost;
};
constexpr std::array<InsnInfo, kInsnCount> kInfo = {{
#define X(id, name, cost) {name, CostClass::k##cost},
    DLAVP_RV64GC_INSTRUCTIONS(X)
#undef X
}};

}  // namespace

std::string_view insn_name(InsnId id) { return kInfo[static_cast<size_t>(id)].name; }
CostClass cost_class(InsnId id) { return kInfo[static_cast<size_t>(id)].cost; }

Insn decode(uint32_t bits) {
  if ((bits & 3) != 3) return decode_compressed(static_cast<uint16_t>(bits));
  Insn insn;
  insn.raw = bits;
  insn.rd = static_cast<uint8_t>(bits_of(bits, 11, 7));
  insn.rs1 = static_cast<uint8_t>(bits_of(bits, 19, 15));
  insn.rs2 = static_cast<uint8_t>(bits_of(bits, 24, 20));
  insn.rm = static_cast<uint8_t>(bits_of(bits, 14, 12));
  insn.id = decode_by_opcode(bits, insn);
  return insn;
}

}  // namespace dlavp::iss
