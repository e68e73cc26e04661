#include "models/common/footprint.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

namespace dlavp {

namespace {

using Run = std::pair<uint64_t, uint64_t>;  // first byte, one past the last

// More runs than this are taken as one range with its gaps.
constexpr uint64_t kMostRuns = uint64_t{1} << 16;

std::vector<Run> runs(const Footprint& f) {
  const bool one_run_a_surface = f.lines == 1 || f.line_stride == f.line_bytes;
  if (one_run_a_surface && (f.surfaces == 1 || f.surface_stride == f.line_bytes * f.lines))
    return {{f.address, f.address + f.line_bytes * f.lines * f.surfaces}};
  const uint64_t lines = one_run_a_surface ? 1 : f.lines;
  const uint64_t bytes = one_run_a_surface ? f.line_bytes * f.lines : f.line_bytes;
  if (lines > kMostRuns || f.surfaces > kMostRuns / lines)
    return {{f.address, f.address + f.extent()}};
  std::vector<Run> out;
  for (uint64_t s = 0; s < f.surfaces; ++s)
    for (uint64_t y = 0; y < lines; ++y) {
      const uint64_t at = f.address + s * f.surface_stride + y * f.line_stride;
      out.emplace_back(at, at + bytes);
    }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Footprint cube_footprint(const CubeRef& cube, const CubeSize& size, uint32_t surfaces,
                         uint64_t atom_bytes, bool packed) {
  if (packed) return {cube.ram, cube.address, size.pixels() * surfaces * atom_bytes, 1, 0, 1, 0};
  return {cube.ram,         cube.address, size.width * atom_bytes, size.height,
          cube.line_stride, surfaces,     cube.surface_stride};
}

Mapping mapping(const Footprint& f, Memory& memory) {
  if (f.empty()) return Mapping::kMapped;
  std::array<uint8_t, 1> byte{};
  const uint64_t extent = f.extent();
  if (f.address + extent < f.address || !memory.read(f.address, byte) ||
      !memory.read(f.address + extent - 1, byte))
    return Mapping::kUnmapped;
  return f.bytes() > std::max(extent, kMostOverlapping) ? Mapping::kTooLarge : Mapping::kMapped;
}

void check_mapping(const Footprint& f, const MemorySpaces& memory, const MappingErrors& ids,
                   const std::string& place, const std::string& what, Diagnostics& errors) {
  switch (mapping(f, memory.of(f.ram))) {
    case Mapping::kMapped:
      return;
    case Mapping::kUnmapped:
      return errors.add(
          ids.unmapped, place,
          fmt::format("{} at {:#x} (line stride {:#x}, surface stride {:#x}) leaves mapped memory: "
                      "its {} bytes end before {:#x}",
                      what, f.address, f.line_stride, f.surface_stride, f.bytes(),
                      f.address + f.extent()));
    case Mapping::kTooLarge:
      return errors.add(
          ids.too_large, place,
          fmt::format("{} at {:#x} moves {} bytes over {} bytes of memory, at most {} are modelled",
                      what, f.address, f.bytes(), f.extent(),
                      std::max(f.extent(), kMostOverlapping)));
  }
}

bool overlap(const Footprint& a, const Footprint& b) {
  if (a.ram != b.ram || a.empty() || b.empty()) return false;
  if (a.address + a.extent() <= b.address || b.address + b.extent() <= a.address) return false;
  const std::vector<Run> left = runs(a), right = runs(b);
  // Both are sorted by first byte; of two runs the one that ends first can meet nothing later,
  // except where runs of one footprint overlap each other, which a running maximum covers.
  uint64_t left_end = 0, right_end = 0;
  for (size_t i = 0, j = 0; i < left.size() || j < right.size();) {
    const bool take_left =
        j == right.size() || (i < left.size() && left[i].first <= right[j].first);
    if (take_left) {
      if (left[i].first < right_end) return true;
      left_end = std::max(left_end, left[i++].second);
    } else {
      if (right[j].first < left_end) return true;
      right_end = std::max(right_end, right[j++].second);
    }
  }
  return false;
}

}  // namespace dlavp
