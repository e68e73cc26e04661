// The convolution as CSC, CMAC and CACC compute it. Input lines become one padded int16 image, the
// weights of each kernel one run-ordered row, and every output a dot product of the two. Kernels
// so large that a 32-bit sum could overflow take a slow path that saturates at 34 bits, addition
// by addition, in the hardware's order. Hardware manual: "Convolution pipeline".
#include "models/conv/conv_core.hpp"

#include <algorithm>
#include <span>

#include "models/common/fixed_point.hpp"
#include "models/conv/dot_product.hpp"

namespace dlavp::conv {

namespace {

constexpr unsigned kAccumulatorBits = 34, kResultBits = 32;
constexpr int64_t kLargestProduct = int64_t{128} * 128;

/// A window's elements along a line: pixels of a feature cube, elements of an image line.
struct Geometry {
  uint32_t step_elems;  // from one output pixel to the next
  uint32_t channels;    // elements of one kernel position
  uint32_t columns;     // kernel positions in a line
  size_t pitch;         // elements of one padded line
  uint32_t lines;       // padded lines
};

Geometry geometry(const CscOp& op) {
  Geometry g{};
  g.channels = op.kernel_channels;
  g.columns = op.kernel_width;
  if (op.cbuf.image) {
    g.step_elems = op.stride_x * op.pixel_channels;
    g.pitch = size_t{op.out_width - 1} * g.step_elems + op.kernel_channels;
  } else {
    g.step_elems = op.stride_x * op.kernel_channels;
    g.pitch =
        (size_t{op.out_width - 1} * op.stride_x + size_t{op.kernel_width - 1} * op.dilation_x + 1) *
        g.channels;
  }
  g.lines = (op.out_height - 1) * op.stride_y + (op.kernel_height - 1) * op.dilation_y + 1;
  return g;
}

// Channels of every pixel of a feature line side by side, columns outside it filled with the pad
// value.
void fill_feature_line(const CscOp& op, const Geometry& g, Slice slice, uint32_t atom,
                       int16_t* out) {
  const std::span<const int8_t> in = slice.source->line(slice.line);
  const uint32_t width = op.in_width, columns = static_cast<uint32_t>(g.pitch / g.channels);
  for (uint32_t column = 0; column < columns; ++column, out += g.channels) {
    if (column < op.pad_left || column - op.pad_left >= width) {
      std::fill_n(out, g.channels, int16_t{op.pad_value});
      continue;
    }
    const int8_t* from = in.data() + size_t{column - op.pad_left} * atom;
    for (uint32_t c = 0; c < g.channels; c += atom, from += size_t{width} * atom)
      std::copy_n(from, std::min(atom, g.channels - c), out + c);
  }
}

std::vector<int16_t> padded_input(const CscOp& op, const Geometry& g, const ConvInputs& inputs,
                                  uint32_t atom) {
  std::vector<int16_t> image(g.pitch * g.lines + kDotLanes);
  for (uint32_t row = 0; row < g.lines; ++row) {
    int16_t* out = image.data() + row * g.pitch;
    if (row < op.pad_top || row - op.pad_top >= op.in_height) {
      std::fill_n(out, g.pitch, int16_t{op.pad_value});
      continue;
    }
    const Slice& slice = inputs.slices[row - op.pad_top];
    if (op.cbuf.image)
      std::copy_n(slice.source->line(slice.line).begin(), g.pitch, out);
    else
      fill_feature_line(op, g, slice, atom, out);
  }
  return image;
}

// Calls visit(kernel, row, column, channel, run) for every run of channels in the hardware's order:
// groups of kernels, blocks of channels, kernel rows (joined by y extension) and columns, kernels,
// then the run.
template <typename Visit>
void for_each_weight_run(const CscOp& op, const HwConfig& hw, const std::vector<int8_t>& weights,
                         Visit visit) {
  const int8_t* next = weights.data();
  for (uint32_t group = 0; group < op.kernels; group += hw.mac_atomic_k_size) {
    const uint32_t group_end = std::min(op.kernels, group + hw.mac_atomic_k_size);
    for (uint32_t block = 0; block < op.kernel_channels; block += hw.mac_atomic_c_size) {
      const uint32_t length = std::min(op.kernel_channels - block, hw.mac_atomic_c_size);
      for (uint32_t row = 0; row < op.kernel_height; row += op.y_extension) {
        const uint32_t row_end = std::min(op.kernel_height, row + op.y_extension);
        for (uint32_t column = 0; column < op.kernel_width; ++column)
          for (uint32_t k = group; k < group_end; ++k)
            for (uint32_t r = row; r < row_end; ++r, next += length)
              visit(k, r, column, block, std::span<const int8_t>(next, length));
      }
    }
  }
}

// Sums, pixel after pixel with all kernels side by side, to atoms of the output cube.
ConvResult deliver(const std::vector<int32_t>& sums, size_t row, const CscOp& op,
                   const CaccOp& cacc, uint32_t atom) {
  ConvResult result{AtomCube<int32_t>({op.out_width, op.out_height, op.kernels}, atom), 0};
  int32_t* out = result.cube.values.data();
  for (uint32_t first = 0; first < op.kernels; first += atom) {
    const uint32_t lanes = std::min(atom, op.kernels - first);
    for (size_t pixel = 0; pixel < op.out_pixels(); ++pixel, out += atom) {
      const int32_t* from = sums.data() + pixel * row + first;
      if (cacc.clip_truncate == 0) {
        std::copy_n(from, lanes, out);
        continue;
      }
      for (uint32_t i = 0; i < lanes; ++i) {
        bool saturated = false;
        out[i] = clip_accumulator(from[i], cacc.clip_truncate, saturated);
        result.saturated += saturated;
      }
    }
  }
  return result;
}

ConvResult convolve_fast(const ConvInputs& inputs, const CscOp& op, const CaccOp& cacc,
                         const HwConfig& hw) {
  const Geometry g = geometry(op);
  const std::vector<int16_t> image = padded_input(op, g, inputs, hw.memory_atomic_size);
  // Without dilation the columns of a kernel line are one run of elements.
  const bool joined = op.dilation_x == 1;
  const size_t elems = size_t{g.channels} * (joined ? g.columns : 1);
  DotJob job;
  job.run_length = (elems + kDotLanes - 1) / kDotLanes * kDotLanes;
  for (uint32_t r = 0; r < op.kernel_height; ++r)
    for (uint32_t s = 0; s < (joined ? 1 : g.columns); ++s)
      job.runs.push_back(static_cast<ptrdiff_t>(size_t{r} * op.dilation_y * g.pitch +
                                                size_t{s} * op.dilation_x * g.channels));
  job.kernels = (op.kernels + kDotTile - 1) / kDotTile * kDotTile;
  std::vector<int16_t> rows(job.kernels * job.runs.size() * job.run_length);
  for_each_weight_run(
      op, hw, inputs.weights,
      [&](uint32_t k, uint32_t r, uint32_t s, uint32_t c, std::span<const int8_t> weights) {
        const size_t run = size_t{k} * job.runs.size() + (joined ? r : r * g.columns + s);
        const size_t to = run * job.run_length + (joined ? size_t{s} * g.channels : 0) + c;
        std::copy(weights.begin(), weights.end(), rows.begin() + static_cast<ptrdiff_t>(to));
      });
  job.weights = rows.data();
  for (uint32_t y = 0; y < op.out_height; ++y)
    for (uint32_t x = 0; x < op.out_width; ++x)
      job.pixels.push_back(image.data() + size_t{y} * op.stride_y * g.pitch +
                           size_t{x} * g.step_elems);
  std::vector<int32_t> sums(job.pixels.size() * job.kernels);
  dot_products(job, sums.data());
  return deliver(sums, job.kernels, op, cacc, hw.memory_atomic_size);
}

ConvResult convolve_exact(const ConvInputs& inputs, const CscOp& op, const CaccOp& cacc,
                          const HwConfig& hw) {
  const Geometry g = geometry(op);
  const std::vector<int16_t> image = padded_input(op, g, inputs, hw.memory_atomic_size);
  std::vector<int8_t> weights(op.bytes_per_kernel() * op.kernels);
  const auto at = [&](uint32_t k, uint32_t r, uint32_t s, uint32_t c) {
    return ((size_t{k} * op.kernel_height + r) * g.columns + s) * g.channels + c;
  };
  for_each_weight_run(
      op, hw, inputs.weights,
      [&](uint32_t k, uint32_t r, uint32_t s, uint32_t c, std::span<const int8_t> run) {
        std::copy(run.begin(), run.end(), weights.begin() + static_cast<ptrdiff_t>(at(k, r, s, c)));
      });
  ConvResult result{
      AtomCube<int32_t>({op.out_width, op.out_height, op.kernels}, hw.memory_atomic_size), 0};
  const auto mac = [&](const int16_t* window, uint32_t k, uint32_t r, uint32_t s, uint32_t block) {
    const uint32_t end = std::min(op.kernel_channels, block + hw.mac_atomic_c_size);
    const int16_t* x =
        window + size_t{r} * op.dilation_y * g.pitch + size_t{s} * op.dilation_x * g.channels;
    int64_t sum = 0;
    for (uint32_t c = block; c < end; ++c) sum += x[c] * weights[at(k, r, s, c)];
    return sum;
  };
  for (uint32_t k = 0; k < op.kernels; ++k)
    for (uint32_t y = 0; y < op.out_height; ++y)
      for (uint32_t x = 0; x < op.out_width; ++x) {
        const int16_t* window =
            image.data() + size_t{y} * op.stride_y * g.pitch + size_t{x} * g.step_elems;
        int64_t accumulator = 0;
        for (uint32_t block = 0; block < op.kernel_channels; block += hw.mac_atomic_c_size)
          for (uint32_t r = 0; r < op.kernel_height; ++r)
            for (uint32_t s = 0; s < g.columns; ++s)
              accumulator = saturate(accumulator + mac(window, k, r, s, block), kAccumulatorBits);
        bool saturated = false;
        result.cube.at(x, y, k) = clip_accumulator(accumulator, cacc.clip_truncate, saturated);
        result.saturated += saturated;
      }
  return result;
}

}  // namespace

bool cannot_saturate(const CscOp& csc) {
  return static_cast<int64_t>(csc.bytes_per_kernel()) * kLargestProduct <= signed_max(kResultBits);
}

int32_t clip_accumulator(int64_t accumulator, uint32_t truncate, bool& saturated) {
  constexpr unsigned kKeptBits = 16;
  const int64_t shifted =
      truncate > kKeptBits ? (accumulator >> (truncate - kKeptBits)) : accumulator;
  const int64_t rounded = round_shift_right(shifted, std::min<uint32_t>(truncate, kKeptBits));
  const int64_t clamped = saturate(rounded, kResultBits);
  saturated = clamped != rounded;
  return static_cast<int32_t>(clamped);
}

ConvResult convolve(const ConvInputs& inputs, const CscOp& csc, const CaccOp& cacc,
                    const HwConfig& hw) {
  return cannot_saturate(csc) ? convolve_fast(inputs, csc, cacc, hw)
                              : convolve_exact(inputs, csc, cacc, hw);
}

}  // namespace dlavp::conv
