// The random program generator.
#include "tests/iss/program.hpp"

#include <cstring>

#include "vp/iss/decode.hpp"
#include "vp/iss/tests/assembler.hpp"

namespace dlavp::iss::test {
namespace {

// Registers with a fixed role: pointers to the data, scratch of the emitted sequences, the
// handler's.
constexpr uint32_t kSp = 2, kScratch5 = 5, kAddress = 6, kCounter = 7, kLow = 8, kMiddle = 9;
constexpr uint32_t kDevice = 29, kHandler0 = 30, kHandler1 = 31;
constexpr uint32_t kDataBytes = 0x1000, kTableBytes = 0x1000;

constexpr uint32_t kMstatus = 0x300, kMieCsr = 0x304, kMtvec = 0x305, kMscratch = 0x340;
constexpr uint32_t kMepc = 0x341, kMcause = 0x342, kMtval = 0x343, kMip = 0x344;

bool is_fixed(uint32_t r) {
  return r == kSp || r == kAddress || r == kCounter || r == kLow || r == kMiddle || r >= kDevice;
}

constexpr uint64_t kDoubles[] = {
    0x0000000000000000, 0x8000000000000000, 0x7FF0000000000000, 0xFFF0000000000000,
    0x7FF8000000000000, 0x7FF0000000000001, 0xFFFFFFFFFFFFFFFF, 0x0000000000000001,
    0x000FFFFFFFFFFFFF, 0x0010000000000000, 0x7FEFFFFFFFFFFFFF, 0xFFEFFFFFFFFFFFFF,
    0x3FF0000000000000, 0xBFF0000000000000, 0x3FE0000000000000, 0x3FF8000000000000,
    0x41DFFFFFFFC00000, 0x41E0000000000000, 0xC1E0000000200000, 0x41EFFFFFFFE00000,
    0x43DFFFFFFFFFFFFF, 0x43E0000000000000, 0xC3E0000000000000, 0x43F0000000000000,
    0x3CA0000000000000, 0x47EFFFFFE0000000, 0x47EFFFFFF0000000, 0x3810000000000000,
    0x380FFFFFF0000000, 0x36A0000000000000, 0x3690000000000000, 0x3FEFFFFFFFFFFFFF};
constexpr uint32_t kSingles[] = {0x00000000, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000,
                                 0x7F800001, 0xFFFFFFFF, 0x00000001, 0x007FFFFF, 0x00800000,
                                 0x7F7FFFFF, 0x3F800000, 0xBF800000, 0x3F000000, 0x4EFFFFFF,
                                 0x4F000000, 0xCF000000, 0x4F800000, 0x5F000000, 0x3F7FFFFF};

}  // namespace

ProgramBuilder::ProgramBuilder(uint64_t seed) : rng_(seed) {
  while (data_.size() < kDataBytes + kTableBytes) {
    const uint64_t v = random_double();
    for (unsigned i = 0; i < 8; ++i) data_.push_back(static_cast<uint8_t>(v >> (8 * i)));
  }
  prologue();
}

void ProgramBuilder::emit16(uint16_t half) {
  code_.push_back(static_cast<uint8_t>(half));
  code_.push_back(static_cast<uint8_t>(half >> 8));
}
void ProgramBuilder::emit32(uint32_t word) {
  emit16(static_cast<uint16_t>(word));
  emit16(static_cast<uint16_t>(word >> 16));
}
void ProgramBuilder::patch32(uint64_t at, uint32_t word) {
  std::memcpy(code_.data() + (at - kBase), &word, sizeof word);
}

/// A number of one of the kinds that decide something: specials, near neighbours, small integers.
uint64_t ProgramBuilder::random_double() {
  switch (random(8)) {
    case 0:
    case 1:
      return kDoubles[random(std::size(kDoubles))];
    case 2:
      return kDoubles[random(std::size(kDoubles))] + random(5) - 2;
    case 3:
      return 0xFFFFFFFF00000000u | kSingles[random(std::size(kSingles))];
    case 4:
      return 0xFFFFFFFF00000000u | (kSingles[random(std::size(kSingles))] + random(5) - 2);
    case 5:
      return (rng_() & 0x800FFFFFFFFFFFFFu) | (uint64_t{1023 - 30 + random(60)} << 52);
    case 6:
      return 0xFFFFFFFF00000000u | (rng_() & 0x807FFFFFu) | (uint64_t{127 - 15 + random(30)} << 23);
    default:
      return rng_();
  }
}

void ProgramBuilder::prologue() {
  emit32(auipc(kLow, kDataOffset >> 12));
  emit32(auipc(kScratch5, kHandlerOffset >> 12));
  emit32(addi(kScratch5, kScratch5, -4));
  emit32(csrrw(0, kMtvec, kScratch5));
  emit32(addi(kSp, kLow, 0));
  emit32(addi(kMiddle, kLow, 1024));
  emit32(addi(kMiddle, kMiddle, 1024));
  emit32(addi(kAddress, kMiddle, 0));
  emit32(lui(kScratch5, 6));
  emit32(csrrs(0, kMstatus, kScratch5));
  for (uint32_t r = 1; r < 32; ++r)
    if (!is_fixed(r)) emit32(ld(r, kMiddle, data_offset(8)));
  for (uint32_t r = 0; r < 32; ++r) emit32(i_type(7, 3, r, kMiddle, data_offset(8)));
}

uint32_t ProgramBuilder::target() {
  for (;;) {
    const uint32_t r = any_register();
    if (!is_fixed(r)) return r;
  }
}

/// An offset from the middle of the data, mostly aligned.
int32_t ProgramBuilder::data_offset(unsigned bytes) {
  const int32_t raw = static_cast<int32_t>(random(4096)) - 2048;
  const bool misaligned = random(16) == 0;
  return misaligned ? raw : raw & ~(static_cast<int32_t>(bytes) - 1);
}

uint32_t ProgramBuilder::with_fields(const Encoding& e) {
  const uint32_t rd = target() << 7;
  const uint32_t any_rd = any_register() << 7;
  const uint32_t rs1 = any_register() << 15;
  const uint32_t rs2 = any_register() << 20;
  // Mostly legal rounding modes, dynamic included; 5 and 6 are reserved.
  const uint32_t rm = (random(24) == 0 ? 5 + random(2) : random(6) == 5 ? 7 : random(5)) << 12;
  switch (e.form) {
    case Form::kR:
      return e.match | rd | rs1 | rs2;
    case Form::kI:
      return e.match | rd | rs1 | (random(4096) << 20);
    case Form::kShift64:
      return e.match | rd | rs1 | (random(64) << 20);
    case Form::kShift32:
      return e.match | rd | rs1 | (random(32) << 20);
    case Form::kU:
      return e.match | rd | (random(1 << 20) << 12);
    case Form::kLoad:
      return (e.match | rd) | i_type(0, 0, 0, kMiddle, data_offset(e.size));
    case Form::kFpLoad:
      return (e.match | any_rd) | i_type(0, 0, 0, kMiddle, data_offset(e.size));
    case Form::kStore:
    case Form::kFpStore:
      return e.match | s_type(0, 0, kMiddle, any_register(), data_offset(e.size));
    case Form::kAmo:
      return e.match | rd | (kAddress << 15) | rs2 | (random(4) << 25);
    case Form::kLr:
      return e.match | rd | (kAddress << 15) | (random(4) << 25);
    case Form::kFpRound2:
      return e.match | any_rd | rs1 | rs2 | rm;
    case Form::kFpRound1:
      return e.match | any_rd | rs1 | rm;
    case Form::kFp2:
      return e.match | any_rd | rs1 | rs2;
    case Form::kFpFma:
      return e.match | any_rd | rs1 | rs2 | rm | (any_register() << 27);
    case Form::kFpCompare:
      return e.match | rd | rs1 | rs2;
    case Form::kFpClass:
    case Form::kMoveToInt:
      return e.match | rd | rs1;
    case Form::kFpToInt:
      return e.match | rd | rs1 | rm;
    case Form::kIntToFp:
      return e.match | any_rd | rs1 | rm;
    case Form::kMoveToFp:
      return e.match | any_rd | rs1;
  }
  return kNop;
}

/// A load reserved and the store conditional of its size, with something between them or not.
/// (After lr of the other size QEMU stores and yet reports failure; sizes are not mixed here.)
void ProgramBuilder::random_reservation(const Encoding& lr) {
  // QEMU reports a misaligned AMO as a load: only lr is misaligned here.
  if (random(8) == 0) {
    emit32(addi(kAddress, kMiddle, 2));
    emit32(with_fields(lr));
  }
  const int32_t offset = static_cast<int32_t>(random(512)) * 8 - 2048;
  emit32(addi(kAddress, kMiddle, offset));
  emit32(with_fields(lr));
  switch (random(4)) {
    case 0:
      emit32(sd(any_register(), kMiddle, offset));
      break;
    case 1:
      emit32(addi(kAddress, kMiddle, static_cast<int32_t>(random(512)) * 8 - 2048));
      break;
    case 2:
      emit32(with_fields(encodings()[random(8)]));
      break;
    default:
      break;
  }
  const uint32_t store_conditional = 0x1800002F | (lr.match & 0x7000);
  emit32(with_fields({Form::kAmo, store_conditional, lr.size}));
  if (random(2) == 0) emit32(with_fields({Form::kAmo, store_conditional, lr.size}));
}

void ProgramBuilder::random_encoding() {
  const auto all = encodings();
  const Encoding& e = all[random(static_cast<uint32_t>(all.size()))];
  if (e.form == Form::kLr) return random_reservation(e);
  if (e.form == Form::kAmo && random(3) != 0) {
    emit32(addi(kAddress, kMiddle, static_cast<int32_t>(random(512)) * 8 - 2048));
  }
  emit32(with_fields(e));
  if (e.form >= Form::kFpRound2) {
    // QEMU's log has no flags: read them, and clear them half of the time.
    const uint32_t rd = target();
    emit32(random(2) == 0 ? csrrw(rd, 1, 0) : csrrs(rd, 1, 0));
    if (random(3) == 0) emit32(i_type(7, 3, any_register(), kMiddle, data_offset(8)));
  }
}

/// A random 16-bit pattern that is neither control flow nor writes a fixed register.
void ProgramBuilder::random_compressed() {
  for (;;) {
    auto bits = static_cast<uint16_t>(rng_());
    const uint32_t quadrant = bits & 3;
    const uint32_t funct3 = bits >> 13;
    if (quadrant == 3) continue;
    if (quadrant == 0 && funct3 != 0)
      bits = static_cast<uint16_t>((bits & ~0x380) | (random(2) << 7));
    const Insn insn = decode_compressed(bits);
    const bool is_store = insn.id >= InsnId::kSb && insn.id <= InsnId::kSd;
    const bool is_fp = insn.id == InsnId::kFld || insn.id == InsnId::kFsd;
    switch (insn.id) {
      case InsnId::kJal:
      case InsnId::kJalr:
      case InsnId::kBeq:
      case InsnId::kBne:
        continue;
      // On the other side an illegal pattern may be something (a hint, an extension): spare those
      // that are reserved, but keep the defined illegal instruction.
      case InsnId::kIllegal:
        break;
      default:
        if (!is_store && !is_fp && is_fixed(insn.rd)) continue;
    }
    return emit16(bits);
  }
}

void ProgramBuilder::straight(unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    if (random(3) == 0) {
      random_compressed();
    } else {
      random_encoding();
    }
  }
}

