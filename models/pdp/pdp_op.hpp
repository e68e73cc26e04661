// PdpOp: one pooling operation with true sizes, decoded once from the registers of PDP and its
// read DMA. Hardware manual: "Planar Data Processor" and its programming guide. int8 only.
#pragma once

#include <array>
#include <vector>

#include "models/common/cube.hpp"
#include "models/common/hw_config.hpp"
#include "models/common/result.hpp"
#include "models/regs/reg_block.hpp"

namespace dlavp::pdp {

enum class Method : uint8_t { kAverage, kMax, kMin };

/// A vertical band of the cube that is pooled by itself. Without splitting there is one.
struct Band {
  uint32_t in_first = 0, in_width = 0;    ///< columns of the input that it reads
  uint32_t out_first = 0, out_width = 0;  ///< columns of the output that it writes
  uint32_t pad_left = 0, pad_right = 0;
  bool operator==(const Band&) const = default;
};

struct PdpOp {
  Method method = Method::kMax;
  bool on_the_fly = false;  ///< input from SDP instead of memory
  CubeSize in, out;
  std::vector<Band> bands;
  uint32_t kernel_width = 1, kernel_height = 1, stride_x = 1, stride_y = 1;
  uint32_t pad_top = 0, pad_bottom = 0;
  std::array<int32_t, 8> pad_value{};          ///< by missing elements; [0] is 0
  uint32_t recip_width = 0, recip_height = 0;  ///< 1.0 is 0x10000
  CubeRef src, dst;
  bool count_read_stalls = false, count_write_stalls = false;

  /// Surfaces (memory atoms along the channels).
  uint32_t surfaces = 0;
  /// Lines at the end of the input that no window uses.
  [[nodiscard]] uint32_t unused_lines() const;
  /// One line for tables.
  [[nodiscard]] std::string summary() const;
};

/// Decodes one group. `rdma` is that of the read DMA, ignored on the fly. Errors: every illegal
/// combination, with the register names and both values.
Result<PdpOp> decode(const regs::RegView& pdp, const regs::RegView& rdma, const HwConfig& hw);

/// Output columns that the line buffer holds for a kernel height and stride; no limit where windows
/// are one line high (measured on the RTL: wider ones then compute right, others lose data or hang).
[[nodiscard]] uint32_t line_buffer_width(uint32_t kernel_height, uint32_t stride_y);

/// Rows of partial results that the line buffer keeps at once.
[[nodiscard]] uint32_t line_buffer_rows(uint32_t kernel_height, uint32_t stride_y);

}  // namespace dlavp::pdp
