// The cache of decoded blocks: built on first execution, found by address, dropped all together
// when code changes (fence.i, a store into decoded bytes, a withdrawn host pointer).
#pragma once

#include <array>
#include <bitset>
#include <memory>
#include <unordered_map>
#include <vector>

#include "vp/iss/cost_table.hpp"
#include "vp/iss/exec.hpp"
#include "vp/iss/hart.hpp"

namespace dlavp::iss {

class BlockCache {
 public:
  /// Blocks hold at most `max_block_instructions` (1 to 64): 1 makes a run stop after every one.
  BlockCache(const CostTable& costs, unsigned max_block_instructions);

  /// The block at `h.pc`, built if new. Null: its first instruction cannot be fetched; the address
  /// that failed is in `fault_address`.
  [[nodiscard]] Block* find(Hart& h, uint64_t& fault_address);
  /// Drops everything. No block may be running.
  void clear();

  [[nodiscard]] bool is_code_page(uint64_t page) const { return code_.contains(page); }
  /// True if any of the bytes was decoded into a block.
  [[nodiscard]] bool overlaps_code(uint64_t address, unsigned bytes) const;

  [[nodiscard]] uint64_t built() const { return built_; }
  [[nodiscard]] uint64_t flushes() const { return flushes_; }

 private:
  using CodeMap = std::bitset<kPageBytes / 2>;  ///< one bit a halfword
  struct Slot {
    uint64_t pc = kNoPc;
    Block* block = nullptr;
  };
  static constexpr uint64_t kNoPc = 1;  ///< never a block's address
  static constexpr size_t kSlots = 4096;

  std::unique_ptr<Block> build(Hart& h, uint64_t& fault_address);
  void append(Block& block, const struct Insn& insn);
  void finish(Block& block);
  void mark_code(Hart& h, uint64_t begin, uint64_t end);

  CostTable costs_;
  unsigned max_instructions_;
  HandlerTable handlers_;
  std::array<Slot, kSlots> slots_{};
  std::unordered_map<uint64_t, std::unique_ptr<Block>> blocks_;
  std::unordered_map<uint64_t, CodeMap> code_;
  uint64_t built_ = 0, flushes_ = 0;
};

}  // namespace dlavp::iss