void ProgramBuilder::random_branch() {
  static constexpr uint32_t kConditions[] = {0, 1, 4, 5, 6, 7};
  const uint64_t at = pc();
  const uint32_t rs1 = any_register();
  const uint32_t rs2 = random(4) == 0 ? rs1 : any_register();
  const uint32_t kind = random(8);
  if (kind < 2) {
    const uint16_t form = kind == 0 ? 0xC001 : 0xE001;  // c.beqz, c.bnez x8..x15, forward by 8
    emit16(static_cast<uint16_t>(form | (random(8) << 7) | (1 << 10)));
    emit16(0x0001);
    emit32(with_fields(encodings()[random(8)]));
    return;
  }
  if (kind == 2) {
    emit16(0xA021);  // c.j forward by 8
    emit16(0x0001);
    emit32(kNop);
    return;
  }
  emit32(kNop);
  straight(1 + random(3));
  const auto distance = static_cast<int32_t>(pc() - at);
  patch32(at,
          kind == 3 ? jal(target(), distance) : b_type(kConditions[random(6)], rs1, rs2, distance));
}

void ProgramBuilder::random_loop() {
  emit32(addi(kCounter, 0, static_cast<int32_t>(2 + random(4))));
  const uint64_t top = pc();
  straight(1 + random(5));
  emit32(addi(kCounter, kCounter, -1));
  emit32(b_type(1, kCounter, 0, static_cast<int32_t>(top - pc())));
}

