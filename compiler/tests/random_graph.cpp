#include <set>

#include "compiler/passes/passes.hpp"
#include "compiler/tests/random_graph_maker.hpp"

namespace dlavp::compiler::testing {

const std::vector<Maker::Weighted>& Maker::rules() {
  static const std::vector<Weighted> table = {
      {12, &Maker::conv},         {5, &Maker::depthwise},   {2, &Maker::conv_transpose},
      {3, &Maker::gemm},          {3, &Maker::batch_norm},  {3, &Maker::scale},
      {6, &Maker::relu},          {2, &Maker::prelu},       {5, &Maker::unary},
      {3, &Maker::bounded_unary}, {2, &Maker::gated_unary}, {4, &Maker::add},
      {5, &Maker::residual},      {4, &Maker::binary},      {3, &Maker::binary_constant},
      {6, &Maker::pool},          {2, &Maker::global_pool}, {1, &Maker::flatten},
      {2, &Maker::transpose},     {1, &Maker::shuffle},     {5, &Maker::concat},
      {3, &Maker::slice},         {3, &Maker::split},       {3, &Maker::pad},
      {3, &Maker::resize},        {2, &Maker::reduce},      {2, &Maker::squeeze_excite},
      {2, &Maker::layer_norm},    {2, &Maker::lrn},         {2, &Maker::softmax},
      {1, &Maker::arg_max},       {1, &Maker::identity},
  };
  return table;
}

TensorId Maker::constant(Shape s, float low, float high) {
  std::vector<float> v(static_cast<size_t>(s.elements()));
  for (float& x : v) x = real(low, high);
  return graph_.add_constant("c" + std::to_string(graph_.tensors.size()), s, std::move(v));
}

std::optional<TensorId> Maker::emit(Operator op, std::vector<TensorId> inputs) {
  Node n{"n" + std::to_string(graph_.nodes.size()), std::move(op), std::move(inputs), 0};
  const Result<Shape> out = infer_shape(graph_, n);
  if (!out.ok() || out->elements() > kMostElements || std::max(out->h, out->w) > kMostSide)
    return {};
  n.output = graph_.add_tensor("t" + std::to_string(graph_.tensors.size()), out.value());
  graph_.nodes.push_back(n);
  values_.push_back(n.output);
  return n.output;
}

/// Mostly the newest, so that graphs are deep; else any, so that tensors are shared.
TensorId Maker::some_value() {
  return chance(70) ? values_.back() : values_[pick(0, static_cast<uint32_t>(values_.size() - 1))];
}

std::optional<TensorId> Maker::other(TensorId x, const std::function<bool(const Shape&)>& fits) {
  std::vector<TensorId> found;
  for (TensorId id : values_) {
    if (id != x && fits(shape(id))) found.push_back(id);
  }
  if (found.empty()) return {};
  return found[pick(0, static_cast<uint32_t>(found.size() - 1))];
}

Window Maker::window(const Shape& in, uint32_t most_kernel, uint32_t most_dilation) {
  Window w;
  const auto side = [&](int64_t n, uint32_t& kernel, uint32_t& dilation, uint32_t& stride,
                        uint32_t& before, uint32_t& after) {
    kernel = pick(1, most_kernel);
    dilation = chance(20) ? pick(1, most_dilation) : 1;
    stride = chance(30) ? pick(1, 3) : 1;
    const uint32_t extent = (kernel - 1) * dilation + 1;
    const auto need = static_cast<uint32_t>(std::max<int64_t>(0, int64_t{extent} - n));
    before = std::max(need, pick(0, extent - 1));
    after = chance(50) ? before : pick(0, extent - 1);
    before = std::min(before, extent - 1);
  };
  side(in.h, w.kernel_h, w.dilation_h, w.stride_h, w.pad_top, w.pad_bottom);
  side(in.w, w.kernel_w, w.dilation_w, w.stride_w, w.pad_left, w.pad_right);
  return w;
}

void Maker::finish() {
  std::set<TensorId> read;
  for (const Node& n : graph_.nodes) read.insert(n.inputs.begin(), n.inputs.end());
  for (const Node& n : graph_.nodes) {
    if (!read.contains(n.output) || chance(5)) graph_.outputs.push_back(n.output);
  }
  drop_unused_tensors(graph_);
}

Graph Maker::make() {
  const uint32_t inputs = chance(85) ? 1 : pick(2, 3);
  Shape s{1, chance(30) ? size(1, 4) : size(1, 24), size(1, 14), size(1, 14)};
  for (uint32_t i = 0; i < inputs; ++i) {
    const TensorId id = graph_.add_tensor("input" + std::to_string(i), s);
    graph_.inputs.push_back(id);
    values_.push_back(id);
    if (chance(50)) s.c = size(1, 24);
  }
  uint32_t total = 0;
  for (const Weighted& w : rules()) total += w.weight;
  const size_t wanted = pick(2, 11);
  for (uint32_t tries = 0; graph_.nodes.size() < wanted && tries < 60; ++tries) {
    uint32_t at = pick(0, total - 1);
    for (const Weighted& w : rules()) {
      if (at < w.weight) {
        (this->*w.rule)(some_value());
        break;
      }
      at -= w.weight;
    }
  }
  if (graph_.nodes.empty()) (this->*(&Maker::identity))(values_.front());
  finish();
  return graph_;
}

Graph random_graph(uint32_t seed) { return Maker(seed).make(); }

Samples random_samples(const Graph& graph, uint32_t seed, size_t count) {
  std::mt19937 random(seed ^ 0x5EEDU);
  const bool pixels = seed % 3 == 0;
  Samples out(count);
  for (auto& sample : out) {
    for (TensorId id : graph.inputs) {
      const Shape& s = graph.tensor(id).shape;
      std::vector<float> v(static_cast<size_t>(s.elements()));
      for (float& x : v) {
        x = pixels && s.c <= 4
                ? static_cast<float>(random() % 256)
                : static_cast<float>(random() >> 8) / static_cast<float>(1U << 23) - 1.0F;
      }
      sample.push_back(std::move(v));
    }
  }
  return out;
}

Graph prescribe_zero_points(Graph graph, const Samples& samples, uint32_t seed, uint32_t share) {
  std::mt19937 random(seed);
  Graph ranges = graph;
  CalibrationOptions symmetric;
  symmetric.zero_points = false;
  const auto calibrated = calibrate(ranges, samples, symmetric);
  DLAVP_CHECK(calibrated.ok(), "{}", calibrated.errors().text());
  const auto prescribe = [&](TensorId id) {
    if (random() % 100 >= share) return;
    const int32_t zero = static_cast<int32_t>(random() % 201) - 100;
    const double range = ranges.tensor(id).quantisation->real(127);
    graph.tensor(id).prescribed = Quantisation{range / (127 - std::abs(zero)), zero};
  };
  for (TensorId id : graph.inputs) prescribe(id);
  for (const Node& node : graph.nodes)
    if (node.as<ArgMaxOp>() == nullptr) prescribe(node.output);
  return graph;
}

std::map<std::string, size_t> operator_counts(const Graph& graph) {
  std::map<std::string, size_t> out;
  for (const Node& n : graph.nodes) {
    ++out[operator_name(n.op)];
    if (const auto* op = n.as<UnaryOp>()) {
      for (const UnaryStep& step : op->steps)
        ++out[std::string("unary ") + std::string(unary_name(step.kind))];
    }
    if (const auto* op = n.as<BinaryOp>()) ++out[std::string("binary ") + binary_name(op->kind)];
    if (const auto* op = n.as<ReduceOp>()) ++out[std::string("reduce ") + reduce_name(op->kind)];
  }
  return out;
}

}  // namespace dlavp::compiler::testing
