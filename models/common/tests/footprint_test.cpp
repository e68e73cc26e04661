// Footprints: mapping and overlap.
#include "models/common/footprint.hpp"

#include <catch2/catch.hpp>

#include "models/common/tests/bounded_memory.hpp"

using namespace dlavp;

namespace {

Footprint lines(uint64_t address, uint64_t bytes, uint64_t count, uint64_t stride) {
  return {RamType::kMc, address, bytes, count, stride, 1, 0};
}

}  // namespace

TEST_CASE("footprint: interleaved lines do not overlap, lines one byte longer do") {
  CHECK_FALSE(overlap(lines(0, 16, 4, 32), lines(16, 16, 4, 32)));
  CHECK(overlap(lines(0, 17, 4, 32), lines(16, 16, 4, 32)));
  CHECK(overlap(lines(0, 16, 4, 32), lines(96, 1, 1, 0)));
  CHECK_FALSE(overlap(lines(0, 16, 4, 32), lines(112, 100, 1, 0)));
}

TEST_CASE("footprint: a long run covers short ones that start later") {
  const Footprint nested{RamType::kMc, 0, 64, 1, 0, 2, 16};
  CHECK(overlap(nested, lines(70, 1, 1, 0)));
  CHECK_FALSE(overlap(nested, lines(80, 1, 1, 0)));
}

TEST_CASE("footprint: the two memories have nothing in common") {
  Footprint other = lines(0, 16, 1, 0);
  other.ram = RamType::kCv;
  CHECK_FALSE(overlap(lines(0, 16, 1, 0), other));
}

TEST_CASE("footprint: a cube is in memory if both its ends are") {
  test::BoundedMemory memory;
  memory.end = 0x1000;
  CHECK(mapping(lines(0, 0x100, 16, 0x100), memory) == Mapping::kMapped);
  CHECK(mapping(lines(0x10, 0x100, 16, 0x100), memory) == Mapping::kUnmapped);
  CHECK(mapping(lines(~uint64_t{0} - 8, 16, 1, 0), memory) == Mapping::kUnmapped);
}

TEST_CASE("footprint: lines that overlap may repeat up to a limit") {
  test::BoundedMemory memory;
  memory.end = 0x1000;
  CHECK(mapping(lines(0, 0x1000, kMostOverlapping / 0x1000, 0), memory) == Mapping::kMapped);
  CHECK(mapping(lines(0, 0x1000, kMostOverlapping / 0x1000 + 1, 0), memory) == Mapping::kTooLarge);
}

TEST_CASE("footprint: a cube of one pixel a surface can be packed") {
  const CubeRef ref{RamType::kMc, 0x40, 1 << 20, 1 << 20};
  CHECK(cube_footprint(ref, {1, 1, 20}, 3, 8, true).extent() == 24);
  CHECK(cube_footprint(ref, {1, 1, 20}, 3, 8).extent() == (2 << 20) + 8);
}
