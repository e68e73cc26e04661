// Handlers of loads and stores, integer and floating point.
#include <type_traits>

#include "vp/iss/exec.hpp"
#include "vp/iss/memory_access.hpp"

namespace dlavp::iss {
namespace {

inline uint64_t address_of(const Hart& h, const Op* op) {
  return h.x[op->rs1] + static_cast<uint64_t>(op->imm);
}

template <typename T>
uint64_t widened(T value) {
  if constexpr (std::is_signed_v<T>) {
    return static_cast<uint64_t>(static_cast<int64_t>(value));
  } else {
    return value;
  }
}

/// What a load does with the bytes: an integer register, extended as T is; or an fp register.
template <typename T>
struct ToInteger {
  using Raw = T;
  static void write(Hart& h, const Op* op, T value) { h.x[op->rd] = widened(value); }
  static bool usable(const Hart&) { return true; }
};
template <typename T>
struct ToFloat {
  using Raw = T;
  static void write(Hart& h, const Op* op, T value) {
    h.f[op->rd] = sizeof(T) == 4 ? (value | ~uint64_t{0xFFFFFFFF}) : uint64_t{value};
    h.mstatus |= kFs;
  }
  static bool usable(const Hart& h) { return (h.mstatus & kFs) != 0; }
};

template <typename To>
[[gnu::noinline]] void run_load_slow(Hart& h, const Op* op) {
  using T = typename To::Raw;
  uint64_t value = 0;
  const uint64_t address = address_of(h, op);
  const MemoryResult result = load_slow(h, op, address, sizeof(T), value);
  if (result == MemoryResult::kFault || result == MemoryResult::kMisaligned) {
    return raise_load(h, op, result, address);
  }
  To::write(h, op, static_cast<T>(value));
  if (result == MemoryResult::kLeave) return leave_after(h, op);
  return next(h, op);
}

template <typename To>
void run_load(Hart& h, const Op* op) {
  using T = typename To::Raw;
  if (!To::usable(h)) return raise_illegal(h, op);
  const uint8_t* host = h.load_pages.find(address_of(h, op), sizeof(T));
  if (host == nullptr) return run_load_slow<To>(h, op);
  T value;
  std::memcpy(&value, host, sizeof(T));
  To::write(h, op, value);
  return next(h, op);
}

[[gnu::noinline]] void run_store_slow(Hart& h, const Op* op, uint64_t value, unsigned bytes) {
  const uint64_t address = address_of(h, op);
  const MemoryResult result = store_slow(h, op, address, bytes, value);
  if (result == MemoryResult::kOk) return next(h, op);
  if (result == MemoryResult::kLeave) return leave_after(h, op);
  return raise_store(h, op, result, address);
}

template <typename T, bool IsFloat>
void run_store(Hart& h, const Op* op) {
  if (IsFloat && (h.mstatus & kFs) == 0) return raise_illegal(h, op);
  const uint64_t value = IsFloat ? h.f[op->rs2] : h.x[op->rs2];
  uint8_t* host = h.store_pages.find(address_of(h, op), sizeof(T));
  if (host == nullptr) return run_store_slow(h, op, value, sizeof(T));
  const T narrow = static_cast<T>(value);
  std::memcpy(host, &narrow, sizeof(T));
  return next(h, op);
}

}  // namespace

void add_memory_handlers(HandlerTable& table) {
  using enum InsnId;
  table.set(kLb, run_load<ToInteger<int8_t>>);
  table.set(kLh, run_load<ToInteger<int16_t>>);
  table.set(kLw, run_load<ToInteger<int32_t>>);
  table.set(kLd, run_load<ToInteger<uint64_t>>);
  table.set(kLbu, run_load<ToInteger<uint8_t>>);
  table.set(kLhu, run_load<ToInteger<uint16_t>>);
  table.set(kLwu, run_load<ToInteger<uint32_t>>);
  table.set(kFlw, run_load<ToFloat<uint32_t>>);
  table.set(kFld, run_load<ToFloat<uint64_t>>);
  table.set(kSb, run_store<uint8_t, false>);
  table.set(kSh, run_store<uint16_t, false>);
  table.set(kSw, run_store<uint32_t, false>);
  table.set(kSd, run_store<uint64_t, false>);
  table.set(kFsw, run_store<uint32_t, true>);
  table.set(kFsd, run_store<uint64_t, true>);
}

}  // namespace dlavp::iss
