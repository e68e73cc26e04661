// The ONNX operators that can be imported, one handler each.
#include <algorithm>
#include <cmath>

#include "compiler/frontend/importer.hpp"
#include "compiler/frontend/onnx_import.hpp"

namespace dlavp::compiler {

struct OperatorTable {
  using Handler = void (Importer::*)(const OnnxNode&);
  static const std::map<std::string, Handler>& handlers() {
    static const std::map<std::string, Handler> table = {
        {"Conv", &Importer::conv},
        {"Gemm", &Importer::gemm},
        {"MatMul", &Importer::matmul},
        {"BatchNormalization", &Importer::batch_norm},
        {"Relu", &Importer::relu},
        {"Clip", &Importer::clip},
        {"MaxPool", &Importer::pool},
        {"AveragePool", &Importer::pool},
        {"GlobalAveragePool", &Importer::global_average_pool},
        {"Add", &Importer::arithmetic},
        {"Sub", &Importer::arithmetic},
        {"Mul", &Importer::arithmetic},
        {"Div", &Importer::arithmetic},
        {"Flatten", &Importer::flatten},
        {"Reshape", &Importer::reshape},
        {"Squeeze", &Importer::reshape},
        {"Softmax", &Importer::softmax},
        {"Dropout", &Importer::identity},
        {"Identity", &Importer::identity},
        {"Constant", &Importer::constant_node},
    };
    return table;
  }
};

std::vector<std::string> supported_onnx_operators() {
  std::vector<std::string> out;
  for (const auto& [name, handler] : OperatorTable::handlers()) out.push_back(name);
  return out;
}

Result<Graph> import_onnx(const OnnxModel& model) {
  Diagnostics unsupported;
  for (const OnnxNode& n : model.nodes) {
    if (n.domain.empty() && OperatorTable::handlers().contains(n.op_type)) continue;
    unsupported.add(
        "onnx.operator", fmt::format("node '{}'", n.name),
        fmt::format("operator '{}{}{}' is not supported (inputs {}); supported: {}", n.domain,
                    n.domain.empty() ? "" : ".", n.op_type, fmt::join(n.inputs, ", "),
                    fmt::join(supported_onnx_operators(), ", ")));
  }
  if (!unsupported.empty()) return unsupported;
  return Importer(model).run();
}

void Importer::import_node(const OnnxNode& node) {
  (this->*OperatorTable::handlers().at(node.op_type))(node);
}

void Importer::conv(const OnnxNode& node) {
  const Activation x = activation(node, 0);
  const OnnxTensor& w = constant(node, 1);
  if (x.rank != 4 || w.dims.size() != 4) {
    fail(node, "onnx.shape",
         fmt::format("weights with {} dimensions; only 2-D convolution is supported",
                     w.dims.size()));
  }
  ConvOp op;
  op.window = window(node, graph_.tensor(x.id).shape, {w.dims[2], w.dims[3]});
  op.groups = static_cast<uint32_t>(std::clamp<int64_t>(integer(node, "group", 1), 0, 1 << 20));
  const TensorId weights = graph_.add_constant(
      node.name + ".weights", {w.dims[0], w.dims[1], w.dims[2], w.dims[3]}, floats(node, 1));
  const auto kernels = static_cast<size_t>(std::max<int64_t>(w.dims[0], 0));
  const TensorId bias =
      add_vector(node, "bias", has_input(node, 2) ? floats(node, 2) : std::vector<float>(kernels));
  emit(node, op, {x.id, weights, bias}, 4);
}

void Importer::gemm(const OnnxNode& node) {
  const Activation x = activation(node, 0);
  const OnnxTensor& w = constant(node, 1);
  if (integer(node, "transA", 0) != 0 || w.dims.size() != 2 || x.rank != 2) {
    fail(node, "onnx.shape",
         "only X * W (+ C) with a 1xC input and a constant matrix is supported");
  }
  const bool transposed = integer(node, "transB", 0) != 0;
  const int64_t k = transposed ? w.dims[0] : w.dims[1];
  const int64_t c = transposed ? w.dims[1] : w.dims[0];
  const float alpha = real(node, "alpha", 1);
  const std::vector<float> from = floats(node, 1);
  std::vector<float> to(from.size());
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t j = 0; j < c; ++j) {
      to[static_cast<size_t>(i * c + j)] =
          alpha * from[static_cast<size_t>(transposed ? i * c + j : j * k + i)];
    }
  }
  std::vector<float> bias(static_cast<size_t>(k));
  if (has_input(node, 2)) {
    const std::vector<float> given = floats(node, 2);
    if (given.size() != 1 && given.size() != bias.size()) {
      fail(node, "onnx.shape", fmt::format("bias with {} values, expected {}", given.size(), k));
    }
    const float beta = real(node, "beta", 1);
    for (size_t i = 0; i < bias.size(); ++i) bias[i] = beta * given[given.size() == 1 ? 0 : i];
  }
  const TensorId weights = graph_.add_constant(node.name + ".weights", {k, c, 1, 1}, std::move(to));
  const TensorId b = add_vector(node, "bias", std::move(bias));
  emit(node, GemmOp{}, {x.id, weights, b}, 2);
}

