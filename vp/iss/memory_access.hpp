// Loads and stores of the handlers: a page-table hit is a host access, everything else goes to the
// slow path (table fill, misaligned accesses, devices, code pages). Plain memory takes misaligned
// accesses, as QEMU's virt machine does; devices raise the misaligned exception.
#pragma once

#include "vp/iss/hart.hpp"

namespace dlavp::iss {

enum class MemoryResult : uint8_t {
  kOk,
  kLeave,  ///< done, but the block must end after this instruction
  kMisaligned,
  kFault,
};

[[nodiscard]] MemoryResult load_slow(Hart& h, const Op* op, uint64_t address, unsigned bytes,
                                     uint64_t& value);
[[nodiscard]] MemoryResult store_slow(Hart& h, const Op* op, uint64_t address, unsigned bytes,
                                      uint64_t value);
/// Raises what a failed result stands for.
void raise_load(Hart& h, const Op* op, MemoryResult result, uint64_t address);
void raise_store(Hart& h, const Op* op, MemoryResult result, uint64_t address);

/// Reads one halfword of code; false: access fault.
[[nodiscard]] bool fetch_half(Hart& h, uint64_t address, uint16_t& value);

}  // namespace dlavp::iss
