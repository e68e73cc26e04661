// What the convolution pipeline computes, through its registers and its memory, against naive
// loops.
#include "models/conv/tests/conv_bench.hpp"

using namespace dlavp;
using namespace dlavp::conv;
using namespace dlavp::conv::test;

namespace {

constexpr const char* kConfigs[] = {"nv_small", "nv_small_256", "nv_medium_512", "nv_large"};

uint32_t pick(std::mt19937& random, uint32_t low, uint32_t high) {
  return std::uniform_int_distribution<uint32_t>(low, high)(random);
}

}  // namespace

TEST_CASE("conv: random feature convolutions equal naive loops on four configurations") {
  const uint32_t seed = 20241;
  std::mt19937 random(seed);
  CAPTURE(seed);
  for (int i = 0; i < 120; ++i) {
    Layer l;
    l.kernel_width = pick(random, 1, 5), l.kernel_height = pick(random, 1, 5);
    l.dilation_x = pick(random, 1, 3), l.dilation_y = pick(random, 1, 3);
    l.stride_x = pick(random, 1, 3), l.stride_y = pick(random, 1, 3);
    l.pad_left = pick(random, 0, 4), l.pad_right = pick(random, 0, 4);
    l.pad_top = pick(random, 0, 4), l.pad_bottom = pick(random, 0, 4);
    l.width = pick(random, 1, 12) + (l.kernel_width - 1) * l.dilation_x;
    l.height = pick(random, 1, 9) + (l.kernel_height - 1) * l.dilation_y;
    l.channels = pick(random, 1, 70), l.kernels = pick(random, 1, 40);
    l.pad_value = static_cast<int>(pick(random, 0, 255)) - 128;
    l.truncate = pick(random, 0, 1) ? pick(random, 0, 20) : 0;
    l.grain = pick(random, 0, 2);
    l.data_banks = 8, l.weight_banks = 8;
    if (pick(random, 0, 3) == 0) {
      l.convert = true;
      l.offset = static_cast<int>(pick(random, 0, 100)) - 50;
      l.scale = static_cast<int>(pick(random, 0, 60)) - 30;
      l.cvt_truncate = static_cast<int>(pick(random, 0, 6));
    }
    l.randomise(random);
    CAPTURE(i, l.width, l.height, l.channels, l.kernels, l.kernel_width, l.kernel_height, l.grain);
    Bench(kConfigs[i % 4]).check(l);
  }
}

TEST_CASE(
    "conv: edges: one value, an atom plus and minus one, a kernel larger than its input, wide and "
    "deep cubes") {
  std::mt19937 random(7);
  for (const char* config : kConfigs) {
    const uint32_t atom = Bench(config).hw.memory_atomic_size;
    std::vector<Layer> layers(7);
    layers[1].channels = layers[1].kernels = atom - 1, layers[1].width = 3;
    layers[2].channels = layers[2].kernels = atom + 1, layers[2].height = 2;
    layers[3].width = layers[3].height = 2, layers[3].kernel_width = layers[3].kernel_height = 5;
    layers[3].pad_left = layers[3].pad_right = layers[3].pad_top = layers[3].pad_bottom = 3,
    layers[3].pad_value = -3;
    layers[4].width = 8192, layers[4].data_banks = 20, layers[4].kernel_width = 3;
    layers[5].channels = 8192, layers[5].data_banks = 8, layers[5].weight_banks = 8,
    layers[5].kernels = 2;
    layers[6].width = 1, layers[6].channels = 3 * atom, layers[6].kernels = 3;
    for (Layer& l : layers) {
      if (std::string(config) == "nv_large") l.data_banks = 8, l.weight_banks = 8;
      l.randomise(random);
      CAPTURE(config, l.width, l.height, l.channels, l.kernels);
      Bench(config).check(l);
    }
  }
}

