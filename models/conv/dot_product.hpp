// The inner kernel of the convolution: dot products of int16 runs, for all pixels against all
// kernels, vectorised for the CPU it runs on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dlavp::conv {

/// Pixels and kernels are processed in tiles of this many; kernels are padded to it.
inline constexpr size_t kDotTile = 4;
/// Run lengths are multiples of this (int16 elements), zero padded on the weights' side.
inline constexpr size_t kDotLanes = 32;

struct DotJob {
  std::vector<const int16_t*> pixels;  ///< first element of each pixel's window
  std::vector<ptrdiff_t> runs;         ///< offset of each run from there
  size_t run_length = 0;             ///< a multiple of kDotLanes; readable beyond the window's end
  const int16_t* weights = nullptr;  ///< kernel after kernel: runs.size() * run_length each
  size_t kernels = 0;                ///< a multiple of kDotTile
};

/// out[pixel * job.kernels + kernel] = sum over runs. No overflow of 32 bits may be possible.
void dot_products(const DotJob& job, int32_t* out);

}  // namespace dlavp::conv
