// Slow path of memory accesses.
#include "vp/iss/memory_access.hpp"

#include "vp/iss/block_cache.hpp"

namespace dlavp::iss {
namespace {

constexpr uint64_t page_of(uint64_t address) { return address & ~(kPageBytes - 1); }

/// Host address of `address` if its whole page is plain memory; fills the tables.
uint8_t* map_page(Hart& h, uint64_t address, bool for_store) {
  const DmiRegion region = h.bus->dmi(address);
  if (region.host == nullptr || (for_store && !region.writable)) return nullptr;
  const uint64_t page = page_of(address);
  if (page < region.base || page - region.base > region.size_bytes ||
      region.size_bytes - (page - region.base) < kPageBytes) {
    return nullptr;
  }
  uint8_t* host = region.host + (page - region.base);
  h.load_pages.insert(page, host);
  if (for_store && !h.cache->is_code_page(page)) h.store_pages.insert(page, host);
  return host + (address - page);
}

/// Host address of one byte of plain memory, else null.
uint8_t* host_byte(Hart& h, uint64_t address, bool for_store) {
  if (uint8_t* hit = for_store ? h.store_pages.find(address, 1) : h.load_pages.find(address, 1)) {
    return hit;
  }
  return map_page(h, address, for_store);
}

/// Brings the counters to the instants before `op` for the duration of a bus access: a device that
/// asks for the core's time must see them.
class PreciseCounters {
 public:
  PreciseCounters(Hart& h, const Op* op) : hart_(h), limit_(h.limit) {
    ahead_cycles_ = h.cycles - cycles_before(h, op);
    ahead_instructions_ = h.instructions - instructions_before(h, op);
    h.cycles -= ahead_cycles_;
    h.instructions -= ahead_instructions_;
  }
  ~PreciseCounters() {
    hart_.cycles += ahead_cycles_;
    hart_.instructions += ahead_instructions_;
  }
  PreciseCounters(const PreciseCounters&) = delete;
  PreciseCounters& operator=(const PreciseCounters&) = delete;
  /// The access asked for attention (an interrupt, a stop, a nearer event).
  [[nodiscard]] bool attention() const {
    return hart_.limit != limit_ || hart_.stop_requested || hart_.interrupt_enabled_and_pending();
  }

 private:
  Hart& hart_;
  uint64_t limit_;
  uint64_t ahead_cycles_ = 0, ahead_instructions_ = 0;
};

/// Memory for which the bus gives no pointer: misaligned accesses go byte by byte.
bool memory_without_pointer(Hart& h, uint64_t address, unsigned bytes) {
  const DmiRegion region = h.bus->dmi(address);
  return region.host == nullptr && region.size_bytes != 0 && address >= region.base &&
         address - region.base + bytes <= region.size_bytes;
}

MemoryResult load_bytes(Hart& h, const Op* op, uint64_t address, unsigned bytes, uint64_t& value) {
  const PreciseCounters scope(h, op);
  for (unsigned i = 0; i < bytes; ++i) {
    uint64_t byte = 0;
    if (!h.bus->load(address + i, 1, byte)) return MemoryResult::kFault;
    value |= (byte & 0xff) << (8 * i);
  }
  return scope.attention() ? MemoryResult::kLeave : MemoryResult::kOk;
}

MemoryResult store_bytes(Hart& h, const Op* op, uint64_t address, unsigned bytes, uint64_t value) {
  const PreciseCounters scope(h, op);
  for (unsigned i = 0; i < bytes; ++i)
    if (!h.bus->store(address + i, 1, value >> (8 * i) & 0xff)) return MemoryResult::kFault;
  return scope.attention() ? MemoryResult::kLeave : MemoryResult::kOk;
}

}  // namespace

MemoryResult load_slow(Hart& h, const Op* op, uint64_t address, unsigned bytes, uint64_t& value) {
  value = 0;
  const bool aligned = (address & (bytes - 1)) == 0;
  const uint8_t* host = host_byte(h, address, false);
  if (host == nullptr) {
    if (!aligned)
      return memory_without_pointer(h, address, bytes) ? load_bytes(h, op, address, bytes, value)
                                                       : MemoryResult::kMisaligned;
    const PreciseCounters scope(h, op);
    if (!h.bus->load(address, bytes, value)) return MemoryResult::kFault;
    return scope.attention() ? MemoryResult::kLeave : MemoryResult::kOk;
  }
  const uint64_t left = page_of(address) + kPageBytes - address;
  if (left >= bytes || aligned) {
    std::memcpy(&value, host, bytes);
    return MemoryResult::kOk;
  }
  const uint8_t* second = host_byte(h, address + left, false);
  if (second == nullptr) return MemoryResult::kFault;
  host = host_byte(h, address, false);
  auto* out = reinterpret_cast<uint8_t*>(&value);
  std::memcpy(out, host, left);
  std::memcpy(out + left, second, bytes - left);
  return MemoryResult::kOk;
}

MemoryResult store_slow(Hart& h, const Op* op, uint64_t address, unsigned bytes, uint64_t value) {
  const bool aligned = (address & (bytes - 1)) == 0;
  uint8_t* host = host_byte(h, address, true);
  if (host == nullptr) {
    if (!aligned)
      return memory_without_pointer(h, address, bytes) ? store_bytes(h, op, address, bytes, value)
                                                       : MemoryResult::kMisaligned;
    const PreciseCounters scope(h, op);
    if (!h.bus->store(address, bytes, value)) return MemoryResult::kFault;
    return scope.attention() ? MemoryResult::kLeave : MemoryResult::kOk;
  }
  const uint64_t left = page_of(address) + kPageBytes - address;
  const auto first_part = static_cast<unsigned>(left < bytes ? left : bytes);
  uint8_t* second = nullptr;
  if (first_part < bytes) {
    second = host_byte(h, address + first_part, true);
    if (second == nullptr) return MemoryResult::kFault;
  }
  const auto* in = reinterpret_cast<const uint8_t*>(&value);
  std::memcpy(host, in, first_part);
  if (second != nullptr) std::memcpy(second, in + first_part, bytes - first_part);
  if (!h.cache->overlaps_code(address, bytes)) return MemoryResult::kOk;
  h.flush_code = true;
  h.call_attention();
  return MemoryResult::kLeave;
}

void raise_load(Hart& h, const Op* op, MemoryResult result, uint64_t address) {
  raise(h, op, result == MemoryResult::kMisaligned ? Cause::kLoadMisaligned : Cause::kLoadAccess,
        address);
}

void raise_store(Hart& h, const Op* op, MemoryResult result, uint64_t address) {
  raise(h, op, result == MemoryResult::kMisaligned ? Cause::kStoreMisaligned : Cause::kStoreAccess,
        address);
}

bool fetch_half(Hart& h, uint64_t address, uint16_t& value) {
  if (const uint8_t* host = host_byte(h, address, false)) {
    std::memcpy(&value, host, sizeof value);
    return true;
  }
  uint64_t word = 0;
  if (!h.bus->load(address, sizeof value, word)) return false;
  value = static_cast<uint16_t>(word);
  return true;
}

}  // namespace dlavp::iss