TEST_CASE("conv: every 8-bit pixel format is reordered, converted, padded and convolved") {
  const uint32_t seed = 99;
  std::mt19937 random(seed);
  for (const int format : {0, 12, 13, 14, 15, 16, 17, 18, 19, 26, 27, 28, 29})
    for (const char* config : kConfigs) {
      Bench bench(config);
      Layer l;
      l.format = format;
      l.channels = format == 0 ? 1 : format >= 28 ? 3 : 4;
      l.kernel_width = pick(random, 1, 4), l.kernel_height = pick(random, 1, 5);
      l.width = pick(random, 4, 40), l.height = pick(random, 5, 9);
      l.pad_left = pick(random, 0, 3), l.pad_right = pick(random, 0, 3);
      l.pad_top = pick(random, 0, 3), l.pad_bottom = pick(random, 0, 3);
      l.stride_x = pick(random, 1, 2), l.stride_y = pick(random, 1, 2);
      l.kernels = pick(random, 1, 20);
      l.pad_value = static_cast<int>(pick(random, 0, 255)) - 128;
      l.x_offset =
          pick(random, 0, bench.hw.memory_atomic_size / (format == 0 || format >= 28 ? 1 : 4) - 1);
      l.convert = pick(random, 0, 3) != 0, l.mean = pick(random, 0, 1) != 0,
      l.signed_pixels = pick(random, 0, 1) != 0;
      l.means = {10, -20, 30, 127}, l.offset = 100, l.scale = 5, l.cvt_truncate = 3;
      const uint32_t extended = l.channels * l.kernel_width, lanes = bench.hw.mac_atomic_c_size;
      while (l.y_extension < 2 && extended <= lanes >> (l.y_extension + 1) &&
             l.stride_x * l.channels <= lanes >> (l.y_extension + 1) && pick(random, 0, 1))
        ++l.y_extension;
      l.randomise(random);
      CAPTURE(seed, format, config, l.width, l.x_offset, l.y_extension, l.kernel_width);
      bench.check(l);
    }
}

TEST_CASE("conv: accumulators of very large kernels saturate at 34 bits and outputs are counted") {
  HwConfig hw = load_hw_config("nv_small").value();
  CscOp csc;
  csc.kernel_width = csc.kernel_height = 32, csc.in_width = csc.in_height = 32;
  csc.kernel_channels = 1024, csc.kernels = csc.out_width = csc.out_height = 1;
  CdmaOp cdma;
  cdma.width = cdma.height = 32, cdma.channels = 1024;
  cdma.planes[0].line_stride = 32 * 8, cdma.surface_stride = 32 * 32 * 8;
  SparseMemory memory;
  std::vector<uint8_t> low(32 * 32 * 1024, 0x80);
  REQUIRE(memory.write(0, low));
  auto lines = InputLines::capture(cdma, memory, hw).value();
  ConvInputs inputs;
  for (uint32_t y = 0; y < 32; ++y) inputs.slices.push_back({lines, y});
  inputs.weights.assign(32 * 32 * 1024, -128);
  REQUIRE_FALSE(cannot_saturate(csc));
  const ConvResult clipped = convolve(inputs, csc, CaccOp{2}, hw);
  REQUIRE(clipped.cube.at(0, 0, 0) == 2147483647);  // (2^33 - 1) / 4 rounds up to 2^31
  REQUIRE(clipped.saturated == 1);
  REQUIRE(convolve(inputs, csc, CaccOp{3}, hw).cube.at(0, 0, 0) == 1073741824);
}

TEST_CASE(
    "conv: the output stage rounds half away from zero and keeps sixteen bits below the result") {
  bool saturated = false;
  REQUIRE(clip_accumulator(3, 1, saturated) == 2);
  REQUIRE(clip_accumulator(-3, 1, saturated) == -2);
  REQUIRE(clip_accumulator(-1, 1, saturated) == -1);
  REQUIRE(clip_accumulator(int64_t{1} << 32, 1, saturated) == 2147483647);
  REQUIRE(saturated);
  // Just above the tie towards zero: bits lost beyond the sixteenth make it a tie.
  REQUIRE(clip_accumulator(-(int64_t{1} << 17) + 1, 18, saturated) == -1);
  REQUIRE(clip_accumulator(-(int64_t{1} << 15) + 1, 16, saturated) == 0);
}

TEST_CASE("conv: input lines on top of each other that move far more than they cover are refused") {
  const HwConfig hw = load_hw_config("nv_small").value();
  SparseMemory memory;
  CdmaOp op;
  op.width = 300;
  op.height = 8192;
  op.channels = 8;
  op.planes[0].address = 0x1000;
  op.planes[0].line_stride = 8;
  const auto lines = InputLines::capture(op, memory, hw);
  REQUIRE(!lines.ok());
  REQUIRE(lines.errors().has("cdma.unsupported_size"));
  REQUIRE(lines.errors().text().find("the input at 0x1000 moves 19660800 bytes") !=
          std::string::npos);
}
