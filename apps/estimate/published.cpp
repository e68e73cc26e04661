#include "apps/estimate/published.hpp"

#include <array>

namespace dlavp::estimate {

namespace {

struct Input {
  uint32_t channels, size;  ///< square
};

SheetLayer conv(const std::string& name, Input in, uint32_t kernels, uint32_t kernel,
                uint32_t stride = 1, bool padded = true) {
  SheetLayer l;
  l.name = name;
  l.channels = in.channels;
  l.height = l.width = in.size;
  l.kernels = kernels;
  l.kernel_h = l.kernel_w = kernel;
  l.stride_h = l.stride_w = stride;
  l.padded = padded;
  return l;
}

SheetLayer pooled(SheetLayer layer, uint32_t kernel, uint32_t stride) {
  layer.pool = SheetPool{kernel, kernel, stride, stride};
  return layer;
}

SheetLayer fully_connected(const std::string& name, Input in, uint32_t outputs) {
  SheetLayer l = conv(name, in, outputs, in.size, 1, false);
  l.kind = LayerKind::kFullyConnected;
  return l;
}

/// The two groups of a layer of AlexNet are layers of their own on its page.
SheetNetwork alexnet() {
  SheetNetwork net{.name = "alexnet",
                   .layers = {},
                   .rules = {.kernel_multiple = 16,
                             .refetch = false,
                             .batched_fc_weights = true,
                             .sram_batches = true}};
  auto& l = net.layers;
  l.push_back(pooled(conv("conv1", {3, 224}, 96, 11, 4, false), 3, 2));
  for (const char* half : {"a", "b"})
    l.push_back(pooled(conv(std::string("conv2") + half, {48, 27}, 128, 5), 3, 2));
  l.push_back(conv("conv3", {256, 13}, 384, 3));
  for (const char* half : {"a", "b"})
    l.push_back(conv(std::string("conv4") + half, {192, 13}, 192, 3));
  for (const char* half : {"a", "b"}) {
    l.push_back(pooled(conv(std::string("conv5") + half, {192, 13}, 128, 3), 3, 2));
    l.back().output_also_to_dram = true;
  }
  l.push_back(fully_connected("fc6", {256, 6}, 4096));
  l.push_back(fully_connected("fc7", {4096, 1}, 4096));
  l.push_back(fully_connected("fc8", {4096, 1}, 1000));
  return net;
}

struct Inception {
  const char* name;
  Input in;
  uint32_t k1, reduce3, k3, reduce5, k5, pool;
  uint32_t pool_kernel, pool_stride;  ///< behind the module; 0: none
};

/// The three 1x1 convolutions of a module that read its input are one layer on the page, and the
/// pooling behind a module is counted with its pool projection only. The page leaves out the
/// reduction before conv2.
SheetNetwork googlenet() {
  static constexpr std::array<Inception, 9> kModules{{
      {"3a", {192, 28}, 64, 96, 128, 16, 32, 32, 0, 0},
      {"3b", {256, 28}, 128, 128, 192, 32, 96, 64, 3, 2},
      {"4a", {480, 14}, 192, 96, 208, 16, 48, 64, 0, 0},
      {"4b", {512, 14}, 160, 112, 224, 24, 64, 64, 0, 0},
      {"4c", {512, 14}, 128, 128, 256, 24, 64, 64, 0, 0},
      {"4d", {512, 14}, 112, 144, 288, 32, 64, 64, 0, 0},
      {"4e", {528, 14}, 256, 160, 320, 32, 128, 128, 3, 2},
      {"5a", {832, 7}, 256, 160, 320, 32, 128, 128, 0, 0},
      {"5b", {832, 7}, 384, 192, 384, 48, 128, 128, 7, 1},
  }};
  SheetNetwork net{
      .name = "googlenet",
      .layers = {},
      .rules = {.kernel_multiple = 16, .refetch_by_least_weights = true, .lines_beyond_kernel = 1},
      .knows_sram = false};
  auto& l = net.layers;
  l.push_back(pooled(conv("conv1", {3, 224}, 64, 7, 2), 3, 2));
  l.push_back(pooled(conv("conv2", {64, 56}, 192, 3), 3, 2));
  for (const Inception& m : kModules) {
    const std::string name = m.name;
    l.push_back(conv(name + "/1x1", m.in, m.k1 + m.reduce3 + m.reduce5, 1));
    l.push_back(conv(name + "/3x3", {m.reduce3, m.in.size}, m.k3, 3));
    // From the second module on the page counts the weights of 3x3 layers as they are.
    l.back().winograd_weights = &m == kModules.data();
    l.push_back(conv(name + "/5x5", {m.reduce5, m.in.size}, m.k5, 5));
    const SheetLayer projection = conv(name + "/pool_proj", m.in, m.pool, 1);
    l.push_back(m.pool_kernel ? pooled(projection, m.pool_kernel, m.pool_stride) : projection);
  }
  l.push_back(fully_connected("loss3/classifier", {1024, 1}, 1000));
  return net;
}

/// Four stages of bottleneck blocks; a stage's first block strides in its first 1x1 and has a
/// projection beside it.
SheetNetwork resnet50() {
  static constexpr std::array<uint32_t, 4> kBlocks{3, 4, 6, 3};
  SheetNetwork net{.name = "resnet50", .layers = {}, .rules = {}};
  auto& l = net.layers;
  l.push_back(pooled(conv("conv1", {3, 224}, 64, 7, 2), 3, 2));
  Input in{64, 56};
  for (uint32_t stage = 0; stage < kBlocks.size(); ++stage) {
    const uint32_t inner = 64u << stage, outer = 4 * inner;
    for (uint32_t block = 0; block < kBlocks[stage]; ++block) {
      const std::string name = "res" + std::to_string(stage + 2) + static_cast<char>('a' + block);
      const uint32_t stride = stage > 0 && block == 0 ? 2 : 1;
      if (block == 0) l.push_back(conv(name + "_branch1", in, outer, 1, stride));
      // The page gives the very first of these the block's width instead of the stem's.
      if (stage == 0) in.channels = outer;
      l.push_back(conv(name + "_branch2a", in, inner, 1, stride));
      in = {inner, in.size / stride};
      l.push_back(conv(name + "_branch2b", in, inner, 3));
      l.push_back(conv(name + "_branch2c", in, outer, 1));
      l.back().kind = LayerKind::kConvAdd;
      in.channels = outer;
    }
  }
  l.back() = pooled(l.back(), 7, 7);
  // From the second block on the page counts outputs on DRAM as well as on the SRAM.
  constexpr size_t kFirstBlockLayers = 6;
  for (size_t i = kFirstBlockLayers; i < l.size(); ++i) l[i].output_also_to_dram = true;
  l.push_back(fully_connected("fc1000", {2048, 1}, 1000));
  return net;
}

}  // namespace

std::vector<std::string> published_networks() { return {"alexnet", "googlenet", "resnet50"}; }

std::optional<SheetNetwork> published_network(const std::string& name) {
  if (name == "alexnet") return alexnet();
  if (name == "googlenet") return googlenet();
  if (name == "resnet50") return resnet50();
  return std::nullopt;
}

}  // namespace dlavp::estimate