void ProgramBuilder::random_jump_register() {
  const int32_t odd = static_cast<int32_t>(random(2));  // bit 0 of the target is ignored
  emit32(auipc(kScratch5, 0));
  if (random(2) == 0) {
    emit32(addi(kScratch5, kScratch5, 12 + odd));
    emit16(random(2) == 0 ? 0x8282 : 0x9282);  // c.jr x5, c.jalr x5
    emit16(0x0001);
  } else {
    emit32(i_type(0x67, 0, target(), kScratch5, 12 + odd));
    emit32(kNop);
  }
}

void ProgramBuilder::random_csr() {
  static constexpr uint32_t kNumbers[] = {1,       2,     3,     kMscratch, kMcause, kMtval,
                                          kMieCsr, 0x301, 0xF14, 0xF11,     kMip,    0x123,
                                          0x7C0,   0xB03, 0x323, 0xC03};
  const uint32_t number = kNumbers[random(std::size(kNumbers))];
  const bool reads_only =
      number == kMieCsr || number == kMip || (number >= 0xB03 && number < 0xF11) || number == 0x323;
  // QEMU lets csrrs and csrrc of a zero value pass on read-only registers: only csrrw writes them.
  const bool is_read_only = number >= 0xC00;
  const uint32_t funct3 = 1 + (is_read_only ? 0 : random(3)) + 4 * random(2);
  const bool is_rounding = number == 2 || number == 3;
  if (reads_only) return emit32(csrrs(target(), number, 0));
  if (is_rounding && random(4) != 0) {  // a legal mode most of the time
    return emit32(0x73 | (target() << 7) | (5u << 12) | (random(5) << 15) | (2u << 20));
  }
  emit32(0x73 | (target() << 7) | (funct3 << 12) | (any_register() << 15) | (number << 20));
}

