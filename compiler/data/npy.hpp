// NumPy's .npy files (versions 1 to 3), C order: read into float, int8 written.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp::compiler {

struct NpyArray {
  std::vector<size_t> shape;
  std::vector<float> values;
  [[nodiscard]] std::string shape_text() const;
};

/// Element types: float 4 and 8 bytes, signed and unsigned integers up to 8 bytes, bool; little
/// endian. Errors: npy.open, npy.format (not an array, truncated, Fortran order), npy.type.
Result<NpyArray> read_npy(const std::string& path);
Result<NpyArray> decode_npy(const std::string& bytes, const std::string& place);

/// The bytes of an int8 array, and of a float array.
[[nodiscard]] std::string encode_npy(const std::vector<size_t>& shape,
                                     const std::vector<int8_t>& values);
[[nodiscard]] std::string encode_npy_floats(const std::vector<size_t>& shape,
                                            const std::vector<float>& values);

}  // namespace dlavp::compiler
