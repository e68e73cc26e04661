// Handlers of the A extension. One hart, so an atomic is a load and a store; a reservation ends
// with a store conditional, a trap, an mret, or when the reserved bytes changed (a device wrote
// them).
#include <algorithm>

#include "vp/iss/exec.hpp"
#include "vp/iss/memory_access.hpp"

namespace dlavp::iss {
namespace {

template <typename T>
uint64_t sign_extended(uint64_t value) {
  return static_cast<uint64_t>(static_cast<int64_t>(static_cast<std::make_signed_t<T>>(value)));
}

template <typename T>
MemoryResult load(Hart& h, const Op* op, uint64_t address, uint64_t& value) {
  if (const uint8_t* host = h.load_pages.find(address, sizeof(T))) {
    T raw;
    std::memcpy(&raw, host, sizeof(T));
    value = raw;
    return MemoryResult::kOk;
  }
  return load_slow(h, op, address, sizeof(T), value);
}

bool failed(MemoryResult r) { return r == MemoryResult::kFault || r == MemoryResult::kMisaligned; }

void finish(Hart& h, const Op* op, MemoryResult result) {
  if (result == MemoryResult::kLeave) return leave_after(h, op);
  return next(h, op);
}

template <typename T>
void run_load_reserved(Hart& h, const Op* op) {
  const uint64_t address = h.x[op->rs1];
  if (address % sizeof(T) != 0) return raise(h, op, Cause::kLoadMisaligned, address);
  uint64_t value = 0;
  const MemoryResult result = load<T>(h, op, address, value);
  if (failed(result)) return raise_load(h, op, result, address);
  h.reservation = address;
  h.reserved_value = value;
  h.reserved_bytes = sizeof(T);
  h.x[op->rd] = sign_extended<T>(value);
  return finish(h, op, result);
}

template <typename T>
void run_store_conditional(Hart& h, const Op* op) {
  const uint64_t address = h.x[op->rs1];
  const uint64_t reservation = h.reservation;
  if (address % sizeof(T) != 0) return raise(h, op, Cause::kStoreMisaligned, address);
  MemoryResult result = MemoryResult::kOk;
  bool success = false;
  if (reservation == address && h.reserved_bytes == sizeof(T)) {
    uint64_t value = 0;
    result = load<T>(h, op, address, value);
    if (failed(result)) return raise_store(h, op, result, address);
    success = static_cast<T>(value) == static_cast<T>(h.reserved_value);
    if (success) result = store_slow(h, op, address, sizeof(T), h.x[op->rs2]);
    if (failed(result)) return raise_store(h, op, result, address);
  }
  h.reservation = Hart::kNoReservation;
  h.x[op->rd] = success ? 0 : 1;
  return finish(h, op, result);
}

template <typename T, auto F>
void run_amo(Hart& h, const Op* op) {
  const uint64_t address = h.x[op->rs1];
  if (address % sizeof(T) != 0) return raise(h, op, Cause::kStoreMisaligned, address);
  uint64_t old = 0;
  const MemoryResult loaded = load<T>(h, op, address, old);
  if (failed(loaded)) return raise_store(h, op, loaded, address);
  const T updated = F(static_cast<T>(old), static_cast<T>(h.x[op->rs2]));
  const MemoryResult stored = store_slow(h, op, address, sizeof(T), updated);
  if (failed(stored)) return raise_store(h, op, stored, address);
  h.x[op->rd] = sign_extended<T>(old);
  return finish(h, op, stored == MemoryResult::kOk ? loaded : stored);
}

constexpr auto kSwap = []<typename T>(T, T b) { return b; };
constexpr auto kPlus = []<typename T>(T a, T b) { return static_cast<T>(a + b); };
constexpr auto kXorOp = []<typename T>(T a, T b) { return static_cast<T>(a ^ b); };
constexpr auto kAndOp = []<typename T>(T a, T b) { return static_cast<T>(a & b); };
constexpr auto kOrOp = []<typename T>(T a, T b) { return static_cast<T>(a | b); };
constexpr auto kMin = []<typename T>(T a, T b) {
  using S = std::make_signed_t<T>;
  return static_cast<S>(a) < static_cast<S>(b) ? a : b;
};
constexpr auto kMax = []<typename T>(T a, T b) {
  using S = std::make_signed_t<T>;
  return static_cast<S>(a) < static_cast<S>(b) ? b : a;
};
constexpr auto kMinu = []<typename T>(T a, T b) { return std::min(a, b); };
constexpr auto kMaxu = []<typename T>(T a, T b) { return std::max(a, b); };

template <typename T>
void add_width(HandlerTable& table, InsnId first) {
  const Handler handlers[] = {run_load_reserved<T>, run_store_conditional<T>, run_amo<T, kSwap>,
                              run_amo<T, kPlus>,    run_amo<T, kXorOp>,       run_amo<T, kAndOp>,
                              run_amo<T, kOrOp>,    run_amo<T, kMin>,         run_amo<T, kMax>,
                              run_amo<T, kMinu>,    run_amo<T, kMaxu>};
  auto id = static_cast<unsigned>(first);
  for (Handler handler : handlers) table.set(static_cast<InsnId>(id++), handler);
}

}  // namespace

void add_atomic_handlers(HandlerTable& table) {
  add_width<uint32_t>(table, InsnId::kLrW);
  add_width<uint64_t>(table, InsnId::kLrD);
}

}  // namespace dlavp::iss
