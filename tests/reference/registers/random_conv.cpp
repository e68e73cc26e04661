// The generator of convolutions: a shape that the buffer holds, input in memory as a cube or an
// image, weights with all or part of their bytes in the buffer at once, then SDP and perhaps PDP.
#include <algorithm>

#include "tests/reference/registers/random_ops.hpp"

namespace dlavp::reference {

namespace {

namespace d = regs::cdma;
namespace c = regs::csc;
using regs::Field;
using Settings = std::initializer_list<std::pair<Field, int64_t>>;

void set_all(Registers& regs, Settings settings) {
  for (const auto& [field, value] : settings) regs.set(field, value);
}

uint32_t parts(uint32_t n, uint32_t size) { return (n + size - 1) / size; }

struct PixelLayout {
  uint32_t code, channels, planes;
};
constexpr PixelLayout kPixels[] = {{d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R8, 1, 1},
                                   {d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A8B8G8R8, 4, 1},
                                   {d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A8R8G8B8, 4, 1},
                                   {d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_B8G8R8A8, 4, 1},
                                   {d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R8G8B8A8, 4, 1},
                                   {d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_X8B8G8R8, 4, 1},
                                   {d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_X8R8G8B8, 4, 1},
                                   {d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_B8G8R8X8, 4, 1},
                                   {d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R8G8B8X8, 4, 1},
                                   {d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A8Y8U8V8, 4, 1},
                                   {d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_V8U8Y8A8, 4, 1},
                                   {d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_Y8___U8V8_N444, 3, 2},
                                   {d::D_DATAIN_FORMAT_PIXEL_FORMAT_T_Y8___V8U8_N444, 3, 2}};

struct Shape {
  bool image = false;
  PixelLayout pixel{0, 0, 0};
  uint32_t width = 1, height = 1, channels = 1, kernels = 1;
  uint32_t columns = 1, rows = 1, stride_x = 1, stride_y = 1, dilation_x = 1, dilation_y = 1;
  uint32_t left = 0, right = 0, top = 0, bottom = 0;
  uint32_t out_width = 1, out_height = 1;
  uint32_t extension = 0;  ///< of an image: rows are joined in twos (1) or fours (2)
  uint32_t entries = 1, data_banks = 1, weight_banks = 1, weight_bytes = 0;

