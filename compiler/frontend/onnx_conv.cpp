// ONNX import: convolutions, products with constant matrices, pooling.
#include <algorithm>

#include "compiler/frontend/importer.hpp"

namespace dlavp::compiler {
namespace {

constexpr int64_t kLargestGroups = 1 << 20;

/// How many padding rows make the last, clipped window whole that rounding up adds, if it adds one:
/// windows that would start in the padding at the end are not taken. An input smaller than the
/// window gives one output if less than a stride is missing.
uint32_t rows_for_ceil(int64_t in, int64_t before, int64_t after, int64_t extent, int64_t stride) {
  const int64_t padded = in + before + after;
  if (padded < extent) return extent - padded < stride ? static_cast<uint32_t>(extent - padded) : 0;
  const int64_t rest = (padded - extent) % stride;
  if (rest == 0) return 0;
  const int64_t last_start = (padded - extent) / stride * stride + stride;
  return last_start < in + before ? static_cast<uint32_t>(stride - rest) : 0;
}

/// A matrix of `rows` x `columns` as one of `columns` x `rows`.
std::vector<float> transposed(const std::vector<float>& values, int64_t rows, int64_t columns) {
  std::vector<float> out(values.size());
  for (int64_t i = 0; i < columns; ++i) {
    for (int64_t j = 0; j < rows; ++j)
      out[static_cast<size_t>(i * rows + j)] = values[static_cast<size_t>(j * columns + i)];
  }
  return out;
}

}  // namespace

void Importer::add_conv_handlers(HandlerMap& table) {
  table["Conv"] = &Importer::conv;
  table["ConvTranspose"] = &Importer::conv_transpose;
  table["Gemm"] = &Importer::gemm;
  table["MatMul"] = &Importer::matmul;
  table["MaxPool"] = &Importer::pool;
  table["AveragePool"] = &Importer::pool;
  table["GlobalAveragePool"] = &Importer::global_pool;
  table["GlobalMaxPool"] = &Importer::global_pool;
}

TensorId Importer::add_weights(const OnnxNode& node, Shape weight_shape, std::vector<float> values,
                               const std::vector<double>& scales) {
  const TensorId id = add_constant(node, "weights", weight_shape, std::move(values));
  graph_.tensor(id).kernel_scales = scales;
  return id;
}

/// The scales that a DequantizeLinear gave constant weights, if they are one in all or one a
/// kernel.
std::vector<double> Importer::kernel_scales(const OnnxTensor& w, int64_t axis) const {
  if (w.scales.size() == 1 || (w.scales.size() > 1 && w.scale_axis == axis)) return w.scales;
  return {};
}

void Importer::conv(const OnnxNode& node) {
  const Activation& given = activation(node, 0);
  const OnnxTensor& w = constant(node, 1);
  if (w.dims.size() != given.rank() || given.rank() < 3 || given.rank() > 4) {
    fail(node, "onnx.shape",
         fmt::format("weights with {} dimensions; only 1-D and 2-D convolution is supported",
                     w.dims.size()));
  }
  const ModelView x = as_image(node, given);
  const size_t spatial = x.rank() - 2;
  const int64_t kernel_h = spatial == 1 ? 1 : w.dims[2];
  const int64_t kernel_w = w.dims.back();
  ConvOp op;
  op.window = window(node, shape(x), spatial, {w.dims.begin() + 2, w.dims.end()});
  op.groups =
      static_cast<uint32_t>(std::clamp<int64_t>(integer(node, "group", 1), 0, kLargestGroups));
  const TensorId weights = add_weights(node, {w.dims[0], w.dims[1], kernel_h, kernel_w},
                                       take_floats(node, 1), kernel_scales(w, 0));
  const auto kernels = static_cast<size_t>(std::max<int64_t>(w.dims[0], 0));
  const TensorId bias =
      add_vector(node, "bias", has_input(node, 2) ? floats(node, 2) : std::vector<float>(kernels));
  const TensorId id = emit(node, op, {x.id, weights, bias});
  const Shape& s = graph_.tensor(id).shape;
  const std::vector<int64_t> dims =
      spatial == 1 ? std::vector<int64_t>{1, s.c, s.w} : std::vector<int64_t>{1, s.c, s.h, s.w};
  define(node, placed_view(id, dims, default_placement(dims)));
}

void Importer::conv_transpose(const OnnxNode& node) {
  const Activation& given = activation(node, 0);
  const OnnxTensor& w = constant(node, 1);
  if (w.dims.size() != 4 || given.rank() != 4) {
    fail(node, "onnx.shape",
         fmt::format("weights with {} dimensions; only 2-D transposed convolution is supported",
                     w.dims.size()));
  }
  const ModelView x = as_image(node, given);
  const Shape& in = shape(x);
  ConvTransposeOp op;
  // SAME pads are those that make the output stride times the input; `window` knows the other rule.
  OnnxNode plain = node;
  plain.attributes.erase("auto_pad");
  op.window = window(plain, in, 2, {w.dims[2], w.dims[3]});
  op.groups =
      static_cast<uint32_t>(std::clamp<int64_t>(integer(node, "group", 1), 0, kLargestGroups));
  const auto output_pads = integers(node, "output_padding", {0, 0});
  op.output_pad_h = static_cast<uint32_t>(output_pads[0]);
  op.output_pad_w = static_cast<uint32_t>(output_pads[1]);
  const std::string mode = text(node, "auto_pad", "NOTSET");
  const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  if (same || attribute(node, "output_shape") != nullptr) {
    std::vector<int64_t> wanted =
        integers(node, "output_shape", {in.h * op.window.stride_h, in.w * op.window.stride_w});
    const auto halves = [&](int64_t size, int64_t stride, int64_t extent, int64_t extra,
                            int64_t target, uint32_t& first, uint32_t& last) {
      const int64_t total = (size - 1) * stride + extra + extent - target;
      if (total < 0) {
        fail(node, "onnx.attribute",
             fmt::format("output size {} is above {}, the largest possible", target,
                         target + total));
      }
      const auto half = static_cast<uint32_t>(total / 2);
      const auto rest = static_cast<uint32_t>(total) - half;
      first = mode == "SAME_UPPER" ? half : rest;
      last = mode == "SAME_UPPER" ? rest : half;
    };
    Window& win = op.window;
    halves(in.h, win.stride_h, win.extent_h(), op.output_pad_h, wanted[0], win.pad_top,
           win.pad_bottom);
    halves(in.w, win.stride_w, win.extent_w(), op.output_pad_w, wanted[1], win.pad_left,
           win.pad_right);
  } else if (mode != "NOTSET" && mode != "VALID") {
    fail(node, "onnx.attribute", fmt::format("auto_pad '{}' is unknown", mode));
  }
  const auto scales = w.scales.size() == 1 ? w.scales : std::vector<double>{};
  const TensorId weights =
      add_weights(node, {w.dims[0], w.dims[1], w.dims[2], w.dims[3]}, take_floats(node, 1), scales);
  const auto kernels = static_cast<size_t>(std::max<int64_t>(w.dims[1] * op.groups, 0));
  const TensorId bias =
      add_vector(node, "bias", has_input(node, 2) ? floats(node, 2) : std::vector<float>(kernels));
  const TensorId id = emit(node, op, {x.id, weights, bias});
  const Shape& s = graph_.tensor(id).shape;
  const std::vector<int64_t> dims = {1, s.c, s.h, s.w};
  define(node, placed_view(id, dims, default_placement(dims)));
}

/// x times a constant matrix (`weights` is kernels x x.dims[axis]) along `axis`.
void Importer::dense(const OnnxNode& node, const ModelView& x, size_t axis,
                     std::vector<float> weights, int64_t kernels, std::vector<float> bias,
                     const std::vector<double>& scales) {
  const int64_t c = x.dims[axis];
  std::vector<int64_t> dims = x.dims;
  dims[axis] = kernels;
  const TensorId b = add_vector(node, "bias", std::move(bias));
  if (x.elements() == c) {
    // One vector: the graph's tensor is taken flat as it lies, and the weights follow its order.
    std::vector<int64_t> from = {0};
    for (const Factor& f : x.axes[axis]) {
      std::vector<int64_t> next;
      for (int64_t base : from) {
        for (int64_t i = 0; i < f.size; ++i) next.push_back(base + i * f.stride);
      }
      from = std::move(next);
    }
    const auto width = static_cast<size_t>(c);
    std::vector<float> row(width);
    const bool in_order = std::is_sorted(from.begin(), from.end());
    for (auto at = weights.begin(); !in_order && at != weights.end(); at += c) {
      std::copy_n(at, width, row.begin());
      for (size_t i = 0; i < width; ++i) at[from[i]] = row[i];
    }
    const TensorId w = add_weights(node, {kernels, c, 1, 1}, std::move(weights), scales);
    const TensorId id = emit(node, GemmOp{}, {x.id, w, b});
    Placement placement;
    placement[0] = {axis};
    return define(node, placed_view(id, dims, placement));
  }
  const ModelView placed = with_channel(node, x, axis);
  const TensorId w = add_weights(node, {kernels, c, 1, 1}, std::move(weights), scales);
  const TensorId id = emit(node, ConvOp{}, {placed.id, w, b});
  define(node, resized_axis(placed, shape(placed), id, 1, axis, kernels));
}

void Importer::gemm(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  const OnnxTensor& w = constant(node, 1);
  if (integer(node, "transA", 0) != 0 || w.dims.size() != 2 || x.rank() != 2) {
    fail(node, "onnx.shape",
         "only X * W (+ C) with a matrix X that is not transposed and a constant W is supported");
  }
  const bool is_transposed = integer(node, "transB", 0) != 0;
  const int64_t k = is_transposed ? w.dims[0] : w.dims[1];
  const int64_t c = is_transposed ? w.dims[1] : w.dims[0];
  if (c != x.dims[1]) {
    fail(node, "onnx.shape", fmt::format("{} times a matrix of {} rows", x.text(), c));
  }
  const float alpha = real(node, "alpha", 1);
  std::vector<float> weights = take_floats(node, 1);
  if (!is_transposed) weights = transposed(weights, c, k);
  if (alpha != 1) {
    for (float& v : weights) v *= alpha;
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
  const auto scales = alpha == 1 ? kernel_scales(w, is_transposed ? 0 : 1) : std::vector<double>{};
  dense(node, x, 1, std::move(weights), k, std::move(bias), scales);
}

void Importer::matmul(const OnnxNode& node) {
  if (node.inputs.size() < 2) fail(node, "onnx.missing", "two inputs are expected");
  if (activations_.contains(node.inputs[0]) && activations_.contains(node.inputs[1])) {
    fail(node, "onnx.not_constant",
         "a product of two activations (as in attention) is not supported; one side must be an "
         "initializer");
  }
  const bool left = is_constant(node, 0);  // W * x: along the last axis but one
  const Activation& x = activation(node, left ? 1 : 0);
  const OnnxTensor& w = constant(node, left ? 0 : 1);
  if (w.dims.size() != 2 || x.rank() < 2) {
    fail(node, "onnx.shape",
         fmt::format("a constant of [{}] with {}: a constant matrix is expected",
                     fmt::join(w.dims, "x"), x.text()));
  }
  const size_t axis = x.rank() - (left ? 2 : 1);
  const int64_t c = left ? w.dims[1] : w.dims[0];
  const int64_t k = left ? w.dims[0] : w.dims[1];
  if (c != x.dims[axis]) {
    fail(node, "onnx.shape",
         fmt::format("{} and a matrix of [{}] do not fit", x.text(), fmt::join(w.dims, "x")));
  }
  std::vector<float> weights = take_floats(node, left ? 0 : 1);
  if (!left) weights = transposed(weights, c, k);
  dense(node, x, axis, std::move(weights), k, std::vector<float>(static_cast<size_t>(k)),
        kernel_scales(w, left ? 0 : 1));
}

void Importer::pool(const OnnxNode& node) {
  const ModelView x = as_image(node, activation(node, 0));
  if (node.outputs.size() > 1 && !node.outputs[1].empty()) {
    fail(node, "onnx.attribute", "the indices output of MaxPool is not supported");
  }
  const Shape& in = shape(x);
  const size_t spatial = x.rank() - 2;
  PoolOp op;
  op.kind = node.op_type == "MaxPool" ? PoolKind::kMax : PoolKind::kAverage;
  op.window = window(node, in, spatial, {});
  op.count_include_pad = integer(node, "count_include_pad", 0) != 0;
  if (integer(node, "ceil_mode", 0) != 0) {
    Window& w = op.window;
    op.uncounted_bottom = rows_for_ceil(in.h, w.pad_top, w.pad_bottom, w.extent_h(), w.stride_h);
    op.uncounted_right = rows_for_ceil(in.w, w.pad_left, w.pad_right, w.extent_w(), w.stride_w);
    w.pad_bottom += op.uncounted_bottom;
    w.pad_right += op.uncounted_right;
  }
  const TensorId id = emit(node, op, {x.id});
  const Shape& s = graph_.tensor(id).shape;
  const std::vector<int64_t> dims =
      spatial == 1 ? std::vector<int64_t>{1, s.c, s.w} : std::vector<int64_t>{1, s.c, s.h, s.w};
  define(node, placed_view(id, dims, default_placement(dims)));
}

void Importer::global_pool(const OnnxNode& node) {
  const ModelView x = as_image(node, activation(node, 0));
  PoolOp op;
  op.kind = node.op_type == "GlobalMaxPool" ? PoolKind::kMax : PoolKind::kAverage;
  op.window.kernel_h = static_cast<uint32_t>(shape(x).h);
  op.window.kernel_w = static_cast<uint32_t>(shape(x).w);
  const TensorId id = emit(node, op, {x.id});
  std::vector<int64_t> dims(x.rank(), 1);
  dims[1] = shape(x).c;
  define(node, placed_view(id, dims, default_placement(dims)));
}

}  // namespace dlavp::compiler
