// Random legal register programs for the units, drawn from a seed; sizes are given from outside so
// that a failing case can be tried again smaller.
#pragma once

#include <random>

#include "models/common/hw_config.hpp"
#include "tests/reference/registers/program.hpp"

namespace dlavp::reference {

struct Size {
  uint32_t width = 1, height = 1, channels = 1;
  uint32_t kernels = 1;  ///< of a convolution
};

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  /// 0 to n - 1.
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(engine_() % n); }
  bool chance(uint32_t one_in) { return below(one_in) == 0; }
  bool flip() { return below(2) == 0; }
  /// A RAM_TYPE: either memory where there are two.
  uint32_t ram(const HwConfig& hw) { return hw.secondary_memif ? below(2) : 1; }
  /// A signed number of up to `bits` bits, its length drawn first so that small ones are common.
  int64_t number(uint32_t bits) {
    const uint32_t length = 1 + below(bits);
    const int64_t raw = static_cast<int64_t>(engine_() & 0xffffffff) % (int64_t{1} << length);
    return raw - (int64_t{1} << (length - 1));
  }
  /// A size: often one of the edges 1 and atom - 1, atom, atom + 1, else up to `most`.
  uint32_t size(uint32_t atom, uint32_t most) {
    const uint32_t edges[] = {1, atom - 1, atom, atom + 1};
    const uint32_t n = flip() ? edges[below(4)] : 1 + below(most);
    return n < 1 ? 1 : n > most ? most : n;
  }

 private:
  std::mt19937 engine_;
};

void make_sdp(Program& program, Random& random, const HwConfig& hw, const Size& size);
/// From SDP the input size is as given, from memory it may grow to hold a window.
void make_pdp(Program& program, Random& random, const HwConfig& hw, const Size& size,
              bool from_sdp = false);
void make_cdp(Program& program, Random& random, const HwConfig& hw, const Size& size);
/// A convolution with SDP behind it, and sometimes PDP. May shrink kernels to bound the work.
void make_conv(Program& program, Random& random, const HwConfig& hw, const Size& size);

/// Two convolutions of one shape, the second on data or weights (or both) that the first one leaves
/// in the buffer. `meant` is the second with the addresses of what it reuses.
struct ConvPair {
  Program first, second, meant;
};
ConvPair make_conv_pair(const Program& like, Random& random, const HwConfig& hw, const Size& size);

/// Where make_conv puts what is read besides SDP's operands.
inline constexpr uint32_t kConvInput = 0x10000, kConvSecondPlane = 0x100000,
                          kConvWeights = 0x600000, kConvWeightBytes = 0x40000;

}  // namespace dlavp::reference