void Importer::matmul(const OnnxNode& node) {
  const Activation x = activation(node, 0);
  const OnnxTensor& w = constant(node, 1);
  if (w.dims.size() != 2 || x.rank != 2) {
    fail(node, "onnx.shape", "only a 1xC input times a constant CxK matrix is supported");
  }
  const int64_t c = w.dims[0];
  const int64_t k = w.dims[1];
  const std::vector<float> from = floats(node, 1);
  std::vector<float> to(from.size());
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t j = 0; j < c; ++j)
      to[static_cast<size_t>(i * c + j)] = from[static_cast<size_t>(j * k + i)];
  }
  const TensorId weights = graph_.add_constant(node.name + ".weights", {k, c, 1, 1}, std::move(to));
  const TensorId bias = add_vector(node, "bias", std::vector<float>(static_cast<size_t>(k)));
  emit(node, GemmOp{}, {x.id, weights, bias}, 2);
}

void Importer::batch_norm(const OnnxNode& node) {
  const Activation x = activation(node, 0);
  if (integer(node, "training_mode", 0) != 0) {
    fail(node, "onnx.attribute", "training_mode 1; export the model for inference");
  }
  std::vector<TensorId> inputs = {x.id};
  static constexpr const char* kNames[] = {"gamma", "beta", "mean", "variance"};
  for (size_t i = 0; i < 4; ++i) inputs.push_back(add_vector(node, kNames[i], floats(node, i + 1)));
  emit(node, BatchNormOp{real(node, "epsilon", 1e-5F)}, std::move(inputs), x.rank);
}

void Importer::relu(const OnnxNode& node) {
  const Activation x = activation(node, 0);
  emit(node, ReluOp{}, {x.id}, x.rank);
}

void Importer::clip(const OnnxNode& node) {
  const Activation x = activation(node, 0);
  const auto bound = [&](size_t i, const char* name, float otherwise) {
    if (!has_input(node, i)) return real(node, name, otherwise);  // an attribute before opset 11
    const std::vector<float> values = floats(node, i);
    if (values.size() != 1)
      fail(node, "onnx.shape", fmt::format("{} has {} values, expected 1", name, values.size()));
    return values[0];
  };
  const float min = bound(1, "min", -kUnbounded);
  const float max = bound(2, "max", kUnbounded);
  if (min != 0 || !(max > 0)) {
    fail(node, "onnx.attribute",
         fmt::format("bounds {} to {}: only a lower bound of 0 and an upper one above it are "
                     "supported (Relu, Relu6)",
                     min, max));
  }
  emit(node, ReluOp{max}, {x.id}, x.rank);
}

