// Changes to inputs that keep their form, so that fuzzing goes on behind the first checks of a
// reader: lines and numbers of text, the parts of a loadable, the parts of an ONNX model. `seed`
// decides everything; an empty result means that the input has not the form.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace dlavp::fuzz {

std::vector<uint8_t> mutate_text(std::span<const uint8_t> input, uint32_t seed);
std::vector<uint8_t> mutate_loadable(std::span<const uint8_t> input, uint32_t seed);
std::vector<uint8_t> mutate_onnx(std::span<const uint8_t> input, uint32_t seed);

}  // namespace dlavp::fuzz
