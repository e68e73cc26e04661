// Encoders of RISC-V instruction formats for tests that build programs word by word.
#pragma once

#include <cstdint>
#include <vector>

namespace dlavp::iss::test {

constexpr uint32_t r_type(uint32_t opcode, uint32_t funct3, uint32_t funct7, uint32_t rd,
                          uint32_t rs1, uint32_t rs2) {
  return opcode | (rd << 7) | (funct3 << 12) | (rs1 << 15) | (rs2 << 20) | (funct7 << 25);
}
constexpr uint32_t i_type(uint32_t opcode, uint32_t funct3, uint32_t rd, uint32_t rs1,
                          int32_t imm) {
  return opcode | (rd << 7) | (funct3 << 12) | (rs1 << 15) | (static_cast<uint32_t>(imm) << 20);
}
constexpr uint32_t s_type(uint32_t opcode, uint32_t funct3, uint32_t rs1, uint32_t rs2,
                          int32_t imm) {
  const auto i = static_cast<uint32_t>(imm);
  return opcode | ((i & 31) << 7) | (funct3 << 12) | (rs1 << 15) | (rs2 << 20) | ((i >> 5) << 25);
}
constexpr uint32_t b_type(uint32_t funct3, uint32_t rs1, uint32_t rs2, int32_t offset) {
  const auto i = static_cast<uint32_t>(offset);
  return 0x63 | (((i >> 11) & 1) << 7) | (((i >> 1) & 15) << 8) | (funct3 << 12) | (rs1 << 15) |
         (rs2 << 20) | (((i >> 5) & 63) << 25) | (((i >> 12) & 1) << 31);
}
constexpr uint32_t u_type(uint32_t opcode, uint32_t rd, uint32_t imm20) {
  return opcode | (rd << 7) | (imm20 << 12);
}
constexpr uint32_t jal(uint32_t rd, int32_t offset) {
  const auto i = static_cast<uint32_t>(offset);
  return 0x6F | (rd << 7) | (((i >> 12) & 255) << 12) | (((i >> 11) & 1) << 20) |
         (((i >> 1) & 1023) << 21) | (((i >> 20) & 1) << 31);
}

constexpr uint32_t addi(uint32_t rd, uint32_t rs1, int32_t imm) {
  return i_type(0x13, 0, rd, rs1, imm);
}
constexpr uint32_t add(uint32_t rd, uint32_t rs1, uint32_t rs2) {
  return r_type(0x33, 0, 0, rd, rs1, rs2);
}
constexpr uint32_t lui(uint32_t rd, uint32_t imm20) { return u_type(0x37, rd, imm20); }
constexpr uint32_t auipc(uint32_t rd, uint32_t imm20) { return u_type(0x17, rd, imm20); }
constexpr uint32_t ld(uint32_t rd, uint32_t rs1, int32_t imm) { return i_type(3, 3, rd, rs1, imm); }
constexpr uint32_t lw(uint32_t rd, uint32_t rs1, int32_t imm) { return i_type(3, 2, rd, rs1, imm); }
constexpr uint32_t sd(uint32_t rs2, uint32_t rs1, int32_t imm) {
  return s_type(0x23, 3, rs1, rs2, imm);
}
constexpr uint32_t sw(uint32_t rs2, uint32_t rs1, int32_t imm) {
  return s_type(0x23, 2, rs1, rs2, imm);
}
constexpr uint32_t csrrw(uint32_t rd, uint32_t csr, uint32_t rs1) {
  return 0x73 | (rd << 7) | (1u << 12) | (rs1 << 15) | (csr << 20);
}
constexpr uint32_t csrrs(uint32_t rd, uint32_t csr, uint32_t rs1) {
  return 0x73 | (rd << 7) | (2u << 12) | (rs1 << 15) | (csr << 20);
}
inline constexpr uint32_t kEcall = 0x73, kEbreak = 0x100073, kMret = 0x30200073;
inline constexpr uint32_t kWfi = 0x10500073, kFenceI = 0x100F, kNop = 0x13;
inline constexpr uint32_t kLoopForever = 0x6F;  ///< jal x0, 0

/// rd = value, for any 32-bit signed value: two instructions.
inline void load_immediate(std::vector<uint32_t>& code, uint32_t rd, int32_t value) {
  const auto upper = (static_cast<uint32_t>(value) + 0x800) >> 12;
  code.push_back(lui(rd, upper & 0xFFFFF));
  code.push_back(0x1B | (rd << 7) | (rd << 15) | ((static_cast<uint32_t>(value) & 0xFFF) << 20));
}

}  // namespace dlavp::iss::test