void Importer::pad_for_ceil(const OnnxNode& node, const Shape& in, Window& w) const {
  const auto extra = [](int64_t padded, int64_t extent, int64_t stride, int64_t begin_limit) {
    const int64_t rest = (padded - extent) % stride;
    if (rest == 0 || padded < extent) return uint32_t{0};
    const int64_t last_start = (padded - extent) / stride * stride + stride;
    return last_start < begin_limit ? static_cast<uint32_t>(stride - rest) : uint32_t{0};
  };
  const uint32_t bottom =
      extra(in.h + w.pad_top + w.pad_bottom, w.extent_h(), w.stride_h, in.h + w.pad_top);
  const uint32_t right =
      extra(in.w + w.pad_left + w.pad_right, w.extent_w(), w.stride_w, in.w + w.pad_left);
  if (node.op_type == "AveragePool" && bottom + right != 0) {
    fail(node, "onnx.attribute",
         "ceil_mode of AveragePool with a clipped last window is not supported");
  }
  w.pad_bottom += bottom;
  w.pad_right += right;
}

void Importer::pool(const OnnxNode& node) {
  const Activation x = activation(node, 0);
  if (x.rank != 4) fail(node, "onnx.shape", "only 2-D pooling is supported");
  if (node.outputs.size() > 1 && !node.outputs[1].empty()) {
    fail(node, "onnx.attribute", "the indices output of MaxPool is not supported");
  }
  const Shape& in = graph_.tensor(x.id).shape;
  PoolOp op;
  op.kind = node.op_type == "MaxPool" ? PoolKind::kMax : PoolKind::kAverage;
  op.window = window(node, in, {});
  if (op.window.dilation_h != 1 || op.window.dilation_w != 1) {
    fail(node, "onnx.attribute",
         fmt::format("dilated pooling ({}) is not supported", op.window.text()));
  }
  op.count_include_pad = integer(node, "count_include_pad", 0) != 0;
  if (integer(node, "ceil_mode", 0) != 0) pad_for_ceil(node, in, op.window);
  emit(node, op, {x.id}, 4);
}

void Importer::global_average_pool(const OnnxNode& node) {
  const Activation x = activation(node, 0);
  const Shape& in = graph_.tensor(x.id).shape;
  PoolOp op;
  op.kind = PoolKind::kAverage;
  op.window.kernel_h = static_cast<uint32_t>(in.h);
  op.window.kernel_w = static_cast<uint32_t>(in.w);
  emit(node, op, {x.id}, 4);
}

void Importer::scale_by_constant(const OnnxNode& node, const Activation& x, const OnnxTensor& c,
                                 bool reversed) {
  const Shape& shape = graph_.tensor(x.id).shape;
  std::vector<float> values =
      c.integral ? std::vector<float>(c.ints.begin(), c.ints.end()) : c.floats;
  // The constant's dimensions, aligned to the right as broadcasting does, must vary over channels
  // only.
  bool per_channel = true;
  for (size_t i = 0; i < c.dims.size(); ++i) {
    const size_t from_right = c.dims.size() - 1 - i;
    const bool channel = x.rank == 4 ? from_right == 2 : from_right == 0;
    if (c.dims[i] != 1 && (!channel || c.dims[i] != shape.c)) per_channel = false;
  }
  if (!per_channel || values.empty()) {
    fail(node, "onnx.shape",
         fmt::format("constant [{}] must be one value or one value a channel ({})",
                     fmt::join(c.dims, "x"), shape.c));
  }
  if (values.size() == 1) values.assign(static_cast<size_t>(shape.c), values[0]);
  std::vector<float> factor(values.size(), 1.0F);
  std::vector<float> shift(values.size(), 0.0F);
  for (size_t i = 0; i < values.size(); ++i) {
    if (node.op_type == "Add") shift[i] = values[i];
    if (node.op_type == "Mul") factor[i] = values[i];
    if (node.op_type == "Sub") {
      shift[i] = reversed ? values[i] : -values[i];
      factor[i] = reversed ? -1.0F : 1.0F;
    }
    if (node.op_type == "Div") {
      if (reversed || values[i] == 0)
        fail(node, "onnx.shape", "division is supported by a non-zero constant only");
      factor[i] = 1.0F / values[i];
    }
  }
  const TensorId f = add_vector(node, "factor", std::move(factor));
  const TensorId s = add_vector(node, "shift", std::move(shift));
  emit(node, ScaleOp{}, {x.id, f, s}, x.rank);
}

