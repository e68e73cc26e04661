// Pooling on the PDP, in stages where a window is too large for it, else on the core; normalisation
// across channels on the CDP, else on the core.
#include <algorithm>
#include <array>
#include <cmath>

#include "compiler/loadable/core_block.h"
#include "compiler/quantise/lrn_table.hpp"
#include "compiler/quantise/quantiser.hpp"

namespace dlavp::compiler {
namespace {

constexpr uint32_t kLargestStride = 8;
constexpr uint32_t kLargestPad = 7;

/// Kernels of at most kLargestPool whose product is `size`, or the least above it with room for
/// padding in the first one; empty if there are none.
std::vector<uint32_t> factors_of(uint32_t size) {
  for (uint32_t padded = size; padded <= size + kLargestPool - 2; ++padded) {
    std::vector<uint32_t> out;
    uint32_t rest = padded;
    for (uint32_t f = kLargestPool; f > 1; --f) {
      while (rest % f == 0) {
        out.push_back(f);
        rest /= f;
      }
    }
    // The padding lies in the windows at both ends of the first stage.
    const uint32_t pad = padded - size;
    if (rest == 1 && (pad == 0 || (!out.empty() && (pad + 1) / 2 < out[0]))) return out;
  }
  return {};
}

uint32_t product(const std::vector<uint32_t>& factors) {
  uint32_t out = 1;
  for (uint32_t f : factors) out *= f;
  return out;
}

bool fits(const Window& w) {
  return w.kernel_h <= kLargestPool && w.kernel_w <= kLargestPool && w.dilation_h == 1 &&
         w.dilation_w == 1 && w.stride_h <= kLargestStride && w.stride_w <= kLargestStride &&
         w.pad_top <= kLargestPad && w.pad_left <= kLargestPad;
}

PoolSides uncounted(const PoolOp& op) {
  const Window& w = op.window;
  if (!op.count_include_pad) return {w.pad_top, w.pad_bottom, w.pad_left, w.pad_right};
  return {0, op.uncounted_bottom, 0, op.uncounted_right};
}

}  // namespace

/// A pool of the whole plane as several, each of which the PDP can do. An average whose sides do
/// not factor is taken over a padded plane: its sum is right, and its scale corrects the divisor.
bool Quantiser::pool_in_stages(const Node& node, const PoolOp& op) {
  const Shape& from = shape(node.inputs[0]);
  const Window& w = op.window;
  if (w.padded() || w.kernel_h != from.h || w.kernel_w != from.w || !hw_.pdp) return false;
  std::vector<uint32_t> rows = factors_of(w.kernel_h), columns = factors_of(w.kernel_w);
  if ((w.kernel_h > 1 && rows.empty()) || (w.kernel_w > 1 && columns.empty())) return false;
  const double padded = double{static_cast<double>(product(rows))} * product(columns);
  const double ratio = padded / (double{static_cast<double>(w.kernel_h)} * w.kernel_w);
  const size_t stages = std::max(rows.size(), columns.size());
  rows.resize(stages, 1);
  columns.resize(stages, 1);
  TensorId x = in(node);
  Shape at = out_.tensors[x].shape;  // with gaps, if the input has some
  Quantisation end = out_.tensors[x].quantisation;
  if (op.kind == PoolKind::kAverage) end.scale *= ratio;
  own_[node.output] = end;
  for (size_t i = 0; i < stages; ++i) {
    PoolLayer layer;
    layer.input = x;
    layer.kind = op.kind;
    layer.pad_value = static_cast<int8_t>(end.zero_point);
    Window& k = layer.window;
    k.kernel_h = k.stride_h = rows[i];
    k.kernel_w = k.stride_w = columns[i];
    if (i == 0) {
      const auto pad_h = product(rows) - w.kernel_h, pad_w = product(columns) - w.kernel_w;
      k.pad_top = pad_h / 2;
      k.pad_bottom = pad_h - k.pad_top;
      k.pad_left = pad_w / 2;
      k.pad_right = pad_w - k.pad_left;
    }
    at = {1, at.c, k.out_h(at.h), k.out_w(at.w)};
    if (i + 1 == stages) {
      emit(node, std::move(layer));
    } else {
      x = new_tensor(fmt::format("{}.stage{}", graph_.tensor(node.output).name, i), at, end);
      emit(fmt::format("{}.stage{}", node.name, i), std::move(layer), x);
    }
  }
  return true;
}

void Quantiser::pool_on_core(const Node& node, const PoolOp& op, const char* reason) {
  const Window& w = op.window;
  const auto n = [](uint32_t v) { return static_cast<int32_t>(v); };
  CoreLayer layer;
  layer.kernel = CORE_POOL;
  layer.params = {op.kind == PoolKind::kMax ? 0 : 1,
                  n(w.kernel_h),
                  n(w.kernel_w),
                  n(w.stride_h),
                  n(w.stride_w),
                  n(w.dilation_h),
                  n(w.dilation_w),
                  n(w.pad_top),
                  n(w.pad_left),
                  n(w.pad_bottom) - n(op.uncounted_bottom),
                  n(w.pad_right) - n(op.uncounted_right),
                  op.count_include_pad ? 1 : 0,
                  in_quantisation(node).zero_point};
  core(node, std::move(layer), reason);
}

void Quantiser::pool(const Node& node, const PoolOp& op) {
  const Window& w = op.window;
  // A pool keeps its input's quantisation. Where calibration says otherwise (a table, a join) it is
  // rescaled afterwards.
  const Quantisation wanted = quantisation(node.output), kept = in_quantisation(node);
  const bool average = op.kind == PoolKind::kAverage;
  const bool counts =
      !average || (op.count_include_pad && op.uncounted_bottom == 0 && op.uncounted_right == 0) ||
      !w.padded();
  const bool rescale = !same(wanted, kept) && placed_.contains(node.output);
  const PoolLayer layer{in(node), op.kind, w, counts ? PoolSides{} : uncounted(op),
                        static_cast<int8_t>(kept.zero_point)};
  const bool large = w.kernel_h > kLargestPool || w.kernel_w > kLargestPool;
  if (!rescale) {
    if (large && counts && !placed_.contains(node.output) && pool_in_stages(node, op)) return;
    own_[node.output] = kept;
    if (!hw_.pdp) return pool_on_core(node, op, "the configuration has no PDP");
    if (!fits(w)) return pool_on_core(node, op, "the window is larger than the PDP's 8x8");
    return emit(node, layer);
  }
  const TensorId between =
      new_tensor(graph_.tensor(node.output).name + ".pooled", shape(node.output), kept);
  if (fits(w) && hw_.pdp) {
    emit(node.name + ".pooled", layer, between);
    return emit(node, copy(node, between, wanted));
  }
  own_[node.output] = wanted;
  fail(node,
       fmt::format("window {} with {} for a join of {}", w.text(), kept.text(), wanted.text()));
}

void Quantiser::lrn(const Node& node, const LrnOp& op) {
  const double elements = op.within ? double{static_cast<double>(op.size)} * op.size
                                    : double{static_cast<double>(op.size)};
  const double alpha = double{op.alpha} / elements;
  const bool size_fits = op.size >= 3 && op.size <= 9 && op.size % 2 == 1;
  if (hw_.cdp && size_fits && !op.within) {
    const double s = in_scale(node);
    const auto curve = [&](double squares) {
      return std::pow(double{op.k} + alpha * s * s * squares, -double{op.beta});
    };
    LrnLayer layer;
    layer.input = in(node);
    layer.size = op.size;
    const LrnTable t = make_lrn_table(curve, double{static_cast<double>(op.size)} * 128 * 128);
    layer.lut = t.lut;
    std::tie(layer.out_scale, layer.out_shift) = multiplier(node, t.step * s / scale(node.output));
    return emit(node, std::move(layer));
  }
  CoreLayer layer;
  layer.kernel = CORE_LRN;
  layer.params = {static_cast<int32_t>(op.size), op.within ? 1 : 0};
  layer.reals = {alpha, double{op.beta}, double{op.k}};
  core(node, std::move(layer),
       op.within ? "the CDP normalises across channels" : "the CDP takes 3, 5, 7 or 9 channels");
}

}  // namespace dlavp::compiler
