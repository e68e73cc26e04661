// Memory access and the rounding rule of the oracle.
#include "tests/reference/registers/program.hpp"

namespace dlavp::reference {

int8_t load(Memory& memory, uint64_t address) {
  uint8_t byte = 0;
  DLAVP_CHECK(memory.read(address, {&byte, 1}), "oracle reads {:#x}", address);
  return static_cast<int8_t>(byte);
}

void store(Memory& memory, uint64_t address, int64_t value) {
  const auto byte = static_cast<uint8_t>(value & 0xff);
  DLAVP_CHECK(memory.write(address, {&byte, 1}), "oracle writes {:#x}", address);
}

int64_t clamp_bits(int64_t value, unsigned bits) {
  const int64_t limit = int64_t{1} << (bits - 1);
  if (value >= limit) return limit - 1;
  if (value < -limit) return -limit;
  return value;
}

int64_t divide(int64_t value, unsigned shift, unsigned width) {
  if (shift >= width) return 0;
  if (shift == 0) return value;
  const bool negative = value < 0;
  const uint64_t magnitude =
      negative ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  const auto rounded = static_cast<int64_t>((magnitude + (uint64_t{1} << (shift - 1))) >> shift);
  return negative ? -rounded : rounded;
}

int64_t shift_signed(int64_t value, int64_t shift, unsigned bits) {
  if (shift >= 0) return clamp_bits(divide(value, static_cast<unsigned>(shift), 64), bits);
  for (int64_t i = 0; i < -shift; ++i) value = clamp_bits(value * 2, bits + 1);
  return clamp_bits(value, bits);
}

}  // namespace dlavp::reference
