// Joins along the channels as views: producers write into, and readers read from, one memory. Parts
// start at whole memory atoms; where their sizes leave gaps the readers pass over them. What cannot
// be laid out so is copied, on the SDP or the core.
#include <algorithm>

#include "compiler/quantise/quantiser.hpp"

namespace dlavp::compiler {

/// Whether every reader of `id` can pass over gaps between its channels: convolutions have zero
/// weights there; poolings, factors a channel and ReLU compute what nobody reads.
bool Quantiser::takes_spread(TensorId id) const {
  if (is_output(id)) return false;
  for (const Node& node : graph_.nodes) {
    const auto times = std::count(node.inputs.begin(), node.inputs.end(), id);
    if (times == 0) continue;
    const auto* conv = node.as<ConvOp>();
    if (conv != nullptr && conv->groups == 1 && node.inputs[0] == id && times == 1) continue;
    if (moved_channels(node)) continue;
    const auto* factors = node.as<ScaleOp>();
    const bool passes = node.as<PoolOp>() != nullptr || node.as<ReluOp>() != nullptr ||
                        (factors != nullptr && factors->relu_max == kUnbounded);
    if (!passes || placed_.contains(node.output) || !takes_spread(node.output)) return false;
  }
  return true;
}

void Quantiser::mark_spread(TensorId id, const std::vector<int64_t>& channels) {
  spread_[id] = channels;
  for (const Node& node : graph_.nodes) {
    const bool reads = std::count(node.inputs.begin(), node.inputs.end(), id) != 0;
    if (reads && node.as<ConvOp>() == nullptr && !moved_channels(node))
      mark_spread(node.output, channels);
  }
}

/// A join whose parts are no whole atoms: each part starts at the next one, if all readers agree.
/// Parts that lie so in a larger join already are this join.
void Quantiser::plan_spread_join(const Node& node) {
  const TensorId joined = node.output;
  if (placed_.contains(joined) || spread_.contains(joined) || !takes_spread(joined)) return;
  const auto atom = static_cast<int64_t>(hw_.memory_atomic_size);
  std::vector<int64_t> channels;
  std::vector<int64_t> starts;
  int64_t channel = 0;
  for (TensorId part : node.inputs) {
    channel = (channel + atom - 1) / atom * atom;
    starts.push_back(channel);
    for (int64_t c = 0; c < shape(part).c; ++c) channels.push_back(channel++);
  }
  channels.push_back(channel);
  const auto first = placed_.find(node.inputs[0]);
  const ChannelView begin = first == placed_.end() ? ChannelView{joined, 0} : first->second;
  bool free = begin.base == joined,
       laid = !free && same(quantisation(joined), quantisation(begin.base));
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const TensorId part = node.inputs[i];
    const Node* producer = producers_[part];
    const auto at = placed_.find(part);
    free = free && at == placed_.end() && producer != nullptr && !is_output(part) &&
           !joined_.contains(part) && !spread_.contains(part) &&
           producer->as<FlattenOp>() == nullptr && same(quantisation(part), quantisation(joined)) &&
           std::count(node.inputs.begin(), node.inputs.end(), part) == 1;
    laid = laid && at != placed_.end() && at->second.base == begin.base &&
           at->second.channel == begin.channel + starts[i];
  }
  if (!free && !laid) return;
  for (size_t i = 0; free && i < node.inputs.size(); ++i)
    placed_[node.inputs[i]] = {joined, starts[i]};
  if (laid) placed_[joined] = begin;
  joined_.insert(joined);
  mark_spread(joined, channels);
}

