// Handlers of RV64I and RV64M computation, and the handler table itself.
#include "models/common/check.hpp"
#include "vp/iss/exec.hpp"

namespace dlavp::iss {
namespace {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

constexpr int64_t as_signed(uint64_t v) { return static_cast<int64_t>(v); }
constexpr uint64_t sext32(uint64_t v) {
  return static_cast<uint64_t>(
      static_cast<int64_t>(static_cast<int32_t>(static_cast<uint32_t>(v))));
}
constexpr int32_t low_signed(uint64_t v) { return static_cast<int32_t>(static_cast<uint32_t>(v)); }

/// rd = F(rs1, rs2)
template <auto F>
void run_register(Hart& h, const Op* op) {
  h.x[op->rd] = F(h.x[op->rs1], h.x[op->rs2]);
  return next(h, op);
}
/// rd = F(rs1, imm)
template <auto F>
void run_immediate(Hart& h, const Op* op) {
  h.x[op->rd] = F(h.x[op->rs1], static_cast<uint64_t>(op->imm));
  return next(h, op);
}

void run_constant(Hart& h, const Op* op) {
  h.x[op->rd] = static_cast<uint64_t>(op->imm);
  return next(h, op);
}

constexpr auto kAddF = [](uint64_t a, uint64_t b) { return a + b; };
constexpr auto kSubF = [](uint64_t a, uint64_t b) { return a - b; };
constexpr auto kAndF = [](uint64_t a, uint64_t b) { return a & b; };
constexpr auto kOrF = [](uint64_t a, uint64_t b) { return a | b; };
constexpr auto kXorF = [](uint64_t a, uint64_t b) { return a ^ b; };
constexpr auto kSltF = [](uint64_t a, uint64_t b) { return uint64_t{as_signed(a) < as_signed(b)}; };
constexpr auto kSltuF = [](uint64_t a, uint64_t b) { return uint64_t{a < b}; };
constexpr auto kSllF = [](uint64_t a, uint64_t b) { return a << (b & 63); };
constexpr auto kSrlF = [](uint64_t a, uint64_t b) { return a >> (b & 63); };
constexpr auto kSraF = [](uint64_t a, uint64_t b) {
  return static_cast<uint64_t>(as_signed(a) >> (b & 63));
};
constexpr auto kAddwF = [](uint64_t a, uint64_t b) { return sext32(a + b); };
constexpr auto kSubwF = [](uint64_t a, uint64_t b) { return sext32(a - b); };
constexpr auto kSllwF = [](uint64_t a, uint64_t b) { return sext32(a << (b & 31)); };
constexpr auto kSrlwF = [](uint64_t a, uint64_t b) {
  return sext32(static_cast<uint32_t>(a) >> (b & 31));
};
constexpr auto kSrawF = [](uint64_t a, uint64_t b) {
  return static_cast<uint64_t>(int64_t{low_signed(a) >> (b & 31)});
};

constexpr auto kMulF = [](uint64_t a, uint64_t b) { return a * b; };
constexpr auto kMulhF = [](uint64_t a, uint64_t b) {
  return static_cast<uint64_t>((Int128{as_signed(a)} * Int128{as_signed(b)}) >> 64);
};
constexpr auto kMulhsuF = [](uint64_t a, uint64_t b) {
  return static_cast<uint64_t>((Int128{as_signed(a)} * static_cast<Int128>(Uint128{b})) >> 64);
};
constexpr auto kMulhuF = [](uint64_t a, uint64_t b) {
  return static_cast<uint64_t>((Uint128{a} * Uint128{b}) >> 64);
};
constexpr auto kMulwF = [](uint64_t a, uint64_t b) { return sext32(a * b); };

// Division by zero and overflow have defined results and do not trap.
constexpr auto kDivF = [](uint64_t a, uint64_t b) {
  if (b == 0) return ~uint64_t{0};
  if (b == ~uint64_t{0}) return uint64_t{0} - a;
  return static_cast<uint64_t>(as_signed(a) / as_signed(b));
};
constexpr auto kDivuF = [](uint64_t a, uint64_t b) { return b == 0 ? ~uint64_t{0} : a / b; };
constexpr auto kRemF = [](uint64_t a, uint64_t b) {
  if (b == 0) return a;
  if (b == ~uint64_t{0}) return uint64_t{0};
  return static_cast<uint64_t>(as_signed(a) % as_signed(b));
};
constexpr auto kRemuF = [](uint64_t a, uint64_t b) { return b == 0 ? a : a % b; };
constexpr auto kDivwF = [](uint64_t a, uint64_t b) {
  const int32_t n = low_signed(a);
  const int32_t d = low_signed(b);
  if (d == 0) return ~uint64_t{0};
  if (d == -1) return sext32(uint64_t{0} - a);
  return static_cast<uint64_t>(int64_t{n / d});
};
constexpr auto kDivuwF = [](uint64_t a, uint64_t b) {
  const auto d = static_cast<uint32_t>(b);
  return d == 0 ? ~uint64_t{0} : sext32(static_cast<uint32_t>(a) / d);
};
constexpr auto kRemwF = [](uint64_t a, uint64_t b) {
  const int32_t d = low_signed(b);
  if (d == 0) return sext32(a);
  if (d == -1) return uint64_t{0};
  return static_cast<uint64_t>(int64_t{low_signed(a) % d});
};
constexpr auto kRemuwF = [](uint64_t a, uint64_t b) {
  const auto d = static_cast<uint32_t>(b);
  return d == 0 ? sext32(a) : sext32(static_cast<uint32_t>(a) % d);
};

}  // namespace

void add_integer_handlers(HandlerTable& table) {
  using enum InsnId;
  table.set(kLui, run_constant);
  table.set(kAuipc, run_constant);
  table.set(kAddi, run_immediate<kAddF>);
  table.set(kSlti, run_immediate<kSltF>);
  table.set(kSltiu, run_immediate<kSltuF>);
  table.set(kXori, run_immediate<kXorF>);
  table.set(kOri, run_immediate<kOrF>);
  table.set(kAndi, run_immediate<kAndF>);
  table.set(kSlli, run_immediate<kSllF>);
  table.set(kSrli, run_immediate<kSrlF>);
  table.set(kSrai, run_immediate<kSraF>);
  table.set(kAddiw, run_immediate<kAddwF>);
  table.set(kSlliw, run_immediate<kSllwF>);
  table.set(kSrliw, run_immediate<kSrlwF>);
  table.set(kSraiw, run_immediate<kSrawF>);
  table.set(kAdd, run_register<kAddF>);
  table.set(kSub, run_register<kSubF>);
  table.set(kSll, run_register<kSllF>);
  table.set(kSlt, run_register<kSltF>);
  table.set(kSltu, run_register<kSltuF>);
  table.set(kXor, run_register<kXorF>);
  table.set(kSrl, run_register<kSrlF>);
  table.set(kSra, run_register<kSraF>);
  table.set(kOr, run_register<kOrF>);
  table.set(kAnd, run_register<kAndF>);
  table.set(kAddw, run_register<kAddwF>);
  table.set(kSubw, run_register<kSubwF>);
  table.set(kSllw, run_register<kSllwF>);
  table.set(kSrlw, run_register<kSrlwF>);
  table.set(kSraw, run_register<kSrawF>);
  table.set(kMul, run_register<kMulF>);
  table.set(kMulh, run_register<kMulhF>);
  table.set(kMulhsu, run_register<kMulhsuF>);
  table.set(kMulhu, run_register<kMulhuF>);
  table.set(kMulw, run_register<kMulwF>);
  table.set(kDiv, run_register<kDivF>);
  table.set(kDivu, run_register<kDivuF>);
  table.set(kRem, run_register<kRemF>);
  table.set(kRemu, run_register<kRemuF>);
  table.set(kDivw, run_register<kDivwF>);
  table.set(kDivuw, run_register<kDivuwF>);
  table.set(kRemw, run_register<kRemwF>);
  table.set(kRemuw, run_register<kRemuwF>);
}

HandlerTable::HandlerTable() {
  handlers_.fill(raise_illegal);
  add_integer_handlers(*this);
  add_jump_handlers(*this);
  add_memory_handlers(*this);
  add_atomic_handlers(*this);
  add_system_handlers(*this);
  add_float_handlers(*this);
}

}  // namespace dlavp::iss
