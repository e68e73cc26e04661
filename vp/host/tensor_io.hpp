// Files to tensor bytes and back: images (PGM, PNG, JPEG ...), NumPy arrays, NVIDIA's .dimg, raw
// bytes; into pixel formats or NC/xHWx int8. No resizing: a wrong size is an error.
#pragma once

#include <filesystem>
#include <vector>

#include "vp/host/network.hpp"

namespace dlavp::vp {

/// Reads a file into the bytes of an input tensor's memory: real values (.npy of floats, and pixels
/// of pictures as 0 to 255) with the tensor's scale and zero point, int8 .npy and .dimg as they
/// are. Errors: "run.input" with the file and both sizes.
///
/// `item`: which input of a .npy batch (four dimensions), 0 for all else.
Result<std::vector<uint8_t>> load_input(const std::filesystem::path& path, const IoTensor& tensor,
                                        size_t item = 0);

/// How many inputs a file holds: the first dimension of a .npy batch, else 1. Unreadable files
/// count as one, so that load_input says what is wrong with them.
[[nodiscard]] size_t inputs_in(const std::filesystem::path& path);

/// The bytes of an input tensor's memory from its stored values (pixels, or int8) in C, H, W order
/// of the network's channels. Precondition: the tensor is described, `values` has its elements.
[[nodiscard]] std::vector<uint8_t> pack_stored(const IoTensor& tensor,
                                               std::span<const uint8_t> values);

/// The stored int8 values in C, H, W order; all bytes in order where the tensor is not described.
[[nodiscard]] std::vector<int8_t> unpack_output(const IoTensor& tensor,
                                                std::span<const uint8_t> bytes);

/// Writes an output: .npy (int8, C x H x W), anything else the memory's bytes. Errors:
/// "run.output".
[[nodiscard]] Diagnostics save_output(const std::filesystem::path& path, const IoTensor& tensor,
                                      std::span<const uint8_t> bytes);

}  // namespace dlavp::vp
