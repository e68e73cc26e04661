#include "fuzz/legal_programs.hpp"

#include <algorithm>

#include "registers.hpp"
#include "tests/reference/registers/random_ops.hpp"

namespace dlavp::fuzz {

namespace {

using reference::Program;
using reference::Random;
using reference::Registers;
using reference::Size;

constexpr uint32_t kInput = 0x10000, kWeights = 0x200000;
constexpr uint32_t kPointerOffset = 4;  // S_POINTER of every unit that has groups

/// Collects the writes of one operation; the enables come behind them.
class Writer {
 public:
  explicit Writer(unsigned group) : group_(group) {}
  void add(const Registers& regs, uint32_t enable_offset) {
    out_.push_back({&regs.table(), kPointerOffset, group_});
    for (const auto& [offset, value] : regs.values())
      out_.push_back({&regs.table(), offset, value});
    enables_.push_back({&regs.table(), enable_offset, 1});
  }
  std::vector<Write> finish() {
    out_.insert(out_.end(), enables_.begin(), enables_.end());
    return std::move(out_);
  }

 private:
  unsigned group_;
  std::vector<Write> out_, enables_;
};

uint32_t ceil_div(uint32_t a, uint32_t b) { return (a + b - 1) / b; }

struct Conv {
  Registers cdma{regs::kCdma}, csc{regs::kCsc}, cmac_a{regs::kCmacA}, cmac_b{regs::kCmacB},
      cacc{regs::kCacc};
  Size out;
};

struct ConvShape {
  Size in, out;
  uint32_t kernel_width = 1, kernel_height = 1, stride_x = 1, stride_y = 1;
  uint32_t pad_left = 0, pad_top = 0;
  bool image = false;
};

ConvShape draw_shape(Random& random, const HwConfig& hw) {
  ConvShape s;
  s.image = random.chance(3);
  const uint32_t channels[] = {1, 3, 4};
  s.in = {1 + random.below(6), 1 + random.below(5),
          s.image ? channels[random.below(3)]
                  : random.size(hw.memory_atomic_size, hw.memory_atomic_size + 5)};
  s.kernel_width = 1 + random.below(std::min(3u, s.in.width));
  s.kernel_height = 1 + random.below(std::min(3u, s.in.height));
  s.stride_x = 1 + random.below(2);
  s.stride_y = 1 + random.below(2);
  s.pad_left = random.below(s.kernel_width);
  s.pad_top = random.below(s.kernel_height);
  s.out = {(s.in.width + s.pad_left - s.kernel_width) / s.stride_x + 1,
           (s.in.height + s.pad_top - s.kernel_height) / s.stride_y + 1,
           random.size(hw.mac_atomic_k_size, hw.mac_atomic_k_size + 5)};
  return s;
}

// Entries of one line: whole channel blocks, and a last narrower one that holds more pixels.
uint32_t slice_entries(const ConvShape& s, const HwConfig& hw) {
  if (s.image) return ceil_div((s.pad_left + s.in.width) * s.in.channels, hw.cbuf_bank_width);
  const uint32_t per_entry = hw.mac_atomic_c_size / hw.memory_atomic_size;
  const uint32_t surfaces = ceil_div(s.in.channels, hw.memory_atomic_size);
  const uint32_t rest = surfaces % per_entry;
  uint32_t entries = surfaces / per_entry * s.in.width;
  if (rest != 0)
    entries += ceil_div(s.in.width, 4 * rest <= per_entry ? 4 : 2 * rest <= per_entry ? 2 : 1);
  return entries;
}

void fetch_registers(Registers& regs, const ConvShape& s, const HwConfig& hw) {
  namespace r = regs::cdma;
  const uint32_t atom = hw.memory_atomic_size;
  const uint32_t line =
      s.image ? ceil_div(s.in.width * s.in.channels, atom) * atom + atom : s.in.width * atom;
  regs.set(r::D_DAIN_RAM_TYPE_DATAIN_RAM_TYPE, 1);
  regs.set(r::D_DATAIN_SIZE_0_DATAIN_WIDTH, s.in.width - 1);
  regs.set(r::D_DATAIN_SIZE_0_DATAIN_HEIGHT, s.in.height - 1);
  regs.set(r::D_DATAIN_SIZE_1_DATAIN_CHANNEL, s.in.channels - 1);
  regs.set(r::D_DAIN_ADDR_LOW_0_DATAIN_ADDR_LOW_0, kInput);
  regs.set(r::D_LINE_STRIDE_LINE_STRIDE, line);
  regs.set(r::D_SURF_STRIDE_SURF_STRIDE, line * s.in.height);
  regs.set(r::D_DATAIN_FORMAT_DATAIN_FORMAT, s.image);
  if (!s.image) return;
  // T_R8, Y8 with U8V8 behind it, A8B8G8R8.
  regs.set(r::D_DATAIN_FORMAT_PIXEL_FORMAT,
           s.in.channels == 1   ? r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R8
           : s.in.channels == 3 ? r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_Y8___U8V8_N444
                                : r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A8B8G8R8);
  regs.set(r::D_DAIN_ADDR_LOW_1_DATAIN_ADDR_LOW_1, kInput + 0x4000);
  regs.set(r::D_LINE_UV_STRIDE_UV_LINE_STRIDE, line);
  regs.set(r::D_ZERO_PADDING_PAD_LEFT, s.pad_left);
}

Conv make_conv(Random& random, const HwConfig& hw) {
  namespace r = regs::cdma;
  namespace c = regs::csc;
  const ConvShape s = draw_shape(random, hw);
  Conv p;
  p.out = s.out;
  fetch_registers(p.cdma, s, hw);
  const uint32_t kernel_bytes = s.kernel_width * s.kernel_height * s.in.channels;
  const uint32_t weight_bytes =
      ceil_div(kernel_bytes * s.out.channels, hw.cbuf_bank_width) * hw.cbuf_bank_width;
  const uint32_t entries = slice_entries(s, hw) - 1;
  const uint32_t data_banks = random.below(hw.cbuf_bank_number / 2),
                 weight_banks = hw.cbuf_bank_number / 2 - 1;
  p.cdma.set(r::D_WEIGHT_RAM_TYPE_WEIGHT_RAM_TYPE, 1);
  p.cdma.set(r::D_WEIGHT_ADDR_LOW_WEIGHT_ADDR_LOW, kWeights);
  p.cdma.set(r::D_WEIGHT_BYTES_WEIGHT_BYTES, weight_bytes);
  p.cdma.set(r::D_WEIGHT_SIZE_0_BYTE_PER_KERNEL, kernel_bytes - 1);
  p.cdma.set(r::D_WEIGHT_SIZE_1_WEIGHT_KERNEL, s.out.channels - 1);
  p.cdma.set(r::D_ENTRY_PER_SLICE_ENTRIES, entries);
  p.cdma.set(r::D_BANK_DATA_BANK, data_banks);
  p.cdma.set(r::D_BANK_WEIGHT_BANK, weight_banks);
  const bool keep_data = random.chance(4), keep_weights = random.chance(4);
  const uint32_t folded = s.image ? s.kernel_width : 1;
  for (const auto& [field, value] : std::initializer_list<std::pair<regs::Field, int64_t>>{
           {c::D_DATAIN_FORMAT_DATAIN_FORMAT, s.image},
           {c::D_DATAIN_SIZE_EXT_0_DATAIN_WIDTH_EXT, s.in.width - 1},
           {c::D_DATAIN_SIZE_EXT_0_DATAIN_HEIGHT_EXT, s.in.height - 1},
           {c::D_DATAIN_SIZE_EXT_1_DATAIN_CHANNEL_EXT, s.in.channels - 1},
           {c::D_WEIGHT_SIZE_EXT_0_WEIGHT_WIDTH_EXT, s.image ? 0 : s.kernel_width - 1},
           {c::D_WEIGHT_SIZE_EXT_0_WEIGHT_HEIGHT_EXT, s.kernel_height - 1},
           {c::D_WEIGHT_SIZE_EXT_1_WEIGHT_CHANNEL_EXT, s.in.channels * folded - 1},
           {c::D_WEIGHT_SIZE_EXT_1_WEIGHT_KERNEL, s.out.channels - 1},
           {c::D_WEIGHT_BYTES_WEIGHT_BYTES, weight_bytes},
           {c::D_DATAOUT_SIZE_0_DATAOUT_WIDTH, s.out.width - 1},
           {c::D_DATAOUT_SIZE_0_DATAOUT_HEIGHT, s.out.height - 1},
           {c::D_DATAOUT_SIZE_1_DATAOUT_CHANNEL, s.out.channels - 1},
           {c::D_ATOMICS_ATOMICS, s.out.width * s.out.height - 1},
           {c::D_RELEASE_RLS_SLICES, s.in.height - 1},
           {c::D_CONV_STRIDE_EXT_CONV_X_STRIDE_EXT, s.stride_x - 1},
           {c::D_CONV_STRIDE_EXT_CONV_Y_STRIDE_EXT, s.stride_y - 1},
           {c::D_ZERO_PADDING_PAD_LEFT, s.pad_left},
           {c::D_ZERO_PADDING_PAD_TOP, s.pad_top},
           {c::D_ENTRY_PER_SLICE_ENTRIES, entries},
           {c::D_BANK_DATA_BANK, data_banks},
           {c::D_BANK_WEIGHT_BANK, weight_banks}})
    p.csc.set(field, value);
  p.cdma.set(r::D_MISC_CFG_SKIP_DATA_RLS, keep_data);
  p.csc.set(c::D_MISC_CFG_SKIP_DATA_RLS, keep_data);
  p.cdma.set(r::D_MISC_CFG_SKIP_WEIGHT_RLS, keep_weights);
  p.csc.set(c::D_MISC_CFG_SKIP_WEIGHT_RLS, keep_weights);
  p.cdma.set(r::D_MISC_CFG_IN_PRECISION, 0);
  p.cdma.set(r::D_MISC_CFG_PROC_PRECISION, 0);
  p.csc.set(c::D_MISC_CFG_IN_PRECISION, 0);
  p.csc.set(c::D_MISC_CFG_PROC_PRECISION, 0);
  p.cmac_a.set(regs::cmac_a::D_MISC_CFG_PROC_PRECISION, 0);
  p.cmac_b.set(regs::cmac_b::D_MISC_CFG_PROC_PRECISION, 0);
  p.cacc.set(regs::cacc::D_MISC_CFG_PROC_PRECISION, 0);
  p.cacc.set(regs::cacc::D_CLIP_CFG_CLIP_TRUNCATE, random.below(8));
  return p;
}

// SDP takes the convolution's cube; its operands from memory stay as drawn.
void fly(Program& p, bool to_pdp) {
  namespace r = regs::sdp;
  p.sdp.set(r::D_FEATURE_MODE_CFG_FLYING_MODE, 1);
  p.sdp.set(r::D_FEATURE_MODE_CFG_OUTPUT_DST, to_pdp);
  p.sdp_rdma.set(regs::sdp_rdma::D_FEATURE_MODE_CFG_FLYING_MODE, 1);
  p.pdp.set(regs::pdp::D_OPERATION_MODE_CFG_FLYING_MODE, 0);
}

void add_sdp(Writer& writer, const Program& p) {
  writer.add(p.sdp_rdma, regs::sdp_rdma::D_OP_ENABLE);
  writer.add(p.sdp, regs::sdp::D_OP_ENABLE);
}

std::vector<Write> conv_program(Random& random, const HwConfig& hw, unsigned group, bool to_pdp) {
  if (to_pdp && !hw.pdp) return {};
  const Conv conv = make_conv(random, hw);
  Program p;
  p.atom = hw.memory_atomic_size;
  reference::make_sdp(p, random, hw, conv.out);
  if (to_pdp) reference::make_pdp(p, random, hw, conv.out, true);
  fly(p, to_pdp);
  Writer writer(group);
  if (to_pdp) writer.add(p.pdp, regs::pdp::D_OP_ENABLE);
  add_sdp(writer, p);
  writer.add(conv.cacc, regs::cacc::D_OP_ENABLE);
  writer.add(conv.cmac_a, regs::cmac_a::D_OP_ENABLE);
  writer.add(conv.cmac_b, regs::cmac_b::D_OP_ENABLE);
  writer.add(conv.csc, regs::csc::D_OP_ENABLE);
  writer.add(conv.cdma, regs::cdma::D_OP_ENABLE);
  return writer.finish();
}

}  // namespace

std::vector<Write> legal_program(Path path, const HwConfig& hw, uint32_t seed, unsigned group) {
  Random random(seed);
  const uint32_t atom = hw.memory_atomic_size;
  if (path == Path::kConv || path == Path::kConvToPdp)
    return conv_program(random, hw, group, path == Path::kConvToPdp);
  const Size size{random.size(3, 5), random.size(3, 4), random.size(atom, 2 * atom + 1)};
  Program p;
  p.atom = atom;
  Writer writer(group);
  if (path == Path::kSdp) {
    reference::make_sdp(p, random, hw, size);
    add_sdp(writer, p);
  } else if (path == Path::kPdp && hw.pdp) {
    reference::make_pdp(p, random, hw, size);
    writer.add(p.pdp_rdma, regs::pdp_rdma::D_OP_ENABLE);
    writer.add(p.pdp, regs::pdp::D_OP_ENABLE);
  } else if (path == Path::kCdp && hw.cdp) {
    reference::make_cdp(p, random, hw, size);
    p.cdp.set(regs::cdp::D_DATA_FORMAT_INPUT_DATA_TYPE, 0);  // int8; nv_full has more
    writer.add(p.cdp_rdma, regs::cdp_rdma::D_OP_ENABLE);
    writer.add(p.cdp, regs::cdp::D_OP_ENABLE);
  }
  return writer.finish();
}

}  // namespace dlavp::fuzz
