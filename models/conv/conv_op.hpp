// The operations of the convolution pipeline's sub-units, decoded once from raw registers: CDMA
// (what is fetched), CSC (what is convolved), CACC (how it is delivered). Hardware manual:
// "Convolution pipeline", "Programming"; sizes are true sizes, addresses byte addresses.
#pragma once

#include <array>
#include <cstdint>

#include "models/common/hw_config.hpp"
#include "models/common/memory.hpp"
#include "models/common/result.hpp"
#include "models/conv/pixel_format.hpp"
#include "models/regs/reg_block.hpp"

namespace dlavp::conv {

/// What CDMA and CSC have in common about one operation's share of the convolution buffer.
struct CbufUse {
  uint32_t data_banks = 0, weight_banks = 0;
  uint32_t entries_per_slice = 0;  ///< buffer entries of one input line over all channels
  bool image = false;              ///< image input (pixel formats), else a feature cube
  bool data_reuse = false, weight_reuse = false;
  bool keep_data = false, keep_weights = false;  ///< SKIP_DATA_RLS, SKIP_WEIGHT_RLS
};

/// The input convertor: ((x - offset) * scale) >> truncate.
struct Convertor {
  bool enable = false;
  bool mean = false;               ///< subtract mean[channel] in place of offset
  std::array<int32_t, 4> means{};  ///< R(Y), G(U), B(V), A(X)
  int32_t offset = 0, scale = 0;
  uint32_t truncate = 0;
};

/// One plane of the input in memory.
struct Plane {
  uint64_t address = 0;
  uint32_t line_stride = 0;
};

struct CdmaOp {
  CbufUse cbuf;
  uint32_t width = 0, height = 0, channels = 0;  ///< input cube or image, without padding
  RamType data_ram = RamType::kMc;
  std::array<Plane, 2> planes;  ///< feature cubes use plane 0
  uint32_t surface_stride = 0;
  uint32_t grain_lines = 1;            ///< lines fetched at a time as if they were one line
  bool one_pixel = false;              ///< 1x1 packed cube: its surfaces are one run of atoms
  PixelFormat format;                  ///< image only
  std::array<uint32_t, 2> x_offset{};  ///< image: pixels before the first, per plane
  uint32_t pad_left = 0, pad_right = 0;
  int8_t pad_value = 0;
  bool signed_pixels = false;
  Convertor convertor;
  RamType weight_ram = RamType::kMc;
  uint64_t weight_address = 0;
  uint64_t weight_bytes = 0;
  uint64_t bytes_per_kernel = 0;
  uint32_t kernels = 0;
  bool count_reads = false;  ///< D_PERF_ENABLE

  /// Image: pixels of one stored line, padding included.
  [[nodiscard]] uint32_t stored_width() const { return pad_left + width + pad_right; }
};

struct CscOp {
  CbufUse cbuf;
  uint32_t in_width = 0, in_height = 0;
  uint32_t pixel_channels = 0;  ///< image: 1, 3 or 4
  uint32_t kernel_width = 0, kernel_height = 0,
           kernel_channels = 0;  ///< image: width 1, channels S*C
  uint32_t kernels = 0;
  uint32_t y_extension = 1;  ///< image: lines joined in one step, 1, 2 or 4
  uint32_t out_width = 0, out_height = 0;
  uint32_t stride_x = 1, stride_y = 1, dilation_x = 1, dilation_y = 1;
  uint32_t pad_left = 0, pad_top = 0;
  int8_t pad_value = 0;
  uint32_t release_slices = 0;
  uint64_t weight_bytes = 0;  ///< as the register says: for the release of kept weights

  [[nodiscard]] uint64_t bytes_per_kernel() const {
    return uint64_t{kernel_width} * kernel_height * kernel_channels;
  }
  [[nodiscard]] uint64_t out_pixels() const { return uint64_t{out_width} * out_height; }
  [[nodiscard]] uint64_t macs() const { return out_pixels() * kernels * bytes_per_kernel(); }
};

struct CaccOp {
  uint32_t clip_truncate = 0;
};

/// Decoders. Errors: one named entry per illegal or unsupported setting; place is "UNIT group N".
[[nodiscard]] Result<CdmaOp> decode_cdma(const regs::RegView& regs, const HwConfig& hw);
[[nodiscard]] Result<CscOp> decode_csc(const regs::RegView& regs, const HwConfig& hw);
[[nodiscard]] Result<CaccOp> decode_cacc(const regs::RegView& regs, const HwConfig& hw);
/// CMAC_A and CMAC_B (they have the same registers) only have a mode to refuse.
[[nodiscard]] Diagnostics check_cmac(const regs::RegView& regs);

/// What the hardware takes for granted between CDMA's and CSC's registers of the same operation.
[[nodiscard]] Diagnostics check_pair(const CdmaOp& cdma, const CscOp& csc);
/// The same for the lines that `csc` reads, which `source` (this or an earlier operation) fetched.
[[nodiscard]] Diagnostics check_lines(const CdmaOp& source, const CscOp& csc, const HwConfig& hw);

/// Entries that one feature slice of `width` x `channels` needs in the convolution buffer.
[[nodiscard]] uint32_t feature_slice_entries(uint32_t width, uint32_t channels, const HwConfig& hw);

}  // namespace dlavp::conv
