// The instructions of RV64IMAFDC_Zicsr_Zifencei that the core executes: one list gives the
// identifiers, the names for messages and traces, and the cost class. RISC-V unprivileged
// specification 20191213. Compressed instructions decode to the base instruction they expand to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dlavp::iss {

/// What an instruction costs is decided by its class (configs/iss/*.yaml).
enum class CostClass : uint8_t {
  kAlu,
  kMul,
  kDiv,
  kLoad,
  kStore,
  kBranch,
  kJump,
  kJumpRegister,
  kAmo,
  kCsr,
  kFence,
  kSystem,
  kFpLoad,
  kFpStore,
  kFpAdd,
  kFpMul,
  kFpFma,
  kFpDiv,
  kFpSqrt,
  kFpMove,
  kFpCompare,
  kFpConvert,
  kCount
};

// clang-format off
#define DLAVP_RV64GC_INSTRUCTIONS(X) \
  X(Illegal, "illegal", System) \
  X(Lui, "lui", Alu) X(Auipc, "auipc", Alu) X(Addi, "addi", Alu) X(Slti, "slti", Alu) \
  X(Sltiu, "sltiu", Alu) X(Xori, "xori", Alu) X(Ori, "ori", Alu) X(Andi, "andi", Alu) \
  X(Slli, "slli", Alu) X(Srli, "srli", Alu) X(Srai, "srai", Alu) X(Add, "add", Alu) \
  X(Sub, "sub", Alu) X(Sll, "sll", Alu) X(Slt, "slt", Alu) X(Sltu, "sltu", Alu) \
  X(Xor, "xor", Alu) X(Srl, "srl", Alu) X(Sra, "sra", Alu) X(Or, "or", Alu) X(And, "and", Alu) \
  X(Addiw, "addiw", Alu) X(Slliw, "slliw", Alu) X(Srliw, "srliw", Alu) X(Sraiw, "sraiw", Alu) \
  X(Addw, "addw", Alu) X(Subw, "subw", Alu) X(Sllw, "sllw", Alu) X(Srlw, "srlw", Alu) \
  X(Sraw, "sraw", Alu) \
  X(Mul, "mul", Mul) X(Mulh, "mulh", Mul) X(Mulhsu, "mulhsu", Mul) X(Mulhu, "mulhu", Mul) \
  X(Mulw, "mulw", Mul) X(Div, "div", Div) X(Divu, "divu", Div) X(Rem, "rem", Div) \
  X(Remu, "remu", Div) X(Divw, "divw", Div) X(Divuw, "divuw", Div) X(Remw, "remw", Div) \
  X(Remuw, "remuw", Div) \
  X(Jal, "jal", Jump) X(Jalr, "jalr", JumpRegister) X(Beq, "beq", Branch) X(Bne, "bne", Branch) \
  X(Blt, "blt", Branch) X(Bge, "bge", Branch) X(Bltu, "bltu", Branch) X(Bgeu, "bgeu", Branch) \
  X(Lb, "lb", Load) X(Lh, "lh", Load) X(Lw, "lw", Load) X(Ld, "ld", Load) X(Lbu, "lbu", Load) \
  X(Lhu, "lhu", Load) X(Lwu, "lwu", Load) X(Sb, "sb", Store) X(Sh, "sh", Store) \
  X(Sw, "sw", Store) X(Sd, "sd", Store) \
  X(Fence, "fence", Fence) X(FenceI, "fence.i", Fence) X(Ecall, "ecall", System) \
  X(Ebreak, "ebreak", System) X(Mret, "mret", System) X(Wfi, "wfi", System) \
  X(Csrrw, "csrrw", Csr) X(Csrrs, "csrrs", Csr) X(Csrrc, "csrrc", Csr) X(Csrrwi, "csrrwi", Csr) \
  X(Csrrsi, "csrrsi", Csr) X(Csrrci, "csrrci", Csr) \
  X(LrW, "lr.w", Amo) X(ScW, "sc.w", Amo) X(AmoswapW, "amoswap.w", Amo) X(AmoaddW, "amoadd.w", Amo) \
  X(AmoxorW, "amoxor.w", Amo) X(AmoandW, "amoand.w", Amo) X(AmoorW, "amoor.w", Amo) \
  X(AmominW, "amomin.w", Amo) X(AmomaxW, "amomax.w", Amo) X(AmominuW, "amominu.w", Amo) \
  X(AmomaxuW, "amomaxu.w", Amo) \
  X(LrD, "lr.d", Amo) X(ScD, "sc.d", Amo) X(AmoswapD, "amoswap.d", Amo) X(AmoaddD, "amoadd.d", Amo) \
  X(AmoxorD, "amoxor.d", Amo) X(AmoandD, "amoand.d", Amo) X(AmoorD, "amoor.d", Amo) \
  X(AmominD, "amomin.d", Amo) X(AmomaxD, "amomax.d", Amo) X(AmominuD, "amominu.d", Amo) \
  X(AmomaxuD, "amomaxu.d", Amo) \
  X(Flw, "flw", FpLoad) X(Fld, "fld", FpLoad) X(Fsw, "fsw", FpStore) X(Fsd, "fsd", FpStore) \
  X(FmaddS, "fmadd.s", FpFma) X(FmsubS, "fmsub.s", FpFma) X(FnmsubS, "fnmsub.s", FpFma) \
  X(FnmaddS, "fnmadd.s", FpFma) X(FaddS, "fadd.s", FpAdd) X(FsubS, "fsub.s", FpAdd) \
  X(FmulS, "fmul.s", FpMul) X(FdivS, "fdiv.s", FpDiv) X(FsqrtS, "fsqrt.s", FpSqrt) \
  X(FsgnjS, "fsgnj.s", FpMove) X(FsgnjnS, "fsgnjn.s", FpMove) X(FsgnjxS, "fsgnjx.s", FpMove) \
  X(FminS, "fmin.s", FpCompare) X(FmaxS, "fmax.s", FpCompare) X(FeqS, "feq.s", FpCompare) \
  X(FltS, "flt.s", FpCompare) X(FleS, "fle.s", FpCompare) X(FclassS, "fclass.s", FpCompare) \
  X(FcvtWS, "fcvt.w.s", FpConvert) X(FcvtWuS, "fcvt.wu.s", FpConvert) \
  X(FcvtLS, "fcvt.l.s", FpConvert) X(FcvtLuS, "fcvt.lu.s", FpConvert) \
  X(FcvtSW, "fcvt.s.w", FpConvert) X(FcvtSWu, "fcvt.s.wu", FpConvert) \
  X(FcvtSL, "fcvt.s.l", FpConvert) X(FcvtSLu, "fcvt.s.lu", FpConvert) \
  X(FmvXW, "fmv.x.w", FpMove) X(FmvWX, "fmv.w.x", FpMove) \
  X(FmaddD, "fmadd.d", FpFma) X(FmsubD, "fmsub.d", FpFma) X(FnmsubD, "fnmsub.d", FpFma) \
  X(FnmaddD, "fnmadd.d", FpFma) X(FaddD, "fadd.d", FpAdd) X(FsubD, "fsub.d", FpAdd) \
  X(FmulD, "fmul.d", FpMul) X(FdivD, "fdiv.d", FpDiv) X(FsqrtD, "fsqrt.d", FpSqrt) \
  X(FsgnjD, "fsgnj.d", FpMove) X(FsgnjnD, "fsgnjn.d", FpMove) X(FsgnjxD, "fsgnjx.d", FpMove) \
  X(FminD, "fmin.d", FpCompare) X(FmaxD, "fmax.d", FpCompare) X(FeqD, "feq.d", FpCompare) \
  X(FltD, "flt.d", FpCompare) X(FleD, "fle.d", FpCompare) X(FclassD, "fclass.d", FpCompare) \
  X(FcvtWD, "fcvt.w.d", FpConvert) X(FcvtWuD, "fcvt.wu.d", FpConvert) \
  X(FcvtLD, "fcvt.l.d", FpConvert) X(FcvtLuD, "fcvt.lu.d", FpConvert) \
  X(FcvtDW, "fcvt.d.w", FpConvert) X(FcvtDWu, "fcvt.d.wu", FpConvert) \
  X(FcvtDL, "fcvt.d.l", FpConvert) X(FcvtDLu, "fcvt.d.lu", FpConvert) \
  X(FcvtSD, "fcvt.s.d", FpConvert) X(FcvtDS, "fcvt.d.s", FpConvert) \
  X(FmvXD, "fmv.x.d", FpMove) X(FmvDX, "fmv.d.x", FpMove)
// clang-format on

enum class InsnId : uint8_t {
#define X(id, name, cost) k##id,
  DLAVP_RV64GC_INSTRUCTIONS(X)
#undef X
      kCount
};

inline constexpr size_t kInsnCount = static_cast<size_t>(InsnId::kCount);

/// Assembler name, "illegal" for an encoding that is none of the list.
[[nodiscard]] std::string_view insn_name(InsnId id);
[[nodiscard]] CostClass cost_class(InsnId id);

}  // namespace dlavp::iss