/// Lays the parts of a join side by side in one memory where they start whole atoms.
void Quantiser::plan_join(const Node& node) {
  const TensorId joined = node.output;
  const auto atom = static_cast<int64_t>(hw_.memory_atomic_size);
  int64_t channel = 0;
  for (TensorId part : node.inputs) {
    if (channel % atom != 0) return plan_spread_join(node);
    channel += shape(part).c;
  }
  const auto place_of = [&](TensorId id) {
    const auto it = placed_.find(id);
    return it == placed_.end() ? ChannelView{id, 0} : it->second;
  };
  // Channels of a larger join that lie side by side already are this join.
  const ChannelView first = place_of(node.inputs[0]);
  bool side_by_side = first.base != node.inputs[0] && !is_output(joined) &&
                      !placed_.contains(joined) &&
                      same(quantisation(joined), quantisation(first.base));
  channel = first.channel;
  for (TensorId part : node.inputs) {
    const ChannelView p = place_of(part);
    side_by_side = side_by_side && p.base == first.base && p.channel == channel;
    channel += shape(part).c;
  }
  joined_.insert(joined);
  if (side_by_side) {
    placed_[joined] = first;
    return;
  }
  const ChannelView to = place_of(joined);
  channel = to.channel;
  for (TensorId part : node.inputs) {
    const Node* producer = producers_[part];
    const bool once = std::count(node.inputs.begin(), node.inputs.end(), part) == 1;
    const bool own_layer = producer != nullptr && producer->as<FlattenOp>() == nullptr &&
                           !is_output(part) && !placed_.contains(part);
    // A join that is laid out already keeps its parts where they are.
    if (once && own_layer && !joined_.contains(part) &&
        same(quantisation(part), quantisation(to.base)))
      placed_[part] = {to.base, channel};
    channel += shape(part).c;
  }
}

/// Larger joins first, so that smaller ones can be parts of their memory.
void Quantiser::plan_views() {
  std::vector<const Node*> joins;
  for (const Node& node : graph_.nodes) {
    const auto* op = node.as<ConcatOp>();
    if (op != nullptr && op->axis == 1) joins.push_back(&node);
  }
  std::stable_sort(joins.begin(), joins.end(), [&](const Node* a, const Node* b) {
    return shape(a->output).c > shape(b->output).c;
  });
  for (const Node* node : joins) plan_join(*node);
}

void Quantiser::concat(const Node& node, const ConcatOp& op) {
  if (spread_.contains(node.output)) {
    layer_tensor(node.output);  // every part has written itself into it
    return;
  }
  if (joined_.contains(node.output)) {
    const TensorId to = layer_tensor(node.output);
    const ChannelView whole = out_.place(to);
    int64_t channel = whole.channel;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const TensorId part = in(node, i);
      const ChannelView at = out_.place(part);
      if (at.base != whole.base || at.channel != channel) {
        const TensorId made =
            new_tensor(fmt::format("{}.part{}", graph_.tensor(node.output).name, i),
                       out_.tensors[part].shape, out_.tensors[whole.base].quantisation);
        out_.tensors[made].view = ChannelView{whole.base, channel};
        emit(fmt::format("{}.part{}", node.name, i),
             copy(node, part, out_.tensors[whole.base].quantisation), made);
      }
      channel += out_.tensors[part].shape.c;
    }
    return;
  }
  if (op.axis == 1 && concat_apart(node)) return;
  const Shape& o = shape(node.output);
  std::vector<int32_t> params = {static_cast<int32_t>(op.axis) - 1, 0};
  for (int64_t size : {o.c, o.h, o.w}) append_range(params, size);
  map(node, std::move(params),
      op.axis == 1 ? "a part does not start at a whole memory atom" : "joined across the plane");
}

/// Parts that are no whole atoms, for readers that need them close together: each is copied to the
/// next whole atom of a memory with gaps, and the channels move from there.
bool Quantiser::concat_apart(const Node& node) {
  const auto atom = static_cast<int64_t>(hw_.memory_atomic_size);
  std::vector<int64_t> channels;
  std::vector<std::pair<int64_t, int64_t>> gaps;
  int64_t end = 0;
  for (TensorId part : node.inputs) {
    const int64_t start = (end + atom - 1) / atom * atom;
    if (start > end) gaps.emplace_back(end, start);
    end = start + shape(part).c;
    append_range(channels, shape(part).c, start);
  }
  const Shape& o = shape(node.output);
  if (move_blocks(channels, o).empty() || end > kLargestCube) return false;
  const Quantisation to = quantisation(node.output);
  const std::string& name = graph_.tensor(node.output).name;
  const TensorId apart = new_tensor(name + ".apart", {1, end, o.h, o.w}, to);
  out_.tensors[apart].gaps = std::move(gaps);
  size_t first = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const TensorId part = in(node, i);
    const TensorId made =
        new_tensor(fmt::format("{}.part{}", name, i), out_.tensors[part].shape, to);
    out_.tensors[made].view = ChannelView{apart, channels[first]};
    first += static_cast<size_t>(shape(node.inputs[i]).c);
    emit(fmt::format("{}.part{}", node.name, i), copy(node, part, to), made);
  }
  move_channels(node, apart, channels, "a part does not start at a whole memory atom");
  return true;
}

}  // namespace dlavp::compiler
