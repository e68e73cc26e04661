// NumPy's .npy files, versions 1 and 2: int8, uint8 and float32 arrays in C order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp::vp {

enum class NpyType : uint8_t { kInt8, kUint8, kFloat };

struct NpyArray {
  NpyType type = NpyType::kFloat;
  std::vector<uint64_t> shape;
  std::vector<float> values;
};

/// Errors: "npy.file", "npy.header", "npy.type", "npy.size".
Result<NpyArray> load_npy(const std::filesystem::path& path);
[[nodiscard]] Diagnostics save_npy(const std::filesystem::path& path,
                                   const std::vector<uint64_t>& shape,
                                   std::span<const int8_t> values);

}  // namespace dlavp::vp
