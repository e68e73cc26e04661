// The sums between the parts are int8 tensors like any other: a rounding more, where the
// alternative is not to compute the layer on the accelerator at all.
#include "compiler/schedule/split_channels.hpp"

#include <algorithm>

#include "compiler/passes/passes.hpp"
#include "compiler/schedule/conv_tiling.hpp"

namespace dlavp::compiler {
namespace {

class Splitter {
 public:
  Splitter(const HwConfig& hw, Graph& graph) : hw_(hw), graph_(graph) {}

  size_t run() {
    size_t applied = 0;
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : nodes) {
      const int64_t channels = part_channels(node);
      if (channels > 0) {
        split(node, channels);
        ++applied;
      } else {
        graph_.nodes.push_back(std::move(node));
      }
    }
    return applied;
  }

 private:
  [[nodiscard]] bool fits(const Node& node, const ConvOp& op, int64_t channels) const {
    const Shape& x = graph_.tensor(node.inputs[0]).shape;
    const Shape& o = graph_.tensor(node.output).shape;
    ConvGeometry g;
    g.in_w = static_cast<uint32_t>(x.w);
    g.in_h = static_cast<uint32_t>(x.h);
    g.in_c = static_cast<uint32_t>(channels);
    g.out_w = static_cast<uint32_t>(o.w);
    g.out_h = static_cast<uint32_t>(o.h);
    g.kernels = static_cast<uint32_t>(o.c);
    g.window = op.window;
    return fits_buffer(hw_, g) || !column_bands(hw_, g).empty();  // lines too wide need no cut here
  }

  /// Of all parts but the last, if the node must be cut and can be; else 0.
  [[nodiscard]] int64_t part_channels(const Node& node) const {
    const auto* op = node.as<ConvOp>();
    if (op == nullptr || op->groups != 1) return 0;
    const int64_t channels = graph_.tensor(node.inputs[0]).shape.c;
    // Parts begin at whole memory atoms and fill the multipliers.
    const int64_t step = std::max(hw_.memory_atomic_size, hw_.mac_atomic_c_size);
    if (channels <= step || fits(node, *op, channels)) return 0;
    for (int64_t parts = 2;; ++parts) {
      const int64_t part = ((channels + parts - 1) / parts + step - 1) / step * step;
      if (fits(node, *op, part)) return part;
      if (part == step) return 0;
    }
  }

  [[nodiscard]] TensorId part_of_weights(TensorId id, int64_t first, int64_t count,
                                         const std::string& suffix) {
    const Tensor& whole = graph_.tensor(id);
    const auto plane = static_cast<size_t>(whole.shape.h * whole.shape.w);
    std::vector<float> values;
    values.reserve(static_cast<size_t>(whole.shape.n * count) * plane);
    for (int64_t k = 0; k < whole.shape.n; ++k) {
      const auto from =
          whole.values.begin() +
          static_cast<std::ptrdiff_t>(static_cast<size_t>(k * whole.shape.c + first) * plane);
      values.insert(values.end(), from,
                    from + static_cast<std::ptrdiff_t>(static_cast<size_t>(count) * plane));
    }
    const std::vector<double> scales = whole.kernel_scales;
    const Shape shape{whole.shape.n, count, whole.shape.h, whole.shape.w};
    const std::string name = fresh_name(graph_, whole.name + suffix);
    const TensorId part = graph_.add_constant(name, shape, std::move(values));
    graph_.tensor(part).kernel_scales = scales;
    return part;
  }

  void split(const Node& node, int64_t part) {
    const auto& op = *node.as<ConvOp>();
    const Shape x = graph_.tensor(node.inputs[0]).shape;
    const Shape o = graph_.tensor(node.output).shape;
    const std::string out_name = graph_.tensor(node.output).name;
    std::optional<TensorId> sum;
    if (op.residual) sum = node.inputs[3];
    for (int64_t first = 0, i = 0; first < x.c; first += part, ++i) {
      const int64_t count = std::min(part, x.c - first);
      const std::string suffix = fmt::format(".channels{}", first);
      const bool last = first + count == x.c;
      SliceOp slice;
      slice.start[1] = first;
      slice.size = {x.n, count, x.h, x.w};
      const std::string in_name = graph_.tensor(node.inputs[0]).name + suffix;
      const TensorId in = graph_.add_tensor(fresh_name(graph_, in_name), slice.size);
      graph_.nodes.push_back({node.name + suffix + ".input", slice, {node.inputs[0]}, in});
      ConvOp conv = op;
      conv.relu = last && op.relu;
      conv.residual = sum.has_value();
      std::vector<TensorId> inputs = {in, part_of_weights(node.inputs[1], first, count, suffix),
                                      node.inputs[2]};
      if (!last) {
        inputs[2] =
            graph_.add_constant(fresh_name(graph_, node.name + suffix + ".bias"), {1, o.c, 1, 1},
                                std::vector<float>(static_cast<size_t>(o.c)));
      }
      if (sum) inputs.push_back(*sum);
      sum = last ? node.output : graph_.add_tensor(fresh_name(graph_, out_name + suffix), o);
      graph_.nodes.push_back({last ? node.name : node.name + suffix, conv, inputs, *sum});
    }
  }

  const HwConfig& hw_;
  Graph& graph_;
};

}  // namespace

size_t split_channels(const HwConfig& hw, Graph& graph) {
  const size_t applied = Splitter(hw, graph).run();
  if (applied != 0) {
    drop_unused_tensors(graph);
    const Diagnostics wrong = graph.verify();
    DLAVP_CHECK(wrong.empty(), "after the cut along channels: {}", wrong.text());
  }
  return applied;
}

}  // namespace dlavp::compiler
