// Channels that change places: a 1x1 convolution with a one a kernel, where that is sooner done
// than on the core, which moves element by element.
#include <algorithm>

#include "compiler/loadable/core_block.h"
#include "compiler/quantise/quantiser.hpp"

namespace dlavp::compiler {
namespace {

constexpr double kCoreCyclesPerElement = 3.2;  ///< of the core's map
constexpr double kCoreLayerCycles = 3000;      ///< a layer of the core between two tasks
constexpr double kOperationCycles = 1800;      ///< a convolution takes at least that to program

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

/// Where channel `c` of a graph tensor lies in its layer tensor.
int64_t Quantiser::channel_place(TensorId id, int64_t c) const {
  const auto spread = spread_.find(id);
  return spread == spread_.end() ? c : spread->second[static_cast<size_t>(c)];
}

/// The channel of the input that each channel of the output is, if nothing else moves.
std::optional<std::vector<int64_t>> Quantiser::moved_channels(const Node& node) const {
  const Shape &x = shape(node.inputs[0]), &o = shape(node.output);
  std::vector<int64_t> out;
  if (const auto* slice = node.as<SliceOp>()) {
    if (o.h != x.h || o.w != x.w || slice->step[2] != 1 || slice->step[3] != 1) return std::nullopt;
    for (int64_t c = 0; c < o.c; ++c) out.push_back(slice->start[1] + c * slice->step[1]);
    return out;
  }
  const auto* reorder = node.as<ReorderOp>();
  if (reorder == nullptr || x != o) return std::nullopt;
  const std::vector<size_t> sources = reorder_sources(*reorder);
  const auto plane = static_cast<size_t>(x.h * x.w);
  for (size_t i = 0; i < sources.size(); ++i) {
    if (sources[i] % plane != i % plane || sources[i] / plane != sources[i - i % plane] / plane)
      return std::nullopt;
    if (i % plane == 0) out.push_back(static_cast<int64_t>(sources[i] / plane));
  }
  return out;
}

/// Leaves out reorders of channels that only cuts of channels read: those move the channels at
/// once.
void Quantiser::find_reordered_cuts() {
  for (const Node& node : graph_.nodes) {
    if (node.as<ReorderOp>() == nullptr || is_output(node.output) || uses_[node.output] == 0 ||
        !moved_channels(node))
      continue;
    const bool cuts = std::all_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& n) {
      const bool reads = std::count(n.inputs.begin(), n.inputs.end(), node.output) != 0;
      return !reads || (n.as<SliceOp>() != nullptr && moved_channels(n));
    });
    if (cuts) fused_.insert(&node);
  }
}

/// Output channels [first, first + count), and the whole atoms of the input that they come from.
Quantiser::MoveBlock Quantiser::move_block(const std::vector<int64_t>& from, int64_t first,
                                           int64_t count) const {
  const auto atom = static_cast<int64_t>(hw_.memory_atomic_size);
  const auto begin = from.begin() + first;
  const auto [least, most] = std::minmax_element(begin, begin + count);
  MoveBlock out{first, count, *least / atom * atom, 0};
  out.in_channels = ceil_div(*most + 1, atom) * atom - out.in_first;
  return out;
}

/// The blocks of output `o` that take the least time together; none if the core takes less.
std::vector<Quantiser::MoveBlock> Quantiser::move_blocks(const std::vector<int64_t>& from,
                                                         const Shape& o) const {
  if (std::max({o.c, o.h, o.w}) > kLargestCube) return {};
  const int64_t pixels = o.h * o.w, channels = o.c;
  double cycles = kCoreLayerCycles + kCoreCyclesPerElement * static_cast<double>(o.elements());
  const int64_t unit = std::max(hw_.memory_atomic_size, hw_.mac_atomic_k_size);
  std::vector<MoveBlock> best;
  for (int64_t size = unit;; size *= 2) {
    std::vector<MoveBlock> blocks;
    double total = 0;
    for (int64_t first = 0; first < channels; first += size) {
      blocks.push_back(move_block(from, first, std::min(size, channels - first)));
      const MoveBlock& b = blocks.back();
      const int64_t steps = ceil_div(b.in_channels, hw_.mac_atomic_c_size);
      const int64_t groups = ceil_div(b.channels, hw_.mac_atomic_k_size);
      total += std::max(kOperationCycles,
                        static_cast<double>(pixels * groups * std::max<int64_t>(steps, 3)));
    }
    if (total < cycles) {
      cycles = total;
      best = std::move(blocks);
    }
    if (size >= channels) return best;
  }
}

/// Makes `node`'s output of channels `from` of the layer tensor `source`.
void Quantiser::move_channels(const Node& node, TensorId source, const std::vector<int64_t>& from,
                              const char* reason) {
  const Shape x = out_.tensors[source].shape, &o = shape(node.output);
  const Quantisation kept = out_.tensors[source].quantisation, wanted = quantisation(node.output);
  const bool image = std::any_of(out_.inputs.begin(), out_.inputs.end(), [&](const LayerInput& i) {
    return i.tensor == source && i.image;
  });
  const auto blocks = move_blocks(from, o);
  if (image || !out_.tensors[source].constant.empty() || blocks.empty() || x.c > kLargestCube) {
    CoreLayer layer;
    layer.kernel = CORE_MAP;
    layer.inputs = {source};
    layer.params = {0, 0};
    for (int64_t c : from) layer.params.push_back(static_cast<int32_t>(c));
    append_range(layer.params, o.h);
    append_range(layer.params, o.w);
    if (!same(kept, wanted)) layer.table = table([](double v) { return v; }, kept, wanted);
    return core(node, std::move(layer), reason);
  }
  const TensorId to = layer_tensor(node.output);
  for (const MoveBlock& b : blocks) {
    const auto view = [&](TensorId whole, int64_t first, int64_t channels, const char* suffix) {
      if (first == 0 && channels == out_.tensors[whole].shape.c) return whole;
      const ChannelView at = out_.place(whole);
      const std::string name =
          fmt::format("{}.{}{}", graph_.tensor(node.output).name, suffix, b.first);
      const TensorId made =
          new_tensor(name, {1, channels, x.h, x.w}, out_.tensors[whole].quantisation);
      out_.tensors[made].view = ChannelView{at.base, at.channel + first};
      return made;
    };
    const int64_t in_channels = std::min(b.in_channels, x.c - b.in_first);
    ConvLayer layer;
    layer.moves = true;
    layer.input = view(source, b.in_first, in_channels, "from");
    layer.weights.assign(static_cast<size_t>(b.channels * in_channels), 0);
    for (int64_t k = 0; k < b.channels; ++k)
      layer.weights[static_cast<size_t>(k * in_channels + from[static_cast<size_t>(b.first + k)] -
                                        b.in_first)] = 1;
    if (!same(kept, wanted)) rescale(node, kept, wanted, layer.sdp);
    emit(blocks.size() == 1 ? node.name : fmt::format("{}.c{}", node.name, b.first),
         std::move(layer), view(to, b.first, b.channels, "to"));
  }
}

}  // namespace dlavp::compiler
