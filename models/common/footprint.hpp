// Footprint: the bytes of memory that an operation reads or writes, as equal lines at two strides.
// Units refuse an operation whose footprint is not in memory before they hold a byte of it, and
// --check-hazards compares footprints. Hardware manual: "In-memory data formats".
#pragma once

#include <cstdint>
#include <string>

#include "models/common/cube.hpp"

namespace dlavp {

struct Footprint {
  RamType ram = RamType::kMc;
  uint64_t address = 0;
  uint64_t line_bytes = 0;
  uint64_t lines = 1, line_stride = 0;
  uint64_t surfaces = 1, surface_stride = 0;

  [[nodiscard]] bool empty() const { return bytes() == 0; }
  /// Bytes that are moved; those of overlapping lines count each time.
  [[nodiscard]] uint64_t bytes() const { return line_bytes * lines * surfaces; }
  /// From the first byte to the last, gaps included.
  [[nodiscard]] uint64_t extent() const {
    return empty() ? 0 : (surfaces - 1) * surface_stride + (lines - 1) * line_stride + line_bytes;
  }
};

/// The footprint of a cube of atoms of `atom_bytes`. Without strides (`packed`) it is one run.
[[nodiscard]] Footprint cube_footprint(const CubeRef& cube, const CubeSize& size, uint32_t surfaces,
                                       uint64_t atom_bytes, bool packed = false);

enum class Mapping : uint8_t { kMapped, kUnmapped, kTooLarge };

/// Whether both ends of `f` are in `memory`, and whether it moves no more bytes than lie between
/// them: lines may overlap (a stride of 0 repeats one) only up to kMostOverlapping bytes.
[[nodiscard]] Mapping mapping(const Footprint& f, Memory& memory);
inline constexpr uint64_t kMostOverlapping = uint64_t{1} << 24;

/// What a footprint that is not Mapping::kMapped is reported as: `what` ("input cube") at `place`.
struct MappingErrors {
  const char* unmapped;
  const char* too_large;
};
void check_mapping(const Footprint& f, const MemorySpaces& memory, const MappingErrors& ids,
                   const std::string& place, const std::string& what, Diagnostics& errors);

/// True if the two have a byte in common.
[[nodiscard]] bool overlap(const Footprint& a, const Footprint& b);

}  // namespace dlavp
