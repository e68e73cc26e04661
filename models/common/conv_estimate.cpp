// The figures behind the rates: docs/units/conv.md, "Time".
#include "models/common/conv_estimate.hpp"

#include <algorithm>

namespace dlavp {
namespace {

/// From the return of the last delivery credit to the first atom of a stripe that waited for it.
constexpr uint64_t kDeliveryCycles = 38;
/// After every line group the fetch looks for room again.
constexpr uint64_t kLineCycles = 2;

uint64_t ceil_div(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

struct Stripes {
  const HwConfig& hw;
  uint64_t steps;
  uint64_t credits;
  uint64_t sdp;

  /// A stripe waits for room for all of its atoms; the room that it does not need hides the way
  /// from the credit to the next atom.
  [[nodiscard]] uint64_t cycles(uint64_t length) const {
    const uint64_t macs = steps * std::max<uint64_t>(length, hw.mac_atomic_k_size);
    const uint64_t hidden = sdp * (credits - std::min(credits, length));
    const uint64_t wait = kDeliveryCycles > hidden ? kDeliveryCycles - hidden : 0;
    return std::max(macs, sdp * length + wait);
  }
  [[nodiscard]] uint64_t feature(uint64_t atoms) const {
    const uint64_t lower = hw.mac_atomic_k_size, upper = 2 * lower;
    uint64_t total = 0;
    if (atoms >= 2 * upper) {
      const uint64_t full = atoms / upper - 1;
      total = full * cycles(upper);
      atoms -= full * upper;
    }
    for (; atoms > upper; atoms -= lower) total += cycles(lower);
    return total + (atoms > 0 ? cycles(atoms) : 0);
  }
  [[nodiscard]] uint64_t image(uint64_t line) const {
    const uint64_t full = line / credits, rest = line % credits;
    return full * cycles(credits) + (rest > 0 ? cycles(rest) : 0);
  }
};

}  // namespace

uint32_t sdp_atom_cycles(const HwConfig& hw) {
  const uint32_t widest =
      std::max({hw.sdp_bs_throughput, hw.sdp_bn_throughput, hw.sdp_ew_throughput, 1U});
  return std::max(1U, hw.memory_atomic_size / widest) + 1;
}

uint64_t conv_group_cycles(const HwConfig& hw, const ConvWork& work) {
  const uint64_t k = hw.mac_atomic_k_size;
  const Stripes stripes{hw, work.steps, k * (hw.mac_atomic_c_size / k >= 4 ? 4 : 2),
                        work.atom_cycles != 0 ? work.atom_cycles : sdp_atom_cycles(hw)};
  if (work.line == 0) return stripes.feature(work.atoms);
  return ceil_div(work.atoms, work.line) * stripes.image(work.line);
}

uint64_t conv_cycles(const HwConfig& hw, const ConvWork& work) {
  return ceil_div(work.kernels, hw.mac_atomic_k_size) * conv_group_cycles(hw, work);
}

uint64_t conv_fill_cycles(uint64_t width, uint64_t surfaces, uint64_t lines) {
  // Of every four surfaces the third and the fourth pause the buffer every second atom.
  const uint64_t rest = surfaces % 4;
  const uint64_t halves = surfaces / 4 * 10 + rest * 2 + (rest == 3 ? 1 : 0);
  return lines * (width * halves / 2 + ceil_div(surfaces, 4) * kLineCycles);
}

}  // namespace dlavp
