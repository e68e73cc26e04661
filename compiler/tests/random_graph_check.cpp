#include "compiler/tests/random_graph_check.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/interpreter/int8_interpreter.hpp"
#include "compiler/loadable/core_block.h"

namespace dlavp::compiler::testing {
namespace {

/// Two evaluations in single precision, in another order of sums.
constexpr double kFloatTolerance = 2e-4;
/// Of one int8 layer against floating point: the rounding of its output, of its weights and of the
/// multipliers, as a share of the output's spread or in steps of the output, whichever is larger.
constexpr double kLayerShare = 0.04, kLayerSteps = 1.0;

const loadable::Tensor& bound(const loadable::Loadable& file, uint16_t flag, uint16_t i) {
  for (const loadable::Memory& m : file.memories) {
    if ((m.flags & flag) != 0 && m.bind_id == i) return file.tensors.at(m.tensor_desc_id);
  }
  DLAVP_CHECK(false, "no memory is bound as {}", i);
}

size_t elements(const loadable::Tensor& t) {
  return static_cast<size_t>(t.c) * static_cast<size_t>(t.h) * static_cast<size_t>(t.w);
}

/// Byte of element (c, y, x) of a bound tensor with elements of `size` bytes.
size_t place(const HwConfig& hw, const loadable::Tensor& t, size_t size, size_t c, size_t y,
             size_t x) {
  if (t.data_format == DLA_TENSOR_NHWC)
    return y * t.stride[1] + (x * static_cast<size_t>(t.c) + c) * size;
  const size_t lanes = hw.memory_atomic_size / size;
  return c / lanes * t.stride[2] + y * t.stride[1] + x * hw.memory_atomic_size + c % lanes * size;
}

std::string compare_floats(const Graph& before, const Graph& after, const Samples& samples) {
  const FloatValues a = interpret_float(before, samples[0]);
  const FloatValues b = interpret_float(after, samples[0]);
  for (size_t k = 0; k < before.outputs.size(); ++k) {
    const auto& x = a[before.outputs[k]];
    const auto& y = b[after.outputs[k]];
    if (x.size() != y.size())
      return fmt::format("output {} has {} values, {} before", k, y.size(), x.size());
    if (!std::all_of(x.begin(), x.end(), [](float v) { return std::isfinite(v); })) return {};
    double largest = 1e-3;
    for (float v : x) largest = std::max(largest, std::abs(double{v}));
    for (size_t i = 0; i < x.size(); ++i) {
      if (!(std::abs(double{x[i]} - double{y[i]}) <= kFloatTolerance * largest))
        return fmt::format("passes: output {} value {} is {}, {} before", k, i, y[i], x[i]);
    }
  }
  return {};
}

/// Float values of one node of `g`, given all values before it.
std::vector<float> evaluate_node(const Graph& g, const Node& node, const FloatValues& values) {
  Graph one;
  Node copy = node;
  std::vector<std::vector<float>> inputs;
  std::map<TensorId, TensorId> known;
  for (TensorId& id : copy.inputs) {
    const Tensor& t = g.tensor(id);
    const TensorId old = id;
    if (!known.contains(old)) {
      known[old] = t.constant ? one.add_constant(t.name, t.shape, t.values)
                              : one.add_tensor(t.name, t.shape);
      if (!t.constant) {
        one.inputs.push_back(known[old]);
        inputs.push_back(values[old]);
      }
    }
    id = known[old];
  }
  copy.output = one.add_tensor(g.tensor(node.output).name, g.tensor(node.output).shape);
  one.outputs = {copy.output};
  one.nodes = {copy};
  return interpret_float(one, inputs)[copy.output];
}

/// Each node whose result the layers keep, on the layers' own inputs: int8 against float.
std::string compare_layers(const Compiled& c, const Int8Values& ints) {
  std::map<std::string, TensorId> layer_tensor;
  for (TensorId id = 0; id < c.layers.tensors.size(); ++id)
    layer_tensor[c.layers.tensors[id].name] = id;
  FloatValues values(c.graph.tensors.size());
  const auto adopt = [&](TensorId id) -> bool {
    const auto it = layer_tensor.find(c.graph.tensor(id).name);
    if (it == layer_tensor.end() || ints[it->second].empty() ||
        c.layers.tensors[it->second].type == StoredType::kInt32)
      return false;
    const Quantisation& q = c.layers.tensors[it->second].quantisation;
    values[id].clear();
    for (const int8_t v : ints[it->second]) values[id].push_back(static_cast<float>(q.real(v)));
    return true;
  };
  for (TensorId id : c.graph.inputs) DLAVP_CHECK(adopt(id), "input {} is no layer tensor", id);
  for (const Node& node : c.graph.nodes) {
    const std::vector<float> exact = evaluate_node(c.graph, node, values);
    values[node.output] = exact;
    if (!adopt(node.output)) continue;
    const LayerTensor& t = c.layers.tensors[layer_tensor[c.graph.tensor(node.output).name]];
    const Quantisation& q = t.quantisation;
    const double low = q.real(q.zero_point == 0 ? -127 : -128), high = q.real(127);
    double error = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < exact.size(); ++i) {
      const double expected = std::clamp(double{exact[i]}, low, high);
      error += std::pow(double{values[node.output][i]} - expected, 2);
      sum += expected;
      squares += expected * expected;
    }
    const auto n = static_cast<double>(exact.size());
    const double spread = std::sqrt(squares / n);
    const double rms = std::sqrt(error / n);
    if (rms > std::max(kLayerSteps * q.scale, kLayerShare * spread))
      return fmt::format(
          "layer of node {} ({} {}): int8 is {:g} off float (rms), spread {:g}, step {:g}",
          node.name, operator_name(node.op), t.shape.text(), rms, spread, q.scale);
  }
  return {};
}

std::string first_difference(const std::vector<uint8_t>& actual,
                             const std::vector<int8_t>& expected) {
  if (actual.size() != expected.size())
    return fmt::format("{} bytes, expected {}", actual.size(), expected.size());
  size_t wrong = 0, first = 0;
  for (size_t i = actual.size(); i-- > 0;) {
    if (static_cast<int8_t>(actual[i]) == expected[i]) continue;
    ++wrong;
    first = i;
  }
  if (wrong == 0) return {};
  return fmt::format("{} of {} bytes differ, first at {}: {}, expected {}", wrong, actual.size(),
                     first, int{static_cast<int8_t>(actual[first])}, int{expected[first]});
}

}  // namespace

