// CDMA registers to CdmaOp. Hardware manual: "Convolution DMA" and "Programming"; which registers
// count in which mode is as the RTL reads them: a feature fetch looks at no padding, pixel or mean
// register, an image fetch at no surface stride or fetch grain.
#include "models/conv/decode_common.hpp"
#include "registers.hpp"

namespace dlavp::conv {

namespace {

namespace r = regs::cdma;

constexpr CbufFields kFields{.mode = {r::D_MISC_CFG_CONV_MODE, r::D_MISC_CFG_PROC_PRECISION,
                                      "cdma.unsupported_winograd", "cdma.unsupported_precision"},
                             .in_precision = r::D_MISC_CFG_IN_PRECISION,
                             .data_reuse = r::D_MISC_CFG_DATA_REUSE,
                             .weight_reuse = r::D_MISC_CFG_WEIGHT_REUSE,
                             .skip_data_rls = r::D_MISC_CFG_SKIP_DATA_RLS,
                             .skip_weight_rls = r::D_MISC_CFG_SKIP_WEIGHT_RLS,
                             .datain_format = r::D_DATAIN_FORMAT_DATAIN_FORMAT,
                             .entries = r::D_ENTRY_PER_SLICE_ENTRIES,
                             .data_bank = r::D_BANK_DATA_BANK,
                             .weight_bank = r::D_BANK_WEIGHT_BANK,
                             .weight_format = r::D_WEIGHT_FORMAT_WEIGHT_FORMAT,
                             .batches = r::D_BATCH_NUMBER_BATCHES,
                             .weight_format_id = "cdma.unsupported_weight_format",
                             .batch_id = "cdma.unsupported_batch",
                             .bank_id = "cdma.bank"};

RamType ram_type(uint32_t code, std::string_view name, const HwConfig& hw, DecodeErrors& errors) {
  if (code == 0 && !hw.secondary_memif)
    errors.add("cdma.ram_type", "{} 0 (CVIF), but {} has no secondary memory interface", name,
               hw.name);
  return static_cast<RamType>(code);
}

void check_aligned(uint64_t value, std::string_view id, std::string_view name, const HwConfig& hw,
                   DecodeErrors& errors) {
  if (value % hw.memory_atomic_size != 0)
    errors.add(id, "{} {:#x}, expected a multiple of the memory atom ({} bytes)", name, value,
               hw.memory_atomic_size);
}

Convertor decode_convertor(const regs::RegView& regs, bool image) {
  Convertor c;
  c.enable = regs.flag(r::D_CVT_CFG_CVT_EN);
  c.offset = regs.get_signed(r::D_CVT_OFFSET_CVT_OFFSET);
  c.scale = regs.get_signed(r::D_CVT_SCALE_CVT_SCALE);
  c.truncate = regs.get(r::D_CVT_CFG_CVT_TRUNCATE);
  c.mean = image && regs.flag(r::D_MEAN_FORMAT_MEAN_FORMAT);
  c.means = {
      regs.get_signed(r::D_MEAN_GLOBAL_0_MEAN_RY), regs.get_signed(r::D_MEAN_GLOBAL_0_MEAN_GU),
      regs.get_signed(r::D_MEAN_GLOBAL_1_MEAN_BV), regs.get_signed(r::D_MEAN_GLOBAL_1_MEAN_AX)};
  return c;
}

void decode_feature(CdmaOp& op, const regs::RegView& regs, const HwConfig& hw,
                    DecodeErrors& errors) {
  const bool line_packed = regs.flag(r::D_DAIN_MAP_LINE_PACKED);
  op.one_pixel = op.width == 1 && op.height == 1 && regs.flag(r::D_DAIN_MAP_SURF_PACKED);
  op.surface_stride = op.one_pixel ? hw.memory_atomic_size : regs.get(r::D_SURF_STRIDE_SURF_STRIDE);
  op.grain_lines = line_packed ? regs.get(r::D_FETCH_GRAIN_GRAINS) + 1 : 1;
  check_aligned(op.planes[0].address, "cdma.datain_address", "DATAIN_ADDR_0", hw, errors);
  if (op.height > 1)
    check_aligned(op.planes[0].line_stride, "cdma.line_stride", "LINE_STRIDE", hw, errors);
  if (op.channels > hw.memory_atomic_size)
    check_aligned(op.surface_stride, "cdma.surface_stride", "SURF_STRIDE", hw, errors);
  const uint32_t needed = feature_slice_entries(op.width, op.channels, hw);
  if (op.cbuf.entries_per_slice < needed)
    errors.add("cdma.entry_per_slice",
               "ENTRIES + 1 is {}, expected at least {} (width {}, channels {})",
               op.cbuf.entries_per_slice, needed, op.width, op.channels);
}

void decode_x_offset(CdmaOp& op, uint32_t x_offset, const HwConfig& hw, DecodeErrors& errors) {
  const uint32_t in_atom = hw.memory_atomic_size / op.format.pixel_bytes(0);
  if (x_offset >= in_atom)
    errors.add("cdma.pixel_x_offset",
               "PIXEL_X_OFFSET {}, expected less than {} (pixels of {} in an atom)", x_offset,
               in_atom, op.format.name);
  op.x_offset[0] = x_offset;
  if (op.format.planes == 2)
    op.x_offset[1] = x_offset % (hw.memory_atomic_size / op.format.pixel_bytes(1));
}

void decode_image(CdmaOp& op, const regs::RegView& regs, const HwConfig& hw, DecodeErrors& errors) {
  const uint32_t code = regs.get(r::D_DATAIN_FORMAT_PIXEL_FORMAT);
  const std::optional<PixelFormat> format = pixel_format(code);
  if (!format) {
    errors.add("cdma.pixel_format", "PIXEL_FORMAT {}, expected 0 to 35", code);
    return;
  }
  if (!format->int8) {
    errors.add("cdma.unsupported_pixel_format", "PIXEL_FORMAT {} ({}): {} has only int8 pixels",
               code, format->name, hw.name);
    return;
  }
  op.format = *format;
  if (regs.flag(r::D_DATAIN_FORMAT_PIXEL_MAPPING))
    errors.add("cdma.pixel_mapping", "PIXEL_MAPPING 1, expected 0 (pitch linear)");
  // The pixel format alone says how many channels there are; the size register only chooses between
  // one mean value and the means of four.
  if (op.convertor.mean && format->planes == 1 && (op.channels == 1) != (format->channels == 1))
    errors.add("cdma.datain_channel", "DATAIN_CHANNEL + 1 is {}, expected {} for the means of {}",
               op.channels, format->channels, format->name);
  op.channels = format->channels;
  if (const uint32_t y = regs.get(r::D_PIXEL_OFFSET_PIXEL_Y_OFFSET); y != 0)
    errors.add("cdma.pixel_y_offset", "PIXEL_Y_OFFSET {}, expected 0 (pitch linear)", y);
  decode_x_offset(op, regs.get(r::D_PIXEL_OFFSET_PIXEL_X_OFFSET), hw, errors);
  op.signed_pixels = regs.flag(r::D_DATAIN_FORMAT_PIXEL_SIGN_OVERRIDE);
  op.pad_left = regs.get(r::D_ZERO_PADDING_PAD_LEFT);
  op.pad_right = regs.get(r::D_ZERO_PADDING_PAD_RIGHT);
  op.pad_value = static_cast<int8_t>(regs.get(r::D_ZERO_PADDING_VALUE_PAD_VALUE) & 0xff);
  op.grain_lines = regs.get(r::D_FETCH_GRAIN_GRAINS) + 1;
  op.planes[1] = {regs.address(r::D_DAIN_ADDR_HIGH_1_DATAIN_ADDR_HIGH_1,
                               r::D_DAIN_ADDR_LOW_1_DATAIN_ADDR_LOW_1),
                  regs.get(r::D_LINE_UV_STRIDE_UV_LINE_STRIDE)};
  for (unsigned plane = 0; plane < format->planes; ++plane) {
    check_aligned(op.planes[plane].address, "cdma.datain_address",
                  fmt::format("DATAIN_ADDR_{}", plane), hw, errors);
    if (op.height > 1)
      check_aligned(op.planes[plane].line_stride, "cdma.line_stride",
                    plane == 0 ? "LINE_STRIDE" : "UV_LINE_STRIDE", hw, errors);
  }
  const uint32_t needed =
      (op.stored_width() * op.channels + hw.cbuf_bank_width - 1) / hw.cbuf_bank_width;
  if (op.cbuf.entries_per_slice < needed)
    errors.add("cdma.entry_per_slice",
               "ENTRIES + 1 is {}, expected at least {} ({} pixels of {} channels)",
               op.cbuf.entries_per_slice, needed, op.stored_width(), op.channels);
}

void decode_weights(CdmaOp& op, const regs::RegView& regs, const HwConfig& hw,
                    DecodeErrors& errors) {
  op.count_reads = regs.flag(r::D_PERF_ENABLE_DMA_EN);
  op.weight_ram =
      ram_type(regs.get(r::D_WEIGHT_RAM_TYPE_WEIGHT_RAM_TYPE), "WEIGHT_RAM_TYPE", hw, errors);
  op.weight_address =
      regs.address(r::D_WEIGHT_ADDR_HIGH_WEIGHT_ADDR_HIGH, r::D_WEIGHT_ADDR_LOW_WEIGHT_ADDR_LOW);
  op.weight_bytes = regs.get(r::D_WEIGHT_BYTES_WEIGHT_BYTES);
  op.bytes_per_kernel = uint64_t{regs.get(r::D_WEIGHT_SIZE_0_BYTE_PER_KERNEL)} + 1;
  op.kernels = regs.get(r::D_WEIGHT_SIZE_1_WEIGHT_KERNEL) + 1;
  if (op.cbuf.weight_reuse) return;
  check_aligned(op.weight_address, "cdma.weight_address", "WEIGHT_ADDR", hw, errors);
  if (op.weight_bytes % hw.cbuf_bank_width != 0)
    errors.add("cdma.weight_bytes",
               "WEIGHT_BYTES {}, expected a multiple of a buffer entry ({} bytes)", op.weight_bytes,
               hw.cbuf_bank_width);
  if (op.weight_bytes < op.kernels * op.bytes_per_kernel)
    errors.add("cdma.weight_bytes",
               "WEIGHT_BYTES {}, expected at least {} ({} kernels of {} bytes)", op.weight_bytes,
               op.kernels * op.bytes_per_kernel, op.kernels, op.bytes_per_kernel);
  const uint64_t group = std::min<uint64_t>(op.kernels, hw.mac_atomic_k_size) * op.bytes_per_kernel;
  const uint64_t room = op.cbuf.weight_banks * hw.bank_bytes();
  // CSC frees the entries of the kernels that it reads; CDMA waits for ever for room for the rest.
  if (const uint64_t most = op.kernels * op.bytes_per_kernel + room; op.weight_bytes > most)
    errors.add("cdma.weight_bytes",
               "WEIGHT_BYTES {}, expected at most {} ({} kernels of {} bytes, {} banks)",
               op.weight_bytes, most, op.kernels, op.bytes_per_kernel, op.cbuf.weight_banks);
  if (group > room)
    errors.add("cdma.weight_bank", "{} weight bytes of one kernel group, {} banks hold {}", group,
               op.cbuf.weight_banks, room);
  else if (op.cbuf.keep_weights && op.weight_bytes > room)
    errors.add("cdma.weight_bank", "{} weight bytes to keep, {} banks hold {}", op.weight_bytes,
               op.cbuf.weight_banks, room);
}

}  // namespace

Result<CdmaOp> decode_cdma(const regs::RegView& regs, const HwConfig& hw) {
  DecodeErrors errors(regs);
  CdmaOp op;
  op.cbuf = decode_cbuf_use(regs, kFields, hw, errors);
  op.width = regs.get(r::D_DATAIN_SIZE_0_DATAIN_WIDTH) + 1;
  op.height = regs.get(r::D_DATAIN_SIZE_0_DATAIN_HEIGHT) + 1;
  op.channels = regs.get(r::D_DATAIN_SIZE_1_DATAIN_CHANNEL) + 1;
  op.data_ram =
      ram_type(regs.get(r::D_DAIN_RAM_TYPE_DATAIN_RAM_TYPE), "DATAIN_RAM_TYPE", hw, errors);
  op.planes[0] = {regs.address(r::D_DAIN_ADDR_HIGH_0_DATAIN_ADDR_HIGH_0,
                               r::D_DAIN_ADDR_LOW_0_DATAIN_ADDR_LOW_0),
                  regs.get(r::D_LINE_STRIDE_LINE_STRIDE)};
  op.convertor = decode_convertor(regs, op.cbuf.image);
  if (op.cbuf.image)
    decode_image(op, regs, hw, errors);
  else
    decode_feature(op, regs, hw, errors);
  const uint64_t room = uint64_t{op.cbuf.data_banks} * hw.cbuf_bank_depth;
  const uint64_t needed = uint64_t{std::min(op.grain_lines, op.height)} * op.cbuf.entries_per_slice;
  // An operation's convolution has all of its lines in the buffer at once.
  if (uint64_t{op.height} * op.cbuf.entries_per_slice > room)
    errors.add("cdma.unsupported_datain_height", "{} lines of {} entries, {} banks hold {}",
               op.height, op.cbuf.entries_per_slice, op.cbuf.data_banks, room);
  if (needed > room)
    errors.add("cdma.data_bank", "{} entries for the lines fetched at a time, {} banks hold {}",
               needed, op.cbuf.data_banks, room);
  decode_weights(op, regs, hw, errors);
  if (!errors.empty()) return errors.all();
  return op;
}

}  // namespace dlavp::conv
