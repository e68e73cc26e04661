// The state of one hart and the shape of its decoded code: what the instruction handlers work on.
// A block is a run of decoded instructions that ends in a jump, a system instruction or at a page's
// end; each Op names its handler, and handlers call the next one in tail position, so a block runs
// without returning to the dispatcher. RISC-V privileged specification 20211203, machine mode.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "vp/iss/bus.hpp"
#include "vp/iss/cost_table.hpp"
#include "vp/iss/instructions.hpp"

namespace dlavp::iss {

class BlockCache;
struct Block;
struct Hart;
struct Op;
using Handler = void (*)(Hart&, const Op*);

/// Register number that a write to x0 goes to.
inline constexpr uint8_t kDiscard = 32;

/// One decoded instruction as it is executed.
struct Op {
  Handler run = nullptr;
  int64_t imm = 0;  ///< jumps, branches and auipc: the absolute result
  uint8_t rd = 0, rs1 = 0, rs2 = 0, rs3 = 0;
  uint32_t raw = 0;
  uint16_t offset = 0;         ///< bytes from the block's first instruction
  uint16_t index = 0;          ///< instructions before it in the block
  uint16_t cycles_before = 0;  ///< cost of those
  uint8_t rm = 0;
  uint8_t length_bytes = 0;
};

struct Block {
  uint64_t pc = 0;
  uint64_t end = 0;  ///< address after the last instruction
  uint32_t instructions = 0;
  uint32_t cycles = 0;
  std::array<Block*, 2> successor{};  ///< [1] of a taken branch; filled when first followed
  std::vector<Op> ops;                ///< the last never calls a next one
};

inline constexpr unsigned kPageBits = 12;
inline constexpr uint64_t kPageBytes = uint64_t{1} << kPageBits;

/// Direct-mapped table from guest page to host memory; one for loads, one for stores.
class PageTable {
 public:
  static constexpr size_t kEntries = 256;
  struct Entry {
    uint64_t tag = kNoTag;
    uintptr_t host_minus_guest = 0;
  };
  /// Host address of an access that is aligned and hits, else null.
  [[nodiscard]] uint8_t* find(uint64_t address, unsigned bytes) const {
    const Entry& e = entries_[(address >> kPageBits) % kEntries];
    if ((address & (~(kPageBytes - 1) | (bytes - 1))) != e.tag) return nullptr;
    return reinterpret_cast<uint8_t*>(static_cast<uintptr_t>(address) + e.host_minus_guest);
  }
  void insert(uint64_t address, uint8_t* host) {
    Entry& e = entries_[(address >> kPageBits) % kEntries];
    e.tag = address & ~(kPageBytes - 1);
    e.host_minus_guest = reinterpret_cast<uintptr_t>(host) - static_cast<uintptr_t>(address);
  }
  void remove(uint64_t address) {
    Entry& e = entries_[(address >> kPageBits) % kEntries];
    if (e.tag == (address & ~(kPageBytes - 1))) e.tag = kNoTag;
  }
  void clear() { entries_.fill(Entry{}); }

 private:
  static constexpr uint64_t kNoTag = 0x10;  ///< bit 4 is clear in every address compared
  std::array<Entry, kEntries> entries_{};
};

/// Exception codes (mcause).
enum class Cause : uint64_t {
  kFetchAccess = 1,
  kIllegal = 2,
  kBreakpoint = 3,
  kLoadMisaligned = 4,
  kLoadAccess = 5,
  kStoreMisaligned = 6,
  kStoreAccess = 7,
  kEcallM = 11,
};

/// Bits of mip and mie.
inline constexpr uint64_t kSoftwareInterrupt = 1 << 3;
inline constexpr uint64_t kTimerInterrupt = 1 << 7;
inline constexpr uint64_t kExternalInterrupt = 1 << 11;
inline constexpr uint64_t kAllInterrupts =
    kSoftwareInterrupt | kTimerInterrupt | kExternalInterrupt;

/// Fields of mstatus.
inline constexpr uint64_t kMie = 1 << 3;
inline constexpr uint64_t kMpie = 1 << 7;
inline constexpr uint64_t kMpp = 3 << 11;
inline constexpr uint64_t kFs = 3 << 13;
inline constexpr uint64_t kFsInitial = 1 << 13;
inline constexpr uint64_t kMisa = (uint64_t{2} << 62) | (1 << 0) | (1 << 2) | (1 << 3) | (1 << 5) |
                                  (1 << 8) | (1 << 12);  // A C D F I M

enum class StopReason : uint8_t { kLimit, kWfi, kRequested };

struct Hart {
  std::array<uint64_t, 33> x{};
  std::array<uint64_t, 32> f{};
  uint64_t pc = 0;
  uint64_t cycles = 0;        ///< of completed blocks, plus all of the running one
  uint64_t instructions = 0;  ///< likewise, retired
  uint64_t limit = 0;         ///< the dispatcher leaves when `cycles` reaches it
  Block* block = nullptr;     ///< the one running
  Block* next = nullptr;      ///< the one to run next, null: look up `pc`
  Block** link = nullptr;     ///< where to remember the result of that lookup

  uint32_t fflags = 0, frm = 0;
  uint32_t branch_taken_extra = 0, trap_cycles = 0;
  uint64_t mstatus = kMpp, mie = 0, mip = 0, mtvec = 0, mepc = 0, mcause = 0, mtval = 0;
  uint64_t mscratch = 0, hart_id = 0;
  uint64_t mcycle_offset = 0, minstret_offset = 0;
  uint64_t reservation = kNoReservation, reserved_value = 0;
  unsigned reserved_bytes = 0;
  uint64_t traps = 0, interrupts = 0;
  bool stop_requested = false, waiting = false, flush_code = false;

  Bus* bus = nullptr;
  BlockCache* cache = nullptr;
  PageTable load_pages, store_pages;

  static constexpr uint64_t kNoReservation = ~uint64_t{0};

  [[nodiscard]] bool interrupt_enabled_and_pending() const {
    return (mstatus & kMie) != 0 && (mip & mie) != 0;
  }
  /// Makes the dispatcher look at requests and interrupts after the running block.
  void call_attention() { limit = 0; }
};

/// Runs the instruction after `op` of the same block.
inline void next(Hart& h, const Op* op) { return op[1].run(h, op + 1); }

[[nodiscard]] inline uint64_t pc_of(const Hart& h, const Op* op) {
  return h.block->pc + op->offset;
}

/// Cycles and instructions before `op`, seen from inside its block.
[[nodiscard]] inline uint64_t cycles_before(const Hart& h, const Op* op) {
  return h.cycles - h.block->cycles + op->cycles_before;
}
[[nodiscard]] inline uint64_t instructions_before(const Hart& h, const Op* op) {
  return h.instructions - h.block->instructions + op->index;
}

/// Ends the block before `op`: nothing of it and of what follows happened.
void leave_before(Hart& h, const Op* op);
/// Ends the block after `op`, which is not the last.
void leave_after(Hart& h, const Op* op);
/// `op` raises an exception: the block ends before it and the trap is entered.
void raise(Hart& h, const Op* op, Cause cause, uint64_t tval);
void raise_illegal(Hart& h, const Op* op);
/// Enters a trap at h.pc; `cause` with bit 63 for an interrupt.
void enter_trap(Hart& h, uint64_t cause, uint64_t tval);
/// Takes the highest pending enabled interrupt; false: none.
bool take_interrupt(Hart& h);

}  // namespace dlavp::iss