/// Words that decode to nothing; without the system opcode, where QEMU has more.
void ProgramBuilder::random_illegal() {
  for (;;) {
    const auto word = static_cast<uint32_t>(rng_()) | 3;
    const uint32_t opcode = word & 0x7F;
    if (opcode == 0x73 || (word & 0x1C) == 0x1C || decode(word).id != InsnId::kIllegal) continue;
    return emit32(word);
  }
}

void ProgramBuilder::random_interrupt() {
  switch (random(5)) {
    case 0:  // pending
      emit32(lui(kDevice, 0x2000));
      emit32(addi(kScratch5, 0, 1));
      emit32(sw(kScratch5, kDevice, 0));
      return;
    case 1:
      return emit32(0x73 | (5u << 12) | (8u << 15) | (kMieCsr << 20));  // MSIE only
    case 2:
      return emit32(0x73 | (6u << 12) | (8u << 15) | (kMstatus << 20));  // MIE on
    case 3:
      return emit32(0x73 | (7u << 12) | (8u << 15) | (kMstatus << 20));  // MIE off
    default:
      return emit32(0x73 | (5u << 12) | (0u << 15) | (kMieCsr << 20));  // none
  }
}

/// A load or store where nothing is.
void ProgramBuilder::random_access_fault() {
  emit32(lui(kDevice, 0x8000));
  switch (random(4)) {
    case 0:
      return emit32(ld(target(), kDevice, 8));
    case 1:
      return emit32(sw(any_register(), kDevice, 16));
    case 2:
      return emit32(i_type(7, 3, any_register(), kDevice, 24));
    default:
      return emit32(s_type(0x27, 2, kDevice, any_register(), 32));
  }
}

