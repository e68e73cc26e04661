// Packing of weights and SDP operands.
#include "compiler/schedule/weights.hpp"

#include <algorithm>

namespace dlavp::compiler {

std::vector<uint8_t> pack_weights(const HwConfig& hw, const WeightShape& shape,
                                  uint32_t y_extension, std::span<const int8_t> weights) {
  const size_t width = hw.cbuf_bank_width;
  std::vector<uint8_t> out((weights.size() + width - 1) / width * width);
  const size_t plane = size_t{shape.height} * shape.width;
  uint8_t* to = out.data();
  for (uint32_t k0 = 0; k0 < shape.kernels; k0 += hw.mac_atomic_k_size) {
    const uint32_t k1 = std::min(shape.kernels, k0 + hw.mac_atomic_k_size);
    for (uint32_t c0 = 0; c0 < shape.channels; c0 += hw.mac_atomic_c_size) {
      const uint32_t c1 = std::min(shape.channels, c0 + hw.mac_atomic_c_size);
      for (uint32_t r0 = 0; r0 < shape.height; r0 += y_extension) {
        const uint32_t r1 = std::min(shape.height, r0 + y_extension);
        for (uint32_t s = 0; s < shape.width; ++s) {
          for (uint32_t k = k0; k < k1; ++k) {
            for (uint32_t r = r0; r < r1; ++r) {
              const int8_t* from = weights.data() + (size_t{k} * shape.channels + c0) * plane +
                                   size_t{r} * shape.width + s;
              for (uint32_t c = c0; c < c1; ++c, from += plane) *to++ = static_cast<uint8_t>(*from);
            }
          }
        }
      }
    }
  }
  return out;
}

std::vector<int8_t> fold_image_weights(WeightShape& shape, uint32_t pixel_channels,
                                       std::span<const int8_t> weights) {
  const uint32_t folded = pixel_channels * shape.width;
  std::vector<int8_t> out(size_t{shape.kernels} * folded * shape.height);
  for (uint32_t k = 0; k < shape.kernels; ++k) {
    for (uint32_t c = 0; c < shape.channels; ++c) {
      for (uint32_t r = 0; r < shape.height; ++r) {
        for (uint32_t s = 0; s < shape.width; ++s) {
          const size_t from =
              ((size_t{k} * shape.channels + c) * shape.height + r) * shape.width + s;
          const size_t to =
              (size_t{k} * folded + size_t{s} * pixel_channels + c) * shape.height + r;
          out[to] = weights[from];
        }
      }
    }
  }
  shape.channels = folded;
  shape.width = 1;
  return out;
}

std::vector<int8_t> densify_weights(const WeightShape& grouped, uint32_t groups, uint32_t first,
                                    uint32_t count, std::span<const int8_t> weights,
                                    WeightShape& dense) {
  const uint32_t kernels = grouped.kernels / groups;
  const size_t plane = size_t{grouped.height} * grouped.width;
  dense = {kernels * count, grouped.channels * count, grouped.height, grouped.width};
  std::vector<int8_t> out(size_t{dense.kernels} * dense.channels * plane);
  for (uint32_t k = 0; k < dense.kernels; ++k) {
    const size_t from = (size_t{first} * kernels + k) * grouped.channels * plane;
    const size_t to = (size_t{k} * dense.channels + size_t{k / kernels} * grouped.channels) * plane;
    std::copy_n(weights.begin() + static_cast<std::ptrdiff_t>(from), grouped.channels * plane,
                out.begin() + static_cast<std::ptrdiff_t>(to));
  }
  return out;
}

std::vector<int8_t> rows_to_channels(WeightShape& shape, uint32_t atom,
                                     std::span<const int8_t> weights) {
  const uint32_t channels = shape.height * atom;
  std::vector<int8_t> out(size_t{shape.kernels} * channels * shape.width);
  const int8_t* from = weights.data();
  for (uint32_t k = 0; k < shape.kernels; ++k) {
    for (uint32_t c = 0; c < shape.channels; ++c) {
      for (uint32_t r = 0; r < shape.height; ++r, from += shape.width)
        std::copy_n(from, shape.width,
                    &out[(size_t{k} * channels + size_t{r} * atom + c) * shape.width]);
    }
  }
  shape.channels = channels;
  shape.height = 1;
  return out;
}

std::vector<uint8_t> chunk_weights(const HwConfig& hw, const ChunkWeights& chunk,
                                   std::span<const int8_t> weights) {
  WeightShape shape = chunk.grouped;
  std::vector<int8_t> made;
  if (chunk.groups != 1)
    weights = made =
        densify_weights(chunk.grouped, chunk.groups, chunk.first, chunk.count, weights, shape);
  if (chunk.pixel_channels != 0)
    weights = made = fold_image_weights(shape, chunk.pixel_channels, weights);
  if (chunk.rows_as_channels)
    weights = made = rows_to_channels(shape, hw.memory_atomic_size, weights);
  return pack_weights(hw, shape, chunk.y_extension, weights);
}

std::vector<uint8_t> pack_feature(const Shape& shape, uint32_t atom,
                                  std::span<const int8_t> values) {
  const auto pixels = static_cast<size_t>(shape.h * shape.w);
  const auto channels = static_cast<size_t>(shape.c);
  std::vector<uint8_t> out((channels + atom - 1) / atom * pixels * atom);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t p = 0; p < pixels; ++p)
      out[(c / atom * pixels + p) * atom + c % atom] = static_cast<uint8_t>(values[c * pixels + p]);
  }
  return out;
}

std::vector<uint8_t> pack_operands(const HwConfig& hw, std::span<const int16_t> alu,
                                   std::span<const int16_t> mul) {
  const size_t channels = std::max(alu.size(), mul.size());
  const size_t padded =
      (channels + hw.memory_atomic_size - 1) / hw.memory_atomic_size * hw.memory_atomic_size;
  std::vector<uint8_t> out;
  const auto put = [&](std::span<const int16_t> values, size_t i) {
    const auto v = static_cast<uint16_t>(i < values.size() ? values[i] : 0);
    out.push_back(static_cast<uint8_t>(v & 0xff));
    out.push_back(static_cast<uint8_t>(v >> 8));
  };
  for (size_t i = 0; i < padded; ++i) {
    if (!alu.empty()) put(alu, i);
    if (!mul.empty()) put(mul, i);
  }
  return out;
}

}  // namespace dlavp::compiler
