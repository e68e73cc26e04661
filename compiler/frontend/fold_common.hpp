// What the parts of constant folding share. Internal to the front end.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler/frontend/onnx_model.hpp"

namespace dlavp::compiler::fold {

inline constexpr int64_t kLargest = int64_t{1} << 28;      ///< elements
inline constexpr int64_t kLargestMade = int64_t{1} << 24;  ///< of what is larger than its input

struct Failure {
  std::string message;
};

using Inputs = std::span<const OnnxTensor* const>;
using Outputs = std::vector<OnnxTensor>;
using Dims = std::vector<int64_t>;
using Folder = Outputs (*)(const OnnxNode&, Inputs);

/// Stops folding with the reason.
[[noreturn]] void refuse(std::string message);

/// Elements of `dims`; refuses negative sizes and too many, also where a size of 0 leaves none.
[[nodiscard]] int64_t count(const Dims& dims);
[[nodiscard]] Dims strides_of(const Dims& dims);
[[nodiscard]] const OnnxTensor& need(Inputs in, size_t i);
[[nodiscard]] const Dims& need_ints(Inputs in, size_t i);
[[nodiscard]] const OnnxAttribute* attribute(const OnnxNode& node, const char* name);
[[nodiscard]] int64_t integer(const OnnxNode& node, const char* name, int64_t otherwise);
[[nodiscard]] size_t axis_of(int64_t axis, size_t rank);
/// Axes that are an attribute in older opsets and input `i` in newer ones.
[[nodiscard]] std::optional<Dims> axes_of(const OnnxNode& node, Inputs in, size_t i,
                                          const char* name);
/// A tensor of the same kind whose element i is element `from(i)`.
[[nodiscard]] OnnxTensor pick(const OnnxTensor& t, Dims dims,
                              const std::function<size_t(size_t)>& from);
[[nodiscard]] Dims broadcast(const Dims& a, const Dims& b);
/// Where element `i` of a tensor of `out` dimensions comes from when `dims` is repeated to them.
[[nodiscard]] size_t repeated(size_t i, const Dims& out, const Dims& dims);
[[nodiscard]] OnnxTensor expanded(const OnnxTensor& t, const Dims& dims);
[[nodiscard]] double number(const OnnxTensor& t, size_t i);
/// `v` without its fraction; the nearest of the range where it has none of its own, 0 for a NaN.
[[nodiscard]] int64_t whole(double v);

/// Arithmetic, comparisons, functions of one value, reductions, quantisation.
void add_math_folders(std::map<std::string, Folder>& table);

}  // namespace dlavp::compiler::fold