void ProgramBuilder::random_piece() {
  switch (random(24)) {
    case 0:
      return random_branch();
    case 1:
      return random_loop();
    case 2:
      return random_jump_register();
    case 3:
      return random_csr();
    case 4:
      return random_illegal();
    case 5:
      return random_interrupt();
    case 6:
      return emit32(random(2) == 0 ? kEcall : random(2) == 0 ? kEbreak : kFenceI);
    case 7:
      return random(2) == 0 ? emit32(0x0FF0000F) : random_access_fault();
    default:
      return straight(1);
  }
}

std::vector<uint8_t> ProgramBuilder::finish() {
  emit32(lui(kScratch5, 0x100));
  emit32(lui(kAddress, 5));
  emit32(addi(kAddress, kAddress, 0x555));
  emit32(sw(kAddress, kScratch5, 0));
  emit32(kLoopForever);
  std::vector<uint8_t> image = code_;
  image.resize(kHandlerOffset);
  code_ = std::move(image);
  emit32(csrrs(kHandler0, kMcause, 0));
  emit32(b_type(4, kHandler0, 0, 48));  // an interrupt: bit 63 is set
  emit32(csrrs(kHandler1, kMtval, 0));
  emit32(csrrs(kHandler0, kMepc, 0));
  emit32(i_type(3, 5, kHandler1, kHandler0, 0));  // lhu: the length of what trapped
  emit32(i_type(0x13, 7, kHandler1, kHandler1, 3));
  emit32(addi(kHandler1, kHandler1, -3));
  emit32(i_type(0x13, 3, kHandler1, kHandler1, 1));
  emit32(i_type(0x13, 1, kHandler1, kHandler1, 1));
  emit32(addi(kHandler1, kHandler1, 2));
  emit32(add(kHandler0, kHandler0, kHandler1));
  emit32(jal(0, 28));
  emit32(kNop);
  emit32(lui(kHandler1, 0x2000));  // interrupt: msip = 0, mtimecmp = never
  emit32(sw(0, kHandler1, 0));
  emit32(lui(kHandler0, 4));
  emit32(add(kHandler1, kHandler1, kHandler0));
  emit32(jal(0, 16));
  emit32(csrrw(0, kMepc, kHandler0));
  emit32(kMret);
  emit32(kNop);
  emit32(addi(kHandler0, 0, -1));
  emit32(sd(kHandler0, kHandler1, 0));
  emit32(kMret);
  code_.resize(kDataOffset);
  code_.insert(code_.end(), data_.begin(), data_.end());
  code_.resize(kImageBytes);
  return code_;
}

std::vector<uint8_t> random_program(uint64_t seed, unsigned instructions) {
  ProgramBuilder b(seed);
  for (unsigned i = 0; i < instructions && b.code_bytes() < kHandlerOffset - 256; ++i) {
    b.random_piece();
  }
  return b.finish();
}

}  // namespace dlavp::iss::test
