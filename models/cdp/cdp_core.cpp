#include "models/cdp/cdp_core.hpp"

#include <array>
#include <span>
#include <vector>

#include "models/common/fixed_point.hpp"

namespace dlavp::cdp {

namespace {

constexpr unsigned kConvertedBits = 9, kInProductBits = 25, kOutProductBits = 42, kOutBits = 8;

}  // namespace

int32_t convert_in(const CdpOp& op, int8_t value) {
  const int64_t product = (int64_t{value} - op.in_offset) * op.in_scale;
  return static_cast<int32_t>(rshr(product, op.in_shift, kConvertedBits, kInProductBits));
}

int8_t convert_out(const CdpOp& op, int32_t value) {
  const int64_t product = (int64_t{value} - op.out_offset) * op.out_scale;
  return static_cast<int8_t>(rshr(product, op.out_shift, kOutBits, kOutProductBits));
}

AtomCube<int8_t> normalise(const CdpOp& op, const AtomCube<int8_t>& in, LutCounts& counts) {
  AtomCube<int8_t> out(op.size, in.atom);
  std::array<int32_t, 256> converted{};
  for (int v = -128; v < 128; ++v)
    converted[static_cast<size_t>(v + 128)] = convert_in(op, static_cast<int8_t>(v));
  const uint32_t lanes = op.surfaces * in.atom, reach = op.window / 2;
  // The channels of one pixel, with zeros around them.
  std::vector<int32_t> line(lanes + 2 * reach);
  std::vector<int64_t> squares(line.size());
  const size_t surface_values = size_t{op.size.width} * op.size.height * in.atom;
  for (size_t pixel = 0; pixel < op.size.pixels(); ++pixel) {
    for (uint32_t c = 0; c < op.size.channels; ++c) {
      const int8_t v = in.values[c / in.atom * surface_values + pixel * in.atom + c % in.atom];
      line[reach + c] = converted[static_cast<size_t>(v + 128)];
      squares[reach + c] = int64_t{line[reach + c]} * line[reach + c];
    }
    for (uint32_t c = 0; c < lanes; ++c) {
      const int32_t centre = line[reach + c];
      int64_t x = centre;
      if (!op.sqsum_bypass) {
        x = 0;
        for (uint32_t i = 0; i < op.window; ++i) x += squares[c + i];
      }
      const int32_t factor = evaluate(op.lut, x, counts);
      out.values[c / in.atom * surface_values + pixel * in.atom + c % in.atom] =
          convert_out(op, op.mul_bypass ? factor : factor * centre);
    }
  }
  return out;
}

bool load_input(const CdpOp& op, uint32_t atom, Memory& memory, AtomCube<int8_t>& in) {
  in = AtomCube<int8_t>(op.size, atom);
  const size_t line_bytes = size_t{op.size.width} * atom;
  auto* at = reinterpret_cast<uint8_t*>(in.values.data());
  for (uint32_t surface = 0; surface < op.surfaces; ++surface)
    for (uint32_t y = 0; y < op.size.height; ++y, at += line_bytes)
      if (!memory.read(op.src.address + uint64_t{surface} * op.src.surface_stride +
                           uint64_t{y} * op.src.line_stride,
                       std::span(at, line_bytes)))
        return false;
  return true;
}

bool store_output(const CdpOp& op, const AtomCube<int8_t>& out, Memory& memory) {
  const size_t line_bytes = size_t{op.size.width} * out.atom;
  const auto* at = reinterpret_cast<const uint8_t*>(out.values.data());
  for (uint32_t surface = 0; surface < op.surfaces; ++surface)
    for (uint32_t y = 0; y < op.size.height; ++y, at += line_bytes)
      if (!memory.write(op.dst.address + uint64_t{surface} * op.dst.surface_stride +
                            uint64_t{y} * op.dst.line_stride,
                        std::span(at, line_bytes)))
        return false;
  return true;
}

}  // namespace dlavp::cdp
