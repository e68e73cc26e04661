// The convolution bench: layouts, register programs and the naive convolution.
#include "models/conv/tests/conv_bench.hpp"

namespace dlavp::conv::test {

namespace {

uint32_t ceil_div(uint64_t a, uint64_t b) { return static_cast<uint32_t>((a + b - 1) / b); }

// Byte of each channel in its pixel, from the format's name (its last letter pair is byte 0).
std::array<unsigned, 4> bytes_of(int format) {
  switch (format) {
    case 13:
    case 17:
    case 26:
      return {2, 1, 0, 3};  // A8R8G8B8, X8R8G8B8, A8Y8U8V8
    case 14:
    case 18:
    case 27:
      return {1, 2, 3, 0};  // B8G8R8A8, B8G8R8X8, V8U8Y8A8
    case 15:
    case 19:
      return {3, 2, 1, 0};  // R8G8B8A8, R8G8B8X8
    case 28:
      return {0, 1, 0, 0};  // U8V8: V in byte 0
    case 29:
      return {0, 0, 1, 0};
    default:
      return {0, 1, 2, 3};
  }
}

int pixel_value(const Layer& l, int byte, unsigned channel) {
  if (!l.convert) return static_cast<int8_t>(byte);
  const bool signed_value = l.signed_pixels || l.format < 0;
  const int64_t x = signed_value ? static_cast<int8_t>(byte) : static_cast<uint8_t>(byte);
  const int64_t product = (x - (l.mean ? l.means[channel] : l.offset)) * l.scale;
  int64_t result = product;
  if (l.cvt_truncate > 0) {
    const int64_t half = int64_t{1} << (l.cvt_truncate - 1),
                  size = product < 0 ? -product : product;
    result = (size + half) >> l.cvt_truncate;
    if (product < 0) result = -result;
  }
  return static_cast<int>(std::clamp<int64_t>(result, -128, 127));
}

}  // namespace

void Layer::randomise(std::mt19937& random) {
  std::uniform_int_distribution<int> byte(-128, 127);
  input.resize(size_t{width} * height * channels);
  weights.resize(size_t{kernels} * kernel_height * kernel_width * channels);
  for (int8_t& v : input) v = static_cast<int8_t>(byte(random));
  for (int8_t& v : weights) v = static_cast<int8_t>(byte(random));
}

std::vector<int32_t> naive(const Layer& l) {
  std::vector<int32_t> out;
  for (uint32_t k = 0; k < l.kernels; ++k)
    for (uint32_t y = 0; y < l.out_height(); ++y)
      for (uint32_t x = 0; x < l.out_width(); ++x) {
        int64_t sum = 0;
        for (uint32_t r = 0; r < l.kernel_height; ++r)
          for (uint32_t s = 0; s < l.kernel_width; ++s)
            for (uint32_t c = 0; c < l.channels; ++c) {
              const int64_t iy = int64_t{y} * l.stride_y + r * l.dilation_y - l.pad_top;
              const int64_t ix = int64_t{x} * l.stride_x + s * l.dilation_x - l.pad_left;
              const bool inside = iy >= 0 && iy < l.height && ix >= 0 && ix < l.width;
              const int value =
                  inside
                      ? pixel_value(
                            l,
                            l.input[(static_cast<size_t>(iy) * l.width + static_cast<size_t>(ix)) *
                                        l.channels +
                                    c],
                            c)
                      : l.pad_value;
              sum +=
                  value *
                  l.weights[((size_t{k} * l.kernel_height + r) * l.kernel_width + s) * l.channels +
                            c];
            }
        if (l.truncate > 0) {
          const int64_t size = sum < 0 ? -sum : sum;
          const int64_t rounded = (size + (int64_t{1} << (l.truncate - 1))) >> l.truncate;
          sum = sum < 0 ? -rounded : rounded;
        }
        out.push_back(static_cast<int32_t>(sum));
      }
  return out;
}

Bench::Bench(const std::string& config, sim::Cycle latency, sim::Cycle atom_period)
    : hw(load_hw_config(config).value()),
      timing(TimingParams::load(hw).value()),
      bus(latency),
      mcif(hw, hw.primary_memif, timing, regs::kMcif, events, bus),
      context_{.hw = hw,
               .timing = timing,
               .events = events,
               .memory = {&memory, nullptr},
               .mcif = &mcif,
               .cvif = nullptr,
               .raise_interrupt = [this](IntrSource s,
                                         unsigned) { interrupts.emplace_back(s, events.now()); },
               .observer = this},
      period_(atom_period),
      consume_event_([this] { consume(); }) {
  conv = std::make_unique<ConvPipeline>(context_);
  const auto blocks = conv->reg_blocks();
  cdma = blocks[0], csc = blocks[1], cmac_a = blocks[2], cmac_b = blocks[3], cacc = blocks[4];
  conv->output().atoms.on_data([this] { consume(); });
}

void Bench::consume() {
  if (conv->output().atoms.available() == 0) return;
  if (events.now() < next_pop_) return events.schedule(consume_event_, next_pop_);
  conv->output().atoms.pop(1);
  atom_times.push_back(events.now());
  next_pop_ = events.now() + period_;
  events.schedule(consume_event_, next_pop_);
}

void Bench::put_feature(const Layer& l, uint64_t address) {
  const uint32_t atom = hw.memory_atomic_size;
  for (uint32_t y = 0; y < l.height; ++y)
    for (uint32_t x = 0; x < l.width; ++x)
      for (uint32_t c = 0; c < l.channels; ++c) {
        const uint8_t v = static_cast<uint8_t>(l.input[(size_t{y} * l.width + x) * l.channels + c]);
        const uint64_t at =
            address + ((uint64_t{c / atom} * l.height + y) * l.width + x) * atom + c % atom;
        REQUIRE(memory.write(at, {&v, 1}));
      }
}

void Bench::put_image(const Layer& l, uint64_t address, uint64_t second, uint32_t stride) {
  const auto bytes = bytes_of(l.format);
  const bool two = l.format == 28 || l.format == 29;
  const uint32_t in_second = hw.memory_atomic_size / 2;
  for (uint32_t y = 0; y < l.height; ++y)
    for (uint32_t x = 0; x < l.width; ++x)
      for (uint32_t c = 0; c < l.channels; ++c) {
        const uint8_t v = static_cast<uint8_t>(l.input[(size_t{y} * l.width + x) * l.channels + c]);
        uint64_t at = address + uint64_t{y} * stride +
                      uint64_t{l.x_offset + x} * (two ? 1 : l.channels) + bytes[c];
        if (two && c > 0)
          at = second + uint64_t{y} * stride + uint64_t{l.x_offset % in_second + x} * 2 + bytes[c];
        REQUIRE(memory.write(at, {&v, 1}));
      }
}

// Groups of kernels, blocks of channels, rows, columns, kernels, channels; images have their
// columns folded into the channels and, with y extension, 2 or 4 rows joined per kernel.
uint32_t Bench::put_weights(const Layer& l, uint64_t address) {
  const bool image = l.format >= 0;
  const uint32_t channels = l.channels * (image ? l.kernel_width : 1),
                 columns = image ? 1 : l.kernel_width;
  const uint32_t joined = 1u << l.y_extension, group = hw.mac_atomic_k_size,
                 block = hw.mac_atomic_c_size;
  std::vector<uint8_t> bytes;
  for (uint32_t g = 0; g < l.kernels; g += group)
    for (uint32_t b = 0; b < channels; b += block)
      for (uint32_t rows = 0; rows < l.kernel_height; rows += joined)
        for (uint32_t s = 0; s < columns; ++s)
          for (uint32_t k = g; k < std::min(l.kernels, g + group); ++k)
            for (uint32_t r = rows; r < std::min(l.kernel_height, rows + joined); ++r)
              for (uint32_t c = b; c < std::min(channels, b + block); ++c) {
                const size_t row = (size_t{k} * l.kernel_height + r) * l.kernel_width;
                bytes.push_back(static_cast<uint8_t>(
                    l.weights[image ? row * l.channels + c : (row + s) * l.channels + c]));
              }
  bytes.resize(size_t{ceil_div(bytes.size(), hw.cbuf_bank_width)} * hw.cbuf_bank_width);
  REQUIRE(memory.write(address, bytes));
  return static_cast<uint32_t>(bytes.size());
}

void Bench::program_input(const Layer& l, uint64_t address) {
  namespace r = regs::cdma;
  const bool image = l.format >= 0;
  const uint32_t atom = hw.memory_atomic_size,
                 fetched = l.fetched_lines ? l.fetched_lines : l.height;
  uint32_t line = l.width * atom;
  if (image) {
    line = ceil_div(uint64_t{l.width + l.x_offset} * std::max(2u, l.channels) + 64, atom) * atom;
    const uint64_t second = address + uint64_t{line} * l.height;
    put_image(l, address, second, line);
    write(cdma, r::D_DAIN_ADDR_LOW_1, static_cast<uint32_t>(second));
    write(cdma, r::D_LINE_UV_STRIDE, line);
  } else {
    put_feature(l, address);
  }
  const uint32_t skipped = (l.height - fetched) * line;  // the last lines are fetched
  write(cdma, r::D_DAIN_ADDR_LOW_0, static_cast<uint32_t>(address) + skipped);
  write(cdma, r::D_DAIN_RAM_TYPE, 1);
  write(cdma, r::D_DATAIN_SIZE_0, (l.width - 1) | (fetched - 1) << 16);
  write(cdma, r::D_DATAIN_SIZE_1, l.channels - 1);
  write(cdma, r::D_LINE_STRIDE, line);
  write(cdma, r::D_SURF_STRIDE, line * l.height);
  write(cdma, r::D_DAIN_MAP, l.grain ? 1 : 0);
  write(cdma, r::D_FETCH_GRAIN, l.grain ? l.grain - 1 : 0);
  write(cdma, r::D_DATAIN_FORMAT,
        image ? 1u | static_cast<uint32_t>(l.format) << 8 | (l.signed_pixels ? 1u << 20 : 0) : 0);
  write(cdma, r::D_PIXEL_OFFSET, l.x_offset);
  write(cdma, r::D_ZERO_PADDING,
        l.pad_left | l.pad_right << 8 | l.pad_top << 16 | l.pad_bottom << 24);
  write(cdma, r::D_ZERO_PADDING_VALUE, static_cast<uint32_t>(l.pad_value) & 0xffff);
  write(cdma, r::D_CVT_CFG, (l.convert ? 1 : 0) | static_cast<uint32_t>(l.cvt_truncate) << 4);
  write(cdma, r::D_CVT_OFFSET, static_cast<uint32_t>(l.offset) & 0xffff);
  write(cdma, r::D_CVT_SCALE, static_cast<uint32_t>(l.scale) & 0xffff);
  write(cdma, r::D_MEAN_FORMAT, l.mean ? 1 : 0);
  const auto half = [](int v) { return static_cast<uint32_t>(v) & 0xffff; };
  write(cdma, r::D_MEAN_GLOBAL_0, half(l.means[0]) | half(l.means[1]) << 16);
  write(cdma, r::D_MEAN_GLOBAL_1, half(l.means[2]) | half(l.means[3]) << 16);
}

void Bench::program_csc(const Layer& l, uint32_t weight_bytes) {
  namespace r = regs::csc;
  const bool image = l.format >= 0;
  const uint32_t channels = l.channels * (image ? l.kernel_width : 1);
  write(csc, r::D_DATAIN_FORMAT, image ? 1 : 0);
  write(csc, r::D_DATAIN_SIZE_EXT_0, (l.width - 1) | (l.height - 1) << 16);
  write(csc, r::D_DATAIN_SIZE_EXT_1, l.channels - 1);
  write(csc, r::D_POST_Y_EXTENSION, l.y_extension);
  write(csc, r::D_WEIGHT_SIZE_EXT_0,
        (image ? 0 : l.kernel_width - 1) | (l.kernel_height - 1) << 16);
  write(csc, r::D_WEIGHT_SIZE_EXT_1, (channels - 1) | (l.kernels - 1) << 16);
  write(csc, r::D_WEIGHT_BYTES, weight_bytes);
  write(csc, r::D_DATAOUT_SIZE_0, (l.out_width() - 1) | (l.out_height() - 1) << 16);
  write(csc, r::D_DATAOUT_SIZE_1, l.kernels - 1);
  write(csc, r::D_ATOMICS, l.out_width() * l.out_height() - 1);
  write(csc, r::D_RELEASE, (l.release ? l.release : l.height) - 1);
  write(csc, r::D_CONV_STRIDE_EXT, (l.stride_x - 1) | (l.stride_y - 1) << 16);
  write(csc, r::D_DILATION_EXT, (l.dilation_x - 1) | (l.dilation_y - 1) << 16);
  write(csc, r::D_ZERO_PADDING, l.pad_left | l.pad_top << 16);
  write(csc, r::D_ZERO_PADDING_VALUE, static_cast<uint32_t>(l.pad_value) & 0xffff);
}

void Bench::program(const Layer& l, unsigned group) {
  namespace r = regs::cdma;
  for (regs::RegBlock* b : {cdma, csc, cmac_a, cmac_b, cacc}) write(b, r::S_POINTER, group);
  const uint64_t input = next_address_, weights = input + 0x400000;
  next_address_ += 0x800000;
  program_input(l, input);
  const uint32_t bytes = put_weights(l, weights);
  program_csc(l, bytes);
  const uint32_t mode = (l.data_reuse ? 1u << 16 : 0) | (l.weight_reuse ? 1u << 20 : 0) |
                        (l.keep_data ? 1u << 24 : 0) | (l.keep_weights ? 1u << 28 : 0);
  const uint32_t banks = (l.data_banks - 1) | (l.weight_banks - 1) << 16;
  const bool image = l.format >= 0;
  const uint32_t per_entry = hw.mac_atomic_c_size / hw.memory_atomic_size;
  const uint32_t surfaces = ceil_div(l.channels, hw.memory_atomic_size),
                 rest = surfaces % per_entry;
  uint32_t entries = surfaces / per_entry * l.width;
  if (rest != 0)
    entries += ceil_div(l.width, 4 * rest <= per_entry ? 4 : 2 * rest <= per_entry ? 2 : 1);
  if (image)
    entries =
        ceil_div(uint64_t{l.pad_left + l.width + l.pad_right} * l.channels, hw.cbuf_bank_width);
  write(cdma, r::D_MISC_CFG, mode);
  write(csc, regs::csc::D_MISC_CFG, mode);
  write(cdma, r::D_BANK, banks);
  write(csc, regs::csc::D_BANK, banks);
  write(cdma, r::D_ENTRY_PER_SLICE, entries - 1);
  write(csc, regs::csc::D_ENTRY_PER_SLICE, entries - 1);
  write(cdma, r::D_WEIGHT_SIZE_0, l.kernel_width * l.kernel_height * l.channels - 1);
  write(cdma, r::D_WEIGHT_SIZE_1, l.kernels - 1);
  write(cdma, r::D_WEIGHT_RAM_TYPE, 1);
  write(cdma, r::D_WEIGHT_ADDR_LOW, static_cast<uint32_t>(weights));
  write(cdma, r::D_WEIGHT_BYTES, bytes);
  for (regs::RegBlock* b : {cmac_a, cmac_b}) write(b, regs::cmac_a::D_MISC_CFG, 0);
  write(cacc, regs::cacc::D_MISC_CFG, 0);
  write(cacc, regs::cacc::D_CLIP_CFG, l.truncate);
}

void Bench::enable(unsigned group, const std::string& order) {
  for (const char unit : order) {
    const auto go = [&](regs::RegBlock* b, uint32_t offset) {
      write(b, regs::cdma::S_POINTER, group);
      write(b, offset, 1);
    };
    if (unit == 'A') go(cacc, regs::cacc::D_OP_ENABLE);
    if (unit == 'C') go(csc, regs::csc::D_OP_ENABLE);
    if (unit == 'D') go(cdma, regs::cdma::D_OP_ENABLE);
    if (unit == 'M') go(cmac_a, regs::cmac_a::D_OP_ENABLE), go(cmac_b, regs::cmac_b::D_OP_ENABLE);
  }
}

void Bench::run() {
  while (events.run_next()) {
  }
  while (!conv->output().cubes.empty()) {
    outputs.push_back(conv->output().cubes.front()->get());
    conv->output().cubes.pop_front();
  }
}

void Bench::compare(const Layer& l, AtomCube<int32_t> cube) const {
  const std::vector<int32_t> expected = naive(l);
  REQUIRE(cube.size == CubeSize{l.out_width(), l.out_height(), l.kernels});
  size_t i = 0, wrong = 0;
  for (uint32_t k = 0; k < l.kernels; ++k)
    for (uint32_t y = 0; y < l.out_height(); ++y)
      for (uint32_t x = 0; x < l.out_width(); ++x) wrong += cube.at(x, y, k) != expected[i++];
  REQUIRE(i > 0);
  REQUIRE(wrong == 0);
}

void Bench::check(const Layer& l) {
  const unsigned group = cdma->consumer();
  const size_t before = outputs.size();
  program(l, group);
  enable(group);
  run();
  INFO(errors.text());
  REQUIRE(errors.empty());
  REQUIRE(outputs.size() == before + 1);
  REQUIRE(conv->idle());
  compare(l, outputs.back());
}

}  // namespace dlavp::conv::test
