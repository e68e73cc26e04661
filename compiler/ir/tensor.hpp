// Shapes, tensors and sliding windows of the typed graph.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace dlavp::compiler {

using TensorId = uint32_t;

struct Shape {
  int64_t n = 1, c = 1, h = 1, w = 1;
  [[nodiscard]] int64_t elements() const { return n * c * h * w; }
  [[nodiscard]] std::string text() const;  ///< "1x16x8x8"
  /// Size along axis 0 (N) to 3 (W).
  [[nodiscard]] int64_t operator[](size_t axis) const { return std::array{n, c, h, w}[axis]; }
  [[nodiscard]] static Shape of(const std::array<int64_t, 4>& sizes) {
    return {sizes[0], sizes[1], sizes[2], sizes[3]};
  }
  bool operator==(const Shape&) const = default;
};

enum class ElementType : uint8_t { kFloat32, kInt8 };

/// What int8 values stand for.
struct Quantisation {
  double scale = 1;
  int32_t zero_point = 0;  ///< the int8 value of zero: -128 to 127
  [[nodiscard]] double real(double stored) const { return scale * (stored - zero_point); }
  [[nodiscard]] std::string text() const;  ///< "scale 0.5 zero -128"
  bool operator==(const Quantisation&) const = default;
};

struct Tensor {
  std::string name;
  Shape shape;
  ElementType type = ElementType::kFloat32;
  std::optional<Quantisation> quantisation;  ///< set by calibration
  bool constant = false;
  std::vector<float> values;  ///< of a constant, row major

  /// What the model or a table prescribes: calibration keeps it.
  std::optional<Quantisation> prescribed = std::nullopt;
  /// Of convolution weights whose int8 values the model prescribes: one scale, or one a kernel;
  /// `values` are whole multiples of it. Empty: quantisation chooses.
  std::vector<double> kernel_scales = {};
};

/// A sliding window, all in elements; kernel sizes are those before dilation.
struct Window {
  uint32_t kernel_h = 1, kernel_w = 1;
  uint32_t stride_h = 1, stride_w = 1;
  uint32_t dilation_h = 1, dilation_w = 1;
  uint32_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  [[nodiscard]] int64_t extent_h() const { return (int64_t{kernel_h} - 1) * dilation_h + 1; }
  [[nodiscard]] int64_t extent_w() const { return (int64_t{kernel_w} - 1) * dilation_w + 1; }
  [[nodiscard]] int64_t out_h(int64_t h) const {
    return (h + pad_top + pad_bottom - extent_h()) / stride_h + 1;
  }
  [[nodiscard]] int64_t out_w(int64_t w) const {
    return (w + pad_left + pad_right - extent_w()) / stride_w + 1;
  }
  [[nodiscard]] bool padded() const { return pad_top + pad_bottom + pad_left + pad_right != 0; }
  [[nodiscard]] std::string text() const;
};

inline constexpr float kUnbounded = std::numeric_limits<float>::infinity();

}  // namespace dlavp::compiler