void Importer::arithmetic(const OnnxNode& node) {
  for (size_t i = 0; i < 2; ++i) {
    if (!has_input(node, i)) fail(node, "onnx.missing", fmt::format("input {} is missing", i));
    if (constant_or_null(node.inputs[i]) != nullptr) {
      return scale_by_constant(node, activation(node, 1 - i), constant(node, i), i == 0);
    }
  }
  const Activation a = activation(node, 0);
  const Activation b = activation(node, 1);
  if (node.op_type != "Add") {
    fail(node, "onnx.operator",
         fmt::format("{} of two activations is not supported; Add is", node.op_type));
  }
  emit(node, AddOp{}, {a.id, b.id}, a.rank);
}

void Importer::flatten(const OnnxNode& node) {
  const Activation x = activation(node, 0);
  const int64_t axis = integer(node, "axis", 1);
  if (axis != 1 && axis != 1 - static_cast<int64_t>(x.rank)) {
    fail(node, "onnx.attribute", fmt::format("axis {}, only 1 is supported", axis));
  }
  emit(node, FlattenOp{}, {x.id}, 2);
}

void Importer::reshape(const OnnxNode& node) {
  const Activation x = activation(node, 0);
  const Shape& in = graph_.tensor(x.id).shape;
  if (node.op_type == "Squeeze") {
    if (in.h != 1 || in.w != 1)
      fail(node, "onnx.shape", "only the removal of H = W = 1 is supported");
    emit(node, FlattenOp{}, {x.id}, 2);
    return;
  }
  const OnnxTensor& target = constant(node, 1);
  std::vector<int64_t> dims = target.ints;
  const int64_t source[] = {in.n, in.c, in.h, in.w};
  int64_t known = 1;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && i < x.rank) dims[i] = source[i];
    if (dims[i] > 0 && known < (int64_t{1} << 40)) known *= dims[i];
  }
  for (int64_t& d : dims) {
    if (d == -1) d = known > 0 ? in.elements() / known : 0;
  }
  const bool flat = dims == std::vector<int64_t>{1, in.elements()};
  const bool same = dims == std::vector<int64_t>{in.n, in.c, in.h, in.w};
  if (!flat && !same) {
    fail(node, "onnx.shape",
         fmt::format("reshape to [{}]: only flattening to [1x{}] is supported",
                     fmt::join(target.ints, "x"), in.elements()));
  }
  if (flat) {
    emit(node, FlattenOp{}, {x.id}, 2);
  } else {
    emit(node, IdentityOp{}, {x.id}, 4);
  }
}

void Importer::softmax(const OnnxNode& node) {
  const Activation x = activation(node, 0);
  const Shape& in = graph_.tensor(x.id).shape;
  const auto rank = static_cast<int64_t>(x.rank);
  int64_t axis = integer(node, "axis", model_.opset >= 13 ? -1 : 1);
  if (axis < 0) axis += rank;
  if (axis != 1 || in.h != 1 || in.w != 1) {
    fail(node, "onnx.shape",
         fmt::format("axis {} of {}: only softmax over the channels of a 1xC tensor is supported",
                     axis, in.text()));
  }
  emit(node, SoftmaxOp{}, {x.id}, x.rank);
}

void Importer::identity(const OnnxNode& node) {
  if (has_input(node, 0) && constant_or_null(node.inputs[0]) != nullptr && !node.outputs.empty()) {
    constants_[node.outputs[0]] = constant(node, 0);
    return;
  }
  const Activation x = activation(node, 0);
  emit(node, IdentityOp{}, {x.id}, x.rank);
}

void Importer::constant_node(const OnnxNode& node) {
  auto it = node.attributes.find("value");
  if (it == node.attributes.end() || node.outputs.empty()) {
    fail(node, "onnx.attribute", "only Constant with a tensor 'value' is supported");
  }
  constants_[node.outputs[0]] = it->second.tensor;
}

}  // namespace dlavp::compiler
