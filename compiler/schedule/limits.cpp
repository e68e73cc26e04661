// Register widths as limits.
#include "compiler/schedule/limits.hpp"

namespace dlavp::compiler {
namespace {

constexpr int64_t kLargestSide = 8192;  ///< 13-bit sizes
constexpr int64_t kLargestKernel = 32;
constexpr int64_t kLargestStride = 8;
constexpr int64_t kLargestDilation = 32;
constexpr int64_t kLargestPad = 31;
constexpr int64_t kLargestPool = 8;
constexpr int64_t kLargestPoolPad = 7;

class Checker {
 public:
  Checker(const LayerProgram& p, Diagnostics& out) : p_(p), out_(out) {}

  void at_most(const Layer& layer, const char* what, int64_t value, int64_t limit) {
    if (value <= limit) return;
    out_.add("schedule.limit", fmt::format("layer '{}'", layer.name),
             fmt::format("{} {}, at most {} (output {})", what, value, limit,
                         p_.tensors[layer.output].shape.text()));
  }
  void shape(const Layer& layer, TensorId id) {
    const Shape& s = p_.tensors[id].shape;
    at_most(layer, "width", s.w, kLargestSide);
    at_most(layer, "height", s.h, kLargestSide);
    at_most(layer, "channels", s.c, kLargestSide);
  }
  void conv(const Layer& layer, const Window& w) {
    at_most(layer, "kernel height", w.kernel_h, kLargestKernel);
    at_most(layer, "kernel width", w.kernel_w, kLargestKernel);
    at_most(layer, "vertical stride", w.stride_h, kLargestStride);
    at_most(layer, "horizontal stride", w.stride_w, kLargestStride);
    at_most(layer, "vertical dilation", w.dilation_h, kLargestDilation);
    at_most(layer, "horizontal dilation", w.dilation_w, kLargestDilation);
    at_most(layer, "top padding", w.pad_top, std::min(kLargestPad, w.extent_h() - 1));
    at_most(layer, "bottom padding", w.pad_bottom, std::min(kLargestPad, w.extent_h() - 1));
    at_most(layer, "left padding", w.pad_left, std::min(kLargestPad, w.extent_w() - 1));
    at_most(layer, "right padding", w.pad_right, std::min(kLargestPad, w.extent_w() - 1));
  }
  void pool(const Layer& layer, const Window& w) {
    at_most(layer, "kernel height", w.kernel_h, kLargestPool);
    at_most(layer, "kernel width", w.kernel_w, kLargestPool);
    at_most(layer, "vertical stride", w.stride_h, kLargestStride);
    at_most(layer, "horizontal stride", w.stride_w, kLargestStride);
    at_most(layer, "top padding", w.pad_top, kLargestPoolPad);
    at_most(layer, "left padding", w.pad_left, kLargestPoolPad);
  }

 private:
  const LayerProgram& p_;
  Diagnostics& out_;
};

}  // namespace

Diagnostics check_limits(const HwConfig& hw, const LayerProgram& program) {
  Diagnostics out;
  const auto lacks = [&](const char* what) {
    out.add("schedule.config", hw.name, fmt::format("the configuration lacks {}", what));
  };
  if (!hw.supports_feature(DataType::kInt8)) lacks("int8");
  if (!hw.sdp_bs || !hw.sdp_bn) lacks("the SDP's X1 or X2 stage");
  Checker check(program, out);
  bool pools = false, normalises = false, looks_up = false;
  for (const Layer& layer : program.layers) {
    if (layer.as<CoreLayer>() != nullptr) continue;  // no register holds its sizes
    for (TensorId id : layer.reads()) check.shape(layer, id);
    check.shape(layer, layer.output);
    if (const auto* c = layer.as<ConvLayer>()) check.conv(layer, c->window);
    if (const auto* p = layer.as<PoolLayer>()) {
      check.pool(layer, p->window);
      pools = true;
    }
    normalises = normalises || layer.as<LrnLayer>() != nullptr;
    looks_up = looks_up || (layer.sdp() != nullptr && layer.sdp()->lut);
  }
  if (pools && !hw.pdp) lacks("pooling (PDP)");
  if (normalises && !hw.cdp) lacks("normalisation across channels (CDP)");
  if (looks_up && !hw.sdp_lut) lacks("the SDP's table");
  return out;
}

}  // namespace dlavp::compiler