std::vector<uint8_t> pack_bound(const HwConfig& hw, const loadable::Loadable& file, uint16_t i,
                                const std::vector<uint8_t>& nchw) {
  const loadable::Tensor& t = bound(file, DLA_MEMORY_INPUT, i);
  std::vector<uint8_t> out(t.size);
  const size_t plane = static_cast<size_t>(t.h) * static_cast<size_t>(t.w);
  for (size_t k = 0; k < nchw.size(); ++k)
    out.at(place(hw, t, 1, k / plane, k % plane / static_cast<size_t>(t.w),
                 k % static_cast<size_t>(t.w))) = nchw[k];
  return out;
}

std::vector<uint8_t> unpack_bound(const HwConfig& hw, const loadable::Loadable& file, uint16_t i,
                                  const std::vector<uint8_t>& bytes) {
  const loadable::Tensor& t = bound(file, DLA_MEMORY_OUTPUT, i);
  std::vector<uint8_t> out;
  const size_t plane = static_cast<size_t>(t.h) * static_cast<size_t>(t.w);
  const size_t size = t.data_type == CORE_TENSOR_INT32 ? 4 : 1;
  for (size_t k = 0; k < elements(t); ++k) {
    const size_t at = place(hw, t, size, k / plane, k % plane / static_cast<size_t>(t.w),
                            k % static_cast<size_t>(t.w));
    for (size_t byte = 0; byte < size; ++byte) out.push_back(bytes.at(at + byte));
  }
  return out;
}

namespace {

Verdict examine(const HwConfig& hw, const Graph& graph, const Samples& samples,
                const Execute& execute) {
  CompileOptions options;
  options.measure = false;
  Graph rewritten = graph;
  run_passes(rewritten);
  if (std::string wrong = compare_floats(graph, rewritten, samples); !wrong.empty())
    return {"", wrong};
  auto compiled = compile_graph(hw, graph, samples, options);
  if (!compiled.ok()) return {compiled.errors().text(), ""};
  std::vector<std::vector<uint8_t>> inputs;
  for (size_t i = 0; i < compiled->layers.inputs.size(); ++i)
    inputs.push_back(input_bytes(compiled->layers.inputs[i], samples[0][i]));
  const Int8Values expected = interpret_int8(compiled->layers, inputs);
  const auto actual = execute(*compiled, inputs);
  if (!actual.ok()) return {"", actual.errors().text()};
  for (size_t k = 0; k < compiled->layers.outputs.size(); ++k) {
    const std::string wrong = first_difference((*actual)[k], expected[compiled->layers.outputs[k]]);
    if (!wrong.empty()) return {"", fmt::format("output {}: {}", k, wrong)};
  }
  return {"", compare_layers(*compiled, expected)};
}

}  // namespace

Verdict check_graph(const HwConfig& hw, const Graph& graph, const Samples& samples,
                    const Execute& execute) {
  try {
    return examine(hw, graph, samples, execute);
  } catch (const InternalError& error) {
    return {"", error.what()};
  }
}

}  // namespace dlavp::compiler::testing
