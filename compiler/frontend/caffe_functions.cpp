// Caffe layers without weights: functions, joins, cuts and reshapes.
#include <algorithm>
#include <cmath>

#include "compiler/frontend/caffe_layers.hpp"

namespace dlavp::compiler {

using caffe::axis_of;
using caffe::of_integer;
using caffe::of_integers;
using caffe::of_number;

void CaffeLayers::concat() {
  const TextMessage& p = parameters("concat_param");
  OnnxNode n = node("Concat", {}, result());
  for (size_t i = 0; i < bottoms_.size(); ++i) n.inputs.push_back(bottom(i));
  n.attributes["axis"] = of_integer(integer(p, "axis", integer(p, "concat_dim", 1)));
  import(n);
  set_top(0, n.outputs[0]);
}

void CaffeLayers::slice() {
  const TextMessage& p = parameters("slice_param");
  const int64_t axis = integer(p, "axis", integer(p, "slice_dim", 1));
  const size_t at = axis_of(axis, dims(0).size());
  if (at >= dims(0).size()) fail("caffe.attribute", fmt::format("axis {}", axis));
  OnnxNode n = node("Split", {bottom(0)}, "");
  n.outputs.clear();
  n.attributes["axis"] = of_integer(axis);
  std::vector<int64_t> points = integers(p, "slice_point");
  if (!points.empty()) {
    if (points.size() + 1 != tops_.size()) {
      fail("caffe.attribute",
           fmt::format("{} slice points for {} tops", points.size(), tops_.size()));
    }
    points.push_back(dims(0)[at]);
    std::vector<int64_t> sizes = {points[0]};
    for (size_t i = 1; i < points.size(); ++i) sizes.push_back(points[i] - points[i - 1]);
    n.inputs.push_back(constant_ints(sizes));
  }
  for (const std::string& top : tops_) {
    std::string name = top;
    while (importer_.defines(name)) name += "'";
    n.outputs.push_back(name);
  }
  import(n);
  for (size_t i = 0; i < tops_.size(); ++i) set_top(i, n.outputs[i]);
}

void CaffeLayers::copy() {
  const std::string from = bottom(0);
  for (const std::string& top : tops_) {
    const std::string to = result(tops_.size() == 1 ? "" : "." + top);
    import("Identity", {from}, to);
    set_top(static_cast<size_t>(&top - tops_.data()), to);
  }
}

void CaffeLayers::softmax() {
  if (type_ == "SoftmaxWithLoss" && tops_.empty()) tops_ = {name_};
  OnnxNode n = node("Softmax", {bottom(0)}, result());
  n.attributes["axis"] = of_integer(integer(parameters("softmax_param"), "axis", 1));
  import(n);
  set_top(0, n.outputs[0]);
}

/// bottom 0 times `factor` plus `shift`, under a name of the layer's own if it differs.
std::string CaffeLayers::affine(double factor, double shift) {
  std::string x = bottom(0);
  if (factor != 1) {
    const std::string to = result(".scaled");
    import("Mul", {x, constant({}, {static_cast<float>(factor)})}, to);
    x = to;
  }
  if (shift != 0) {
    const std::string to = result(".shifted");
    import("Add", {x, constant({}, {static_cast<float>(shift)})}, to);
    x = to;
  }
  return x;
}

void CaffeLayers::power() {
  const TextMessage& p = parameters("power_param");
  const std::string x = affine(number(p, "scale", 1), number(p, "shift", 0));
  const double power = number(p, "power", 1);
  const std::string out = result();
  if (power == 1) {
    import("Identity", {x}, out);
  } else {
    import("Pow", {x, constant({}, {static_cast<float>(power)})}, out);
  }
  set_top(0, out);
}

void CaffeLayers::exponential() {
  const TextMessage& p = parameters("exp_param");
  const double base = number(p, "base", -1);
  if (base != -1 && base <= 0) fail("caffe.attribute", fmt::format("base {}", base));
  const double log_base = base == -1 ? 1 : std::log(base);
  const std::string x = affine(number(p, "scale", 1) * log_base, number(p, "shift", 0) * log_base);
  const std::string out = result();
  import("Exp", {x}, out);
  set_top(0, out);
}

void CaffeLayers::logarithm() {
  const TextMessage& p = parameters("log_param");
  const double base = number(p, "base", -1);
  if (base != -1 && (base <= 0 || base == 1)) fail("caffe.attribute", fmt::format("base {}", base));
  const std::string x = affine(number(p, "scale", 1), number(p, "shift", 0));
  const std::string out = result();
  const std::string natural = base == -1 ? out : result(".natural");
  import("Log", {x}, natural);
  if (base != -1)
    import("Mul", {natural, constant({}, {static_cast<float>(1 / std::log(base))})}, out);
  set_top(0, out);
}

void CaffeLayers::flatten() {
  const TextMessage& p = parameters("flatten_param");
  const size_t rank = dims(0).size();
  const size_t first = axis_of(integer(p, "axis", 1), rank);
  const size_t last = axis_of(integer(p, "end_axis", -1), rank);
  if (first > last || last >= rank)
    fail("caffe.attribute", fmt::format("axes {} to {} of {}", first, last, rank));
  std::vector<int64_t> shape;
  for (size_t i = 0; i < rank; ++i) {
    if (i > first && i <= last) {
      shape.back() *= dims(0)[i];
    } else {
      shape.push_back(dims(0)[i]);
    }
  }
  const std::string out = result();
  import("Reshape", {bottom(0), constant_ints(shape)}, out);
  set_top(0, out);
}

void CaffeLayers::reshape() {
  const TextMessage& p = parameters("reshape_param");
  if (integer(p, "axis", 0) != 0 || integer(p, "num_axes", -1) != -1)
    fail("caffe.attribute", "axis and num_axes are not supported");
  const std::string out = result();
  import("Reshape", {bottom(0), constant_ints(integers(p.child("shape"), "dim"))}, out);
  set_top(0, out);
}

void CaffeLayers::permute() {
  std::vector<int64_t> order = integers(parameters("permute_param"), "order");
  for (int64_t i = 0; i < static_cast<int64_t>(dims(0).size()); ++i) {
    if (std::find(order.begin(), order.end(), i) == order.end()) order.push_back(i);
  }
  OnnxNode n = node("Transpose", {bottom(0)}, result());
  n.attributes["perm"] = of_integers(order);
  import(n);
  set_top(0, n.outputs[0]);
}

void CaffeLayers::crop() {
  const TextMessage& p = parameters("crop_param");
  const size_t rank = dims(0).size();
  const size_t axis = axis_of(integer(p, "axis", 2), rank);
  const std::vector<int64_t> offsets = integers(p, "offset");
  if (dims(1).size() != rank || (offsets.size() > 1 && offsets.size() != rank - axis))
    fail("caffe.attribute", fmt::format("{} offsets from axis {}", offsets.size(), axis));
  std::vector<int64_t> starts;
  std::vector<int64_t> ends;
  std::vector<int64_t> axes;
  for (size_t i = axis; i < rank; ++i) {
    const int64_t start = offsets.empty() ? 0 : offsets[offsets.size() == 1 ? 0 : i - axis];
    if (start < 0 || start + dims(1)[i] > dims(0)[i]) {
      fail("caffe.shape",
           fmt::format("axis {}: {} from {} of {}", i, dims(1)[i], start, dims(0)[i]));
    }
    starts.push_back(start);
    ends.push_back(start + dims(1)[i]);
    axes.push_back(static_cast<int64_t>(i));
  }
  const std::string out = result();
  import("Slice", {bottom(0), constant_ints(starts), constant_ints(ends), constant_ints(axes)},
         out);
  set_top(0, out);
}

void CaffeLayers::upsample() {
  const TextMessage& p = parameters("upsample_param");
  if (bottoms_.size() != 1)
    fail("caffe.attribute", "upsampling with a mask is not supported; nearest with scale is");
  const auto scale = static_cast<float>(integer(p, "scale", 2));
  OnnxNode n = node("Resize", {bottom(0), "", constant({4}, {1, 1, scale, scale})}, result());
  OnnxAttribute asymmetric;
  asymmetric.kind = OnnxAttributeKind::kString;
  asymmetric.s = "asymmetric";
  n.attributes["coordinate_transformation_mode"] = asymmetric;
  asymmetric.s = "floor";
  n.attributes["nearest_mode"] = asymmetric;
  import(n);
  set_top(0, n.outputs[0]);
}

void CaffeLayers::arg_max() {
  const TextMessage& p = parameters("argmax_param");
  if (flag(p, "out_max_val", false) || integer(p, "top_k", 1) != 1)
    fail("caffe.attribute", "out_max_val and top_k above 1 are not supported");
  std::string x = bottom(0);
  int64_t axis = 1;
  if (p.has("axis")) {
    axis = integer(p, "axis", 1);
  } else if (dims(0).size() != 2) {
    const std::string flat = result(".flat");
    import("Flatten", {x}, flat);
    x = flat;
  }
  OnnxNode n = node("ArgMax", {x}, result());
  n.attributes["axis"] = of_integer(axis);
  import(n);
  set_top(0, n.outputs[0]);
}

void CaffeLayers::reduction() {
  const TextMessage& p = parameters("reduction_param");
  const std::string operation = p.text("operation", "SUM");
  const bool mean = operation == "MEAN" || operation == "4";
  if (!mean && operation != "SUM" && operation != "1")
    fail("caffe.attribute", fmt::format("operation {}; SUM and MEAN are supported", operation));
  std::vector<int64_t> axes;
  for (size_t i = axis_of(integer(p, "axis", 0), dims(0).size()); i < dims(0).size(); ++i)
    axes.push_back(static_cast<int64_t>(i));
  const double coefficient = number(p, "coeff", 1);
  const std::string out = result();
  const std::string reduced = coefficient == 1 ? out : result(".reduced");
  OnnxNode n = node(mean ? "ReduceMean" : "ReduceSum", {bottom(0)}, reduced);
  n.attributes["axes"] = of_integers(axes);
  n.attributes["keepdims"] = of_integer(0);
  import(n);
  if (coefficient != 1)
    import("Mul", {reduced, constant({}, {static_cast<float>(coefficient)})}, out);
  set_top(0, out);
}

}  // namespace dlavp::compiler
