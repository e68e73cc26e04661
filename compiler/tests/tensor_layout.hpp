// NCHW values to and from the memory of bound tensors, for tests that run loadables.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/driver/compile.hpp"

namespace dlavp::compiler::testing {

/// NCHW bytes of input 0 in the layout of its bound tensor.
inline std::vector<uint8_t> pack_input(const HwConfig& hw, const LayerProgram& layers,
                                       const HwProgram& program, const std::vector<uint8_t>& nchw) {
  const LayerInput& in = layers.inputs[0];
  const Shape& s = layers.tensors[in.tensor].shape;
  const Buffer& b = program.buffers[program.tensor_buffers[in.tensor]];
  std::vector<uint8_t> out(b.size);
  size_t i = 0;
  for (int64_t ch = 0; ch < s.c; ++ch) {
    for (int64_t y = 0; y < s.h; ++y) {
      for (int64_t x = 0; x < s.w; ++x) {
        const int64_t atom = hw.memory_atomic_size;
        const int64_t line = static_cast<int64_t>(b.size) / s.h;
        const int64_t at = in.image ? y * line + x * in.channels + ch
                                    : ((ch / atom * s.h + y) * s.w + x) * atom + ch % atom;
        out[static_cast<size_t>(at)] = nchw[i++];
      }
    }
  }
  return out;
}

/// The NCHW values of a packed feature tensor.
inline std::vector<int8_t> unpack(const HwConfig& hw, const Shape& s,
                                  const std::vector<uint8_t>& bytes) {
  std::vector<int8_t> out;
  const int64_t atom = hw.memory_atomic_size;
  for (int64_t ch = 0; ch < s.c; ++ch) {
    for (int64_t y = 0; y < s.h; ++y) {
      for (int64_t x = 0; x < s.w; ++x) {
        out.push_back(static_cast<int8_t>(
            bytes.at(static_cast<size_t>(((ch / atom * s.h + y) * s.w + x) * atom + ch % atom))));
      }
    }
  }
  return out;
}

}  // namespace dlavp::compiler::testing
