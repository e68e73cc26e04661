// The two lookup tables of CDP: index, table choice and interpolation of one value. Hardware
// manual: "LUT programming"; widths (22-bit compare, 16-bit fraction) are those of the int8 RTL.
#pragma once

#include <array>
#include <cstdint>

namespace dlavp::cdp {

inline constexpr uint32_t kLeEntries = 65, kLoEntries = 257;

enum class Table : uint8_t { kLe, kLo };

/// A line that continues a table beyond an end: (x - end) * scale >> shift, a negative shift left.
struct Slope {
  int16_t scale = 0;
  int8_t shift = 0;
};

struct Lut {
  std::array<int16_t, kLeEntries> le{};
  std::array<int16_t, kLoEntries> lo{};
  bool le_exponent = false;          ///< LE is indexed by the logarithm
  int le_index_offset = 0;           ///< of the logarithm
  int le_select = 0, lo_select = 0;  ///< step as a power of two; negative: several entries a step
  int64_t le_start = 0, le_end = 0, lo_start = 0, lo_end = 0;
  Slope le_under, le_over, lo_under, lo_over;
  Table both_under = Table::kLe, both_over = Table::kLe, otherwise = Table::kLe;
};

/// Where a value lies in one table.
struct Lookup {
  bool under = false, over = false;
  uint32_t index = 0;
  uint32_t fraction = 0;  ///< of the way to the next entry, in 1/65536
  [[nodiscard]] bool hit() const { return !under && !over; }
};

[[nodiscard]] Lookup lookup_le(const Lut& lut, int64_t x);
[[nodiscard]] Lookup lookup_lo(const Lut& lut, int64_t x);

/// Which table answers.
[[nodiscard]] Table choose(const Lut& lut, const Lookup& le, const Lookup& lo);

/// How often each case occurred, as the D_PERF_LUT_* registers count it.
struct LutCounts {
  uint64_t both_under = 0, both_over = 0, le_only = 0, lo_only = 0, hybrid = 0;
};

/// The table value at `x`: 16 bits. Counts its case.
[[nodiscard]] int32_t evaluate(const Lut& lut, int64_t x, LutCounts& counts);

}  // namespace dlavp::cdp