  [[nodiscard]] uint32_t kernel_bytes() const { return columns * rows * channels; }
};

/// One axis: padding in front as drawn, behind as much as the last window reaches.
void fit(uint32_t in, uint32_t& kernel, uint32_t stride, uint32_t dilation, uint32_t front,
         uint32_t& behind, uint32_t& out) {
  while ((kernel - 1) * dilation + 1 > in + front + behind) --kernel;
  const uint32_t extent = (kernel - 1) * dilation + 1;
  out = (in + front + behind - extent) / stride + 1;
  const uint32_t reached = (out - 1) * stride + extent;
  behind = reached > in + front ? reached - in - front : 0;
}

/// Buffer entries of a line. The rest of the channels that does not fill an entry's atoms shares
/// entries between two or four pixels where it is narrow enough.
uint32_t line_entries(const Shape& s, const HwConfig& hw) {
  if (s.image) return parts((s.left + s.width + s.right) * s.channels, hw.cbuf_bank_width);
  const uint32_t in_entry = hw.cbuf_bank_width / hw.memory_atomic_size;
  const uint32_t atoms = parts(s.channels, hw.memory_atomic_size), rest = atoms % in_entry;
  uint32_t entries = atoms / in_entry * s.width;
  if (rest != 0) {
    const uint32_t sharing = 4 * rest <= in_entry ? 4 : 2 * rest <= in_entry ? 2 : 1;
    entries += parts(s.width, sharing);
  }
  return entries;
}

/// Halves lines, then the width, until three quarters of the buffer hold the input, padded or not.
void fit_buffer(Shape s, const HwConfig& hw, Shape& fitted) {
  constexpr uint32_t kMostPadding = 4;
  s.left = s.right = kMostPadding;
  const uint32_t room = hw.cbuf_bank_depth * std::max(1u, hw.cbuf_bank_number / 4 * 3);
  while (line_entries(s, hw) * s.height > room) {
    uint32_t& size = s.height > 1 ? s.height : s.width;
    size = parts(size, 2);
  }
  fitted.width = s.width;
  fitted.height = s.height;
}

void draw_window(Shape& s, Random& random) {
  s.columns = random.chance(3) ? 1 : 1 + random.below(5);
  s.rows = random.chance(3) ? 1 : 1 + random.below(5);
  s.stride_x = 1 + random.below(random.flip() ? 1 : 4);
  s.stride_y = 1 + random.below(random.flip() ? 1 : 4);
  const bool dilated = random.chance(4);
  const uint32_t dilation_x = 1 + random.below(4), dilation_y = 1 + random.below(4);
  if (dilated && !s.image) {
    s.dilation_x = dilation_x;
    s.dilation_y = dilation_y;
  }
  const bool padded = random.flip();
  uint32_t pads[4];
  for (uint32_t& pad : pads) pad = padded ? random.below(5) : random.below(1);
  s.left = std::min(pads[0], (s.columns - 1) * s.dilation_x);
  s.right = pads[1];
  s.top = std::min(pads[2], (s.rows - 1) * s.dilation_y);
  s.bottom = pads[3];
  fit(s.width, s.columns, s.stride_x, s.dilation_x, s.left, s.right, s.out_width);
  fit(s.height, s.rows, s.stride_y, s.dilation_y, s.top, s.bottom, s.out_height);
}

/// As many kernel rows joined as drawn, if the multipliers' inputs hold them.
void draw_extension(Shape& s, Random& random, const HwConfig& hw) {
  s.extension = random.below(3);
  const uint32_t widest = std::max(s.columns, s.stride_x) * s.channels;
  while (s.extension > 0 && widest > hw.mac_atomic_c_size >> s.extension) --s.extension;
  if (!s.image) s.extension = 0;
}

/// Shares the buffer out. Weights may have less than all their bytes, but two kernel groups.
void share_banks(Shape& s, Random& random, const HwConfig& hw) {
  constexpr uint32_t kMostWork = 2'000'000;
  const auto work = [&] { return s.out_width * s.out_height * s.kernel_bytes() * s.kernels; };
  while (s.kernels > 1 && (work() > kMostWork || s.kernels * s.kernel_bytes() > 0x30000))
    s.kernels = parts(s.kernels, 2);
  s.entries = line_entries(s, hw);
  s.data_banks = parts(s.entries * s.height, hw.cbuf_bank_depth);
  const uint32_t bank = hw.cbuf_bank_width * hw.cbuf_bank_depth;
  const uint32_t left = hw.cbuf_bank_number - std::min(hw.cbuf_bank_number, s.data_banks);
  const auto bytes = [&] {
    return parts(s.kernels * s.kernel_bytes(), hw.cbuf_bank_width) * hw.cbuf_bank_width;
  };
  const auto fewest = [&] {
    return std::min(parts(bytes(), bank), parts(2 * hw.mac_atomic_k_size * s.kernel_bytes(), bank));
  };
  while (s.kernels > 1 && fewest() > left) s.kernels = parts(s.kernels, 2);
  s.weight_bytes = bytes();
  const uint32_t all = parts(s.weight_bytes, bank), least = fewest();
  const uint32_t wanted = random.flip() ? least : all + random.below(3);
  DLAVP_CHECK(s.data_banks < hw.cbuf_bank_number && least <= left, "{} data banks, {} for weights",
              s.data_banks, least);
  s.weight_banks = std::min(wanted, left);
}

void program_cdma(Program& p, Random& random, const HwConfig& hw, const Shape& s) {
  set_all(p.cdma, {{d::D_MISC_CFG_CONV_MODE, 0},
                   {d::D_MISC_CFG_IN_PRECISION, 0},
                   {d::D_MISC_CFG_PROC_PRECISION, 0},
                   {d::D_DATAIN_FORMAT_DATAIN_FORMAT, s.image},
                   {d::D_DATAIN_SIZE_0_DATAIN_WIDTH, s.width - 1},
                   {d::D_DATAIN_SIZE_0_DATAIN_HEIGHT, s.height - 1},
                   {d::D_DATAIN_SIZE_1_DATAIN_CHANNEL, s.channels - 1},
                   {d::D_DATAIN_SIZE_EXT_0_DATAIN_WIDTH_EXT, s.width - 1},
                   {d::D_DATAIN_SIZE_EXT_0_DATAIN_HEIGHT_EXT, s.height - 1},
                   {d::D_DAIN_RAM_TYPE_DATAIN_RAM_TYPE, random.ram(hw)},
                   {d::D_DAIN_ADDR_LOW_0_DATAIN_ADDR_LOW_0, kConvInput},
                   {d::D_ENTRY_PER_SLICE_ENTRIES, s.entries - 1},
                   {d::D_FETCH_GRAIN_GRAINS, random.below(std::min(4u, s.height))},
                   {d::D_WEIGHT_SIZE_0_BYTE_PER_KERNEL, s.kernel_bytes() - 1},
                   {d::D_WEIGHT_SIZE_1_WEIGHT_KERNEL, s.kernels - 1},
                   {d::D_WEIGHT_RAM_TYPE_WEIGHT_RAM_TYPE, random.ram(hw)},
                   {d::D_WEIGHT_ADDR_LOW_WEIGHT_ADDR_LOW, kConvWeights + p.atom * random.below(4)},
                   {d::D_WEIGHT_BYTES_WEIGHT_BYTES, s.weight_bytes},
                   {d::D_MEAN_FORMAT_MEAN_FORMAT, random.flip()},
                   {d::D_MEAN_GLOBAL_0_MEAN_RY, random.number(9)},
                   {d::D_MEAN_GLOBAL_0_MEAN_GU, random.number(9)},
                   {d::D_MEAN_GLOBAL_1_MEAN_BV, random.number(9)},
                   {d::D_MEAN_GLOBAL_1_MEAN_AX, random.number(16)},
                   {d::D_CVT_CFG_CVT_EN, random.flip()},
                   {d::D_CVT_CFG_CVT_TRUNCATE, random.below(random.chance(4) ? 64 : 10)},
                   {d::D_CVT_OFFSET_CVT_OFFSET, random.number(random.flip() ? 16 : 8)},
                   {d::D_CVT_SCALE_CVT_SCALE, random.number(random.flip() ? 16 : 6)},
                   {d::D_CONV_STRIDE_CONV_X_STRIDE, s.stride_x - 1},
                   {d::D_CONV_STRIDE_CONV_Y_STRIDE, s.stride_y - 1},
                   {d::D_ZERO_PADDING_PAD_LEFT, s.left},
                   {d::D_ZERO_PADDING_PAD_RIGHT, s.right},
                   {d::D_ZERO_PADDING_PAD_TOP, s.top},
                   {d::D_ZERO_PADDING_PAD_BOTTOM, s.bottom},
                   {d::D_BANK_DATA_BANK, s.data_banks - 1},
                   {d::D_BANK_WEIGHT_BANK, s.weight_banks - 1}});
}

/// Line and surface strides, the pixel format and where an image's first pixel lies.
void place_input(Program& p, Random& random, const Shape& s) {
  const uint32_t line_gap = random.below(3), surface_gap = random.below(3);
  const uint32_t offset = random.below(64);
  const bool sign = random.flip();
  if (!s.image) {
    const uint32_t line = (s.width + line_gap) * p.atom;
    set_all(p.cdma, {{d::D_LINE_STRIDE_LINE_STRIDE, line},
                     {d::D_SURF_STRIDE_SURF_STRIDE, line * s.height + surface_gap * p.atom},
                     {d::D_DAIN_MAP_LINE_PACKED, line_gap == 0},
                     {d::D_DAIN_MAP_SURF_PACKED, line_gap == 0 && surface_gap == 0}});
    return;
  }
  // The widest plane decides how far the offset may go within the first atom.
  const uint32_t bytes = s.pixel.planes == 2 ? 2 : s.pixel.channels;
  const uint32_t x_offset = offset % std::min(32u, p.atom / bytes);
  const auto line = [&](uint32_t pixel_bytes) {
    return (parts((s.width + x_offset) * pixel_bytes, p.atom) + line_gap) * p.atom;
  };
  set_all(p.cdma, {{d::D_DATAIN_FORMAT_PIXEL_FORMAT, s.pixel.code},
                   {d::D_DATAIN_FORMAT_PIXEL_SIGN_OVERRIDE, sign},
                   {d::D_PIXEL_OFFSET_PIXEL_X_OFFSET, x_offset},
                   {d::D_LINE_STRIDE_LINE_STRIDE, line(s.pixel.planes == 2 ? 1 : bytes)},
                   {d::D_LINE_UV_STRIDE_UV_LINE_STRIDE, line(2)},
                   {d::D_DAIN_ADDR_LOW_1_DATAIN_ADDR_LOW_1, kConvSecondPlane}});
}

void program_csc(Program& p, const Shape& s) {
  const uint32_t extended = s.image ? s.columns * s.channels : s.channels;
  set_all(p.csc, {{c::D_MISC_CFG_CONV_MODE, 0},
                  {c::D_MISC_CFG_IN_PRECISION, 0},
                  {c::D_MISC_CFG_PROC_PRECISION, 0},
                  {c::D_DATAIN_FORMAT_DATAIN_FORMAT, s.image},
                  {c::D_DATAIN_SIZE_EXT_0_DATAIN_WIDTH_EXT, s.width - 1},
                  {c::D_DATAIN_SIZE_EXT_0_DATAIN_HEIGHT_EXT, s.height - 1},
                  {c::D_DATAIN_SIZE_EXT_1_DATAIN_CHANNEL_EXT, s.channels - 1},
                  {c::D_POST_Y_EXTENSION_Y_EXTENSION, s.extension},
                  {c::D_ENTRY_PER_SLICE_ENTRIES, s.entries - 1},
                  {c::D_WEIGHT_SIZE_EXT_0_WEIGHT_WIDTH_EXT, s.image ? 0 : s.columns - 1},
                  {c::D_WEIGHT_SIZE_EXT_0_WEIGHT_HEIGHT_EXT, s.rows - 1},
                  {c::D_WEIGHT_SIZE_EXT_1_WEIGHT_CHANNEL_EXT, extended - 1},
                  {c::D_WEIGHT_SIZE_EXT_1_WEIGHT_KERNEL, s.kernels - 1},
                  {c::D_WEIGHT_BYTES_WEIGHT_BYTES, s.weight_bytes},
                  {c::D_DATAOUT_SIZE_0_DATAOUT_WIDTH, s.out_width - 1},
                  {c::D_DATAOUT_SIZE_0_DATAOUT_HEIGHT, s.out_height - 1},
                  {c::D_DATAOUT_SIZE_1_DATAOUT_CHANNEL, s.kernels - 1},
                  {c::D_ATOMICS_ATOMICS, s.out_width * s.out_height - 1},
                  {c::D_RELEASE_RLS_SLICES, s.height - 1},
                  {c::D_CONV_STRIDE_EXT_CONV_X_STRIDE_EXT, s.stride_x - 1},
                  {c::D_CONV_STRIDE_EXT_CONV_Y_STRIDE_EXT, s.stride_y - 1},
                  {c::D_DILATION_EXT_X_DILATION_EXT, s.dilation_x - 1},
                  {c::D_DILATION_EXT_Y_DILATION_EXT, s.dilation_y - 1},
                  {c::D_ZERO_PADDING_PAD_LEFT, s.left},
                  {c::D_ZERO_PADDING_PAD_TOP, s.top},
                  {c::D_BANK_DATA_BANK, s.data_banks - 1},
                  {c::D_BANK_WEIGHT_BANK, s.weight_banks - 1}});
}

}  // namespace

void make_conv(Program& p, Random& random, const HwConfig& hw, const Size& size) {
  namespace a = regs::cacc;
  Shape s;
  s.image = random.chance(3);
  s.pixel = kPixels[random.below(std::size(kPixels))];
  s.width = size.width;
  s.height = size.height;
  s.channels = s.image ? s.pixel.channels : size.channels;
  s.kernels = size.kernels;
  fit_buffer(s, hw, s);
  draw_window(s, random);
  draw_extension(s, random, hw);
  share_banks(s, random, hw);
  program_cdma(p, random, hw, s);
  place_input(p, random, s);
  program_csc(p, s);
  const int64_t pad = random.flip() ? 0 : random.number(8);
  p.cdma.set(d::D_ZERO_PADDING_VALUE_PAD_VALUE, pad);
  p.csc.set(c::D_ZERO_PADDING_VALUE_PAD_VALUE, pad);
  for (Registers* cmac : {&p.cmac_a, &p.cmac_b})  // the same layout
    set_all(*cmac, {{regs::cmac_a::D_MISC_CFG_CONV_MODE, 0},
                    {regs::cmac_a::D_MISC_CFG_PROC_PRECISION, 0}});
  set_all(p.cacc, {{a::D_MISC_CFG_CONV_MODE, 0},
                   {a::D_MISC_CFG_PROC_PRECISION, 0},
                   {a::D_DATAOUT_SIZE_0_DATAOUT_WIDTH, s.out_width - 1},
                   {a::D_DATAOUT_SIZE_0_DATAOUT_HEIGHT, s.out_height - 1},
                   {a::D_DATAOUT_SIZE_1_DATAOUT_CHANNEL, s.kernels - 1},
                   {a::D_CLIP_CFG_CLIP_TRUNCATE, random.below(random.flip() ? 1 : 17)}});

  const Size out{s.out_width, s.out_height, s.kernels, 1};
  make_sdp(p, random, hw, out);
  constexpr uint32_t kNarrowestLineBuffer = 16;
  const bool to_pdp = random.chance(3) && hw.pdp && out.width <= kNarrowestLineBuffer;
  p.sdp.set(regs::sdp::D_FEATURE_MODE_CFG_FLYING_MODE, 1);
  p.sdp.set(regs::sdp::D_FEATURE_MODE_CFG_OUTPUT_DST, to_pdp);
  p.sdp_rdma.set(regs::sdp_rdma::D_FEATURE_MODE_CFG_FLYING_MODE, 1);
  if (to_pdp) make_pdp(p, random, hw, out, true);
}

ConvPair make_conv_pair(const Program& like, Random& random, const HwConfig& hw, const Size& size) {
  constexpr uint32_t kElsewhere = 0x8000, kNowhere = 0x700000;
  ConvPair pair{like, like, like};
  make_conv(pair.first, random, hw, size);
  Program& second = pair.second = pair.first;
  const uint64_t weight_room = hw.bank_bytes() * (pair.first.cdma.get(d::D_BANK_WEIGHT_BANK) + 1);
  const bool weights_fit = pair.first.cdma.get(d::D_WEIGHT_BYTES_WEIGHT_BYTES) <= weight_room;
  const bool reuse_weights = weights_fit && random.flip();
  const bool reuse_data = !reuse_weights || random.chance(4);
  for (Program* p : {&pair.first, &second}) {
    const bool last = p == &second;
    set_all(p->cdma,
            {{last ? d::D_MISC_CFG_DATA_REUSE : d::D_MISC_CFG_SKIP_DATA_RLS, reuse_data},
             {last ? d::D_MISC_CFG_WEIGHT_REUSE : d::D_MISC_CFG_SKIP_WEIGHT_RLS, reuse_weights}});
    set_all(p->csc,
            {{last ? c::D_MISC_CFG_DATA_REUSE : c::D_MISC_CFG_SKIP_DATA_RLS, reuse_data},
             {last ? c::D_MISC_CFG_WEIGHT_REUSE : c::D_MISC_CFG_SKIP_WEIGHT_RLS, reuse_weights}});
  }
  const auto move = [&](Registers& regs, const Field& low, uint32_t bytes) {
    regs.set(low, int64_t{regs.get(low)} + bytes);
  };
  if (!reuse_data) move(second.cdma, d::D_DAIN_ADDR_LOW_0_DATAIN_ADDR_LOW_0, kElsewhere);
  if (!reuse_weights) move(second.cdma, d::D_WEIGHT_ADDR_LOW_WEIGHT_ADDR_LOW, kElsewhere);
  move(second.sdp, regs::sdp::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, 0x100000);
  move(second.pdp, regs::pdp::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, 0x100000);
  pair.meant = second;
  // What is reused must not be fetched: nothing of use lies at its address.
  if (reuse_data) second.cdma.set(d::D_DAIN_ADDR_LOW_0_DATAIN_ADDR_LOW_0, kNowhere);
  if (reuse_weights) second.cdma.set(d::D_WEIGHT_ADDR_LOW_WEIGHT_ADDR_LOW, kNowhere);
  return pair;
}

}  // namespace dlavp::reference
