// Building and finding decoded blocks.
#include "vp/iss/block_cache.hpp"

#include "models/common/check.hpp"
#include "vp/iss/decode.hpp"
#include "vp/iss/memory_access.hpp"

namespace dlavp::iss {
namespace {

constexpr unsigned kMaxBlockInstructions = 64;
constexpr size_t kMaxBlocks = 1 << 16;  // bounds memory when a guest jumps everywhere

bool ends_block(InsnId id) {
  switch (cost_class(id)) {
    case CostClass::kBranch:
    case CostClass::kJump:
    case CostClass::kJumpRegister:
    case CostClass::kCsr:
    case CostClass::kSystem:
      return true;
    default:
      return id == InsnId::kFenceI;
  }
}

bool writes_integer(InsnId id) {
  using enum InsnId;
  switch (cost_class(id)) {
    case CostClass::kFpLoad:
    case CostClass::kFpStore:
    case CostClass::kFpAdd:
    case CostClass::kFpMul:
    case CostClass::kFpFma:
    case CostClass::kFpDiv:
    case CostClass::kFpSqrt:
      return false;
    case CostClass::kFpMove:
      return id == kFmvXW || id == kFmvXD;
    case CostClass::kFpCompare:
      return id != kFminS && id != kFmaxS && id != kFminD && id != kFmaxD;
    case CostClass::kFpConvert:
      return (id >= kFcvtWS && id <= kFcvtLuS) || (id >= kFcvtWD && id <= kFcvtLuD);
    default:
      return true;
  }
}

/// Whether `imm` is an offset from the instruction's own address.
bool is_pc_relative(InsnId id) {
  return id == InsnId::kAuipc || id == InsnId::kJal || cost_class(id) == CostClass::kBranch;
}

/// Fetches one instruction; false: `fault_address` cannot be read.
bool fetch(Hart& h, uint64_t pc, Insn& insn, uint64_t& fault_address) {
  uint16_t low = 0;
  uint16_t high = 0;
  fault_address = pc;
  if (!fetch_half(h, pc, low)) return false;
  if (insn_length(low) == 4) {
    fault_address = pc + 2;
    if (!fetch_half(h, pc + 2, high)) return false;
  }
  insn = decode(low | (uint32_t{high} << 16));
  return true;
}

}  // namespace

BlockCache::BlockCache(const CostTable& costs, unsigned max_block_instructions)
    : costs_(costs), max_instructions_(max_block_instructions) {
  DLAVP_CHECK(max_block_instructions >= 1 && max_block_instructions <= kMaxBlockInstructions,
              "block length {}, expected 1 to {}", max_block_instructions, kMaxBlockInstructions);
}

Block* BlockCache::find(Hart& h, uint64_t& fault_address) {
  const uint64_t pc = h.pc;
  Slot& slot = slots_[(pc >> 1) % kSlots];
  if (slot.pc == pc) return slot.block;
  auto found = blocks_.find(pc);
  if (found == blocks_.end()) {
    if (blocks_.size() >= kMaxBlocks) {
      clear();
      h.link = nullptr;
    }
    std::unique_ptr<Block> fresh = build(h, fault_address);
    if (fresh == nullptr) return nullptr;
    found = blocks_.emplace(pc, std::move(fresh)).first;
  }
  slot = {pc, found->second.get()};
  return slot.block;
}

void BlockCache::clear() {
  slots_.fill(Slot{});
  blocks_.clear();
  code_.clear();
  ++flushes_;
}

bool BlockCache::overlaps_code(uint64_t address, unsigned bytes) const {
  for (uint64_t half = address & ~uint64_t{1}; half < address + bytes; half += 2) {
    const auto found = code_.find(half & ~(kPageBytes - 1));
    if (found != code_.end() && found->second[(half % kPageBytes) / 2]) return true;
  }
  return false;
}

void BlockCache::mark_code(Hart& h, uint64_t begin, uint64_t end) {
  for (uint64_t half = begin; half != end; half += 2) {
    const uint64_t page = half & ~(kPageBytes - 1);
    code_[page].set((half % kPageBytes) / 2);
    h.store_pages.remove(page);
  }
}

void BlockCache::append(Block& block, const Insn& insn) {
  Op op;
  op.run = handlers_[insn.id];
  const uint64_t pc = block.end;
  op.imm = is_pc_relative(insn.id) ? static_cast<int64_t>(pc + static_cast<uint64_t>(insn.imm))
                                   : insn.imm;
  op.rd = writes_integer(insn.id) && insn.rd == 0 ? kDiscard : insn.rd;
  op.rs1 = insn.rs1;
  op.rs2 = insn.rs2;
  op.rs3 = insn.rs3;
  op.raw = insn.raw;
  op.offset = static_cast<uint16_t>(pc - block.pc);
  op.index = static_cast<uint16_t>(block.instructions);
  op.cycles_before = static_cast<uint16_t>(block.cycles);
  op.rm = insn.rm;
  op.length_bytes = insn.length_bytes;
  block.ops.push_back(op);
  block.end += insn.length_bytes;
  ++block.instructions;
  block.cycles += costs_.of(cost_class(insn.id));
}

/// Adds the operation that goes on behind a block that no jump ends.
void BlockCache::finish(Block& block) {
  Op op;
  op.run = run_block_end;
  op.imm = static_cast<int64_t>(block.end);
  op.offset = static_cast<uint16_t>(block.end - block.pc);
  op.index = static_cast<uint16_t>(block.instructions);
  op.cycles_before = static_cast<uint16_t>(block.cycles);
  block.ops.push_back(op);
}

std::unique_ptr<Block> BlockCache::build(Hart& h, uint64_t& fault_address) {
  auto block = std::make_unique<Block>();
  block->pc = block->end = h.pc;
  const uint64_t page = h.pc & ~(kPageBytes - 1);
  bool ended = false;
  while (!ended && block->instructions < max_instructions_ &&
         (block->end & ~(kPageBytes - 1)) == page) {
    Insn insn;
    if (!fetch(h, block->end, insn, fault_address)) {
      if (block->instructions == 0) return nullptr;
      break;
    }
    append(*block, insn);
    ended = ends_block(insn.id);
  }
  if (!ended) finish(*block);
  block->ops.shrink_to_fit();
  mark_code(h, block->pc, block->end);
  ++built_;
  return block;
}

}  // namespace dlavp::iss
