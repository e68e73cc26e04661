#include "models/pdp/pdp_op.hpp"

#include <algorithm>
#include <limits>

#include "models/common/fixed_point.hpp"
#include "registers.hpp"

namespace dlavp::pdp {

namespace {

namespace r = regs::pdp;
namespace rd = regs::pdp_rdma;

constexpr uint32_t kMaxKernel = 8;
constexpr uint32_t kLineBufferBanks = 8, kAtomsPerBank = 16;
// What the functional core is willing to hold of one cube.
constexpr uint64_t kMaxCubeBytes = uint64_t{1} << 31;
constexpr unsigned kPadValueBits = 19;

/// Collects errors under one place.
class Checker {
 public:
  explicit Checker(unsigned group) : place_(fmt::format("PDP group {}", group)) {}
  void require(bool ok, const char* id, const std::string& message) {
    if (!ok) errors_.add(id, place_, message);
  }
  [[nodiscard]] const Diagnostics& errors() const { return errors_; }

 private:
  std::string place_;
  Diagnostics errors_;
};

/// Windows along one axis, and whether each of them has an element inside the cube.
struct Axis {
  uint32_t windows = 0;
  bool inside = true;
  /// More windows begin in the padding than there are outputs, and input stays unused: hardware
  /// then emits an unfinished window as well and shifts its output.
  bool emits_unfinished = false;
  /// Windows behind the last element that the hardware flushes, and that there are.
  uint32_t flushed = 0, behind = 0;
};

/// The hardware counts flushed windows from the padding, as if all of it were used: whole strides
/// of the padding behind; of an axis that is narrower than the first window, what is left behind
/// that one, if it is whole strides.
uint32_t flushed_windows(uint32_t size, uint32_t pad_before, uint32_t pad_after, uint32_t kernel,
                         uint32_t stride) {
  const uint32_t strides = pad_after / stride;
  if (strides == 0 || size + pad_before >= kernel) return strides;
  const uint32_t left = size + pad_before + pad_after - kernel;
  return left % stride == 0 ? left / stride : 0;
}

/// Windows that end behind the last element, without the one that leaves with it.
uint32_t windows_behind(uint32_t size, uint32_t pad_before, uint32_t windows, uint32_t kernel,
                        uint32_t stride) {
  const uint32_t end = (windows - 1) * stride + kernel, inside = size + pad_before;
  return end <= inside ? 0 : std::min(windows - 1, (end - inside) / stride);
}

Axis axis(uint32_t size, uint32_t pad_before, uint32_t pad_after, uint32_t kernel,
          uint32_t stride) {
  Axis out;
  const uint32_t padded = size + pad_before + pad_after;
  if (padded < kernel) return out;
  out.windows = (padded - kernel) / stride + 1;
  out.inside = pad_before < kernel && (out.windows - 1) * stride < size + pad_before;
  out.emits_unfinished = pad_before / stride >= out.windows && (padded - kernel) % stride != 0;
  out.flushed = flushed_windows(size, pad_before, pad_after, kernel, stride);
  out.behind = windows_behind(size, pad_before, out.windows, kernel, stride);
  return out;
}

std::vector<Band> split_bands(const regs::RegView& pdp, const PdpOp& op, uint32_t bands,
                              uint32_t pad_left, uint32_t pad_right) {
  const uint32_t in_first = pdp.get(r::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_FIRST) + 1;
  const uint32_t in_mid = pdp.get(r::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_MID) + 1;
  const uint32_t in_last = pdp.get(r::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_LAST) + 1;
  const uint32_t out_first = pdp.get(r::D_PARTIAL_WIDTH_OUT_PARTIAL_WIDTH_OUT_FIRST) + 1;
  const uint32_t out_mid = pdp.get(r::D_PARTIAL_WIDTH_OUT_PARTIAL_WIDTH_OUT_MID) + 1;
  const uint32_t out_last = pdp.get(r::D_PARTIAL_WIDTH_OUT_PARTIAL_WIDTH_OUT_LAST) + 1;
  // Neighbouring bands share kernel - stride columns (or leave stride - kernel out).
  const int64_t overlap = int64_t{op.kernel_width} - op.stride_x;
  std::vector<Band> out;
  int64_t next_in = 0;
  uint32_t next_out = 0;
  for (uint32_t i = 0; i < bands; ++i) {
    const bool first = i == 0, last = i + 1 == bands;
    Band band;
    const int64_t width = first ? int64_t{in_first} : int64_t{last ? in_last : in_mid} + overlap;
    band.in_first = static_cast<uint32_t>(std::max<int64_t>(next_in, 0));
    band.in_width = next_in >= 0 && width > 0 ? static_cast<uint32_t>(width) : 0;
    band.out_first = next_out;
    band.out_width = first ? out_first : last ? out_last : out_mid;
    band.pad_left = first ? pad_left : 0;
    band.pad_right = last ? pad_right : 0;
    next_in += first ? int64_t{in_first} - overlap : int64_t{in_mid};
    next_out += band.out_width;
    out.push_back(band);
  }
  return out;
}

void decode_window(const regs::RegView& pdp, PdpOp& op, Checker& check) {
  const uint32_t method = pdp.get(r::D_OPERATION_MODE_CFG_POOLING_METHOD);
  check.require(method <= r::D_OPERATION_MODE_CFG_POOLING_METHOD_POOLING_METHOD_MIN, "pdp.method",
                fmt::format("POOLING_METHOD {}, expected 0 (average), 1 (max) or 2 (min)", method));
  op.method = method == r::D_OPERATION_MODE_CFG_POOLING_METHOD_POOLING_METHOD_MAX ? Method::kMax
              : method == r::D_OPERATION_MODE_CFG_POOLING_METHOD_POOLING_METHOD_MIN
                  ? Method::kMin
                  : Method::kAverage;
  op.kernel_width = pdp.get(r::D_POOLING_KERNEL_CFG_KERNEL_WIDTH) + 1;
  op.kernel_height = pdp.get(r::D_POOLING_KERNEL_CFG_KERNEL_HEIGHT) + 1;
  op.stride_x = pdp.get(r::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_WIDTH) + 1;
  op.stride_y = pdp.get(r::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_HEIGHT) + 1;
  check.require(op.kernel_width <= kMaxKernel && op.kernel_height <= kMaxKernel, "pdp.kernel_size",
                fmt::format("KERNEL_WIDTH {} x KERNEL_HEIGHT {} (true sizes), at most {}",
                            op.kernel_width, op.kernel_height, kMaxKernel));
  op.pad_top = pdp.get(r::D_POOLING_PADDING_CFG_PAD_TOP);
  op.pad_bottom = pdp.get(r::D_POOLING_PADDING_CFG_PAD_BOTTOM);
  const regs::Field pads[] = {
      r::D_POOLING_PADDING_VALUE_1_CFG_PAD_VALUE_1X, r::D_POOLING_PADDING_VALUE_2_CFG_PAD_VALUE_2X,
      r::D_POOLING_PADDING_VALUE_3_CFG_PAD_VALUE_3X, r::D_POOLING_PADDING_VALUE_4_CFG_PAD_VALUE_4X,
      r::D_POOLING_PADDING_VALUE_5_CFG_PAD_VALUE_5X, r::D_POOLING_PADDING_VALUE_6_CFG_PAD_VALUE_6X,
      r::D_POOLING_PADDING_VALUE_7_CFG_PAD_VALUE_7X};
  for (size_t i = 0; i < std::size(pads); ++i)
    op.pad_value[i + 1] = static_cast<int32_t>(sign_extend(pdp.get(pads[i]), kPadValueBits));
  op.recip_width = pdp.get(r::D_RECIP_KERNEL_WIDTH_RECIP_KERNEL_WIDTH);
  op.recip_height = pdp.get(r::D_RECIP_KERNEL_HEIGHT_RECIP_KERNEL_HEIGHT);
}

void decode_sizes(const regs::RegView& pdp, const HwConfig& hw, PdpOp& op, Checker& check) {
  const uint32_t atom = hw.memory_atomic_size;
  op.in.height = pdp.get(r::D_DATA_CUBE_IN_HEIGHT_CUBE_IN_HEIGHT) + 1;
  op.in.channels = pdp.get(r::D_DATA_CUBE_IN_CHANNEL_CUBE_IN_CHANNEL) + 1;
  op.out.height = pdp.get(r::D_DATA_CUBE_OUT_HEIGHT_CUBE_OUT_HEIGHT) + 1;
  op.out.channels = pdp.get(r::D_DATA_CUBE_OUT_CHANNEL_CUBE_OUT_CHANNEL) + 1;
  op.surfaces = (op.in.channels + atom - 1) / atom;
  const uint32_t out_surfaces = (op.out.channels + atom - 1) / atom;
  check.require(op.surfaces == out_surfaces, "pdp.channels",
                fmt::format("CUBE_IN_CHANNEL {} and CUBE_OUT_CHANNEL {} (true sizes) differ in "
                            "memory atoms ({} and {})",
                            op.in.channels, op.out.channels, op.surfaces, out_surfaces));
  const uint32_t pad_left = pdp.get(r::D_POOLING_PADDING_CFG_PAD_LEFT);
  const uint32_t pad_right = pdp.get(r::D_POOLING_PADDING_CFG_PAD_RIGHT);
  const uint32_t bands = pdp.get(r::D_OPERATION_MODE_CFG_SPLIT_NUM) + 1;
  check.require(bands == 1 || !op.on_the_fly, "pdp.split_on_the_fly",
                fmt::format("SPLIT_NUM {} with FLYING_MODE ON_FLYING: only memory input can be "
                            "split",
                            bands - 1));
  if (bands == 1) {
    op.in.width = pdp.get(r::D_DATA_CUBE_IN_WIDTH_CUBE_IN_WIDTH) + 1;
    op.out.width = pdp.get(r::D_DATA_CUBE_OUT_WIDTH_CUBE_OUT_WIDTH) + 1;
    op.bands = {{0, op.in.width, 0, op.out.width, pad_left, pad_right}};
  } else {
    op.bands = split_bands(pdp, op, bands, pad_left, pad_right);
    for (const Band& band : op.bands)
      op.in.width = std::max(op.in.width, band.in_first + band.in_width);
    op.out.width = op.bands.back().out_first + op.bands.back().out_width;
  }
}

void check_flushes(const char* name, uint32_t pad, uint32_t stride, const Axis& axis,
                   Checker& check) {
  check.require(axis.flushed == axis.behind, "pdp.unsupported_unused_padding",
                fmt::format("{} {} with stride {} flushes {} windows, {} end in it", name, pad,
                            stride, axis.flushed, axis.behind));
}

void check_windows(const PdpOp& op, Checker& check) {
  const bool split = op.bands.size() > 1;
  const uint32_t limit = line_buffer_width(op.kernel_height, op.stride_y);
  for (size_t i = 0; i < op.bands.size(); ++i) {
    const Band& band = op.bands[i];
    const Axis x = axis(band.in_width, band.pad_left, band.pad_right, op.kernel_width, op.stride_x);
    check.require(
        band.in_width > 0 && x.windows == band.out_width,
        split ? "pdp.partial_width" : "pdp.out_width",
        fmt::format("{} {}, expected {} (band {}: in {}, pad left {}, right {}, kernel {}, "
                    "stride {})",
                    split ? "PARTIAL_WIDTH_OUT" : "CUBE_OUT_WIDTH", band.out_width, x.windows, i,
                    band.in_width, band.pad_left, band.pad_right, op.kernel_width, op.stride_x));
    check.require(
        x.inside, "pdp.padding_width",
        fmt::format("PAD_LEFT {}, PAD_RIGHT {}: a window of kernel {}, stride {} lies "
                    "outside the {} columns",
                    band.pad_left, band.pad_right, op.kernel_width, op.stride_x, band.in_width));
    check.require(
        !x.emits_unfinished, "pdp.unsupported_open_window",
        fmt::format("PAD_LEFT {} with stride {} begins {} windows, the output has {}",
                    band.pad_left, op.stride_x, band.pad_left / op.stride_x + 1, x.windows));
    check_flushes("PAD_RIGHT", band.pad_right, op.stride_x, x, check);
    check.require(band.out_width <= limit, "pdp.line_buffer",
                  fmt::format("output width {} of band {}, the line buffer holds {} for kernel "
                              "height {}, stride {}",
                              band.out_width, i, limit, op.kernel_height, op.stride_y));
  }
  const Axis y = axis(op.in.height, op.pad_top, op.pad_bottom, op.kernel_height, op.stride_y);
  check.require(y.windows == op.out.height, "pdp.out_height",
                fmt::format("CUBE_OUT_HEIGHT {}, expected {} (in {}, pad top {}, bottom {}, kernel "
                            "{}, stride {})",
                            op.out.height, y.windows, op.in.height, op.pad_top, op.pad_bottom,
                            op.kernel_height, op.stride_y));
  check.require(!y.emits_unfinished, "pdp.unsupported_open_window",
                fmt::format("PAD_TOP {} with stride {} begins {} windows, the output has {}",
                            op.pad_top, op.stride_y, op.pad_top / op.stride_y + 1, y.windows));
  check_flushes("PAD_BOTTOM", op.pad_bottom, op.stride_y, y, check);
  check.require(
      y.inside, "pdp.padding_height",
      fmt::format("PAD_TOP {}, PAD_BOTTOM {}: a window of kernel {}, stride {} lies "
                  "outside the {} lines",
                  op.pad_top, op.pad_bottom, op.kernel_height, op.stride_y, op.in.height));
}

void decode_memory(const regs::RegView& pdp, const regs::RegView& rdma, const HwConfig& hw,
                   PdpOp& op, Checker& check) {
  const auto cube = [&](const char* name, CubeRef& ref) {
    check.require(ref.ram == RamType::kMc || hw.secondary_memif.has_value(),
                  "pdp.no_secondary_memory",
                  fmt::format("{}_RAM_TYPE CV, the configuration has no CVIF", name));
    const uint32_t atom = hw.memory_atomic_size;
    check.require(
        ref.address % atom == 0 && ref.line_stride % atom == 0 && ref.surface_stride % atom == 0,
        "pdp.alignment",
        fmt::format("{} address {:#x}, line stride {:#x}, surface stride {:#x}: each must "
                    "be a multiple of the memory atom, {}",
                    name, ref.address, ref.line_stride, ref.surface_stride, atom));
  };
  op.dst = {static_cast<RamType>(pdp.get(r::D_DST_RAM_CFG_DST_RAM_TYPE)),
            pdp.address(r::D_DST_BASE_ADDR_HIGH_DST_BASE_ADDR_HIGH,
                        r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW),
            pdp.get(r::D_DST_LINE_STRIDE_DST_LINE_STRIDE),
            pdp.get(r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE)};
  cube("DST", op.dst);
  op.count_write_stalls = pdp.flag(r::D_PERF_ENABLE_DMA_EN);
  if (op.on_the_fly) return;
  op.src = {static_cast<RamType>(rdma.get(rd::D_SRC_RAM_CFG_SRC_RAM_TYPE)),
            rdma.address(rd::D_SRC_BASE_ADDR_HIGH_SRC_BASE_ADDR_HIGH,
                         rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW),
            rdma.get(rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE),
            rdma.get(rd::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE)};
  cube("SRC", op.src);
  op.count_read_stalls = rdma.flag(rd::D_PERF_ENABLE_DMA_EN);
}

/// The registers that PDP and its read DMA both have must agree where they matter.
void check_rdma(const regs::RegView& pdp, const regs::RegView& rdma, const PdpOp& op,
                const HwConfig& hw, Checker& check) {
  const auto same = [&](const char* name, uint32_t ours, uint32_t theirs) {
    check.require(ours == theirs, "pdp.rdma_mismatch",
                  fmt::format("{} {} in PDP, {} in PDP_RDMA", name, ours, theirs));
  };
  const bool split = op.bands.size() > 1;
  same("SPLIT_NUM", static_cast<uint32_t>(op.bands.size()) - 1,
       rdma.get(rd::D_OPERATION_MODE_CFG_SPLIT_NUM));
  same("CUBE_IN_HEIGHT", op.in.height - 1, rdma.get(rd::D_DATA_CUBE_IN_HEIGHT_CUBE_IN_HEIGHT));
  same("CUBE_IN_CHANNEL (in atoms)", (op.in.channels - 1) / hw.memory_atomic_size,
       rdma.get(rd::D_DATA_CUBE_IN_CHANNEL_CUBE_IN_CHANNEL) / hw.memory_atomic_size);
  if (!split) {
    same("CUBE_IN_WIDTH", op.in.width - 1, rdma.get(rd::D_DATA_CUBE_IN_WIDTH_CUBE_IN_WIDTH));
    return;
  }
  same("KERNEL_WIDTH", op.kernel_width - 1, rdma.get(rd::D_POOLING_KERNEL_CFG_KERNEL_WIDTH));
  same("KERNEL_STRIDE_WIDTH", op.stride_x - 1,
       rdma.get(rd::D_POOLING_KERNEL_CFG_KERNEL_STRIDE_WIDTH));
  same("PARTIAL_WIDTH_IN_FIRST", pdp.get(r::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_FIRST),
       rdma.get(rd::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_FIRST));
  same("PARTIAL_WIDTH_IN_LAST", pdp.get(r::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_LAST),
       rdma.get(rd::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_LAST));
  if (op.bands.size() > 2)
    same("PARTIAL_WIDTH_IN_MID", pdp.get(r::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_MID),
         rdma.get(rd::D_PARTIAL_WIDTH_IN_PARTIAL_WIDTH_IN_MID));
}

void check_size(const PdpOp& op, const HwConfig& hw, Checker& check) {
  const uint64_t bytes = std::max(op.in.pixels(), op.out.pixels()) * op.surfaces;
  check.require(bytes <= kMaxCubeBytes / hw.memory_atomic_size, "pdp.unsupported_size",
                fmt::format("a cube of {} memory atoms, at most {} are modelled", bytes,
                            kMaxCubeBytes / hw.memory_atomic_size));
}

}  // namespace

uint32_t line_buffer_rows(uint32_t kernel_height, uint32_t stride_y) {
  if (stride_y >= kernel_height) return 1;
  if (stride_y > 3) return 2;
  return (kernel_height + stride_y - 1) / stride_y;
}

uint32_t line_buffer_width(uint32_t kernel_height, uint32_t stride_y) {
  // Windows of one line are complete at once: nothing waits in the buffer.
  if (kernel_height == 1) return std::numeric_limits<uint32_t>::max();
  // Banks are merged so that each row of partial results gets the same share.
  const uint32_t rows = line_buffer_rows(kernel_height, stride_y);
  const uint32_t shares = rows == 1 ? 1 : rows == 2 ? 2 : rows <= 4 ? 4 : 8;
  return kAtomsPerBank * kLineBufferBanks / shares;
}

uint32_t PdpOp::unused_lines() const {
  const uint32_t used = (out.height - 1) * stride_y + kernel_height;
  return used < in.height + pad_top ? in.height + pad_top - used : 0;
}

std::string PdpOp::summary() const {
  const char* name = method == Method::kAverage ? "average"
                     : method == Method::kMax   ? "max"
                                                : "min";
  return fmt::format("{} {}x{}x{} -> {}x{}x{}, kernel {}x{}, stride {}x{}{}{}", name, in.width,
                     in.height, in.channels, out.width, out.height, out.channels, kernel_width,
                     kernel_height, stride_x, stride_y,
                     bands.size() > 1 ? fmt::format(", {} bands", bands.size()) : "",
                     on_the_fly ? ", from SDP" : "");
}

Result<PdpOp> decode(const regs::RegView& pdp, const regs::RegView& rdma, const HwConfig& hw) {
  Checker check(pdp.group());
  PdpOp op;
  op.on_the_fly =
      pdp.get(r::D_OPERATION_MODE_CFG_FLYING_MODE) == r::D_OPERATION_MODE_CFG_FLYING_MODE_ON_FLYING;
  // An int8-only design ignores the field.
  const uint32_t precision = pdp.get(r::D_DATA_FORMAT_INPUT_DATA);
  if (hw.supports_feature(DataType::kInt16) || hw.supports_feature(DataType::kFp16))
    check.require(precision == r::D_DATA_FORMAT_INPUT_DATA_INT8, "pdp.unsupported_precision",
                  fmt::format("INPUT_DATA {}, only 0 (INT8) is modelled", precision));
  decode_window(pdp, op, check);
  decode_sizes(pdp, hw, op, check);
  decode_memory(pdp, rdma, hw, op, check);
  check_windows(op, check);
  if (!op.on_the_fly) check_rdma(pdp, rdma, op, hw, check);
  check_size(op, hw, check);
  if (!check.errors().empty()) return check.errors();
  return op;
}

}  // namespace dlavp::pdp
