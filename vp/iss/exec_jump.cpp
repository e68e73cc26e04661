// Handlers of jumps and branches: they end a block and say where the next one starts.
#include "vp/iss/exec.hpp"

namespace dlavp::iss {
namespace {

/// Goes on at a target that is the same every time, remembering its block.
inline void follow(Hart& h, uint64_t target, unsigned which) {
  h.pc = target;
  h.next = h.block->successor[which];
  h.link = &h.block->successor[which];
}

template <auto Taken>
void run_branch(Hart& h, const Op* op) {
  if (Taken(h.x[op->rs1], h.x[op->rs2])) {
    h.cycles += h.branch_taken_extra;
    return follow(h, static_cast<uint64_t>(op->imm), 1);
  }
  return follow(h, h.block->end, 0);
}

void run_jal(Hart& h, const Op* op) {
  h.x[op->rd] = h.block->end;
  return follow(h, static_cast<uint64_t>(op->imm), 1);
}

void run_jalr(Hart& h, const Op* op) {
  const uint64_t target = (h.x[op->rs1] + static_cast<uint64_t>(op->imm)) & ~uint64_t{1};
  h.x[op->rd] = h.block->end;
  h.pc = target;
  // The last target is a good guess: a function called from one place returns there.
  Block* guess = h.block->successor[1];
  h.link = &h.block->successor[1];
  h.next = guess != nullptr && guess->pc == target ? guess : nullptr;
}

constexpr auto kEq = [](uint64_t a, uint64_t b) { return a == b; };
constexpr auto kNe = [](uint64_t a, uint64_t b) { return a != b; };
constexpr auto kLt = [](uint64_t a, uint64_t b) {
  return static_cast<int64_t>(a) < static_cast<int64_t>(b);
};
constexpr auto kGe = [](uint64_t a, uint64_t b) {
  return static_cast<int64_t>(a) >= static_cast<int64_t>(b);
};
constexpr auto kLtu = [](uint64_t a, uint64_t b) { return a < b; };
constexpr auto kGeu = [](uint64_t a, uint64_t b) { return a >= b; };

}  // namespace

void run_block_end(Hart& h, const Op* op) { return follow(h, static_cast<uint64_t>(op->imm), 0); }

void add_jump_handlers(HandlerTable& table) {
  using enum InsnId;
  table.set(kJal, run_jal);
  table.set(kJalr, run_jalr);
  table.set(kBeq, run_branch<kEq>);
  table.set(kBne, run_branch<kNe>);
  table.set(kBlt, run_branch<kLt>);
  table.set(kBge, run_branch<kGe>);
  table.set(kBltu, run_branch<kLtu>);
  table.set(kBgeu, run_branch<kGeu>);
}

}  // namespace dlavp::iss
