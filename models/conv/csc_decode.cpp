// CSC, CMAC and CACC registers to operations, and the checks between CDMA and CSC. Hardware
// manual: "Convolution sequence controller", "Convolution accumulator", "Programming". CSC alone
// decides the shape of a convolution: the RTL's CMAC and CACC read no size register.
#include "models/conv/decode_common.hpp"
#include "registers.hpp"

namespace dlavp::conv {

namespace {

namespace r = regs::csc;

constexpr CbufFields kFields{.mode = {r::D_MISC_CFG_CONV_MODE, r::D_MISC_CFG_PROC_PRECISION,
                                      "csc.unsupported_winograd", "csc.unsupported_precision"},
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
                             .weight_format_id = "csc.unsupported_weight_format",
                             .batch_id = "csc.unsupported_batch",
                             .bank_id = "csc.bank"};

// The RTL tells 1, 3 and 4 channels by the low two bits of the size field.
uint32_t pixel_channels(uint32_t channels_minus_one, DecodeErrors& errors) {
  const uint32_t channels = channels_minus_one + 1;
  if (channels != 1 && channels != 3 && channels != 4)
    errors.add("csc.datain_channel",
               "DATAIN_CHANNEL_EXT + 1 is {}, expected 1, 3 or 4 in image mode", channels);
  return channels;
}

void decode_image(CscOp& op, const regs::RegView& regs, const HwConfig& hw, DecodeErrors& errors) {
  op.pixel_channels = pixel_channels(regs.get(r::D_DATAIN_SIZE_EXT_1_DATAIN_CHANNEL_EXT), errors);
  op.kernel_width = 1;
  op.pad_left = 0;
  const uint32_t extension = regs.get(r::D_POST_Y_EXTENSION_Y_EXTENSION);
  if (extension > 2) {
    errors.add("csc.y_extension", "Y_EXTENSION {}, expected 0, 1 or 2", extension);
    return;
  }
  op.y_extension = 1u << extension;
  const uint32_t room = hw.mac_atomic_c_size / op.y_extension;
  if (extension != 0 && op.kernel_channels > room)
    errors.add("csc.y_extension", "{} lines of {} extended channels, {} MAC inputs take {} each",
               op.y_extension, op.kernel_channels, hw.mac_atomic_c_size, room);
  if (extension != 0 && op.stride_x * op.pixel_channels > room)
    errors.add("csc.y_extension",
               "{} lines with x stride {} and {} channels, expected a product of at most {}",
               op.y_extension, op.stride_x, op.pixel_channels, room);
}

void decode_feature(CscOp& op, const regs::RegView& regs) {
  op.kernel_width = regs.get(r::D_WEIGHT_SIZE_EXT_0_WEIGHT_WIDTH_EXT) + 1;
  op.pad_left = regs.get(r::D_ZERO_PADDING_PAD_LEFT);
  op.dilation_x = regs.get(r::D_DILATION_EXT_X_DILATION_EXT) + 1;
  op.dilation_y = regs.get(r::D_DILATION_EXT_Y_DILATION_EXT) + 1;
}

void check_sizes(const CscOp& op, uint64_t atoms, const HwConfig& hw, DecodeErrors& errors) {
  if (atoms != op.out_pixels())
    errors.add("csc.atomics", "ATOMICS + 1 is {}, expected {} (output {}x{})", atoms,
               op.out_pixels(), op.out_width, op.out_height);
  // Padding behind the input is what CDMA's registers can say at most.
  constexpr uint64_t kMostPadding = 63;
  const auto check_extent = [&](std::string_view id, std::string_view name, uint64_t outputs,
                                uint64_t stride, uint64_t kernel, uint64_t dilation,
                                uint64_t room) {
    const uint64_t extent = (outputs - 1) * stride + (kernel - 1) * dilation + 1;
    if (extent > room + kMostPadding)
      errors.add(id,
                 "{} {} reads {} input positions, {} with the front padding and at most {} behind",
                 name, outputs, extent, room, kMostPadding);
  };
  check_extent("csc.dataout_height", "output height", op.out_height, op.stride_y, op.kernel_height,
               op.dilation_y, uint64_t{op.pad_top} + op.in_height);
  if (!op.cbuf.image)
    check_extent("csc.dataout_width", "output width", op.out_width, op.stride_x, op.kernel_width,
                 op.dilation_x, uint64_t{op.pad_left} + op.in_width);
  if (op.release_slices > op.in_height && !op.cbuf.keep_data)
    errors.add("csc.release", "RLS_SLICES + 1 is {}, expected at most the input height {}",
               op.release_slices, op.in_height);
  const uint64_t needed = uint64_t{op.in_height} * op.cbuf.entries_per_slice;
  const uint64_t room = uint64_t{op.cbuf.data_banks} * hw.cbuf_bank_depth;
  if (needed > room)
    errors.add("csc.data_bank", "{} lines of {} entries, {} banks hold {} entries", op.in_height,
               op.cbuf.entries_per_slice, op.cbuf.data_banks, room);
}

}  // namespace

void check_mode(const regs::RegView& regs, const ModeFields& f, DecodeErrors& errors) {
  if (regs.get(f.conv_mode) != 0)
    errors.add(f.winograd_id, "CONV_MODE {} (Winograd), expected 0 (direct)",
               regs.get(f.conv_mode));
  if (regs.get(f.proc_precision) != 0)
    errors.add(f.precision_id, "PROC_PRECISION {}, expected 0 (int8)", regs.get(f.proc_precision));
}

CbufUse decode_cbuf_use(const regs::RegView& regs, const CbufFields& f, const HwConfig& hw,
                        DecodeErrors& errors) {
  check_mode(regs, f.mode, errors);
  if (regs.get(f.in_precision) != 0)
    errors.add(f.mode.precision_id, "IN_PRECISION {}, expected 0 (int8)", regs.get(f.in_precision));
  if (regs.get(f.weight_format) != 0)
    errors.add(f.weight_format_id, "WEIGHT_FORMAT 1 (compressed), expected 0");
  if (regs.get(f.batches) != 0)
    errors.add(f.batch_id, "BATCHES + 1 is {}, expected 1", regs.get(f.batches) + 1);
  CbufUse use;
  use.image = regs.flag(f.datain_format);
  use.data_reuse = regs.flag(f.data_reuse);
  use.weight_reuse = regs.flag(f.weight_reuse);
  use.keep_data = regs.flag(f.skip_data_rls);
  use.keep_weights = regs.flag(f.skip_weight_rls);
  use.entries_per_slice = regs.get(f.entries) + 1;
  use.data_banks = regs.get(f.data_bank) + 1;
  use.weight_banks = regs.get(f.weight_bank) + 1;
  if (use.data_banks + use.weight_banks > hw.cbuf_bank_number)
    errors.add(f.bank_id, "{} data banks and {} weight banks, the buffer has {}", use.data_banks,
               use.weight_banks, hw.cbuf_bank_number);
  return use;
}

Result<CscOp> decode_csc(const regs::RegView& regs, const HwConfig& hw) {
  DecodeErrors errors(regs);
  CscOp op;
  op.cbuf = decode_cbuf_use(regs, kFields, hw, errors);
  op.in_width = regs.get(r::D_DATAIN_SIZE_EXT_0_DATAIN_WIDTH_EXT) + 1;
  op.in_height = regs.get(r::D_DATAIN_SIZE_EXT_0_DATAIN_HEIGHT_EXT) + 1;
  op.kernel_height = regs.get(r::D_WEIGHT_SIZE_EXT_0_WEIGHT_HEIGHT_EXT) + 1;
  op.kernel_channels = regs.get(r::D_WEIGHT_SIZE_EXT_1_WEIGHT_CHANNEL_EXT) + 1;
  op.kernels = regs.get(r::D_WEIGHT_SIZE_EXT_1_WEIGHT_KERNEL) + 1;
  op.out_width = regs.get(r::D_DATAOUT_SIZE_0_DATAOUT_WIDTH) + 1;
  op.out_height = regs.get(r::D_DATAOUT_SIZE_0_DATAOUT_HEIGHT) + 1;
  op.stride_x = regs.get(r::D_CONV_STRIDE_EXT_CONV_X_STRIDE_EXT) + 1;
  op.stride_y = regs.get(r::D_CONV_STRIDE_EXT_CONV_Y_STRIDE_EXT) + 1;
  op.pad_top = regs.get(r::D_ZERO_PADDING_PAD_TOP);
  op.pad_value = static_cast<int8_t>(regs.get(r::D_ZERO_PADDING_VALUE_PAD_VALUE) & 0xff);
  op.release_slices = regs.get(r::D_RELEASE_RLS_SLICES) + 1;
  op.weight_bytes = regs.get(r::D_WEIGHT_BYTES_WEIGHT_BYTES);
  if (op.cbuf.image)
    decode_image(op, regs, hw, errors);
  else
    decode_feature(op, regs);
  check_sizes(op, uint64_t{regs.get(r::D_ATOMICS_ATOMICS)} + 1, hw, errors);
  if (!errors.empty()) return errors.all();
  return op;
}

Result<CaccOp> decode_cacc(const regs::RegView& regs, const HwConfig&) {
  namespace c = regs::cacc;
  DecodeErrors errors(regs);
  check_mode(regs,
             {c::D_MISC_CFG_CONV_MODE, c::D_MISC_CFG_PROC_PRECISION, "cacc.unsupported_winograd",
              "cacc.unsupported_precision"},
             errors);
  if (const uint32_t batches = regs.get(c::D_BATCH_NUMBER_BATCHES); batches != 0)
    errors.add("cacc.unsupported_batch", "BATCHES + 1 is {}, expected 1", batches + 1);
  if (!errors.empty()) return errors.all();
  return CaccOp{regs.get(c::D_CLIP_CFG_CLIP_TRUNCATE)};
}

Diagnostics check_cmac(const regs::RegView& regs) {
  namespace c = regs::cmac_a;  // CMAC_B has the same layout
  DecodeErrors errors(regs);
  check_mode(regs,
             {c::D_MISC_CFG_CONV_MODE, c::D_MISC_CFG_PROC_PRECISION, "cmac.unsupported_winograd",
              "cmac.unsupported_precision"},
             errors);
  return errors.all();
}

uint32_t feature_slice_entries(uint32_t width, uint32_t channels, const HwConfig& hw) {
  const uint32_t per_entry = hw.mac_atomic_c_size / hw.memory_atomic_size;
  const uint32_t surfaces = (channels + hw.memory_atomic_size - 1) / hw.memory_atomic_size;
  const uint32_t rest = surfaces % per_entry;
  // The last, narrower channel block packs 2 or 4 pixels of a line into one entry.
  const uint32_t pixels = rest == 0 ? 0 : rest * 4 <= per_entry ? 4 : rest * 2 <= per_entry ? 2 : 1;
  return surfaces / per_entry * width + (pixels == 0 ? 0 : (width + pixels - 1) / pixels);
}

namespace {

void differ(Diagnostics& errors, std::string_view id, std::string_view name, uint64_t cdma,
            uint64_t csc) {
  if (cdma != csc)
    errors.add(std::string(id), "CDMA and CSC",
               fmt::format("{}: CDMA has {}, CSC {}", name, cdma, csc));
}

}  // namespace

Diagnostics check_pair(const CdmaOp& cdma, const CscOp& csc) {
  Diagnostics errors;
  const CbufUse &a = cdma.cbuf, &b = csc.cbuf;
  differ(errors, "conv.datain_format", "DATAIN_FORMAT", a.image, b.image);
  differ(errors, "conv.data_bank", "data banks", a.data_banks, b.data_banks);
  differ(errors, "conv.weight_bank", "weight banks", a.weight_banks, b.weight_banks);
  differ(errors, "conv.entry_per_slice", "entries per slice", a.entries_per_slice,
         b.entries_per_slice);
  differ(errors, "conv.data_reuse", "DATA_REUSE", a.data_reuse, b.data_reuse);
  differ(errors, "conv.weight_reuse", "WEIGHT_REUSE", a.weight_reuse, b.weight_reuse);
  differ(errors, "conv.skip_data_release", "SKIP_DATA_RLS", a.keep_data, b.keep_data);
  differ(errors, "conv.skip_weight_release", "SKIP_WEIGHT_RLS", a.keep_weights, b.keep_weights);
  if (a.weight_reuse) return errors;
  differ(errors, "conv.kernels", "kernels", cdma.kernels, csc.kernels);
  differ(errors, "conv.bytes_per_kernel", "bytes of a kernel", cdma.bytes_per_kernel,
         csc.bytes_per_kernel());
  return errors;
}

Diagnostics check_lines(const CdmaOp& source, const CscOp& csc, const HwConfig& hw) {
  Diagnostics errors;
  differ(errors, "conv.datain_format", "DATAIN_FORMAT", source.cbuf.image, csc.cbuf.image);
  if (!errors.empty()) return errors;
  if (!csc.cbuf.image) {
    const auto surfaces = [&](uint32_t channels) {
      return (channels + hw.memory_atomic_size - 1) / hw.memory_atomic_size;
    };
    differ(errors, "conv.in_width", "input width", source.width, csc.in_width);
    differ(errors, "conv.in_channels", "surfaces of input channels", surfaces(source.channels),
           surfaces(csc.kernel_channels));
    return errors;
  }
  differ(errors, "conv.in_channels", "channels of a pixel", source.channels, csc.pixel_channels);
  const uint64_t last =
      uint64_t{csc.out_width - 1} * csc.stride_x * csc.pixel_channels + csc.kernel_channels;
  const uint64_t stored = uint64_t{source.stored_width()} * source.channels;
  if (last > stored)
    errors.add("conv.out_width", "CDMA and CSC",
               fmt::format("the last output pixel reads {} elements of a line, {} are stored "
                           "(width {} with padding)",
                           last, stored, source.stored_width()));
  return errors;
}

}  // namespace dlavp::conv
