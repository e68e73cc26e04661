// ONNX import: normalisations, softmax, reductions.
#include <algorithm>
#include <map>

#include "compiler/frontend/importer.hpp"

namespace dlavp::compiler {

void Importer::add_norm_handlers(HandlerMap& table) {
  table["BatchNormalization"] = &Importer::batch_norm;
  table["InstanceNormalization"] = &Importer::instance_norm;
  table["LayerNormalization"] = &Importer::layer_norm;
  table["LRN"] = &Importer::lrn;
  table["Softmax"] = &Importer::softmax;
  table["LogSoftmax"] = &Importer::softmax;
  table["ArgMax"] = &Importer::arg_max;
  table["ArgMin"] = &Importer::arg_max;
  for (const char* name :
       {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2"})
    table[name] = &Importer::reduce;
}

void Importer::batch_norm(const OnnxNode& node) {
  if (integer(node, "training_mode", 0) != 0) {
    fail(node, "onnx.attribute", "training_mode 1; export the model for inference");
  }
  const Activation& given = activation(node, 0);
  if (given.rank() < 2) fail(node, "onnx.shape", fmt::format("input {}", given.text()));
  const ModelView x = with_channel(node, given, 1);
  std::vector<TensorId> inputs = {x.id};
  static constexpr const char* kNames[] = {"gamma", "beta", "mean", "variance"};
  for (size_t i = 0; i < 4; ++i) inputs.push_back(add_vector(node, kNames[i], floats(node, i + 1)));
  define(node,
         with_id(x, emit(node, BatchNormOp{real(node, "epsilon", 1e-5F)}, std::move(inputs))));
}

void Importer::instance_norm(const OnnxNode& node) {
  const ModelView x = as_image(node, activation(node, 0));
  LayerNormOp op{real(node, "epsilon", 1e-5F), false, true, true, 1};
  const TensorId gamma = add_vector(node, "gamma", floats(node, 1));
  const TensorId beta = add_vector(node, "beta", floats(node, 2));
  define(node, with_id(x, emit(node, op, {x.id, gamma, beta})));
}

void Importer::layer_norm(const OnnxNode& node) {
  const Activation& given = activation(node, 0);
  const size_t axis = axis_of(node, integer(node, "axis", -1), given.rank());
  if (axis + 1 != given.rank()) {
    fail(node, "onnx.attribute",
         fmt::format("axis {} of {}: only normalisation over the last axis is supported", axis,
                     given.text()));
  }
  if (node.outputs.size() > 1) {
    for (size_t i = 1; i < node.outputs.size(); ++i) {
      if (!node.outputs[i].empty())
        fail(node, "onnx.attribute", "the outputs for mean and deviation are not supported");
    }
  }
  const ModelView x = with_channel(node, given, axis);
  const auto channels = static_cast<size_t>(x.dims[axis]);
  const TensorId gamma = add_vector(node, "gamma", floats(node, 1));
  const TensorId beta =
      add_vector(node, "beta", has_input(node, 2) ? floats(node, 2) : std::vector<float>(channels));
  LayerNormOp op;
  op.epsilon = real(node, "epsilon", 1e-5F);
  define(node, with_id(x, emit(node, op, {x.id, gamma, beta})));
}

void Importer::lrn(const OnnxNode& node) {
  if (activation(node, 0).rank() < 2) fail(node, "onnx.shape", "two dimensions are expected");
  const ModelView x = with_channel(node, activation(node, 0), 1);
  LrnOp op;
  const int64_t size = integer(node, "size", 0);
  if (size < 1 || size > 1 << 16) fail(node, "onnx.attribute", fmt::format("size {}", size));
  op.size = static_cast<uint32_t>(size);
  op.alpha = real(node, "alpha", 1e-4F);
  op.beta = real(node, "beta", 0.75F);
  op.k = real(node, "bias", 1);
  op.within = integer(node, "within", 0) != 0;  // of the Caffe front end alone
  define(node, with_id(x, emit(node, op, {x.id})));
}

void Importer::softmax(const OnnxNode& node) {
  const Activation& given = activation(node, 0);
  const bool log = node.op_type == "LogSoftmax";
  const bool flat = model_.opset < 13;  // then over all axes from `axis` on
  const size_t axis = axis_of(node, integer(node, "axis", flat ? 1 : -1), given.rank());
  ModelView x = given;
  size_t over = axis;
  if (flat && axis + 1 != given.rank()) {
    std::vector<int64_t> dims(given.dims.begin(),
                              given.dims.begin() + static_cast<std::ptrdiff_t>(axis));
    dims.push_back(1);
    for (size_t i = axis; i < given.rank(); ++i) dims.back() *= given.dims[i];
    x = reshape_view(node, given, dims);
  }
  const auto [placed, a] = with_axis(node, x, over);
  const ModelView out = with_id(placed, emit(node, SoftmaxOp{a, log}, {placed.id}));
  define(node, out.dims == given.dims ? out : reshape_view(node, out, given.dims));
}

void Importer::arg_max(const OnnxNode& node) {
  const Activation& given = activation(node, 0);
  const size_t axis = axis_of(node, integer(node, "axis", 0), given.rank());
  const auto [x, a] = with_axis(node, given, axis);
  ArgMaxOp op;
  op.axis = a;
  op.last = integer(node, "select_last_index", 0) != 0;
  op.smallest = node.op_type == "ArgMin";
  ModelView out = with_id(x, emit(node, op, {x.id}));
  if (x.dims[axis] != 1) out = resized_axis(x, shape(x), out.id, a, axis, 1);
  if (integer(node, "keepdims", 1) == 0) {
    std::vector<int64_t> dims = out.dims;
    dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
    out = reshape_view(node, out, dims);
  }
  define(node, out);
}

void Importer::reduce(const OnnxNode& node) {
  static const std::map<std::string, ReduceKind> kinds = {
      {"ReduceMean", ReduceKind::kMean}, {"ReduceSum", ReduceKind::kSum},
      {"ReduceMax", ReduceKind::kMax},   {"ReduceMin", ReduceKind::kMin},
      {"ReduceProd", ReduceKind::kProd}, {"ReduceL2", ReduceKind::kL2}};
  ModelView x = activation(node, 0);
  // Axes are an input from opset 13 on for ReduceSum, from 18 on for the others.
  const auto given = ints_or_attribute(node, 1, "axes");
  std::vector<size_t> axes = axes_of(node, given.value_or(std::vector<int64_t>{}), x.rank());
  if (axes.empty()) {
    if (integer(node, "noop_with_empty_axes", 0) != 0) return define(node, x);
    for (size_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  }
  ReduceOp op;
  op.kind = kinds.at(node.op_type);
  const auto placed_axes = [&](const ModelView& v) {
    op.c = op.h = op.w = false;
    bool all = true;
    for (size_t axis : axes) {
      if (v.dims[axis] == 1) continue;
      const uint32_t a = graph_axis(v, shape(v), axis);
      if (a == 0) all = false;
      (a == 1 ? op.c : a == 2 ? op.h : op.w) = true;
    }
    return all;
  };
  if (!placed_axes(x)) {
    x = place(node, x,
              axes.size() == 1 ? channel_placement(x.dims, axes[0]) : default_placement(x.dims));
    if (!placed_axes(x)) {
      fail(node, "onnx.shape",
           fmt::format("{} over axes {}: at most three axes above 1 are supported", x.text(),
                       fmt::join(axes, ", ")));
    }
  }
  ModelView out = x;
  const TensorId id = emit(node, op, {x.id});
  Shape s = shape(x);
  for (size_t axis : axes) {
    if (x.dims[axis] == 1) continue;
    const uint32_t a = graph_axis(out, s, axis);
    out = resized_axis(out, s, id, a, axis, 1);
    (a == 1 ? s.c : a == 2 ? s.h : s.w) = 1;
  }
  out.id = id;
  if (integer(node, "keepdims", 1) == 0) {
    std::vector<int64_t> dims;
    for (size_t i = 0; i < out.rank(); ++i) {
      if (std::find(axes.begin(), axes.end(), i) == axes.end()) dims.push_back(out.dims[i]);
    }
    if (dims.empty()) dims = {1};
    out = reshape_view(node, out, dims);
  }
  define(node, out);
}

}  // namespace dlavp::compiler
