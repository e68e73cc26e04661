// Operators that move elements. A cut along the channels at whole memory atoms is a view; what is
// left copies on the SDP or the core.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/loadable/core_block.h"
#include "compiler/quantise/quantiser.hpp"

namespace dlavp::compiler {
namespace {

constexpr double kResizeOne = 2048;
constexpr int64_t kMostRepeats = 8;

}  // namespace

void Quantiser::flatten(const Node& node) {
  const bool produced = producers_[node.inputs[0]] != nullptr && !is_output(node.inputs[0]);
  if (uses_[node.output] == 1 && is_output(node.output) && produced) {
    const TensorId id = in(node);
    if (!out_.tensors[id].view) {
      out_.tensors[id].pooled_flat = true;
      ids_[node.output] = id;
      return;
    }
  }
  const Shape& s = shape(node.inputs[0]);
  CoreLayer layer;
  layer.kernel = CORE_REORDER;
  layer.params = {1, static_cast<int32_t>(s.elements()), 0};
  own_[node.output] = in_quantisation(node);
  core(node, std::move(layer), "the elements change places in memory");
}

void Quantiser::map(const Node& node, std::vector<int32_t> params, const char* reason) {
  CoreLayer layer;
  layer.kernel = CORE_MAP;
  layer.params = std::move(params);
  bool rescaled = false;
  for (size_t i = 0; i < node.inputs.size(); ++i)
    rescaled = rescaled || !same(in_quantisation(node, i), quantisation(node.output));
  for (size_t i = 0; rescaled && i < node.inputs.size(); ++i) {
    const std::vector<uint8_t> values =
        table([](double x) { return x; }, in_quantisation(node, i), quantisation(node.output));
    layer.table.insert(layer.table.end(), values.begin(), values.end());
  }
  core(node, std::move(layer), reason);
}

/// A cut that starts a whole memory atom is a view; other channels move; what is left is the
/// core's.
void Quantiser::slice(const Node& node, const SliceOp& op) {
  const Node* before = producers_[node.inputs[0]];
  const bool reordered =
      before != nullptr && before->as<ReorderOp>() != nullptr && fused_.contains(before);
  const TensorId read = reordered ? before->inputs[0] : node.inputs[0];
  const TensorId from = layer_tensor(read);
  if (auto channels = moved_channels(node)) {
    if (reordered) {
      const std::vector<int64_t> first = *moved_channels(*before);
      for (int64_t& c : *channels) c = first[static_cast<size_t>(c)];
    }
    for (int64_t& c : *channels) c = channel_place(read, c);
    if (cut_as_view(node, from, *channels)) return;
    return move_channels(node, from, *channels, "the cut does not start at a whole memory atom");
  }
  std::vector<int32_t> params = {0, 0};
  const std::array<int64_t, 3> sizes = {op.size.c, op.size.h, op.size.w};
  for (size_t a = 0; a < 3; ++a) append_range(params, sizes[a], op.start[a + 1], op.step[a + 1]);
  map(node, std::move(params), "a cut inside the plane");
}

/// Channels that follow each other from a whole atom on are a view of `from`, or a copy of one.
bool Quantiser::cut_as_view(const Node& node, TensorId from, const std::vector<int64_t>& channels) {
  for (size_t i = 1; i < channels.size(); ++i)
    if (channels[i] != channels[0] + static_cast<int64_t>(i)) return false;
  const bool image = std::any_of(out_.inputs.begin(), out_.inputs.end(),
                                 [&](const LayerInput& i) { return i.tensor == from && i.image; });
  const ChannelView at = out_.place(from);
  const int64_t channel = at.channel + channels[0];
  if (channel % static_cast<int64_t>(hw_.memory_atomic_size) != 0 || image ||
      !out_.tensors[from].constant.empty())
    return false;
  const Quantisation kept = out_.tensors[from].quantisation;
  const bool own = is_output(node.output) || placed_.contains(node.output) ||
                   !same(quantisation(node.output), kept);
  TensorId view = 0;
  if (own) {
    view = new_tensor(graph_.tensor(node.output).name + ".view", shape(node.output), kept);
  } else {
    view = layer_tensor(node.output);
    out_.tensors[view].quantisation = kept;
  }
  out_.tensors[view].view = ChannelView{at.base, channel};
  if (own) emit(node, copy(node, view, quantisation(node.output)));
  return true;
}

void Quantiser::pad(const Node& node, const PadOp& op) {
  const Shape& x = shape(node.inputs[0]);
  std::vector<int32_t> params = {0, 0};
  if (op.mode == PadMode::kConstant)
    params[1] = quantise_value(double{op.value}, quantisation(node.output));
  const std::array<int64_t, 3> sizes = {x.c, x.h, x.w};
  for (size_t a = 0; a < 3; ++a) {
    const int64_t size = sizes[a];
    for (int64_t i = -op.before[a + 1]; i < size + op.after[a + 1]; ++i) {
      int64_t from = i;
      if (op.mode == PadMode::kReflect) from = i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
      if (op.mode != PadMode::kConstant) from = std::clamp<int64_t>(from, 0, size - 1);
      params.push_back(from < 0 || from >= size ? -1 : static_cast<int32_t>(from));
    }
  }
  map(node, std::move(params), "padding outside of a window");
}

/// Into how many outputs in a row each input goes; none if that is not one number for all.
std::optional<uint32_t> Quantiser::repeats(const std::vector<ResizeTap>& taps, int64_t in) {
  const auto out = static_cast<int64_t>(taps.size());
  const int64_t count = out / in;
  if (count * in != out || count > kMostRepeats) return std::nullopt;
  for (int64_t i = 0; i < out; ++i) {
    const ResizeTap& t = taps[static_cast<size_t>(i)];
    if (!t.present || t.low * count != i - i % count) return std::nullopt;
  }
  return static_cast<uint32_t>(count);
}

/// Elements repeated by SDP: first along the lines, then the lines.
bool Quantiser::repeat(const Node& node, const std::vector<ResizeTap>& rows,
                       const std::vector<ResizeTap>& columns) {
  const Shape &x = shape(node.inputs[0]), &o = shape(node.output);
  const auto down = repeats(rows, x.h), across = repeats(columns, x.w);
  const TensorId from = in(node);
  const bool single =
      x.h * x.w == 1;  // SDP packs the channels of single pixels, whatever the stride
  if (single || !down || !across || *down * *across == 1 ||
      std::max({o.c, o.h, o.w}) > kLargestCube || !out_.tensors[from].constant.empty())
    return false;
  PointLayer layer = copy(node, from, quantisation(node.output));
  layer.repeat_w = *across;
  if (*down == 1) {
    emit(node, std::move(layer));
    return true;
  }
  if (*across > 1) {
    const TensorId wide = new_tensor(graph_.tensor(node.output).name + ".wide", {1, x.c, x.h, o.w},
                                     quantisation(node.output));
    emit(node.name + ".wide", std::move(layer), wide);
    layer = {};
    layer.input = wide;
  }
  layer.repeat_h = *down;
  emit(node, std::move(layer));
  return true;
}

void Quantiser::resize(const Node& node, const ResizeOp& op) {
  const Shape& x = shape(node.inputs[0]);
  const std::vector<ResizeTap> rows = resize_taps(op, false, x.h);
  const std::vector<ResizeTap> columns = resize_taps(op, true, x.w);
  if (op.kind != ResizeKind::kLinear) {
    if (repeat(node, rows, columns)) return;
    std::vector<int32_t> params = {0, quantisation(node.output).zero_point};
    append_range(params, x.c);
    for (const auto* taps : {&rows, &columns}) {
      for (const ResizeTap& t : *taps)
        params.push_back(t.present ? static_cast<int32_t>(t.low) : -1);
    }
    return map(node, std::move(params), "no unit repeats elements");
  }
  CoreLayer layer;
  layer.kernel = CORE_RESIZE;
  for (const auto* taps : {&rows, &columns}) {
    for (const ResizeTap& t : *taps) {
      layer.params.push_back(static_cast<int32_t>(t.low));
      layer.params.push_back(static_cast<int32_t>(t.high));
      layer.params.push_back(static_cast<int32_t>(std::lround(t.share * kResizeOne)));
    }
  }
  const Quantisation wanted = quantisation(node.output), kept = in_quantisation(node);
  if (same(wanted, kept)) return core(node, std::move(layer), "no unit mixes neighbours");
  const TensorId between =
      new_tensor(graph_.tensor(node.output).name + ".resized", shape(node.output), kept);
  layer.inputs = {in(node)};
  layer.reason = "no unit mixes neighbours";
  emit(node.name + ".resized", std::move(layer), between);
  emit(node, copy(node, between, wanted));
}

/// A reorder that only permutes channels moves them; any other is done element by element.
void Quantiser::reorder(const Node& node, const ReorderOp& op) {
  const Shape& o = shape(node.output);
  if (auto channels = moved_channels(node)) {
    for (int64_t& c : *channels) c = channel_place(node.inputs[0], c);
    return move_channels(node, in(node), *channels, "channels change places");
  }
  CoreLayer layer;
  layer.kernel = CORE_REORDER;
  layer.params = {static_cast<int32_t>(op.dims.size())};
  for (int64_t d : op.dims) layer.params.push_back(static_cast<int32_t>(d));
  for (uint32_t p : op.perm) layer.params.push_back(static_cast<int32_t>(p));
  const Quantisation wanted = quantisation(node.output), kept = in_quantisation(node);
  if (same(wanted, kept))
    return core(node, std::move(layer), "the elements change places in memory");
  const TensorId between = new_tensor(graph_.tensor(node.output).name + ".reordered", o, kept);
  layer.inputs = {in(node)};
  layer.reason = "the elements change places in memory";
  emit(node.name + ".reordered", std::move(layer), between);
  emit(node, copy(node, between, wanted));
}

}  // namespace dlavp::compiler
