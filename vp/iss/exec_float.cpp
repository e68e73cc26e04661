// Handlers of the F and D extensions. The arithmetic is softfloat's. Where it cannot make a
// difference - round to nearest even, the inexact flag already raised, a result in the normal range
// - the host's own operation gives the same bits faster.
#include <bit>
#include <cmath>
#include <limits>

#include "vp/iss/exec.hpp"
#include "vp/iss/softfloat.hpp"

namespace dlavp::iss {
namespace {

using fp::Context;
using fp::Double;
using fp::Rounding;
using fp::Single;

constexpr uint64_t kBox = ~uint64_t{0xFFFFFFFF};

/// A register as an operand: a single that is not NaN-boxed is the canonical NaN.
template <typename F>
typename F::Bits get(const Hart& h, unsigned index) {
  const uint64_t bits = h.f[index];
  if constexpr (sizeof(typename F::Bits) == 8) {
    return bits;
  } else {
    return (bits & kBox) == kBox ? static_cast<uint32_t>(bits) : fp::kCanonicalNan<Single>;
  }
}

template <typename F>
void put(Hart& h, unsigned index, typename F::Bits bits) {
  if constexpr (sizeof(typename F::Bits) == 8) {
    h.f[index] = bits;
  } else {
    h.f[index] = bits | kBox;
  }
  h.mstatus |= kFs;
}

[[nodiscard]] bool off(const Hart& h) { return (h.mstatus & kFs) == 0; }

/// The rounding mode of `op`; false: frm holds a reserved value.
[[nodiscard]] bool rounding_of(const Hart& h, const Op* op, Rounding& mode) {
  const uint32_t rm = op->rm == 7 ? h.frm : op->rm;
  mode = static_cast<Rounding>(rm);
  return rm <= 4;
}

void raise_flags(Hart& h, const Context& c) {
  if (c.flags == 0) return;
  h.fflags |= c.flags;
  h.mstatus |= kFs;
}

template <typename F>
using HostFloat = std::conditional_t<sizeof(typename F::Bits) == 8, double, float>;

[[nodiscard]] bool host_may_compute(const Hart& h, Rounding mode) {
  return mode == Rounding::kNearestEven && (h.fflags & fp::kInexact) != 0;
}
/// Nothing but inexact can have happened on the way to this result.
template <typename T>
[[nodiscard]] bool is_plain(T result) {
  const T magnitude = std::fabs(result);
  return magnitude >= 2 * std::numeric_limits<T>::min() &&
         magnitude <= std::numeric_limits<T>::max();
}

constexpr auto kHostAdd = [](auto a, auto b) { return a + b; };
constexpr auto kHostSub = [](auto a, auto b) { return a - b; };
constexpr auto kHostMul = [](auto a, auto b) { return a * b; };
constexpr auto kHostDiv = [](auto a, auto b) { return a / b; };

template <typename F, auto Soft, auto Host>
void run_binary(Hart& h, const Op* op) {
  Rounding mode;
  if (off(h) || !rounding_of(h, op, mode)) return raise_illegal(h, op);
  const auto a = get<F>(h, op->rs1);
  const auto b = get<F>(h, op->rs2);
  if (host_may_compute(h, mode)) {
    const auto r = Host(std::bit_cast<HostFloat<F>>(a), std::bit_cast<HostFloat<F>>(b));
    if (is_plain(r)) {
      put<F>(h, op->rd, std::bit_cast<typename F::Bits>(r));
      return next(h, op);
    }
  }
  Context c{mode, 0};
  put<F>(h, op->rd, Soft(a, b, c));
  raise_flags(h, c);
  return next(h, op);
}

template <typename F>
void run_sqrt(Hart& h, const Op* op) {
  Rounding mode;
  if (off(h) || !rounding_of(h, op, mode)) return raise_illegal(h, op);
  const auto a = get<F>(h, op->rs1);
  if (host_may_compute(h, mode)) {
    const auto r = std::sqrt(std::bit_cast<HostFloat<F>>(a));
    if (is_plain(r)) {
      put<F>(h, op->rd, std::bit_cast<typename F::Bits>(r));
      return next(h, op);
    }
  }
  Context c{mode, 0};
  put<F>(h, op->rd, fp::sqrt<F>(a, c));
  raise_flags(h, c);
  return next(h, op);
}

/// rd = (-)(rs1 * rs2) (+-) rs3: the signs of the product and of the addend are flipped first.
template <typename F, bool NegateProduct, bool NegateAddend>
void run_fma(Hart& h, const Op* op) {
  using Bits = typename F::Bits;
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  Rounding mode;
  if (off(h) || !rounding_of(h, op, mode)) return raise_illegal(h, op);
  const Bits a = get<F>(h, op->rs1) ^ (NegateProduct ? kSign : 0);
  const Bits b = get<F>(h, op->rs2);
  const Bits d = get<F>(h, op->rs3) ^ (NegateAddend ? kSign : 0);
  if (host_may_compute(h, mode)) {
    using T = HostFloat<F>;
    const T r = std::fma(std::bit_cast<T>(a), std::bit_cast<T>(b), std::bit_cast<T>(d));
    if (is_plain(r)) {
      put<F>(h, op->rd, std::bit_cast<Bits>(r));
      return next(h, op);
    }
  }
  Context c{mode, 0};
  put<F>(h, op->rd, fp::fma<F>(a, b, d, c));
  raise_flags(h, c);
  return next(h, op);
}

enum class SignFrom : uint8_t { kCopy, kNegate, kXor };

template <typename F, SignFrom How>
void run_sign(Hart& h, const Op* op) {
  using Bits = typename F::Bits;
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  if (off(h)) return raise_illegal(h, op);
  const Bits a = get<F>(h, op->rs1);
  const Bits b = get<F>(h, op->rs2);
  const Bits sign = How == SignFrom::kCopy ? b : How == SignFrom::kNegate ? ~b : a ^ b;
  put<F>(h, op->rd, (a & ~kSign) | (sign & kSign));
  return next(h, op);
}

/// fmin, fmax: no rounding mode.
template <typename F, auto Soft>
void run_select(Hart& h, const Op* op) {
  if (off(h)) return raise_illegal(h, op);
  Context c;
  put<F>(h, op->rd, Soft(get<F>(h, op->rs1), get<F>(h, op->rs2), c));
  raise_flags(h, c);
  return next(h, op);
}

template <typename F, auto Soft>
void run_compare(Hart& h, const Op* op) {
  if (off(h)) return raise_illegal(h, op);
  Context c;
  h.x[op->rd] = Soft(get<F>(h, op->rs1), get<F>(h, op->rs2), c) ? 1 : 0;
  raise_flags(h, c);
  return next(h, op);
}

template <typename F>
void run_classify(Hart& h, const Op* op) {
  if (off(h)) return raise_illegal(h, op);
  h.x[op->rd] = fp::classify<F>(get<F>(h, op->rs1));
  return next(h, op);
}

template <typename F, typename I>
void run_to_integer(Hart& h, const Op* op) {
  Rounding mode;
  if (off(h) || !rounding_of(h, op, mode)) return raise_illegal(h, op);
  Context c{mode, 0};
  const I value = fp::to_integer<I, F>(get<F>(h, op->rs1), c);
  // 32-bit results are sign-extended, the unsigned ones as well.
  if constexpr (sizeof(I) == 4) {
    h.x[op->rd] = static_cast<uint64_t>(int64_t{static_cast<int32_t>(value)});
  } else {
    h.x[op->rd] = static_cast<uint64_t>(value);
  }
  raise_flags(h, c);
  return next(h, op);
}

template <typename F, typename I>
void run_from_integer(Hart& h, const Op* op) {
  Rounding mode;
  if (off(h) || !rounding_of(h, op, mode)) return raise_illegal(h, op);
  Context c{mode, 0};
  const I value = static_cast<I>(h.x[op->rs1]);
  if constexpr (std::is_signed_v<I>) {
    put<F>(h, op->rd, fp::from_signed<F>(value, c));
  } else {
    put<F>(h, op->rd, fp::from_unsigned<F>(value, c));
  }
  raise_flags(h, c);
  return next(h, op);
}

void run_narrow(Hart& h, const Op* op) {
  Rounding mode;
  if (off(h) || !rounding_of(h, op, mode)) return raise_illegal(h, op);
  Context c{mode, 0};
  put<Single>(h, op->rd, fp::narrow(get<Double>(h, op->rs1), c));
  raise_flags(h, c);
  return next(h, op);
}

void run_widen(Hart& h, const Op* op) {
  Rounding mode;
  if (off(h) || !rounding_of(h, op, mode)) return raise_illegal(h, op);
  Context c{mode, 0};
  put<Double>(h, op->rd, fp::widen(get<Single>(h, op->rs1), c));
  raise_flags(h, c);
  return next(h, op);
}

template <typename F>
void run_move_to_integer(Hart& h, const Op* op) {
  if (off(h)) return raise_illegal(h, op);
  const uint64_t bits = h.f[op->rs1];
  h.x[op->rd] = sizeof(typename F::Bits) == 8
                    ? bits
                    : static_cast<uint64_t>(int64_t{static_cast<int32_t>(bits)});
  return next(h, op);
}

template <typename F>
void run_move_to_float(Hart& h, const Op* op) {
  if (off(h)) return raise_illegal(h, op);
  put<F>(h, op->rd, static_cast<typename F::Bits>(h.x[op->rs1]));
  return next(h, op);
}

/// The instructions that exist in both precisions, in the order of the list from `first` (fmadd).
template <typename F>
void add_precision(HandlerTable& table, InsnId first) {
  const Handler handlers[] = {
      run_fma<F, false, false>,
      run_fma<F, false, true>,
      run_fma<F, true, false>,
      run_fma<F, true, true>,
      run_binary<F, fp::add<F>, kHostAdd>,
      run_binary<F, fp::sub<F>, kHostSub>,
      run_binary<F, fp::mul<F>, kHostMul>,
      run_binary<F, fp::div<F>, kHostDiv>,
      run_sqrt<F>,
      run_sign<F, SignFrom::kCopy>,
      run_sign<F, SignFrom::kNegate>,
      run_sign<F, SignFrom::kXor>,
      run_select<F, fp::min<F>>,
      run_select<F, fp::max<F>>,
      run_compare<F, fp::eq<F>>,
      run_compare<F, fp::lt<F>>,
      run_compare<F, fp::le<F>>,
      run_classify<F>,
      run_to_integer<F, int32_t>,
      run_to_integer<F, uint32_t>,
      run_to_integer<F, int64_t>,
      run_to_integer<F, uint64_t>,
      run_from_integer<F, int32_t>,
      run_from_integer<F, uint32_t>,
      run_from_integer<F, int64_t>,
      run_from_integer<F, uint64_t>,
  };
  auto id = static_cast<unsigned>(first);
  for (Handler handler : handlers) table.set(static_cast<InsnId>(id++), handler);
}

}  // namespace

void add_float_handlers(HandlerTable& table) {
  using enum InsnId;
  add_precision<Single>(table, kFmaddS);
  add_precision<Double>(table, kFmaddD);
  table.set(kFcvtSD, run_narrow);
  table.set(kFcvtDS, run_widen);
  table.set(kFmvXW, run_move_to_integer<Single>);
  table.set(kFmvXD, run_move_to_integer<Double>);
  table.set(kFmvWX, run_move_to_float<Single>);
  table.set(kFmvDX, run_move_to_float<Double>);
}

}  // namespace dlavp::iss
