// Caffe layers that have weights or windows, and the table of all.
#include "compiler/frontend/caffe_layers.hpp"

#include <algorithm>
#include <cmath>

namespace dlavp::compiler {
using caffe::axis_of;
using caffe::of_integer;
using caffe::of_integers;
using caffe::of_number;

const std::map<std::string, CaffeLayers::Handler>& CaffeLayers::handlers() {
  static const std::map<std::string, Handler> table = {
      {"AbsVal", &CaffeLayers::function},
      {"Accuracy", &CaffeLayers::nothing},
      {"ArgMax", &CaffeLayers::arg_max},
      {"BatchNorm", &CaffeLayers::batch_norm},
      {"Bias", &CaffeLayers::bias},
      {"BNLL", &CaffeLayers::function},
      {"Concat", &CaffeLayers::concat},
      {"Convolution", &CaffeLayers::convolution},
      {"Crop", &CaffeLayers::crop},
      {"Deconvolution", &CaffeLayers::deconvolution},
      {"DepthwiseConvolution", &CaffeLayers::convolution},
      {"Dropout", &CaffeLayers::copy},
      {"ELU", &CaffeLayers::function},
      {"Eltwise", &CaffeLayers::eltwise},
      {"Exp", &CaffeLayers::exponential},
      {"Flatten", &CaffeLayers::flatten},
      {"InnerProduct", &CaffeLayers::inner_product},
      {"LRN", &CaffeLayers::lrn},
      {"Log", &CaffeLayers::logarithm},
      {"Permute", &CaffeLayers::permute},
      {"Pooling", &CaffeLayers::pooling},
      {"Power", &CaffeLayers::power},
      {"PReLU", &CaffeLayers::prelu},
      {"ReLU", &CaffeLayers::relu},
      {"ReLU6", &CaffeLayers::function},
      {"Reduction", &CaffeLayers::reduction},
      {"Reshape", &CaffeLayers::reshape},
      {"Scale", &CaffeLayers::scale},
      {"Sigmoid", &CaffeLayers::function},
      {"Silence", &CaffeLayers::nothing},
      {"Slice", &CaffeLayers::slice},
      {"Softmax", &CaffeLayers::softmax},
      {"SoftmaxWithLoss", &CaffeLayers::softmax},
      {"Split", &CaffeLayers::copy},
      {"Swish", &CaffeLayers::function},
      {"TanH", &CaffeLayers::function},
      {"Upsample", &CaffeLayers::upsample},
  };
  return table;
}

/// Says that `tensor` is top `i` of the layer.
void CaffeLayers::set_top(size_t i, const std::string& tensor) {
  if (i >= tops_.size()) fail("caffe.missing", fmt::format("top {} is missing", i));
  tensors_[tops_[i]] = tensor;
  if (unread_.insert(tensor).second) order_.push_back(tensor);
}

OnnxNode CaffeLayers::convolution_node(const char* op, const TextMessage& p,
                                       std::vector<int64_t>& kernel, int64_t& groups) {
  if (dims(0).size() != 4)
    fail("caffe.shape",
         fmt::format("bottom of [{}], expected 4 dimensions", fmt::join(dims(0), "x")));
  if (integer(p, "axis", 1) != 1) fail("caffe.attribute", "axis is not 1");
  kernel = both(p, "kernel_size", "kernel_h", "kernel_w", 0);
  const auto stride = both(p, "stride", "stride_h", "stride_w", 1);
  const auto pad = both(p, "pad", "pad_h", "pad_w", 0);
  const auto dilation = both(p, "dilation", "", "", 1);
  groups = integer(p, "group", type_ == "DepthwiseConvolution" ? dims(0)[1] : 1);
  if (kernel[0] < 1 || kernel[1] < 1 || groups < 1 || dims(0)[1] % groups != 0) {
    fail("caffe.attribute", fmt::format("kernel {}x{}, {} groups of {} channels", kernel[0],
                                        kernel[1], groups, dims(0)[1]));
  }
  OnnxNode n = node(op, {bottom(0)}, result());
  n.attributes["kernel_shape"] = of_integers(kernel);
  n.attributes["strides"] = of_integers(stride);
  n.attributes["dilations"] = of_integers(dilation);
  n.attributes["pads"] = of_integers({pad[0], pad[1], pad[0], pad[1]});
  n.attributes["group"] = of_integer(groups);
  return n;
}

void CaffeLayers::convolution() {
  const TextMessage& p = parameters("convolution_param");
  std::vector<int64_t> kernel;
  int64_t groups = 1;
  OnnxNode n = convolution_node("Conv", p, kernel, groups);
  const int64_t k = integer(p, "num_output", 0);
  const std::vector<int64_t> shape = {k, dims(0)[1] / groups, kernel[0], kernel[1]};
  n.inputs.push_back(constant(shape, weights(0, shape, std::nullopt)));
  if (flag(p, "bias_term", true)) n.inputs.push_back(constant({k}, weights(1, {k}, 0.0F)));
  import(n);
  set_top(0, n.outputs[0]);
}

void CaffeLayers::deconvolution() {
  const TextMessage& p = parameters("convolution_param");
  std::vector<int64_t> kernel;
  int64_t groups = 1;
  OnnxNode n = convolution_node("ConvTranspose", p, kernel, groups);
  const int64_t k = integer(p, "num_output", 0);
  if (k < 1 || k % groups != 0)
    fail("caffe.attribute", fmt::format("{} outputs in {} groups", k, groups));
  const std::vector<int64_t> shape = {dims(0)[1], k / groups, kernel[0], kernel[1]};
  n.inputs.push_back(constant(shape, weights(0, shape, std::nullopt)));
  if (flag(p, "bias_term", true)) n.inputs.push_back(constant({k}, weights(1, {k}, 0.0F)));
  import(n);
  set_top(0, n.outputs[0]);
}

void CaffeLayers::inner_product() {
  const TextMessage& p = parameters("inner_product_param");
  const size_t axis = axis_of(integer(p, "axis", 1), dims(0).size());
  int64_t c = 1;
  for (size_t i = axis; i < dims(0).size(); ++i) c *= dims(0)[i];
  std::string x = bottom(0);
  if (dims(0).size() != 2 || axis != 1) {
    OnnxNode flat = node("Flatten", {x}, result(".flat"));
    flat.attributes["axis"] = of_integer(static_cast<int64_t>(axis));
    import(flat);
    x = flat.outputs[0];
  }
  const int64_t k = integer(p, "num_output", 0);
  const bool transposed = flag(p, "transpose", false);
  const std::vector<int64_t> shape =
      transposed ? std::vector<int64_t>{c, k} : std::vector<int64_t>{k, c};
  OnnxNode n = node("Gemm", {x, constant(shape, weights(0, shape, std::nullopt))}, result());
  n.attributes["transB"] = of_integer(transposed ? 0 : 1);
  if (flag(p, "bias_term", true)) n.inputs.push_back(constant({k}, weights(1, {k}, 0.0F)));
  import(n);
  set_top(0, n.outputs[0]);
}

void CaffeLayers::pooling() {
  const TextMessage& p = parameters("pooling_param");
  const std::string kind = p.text("pool", "MAX");
  const bool max = kind == "MAX" || kind == "0";
  if (!max && kind != "AVE" && kind != "1")
    fail("caffe.attribute", fmt::format("pool {}; MAX and AVE are supported", kind));
  if (tops_.size() > 1) fail("caffe.attribute", "the second top (the mask) is not supported");
  if (flag(p, "global_pooling", false)) {
    const std::string out = result();
    import(max ? "GlobalMaxPool" : "GlobalAveragePool", {bottom(0)}, out);
    return set_top(0, out);
  }
  const auto kernel = both(p, "kernel_size", "kernel_h", "kernel_w", 0);
  const auto stride = both(p, "stride", "stride_h", "stride_w", 1);
  const auto pad = both(p, "pad", "pad_h", "pad_w", 0);
  const std::string round = p.text("round_mode", "CEIL");
  OnnxNode n = node(max ? "MaxPool" : "AveragePool", {bottom(0)}, result());
  n.attributes["kernel_shape"] = of_integers(kernel);
  n.attributes["strides"] = of_integers(stride);
  n.attributes["pads"] = of_integers({pad[0], pad[1], pad[0], pad[1]});
  n.attributes["ceil_mode"] = of_integer(round == "CEIL" || round == "0" ? 1 : 0);
  n.attributes["count_include_pad"] = of_integer(1);
  import(n);
  set_top(0, n.outputs[0]);
}

void CaffeLayers::relu() {
  const double slope = number(parameters("relu_param"), "negative_slope", 0);
  OnnxNode n = node(slope == 0 ? "Relu" : "LeakyRelu", {bottom(0)}, result());
  if (slope != 0) n.attributes["alpha"] = of_number(slope);
  import(n);
  set_top(0, n.outputs[0]);
}

void CaffeLayers::prelu() {
  const bool shared = flag(parameters("prelu_param"), "channel_shared", false);
  const int64_t c = shared ? 1 : dims(0).at(1);
  std::vector<int64_t> shape(dims(0).size() - 1, 1);
  shape[0] = c;
  const std::string out = result();
  import("PRelu", {bottom(0), constant(shape, weights(0, {c}, 0.25F))}, out);
  set_top(0, out);
}

void CaffeLayers::function() {
  static const std::map<std::string, std::string> names = {
      {"AbsVal", "Abs"},      {"BNLL", "Softplus"}, {"ELU", "Elu"},  {"ReLU6", "Clip"},
      {"Sigmoid", "Sigmoid"}, {"Swish", "Swish"},   {"TanH", "Tanh"}};
  OnnxNode n = node(names.at(type_), {bottom(0)}, result());
  if (type_ == "ELU")
    n.attributes["alpha"] = of_number(number(parameters("elu_param"), "alpha", 1));
  if (type_ == "Swish")
    n.attributes["alpha"] = of_number(number(parameters("swish_param"), "beta", 1));
  if (type_ == "ReLU6") {
    n.attributes["min"] = of_number(0);
    n.attributes["max"] = of_number(6);
  }
  import(n);
  set_top(0, n.outputs[0]);
}

void CaffeLayers::lrn() {
  const TextMessage& p = parameters("lrn_param");
  const std::string region = p.text("norm_region", "ACROSS_CHANNELS");
  const bool within = region == "WITHIN_CHANNEL" || region == "1";
  const int64_t size = integer(p, "local_size", 5);
  if (size < 1 || size % 2 == 0)
    fail("caffe.attribute", fmt::format("local_size {}, expected an odd number", size));
  OnnxNode n = node("LRN", {bottom(0)}, result());
  n.attributes["size"] = of_integer(size);
  n.attributes["alpha"] = of_number(number(p, "alpha", 1));
  n.attributes["beta"] = of_number(number(p, "beta", 0.75));
  n.attributes["bias"] = of_number(within ? 1 : number(p, "k", 1));
  if (within) n.attributes["within"] = of_integer(1);
  import(n);
  set_top(0, n.outputs[0]);
}

void CaffeLayers::batch_norm() {
  const int64_t c = dims(0).at(1);
  const auto channels = static_cast<size_t>(c);
  std::vector<float> mean = weights(0, {c}, 0.0F);
  std::vector<float> variance = weights(1, {c}, 1.0F);
  const float given = weights(2, {1}, 1.0F)[0];  // both were summed this often
  const float factor = given == 0 ? 0 : 1 / given;
  for (float& v : mean) v *= factor;
  for (float& v : variance) v *= factor;
  OnnxNode n = node("BatchNormalization",
                    {bottom(0), constant({c}, std::vector<float>(channels, 1.0F)),
                     constant({c}, std::vector<float>(channels, 0.0F)), constant({c}, mean),
                     constant({c}, variance)},
                    result());
  n.attributes["epsilon"] = of_number(number(parameters("batch_norm_param"), "eps", 1e-5));
  import(n);
  set_top(0, n.outputs[0]);
}

/// The dimensions that a Scale's or Bias' values have beside a bottom of `rank` dimensions.
std::vector<int64_t> CaffeLayers::span_dims(const TextMessage& p) const {
  const size_t rank = dims(0).size();
  const size_t axis = axis_of(integer(p, "axis", 1), rank);
  const int64_t axes = integer(p, "num_axes", 1);
  const size_t end = axes < 0 ? rank : std::min(rank, axis + static_cast<size_t>(axes));
  std::vector<int64_t> out;
  for (size_t i = axis; i < rank; ++i) out.push_back(i < end ? dims(0)[i] : 1);
  return out;
}

void CaffeLayers::scale() {
  const TextMessage& p = parameters("scale_param");
  const bool with_bias = flag(p, "bias_term", false);
  const std::string out = result();
  const std::string product = with_bias ? result(".product") : out;
  std::vector<int64_t> shape = span_dims(p);
  size_t bias_blob = 1;
  if (bottoms_.size() > 1) {
    bias_blob = 0;
    shape = dims(1);
    while (axis_of(integer(p, "axis", 1), dims(0).size()) + shape.size() < dims(0).size())
      shape.push_back(1);
    const std::string factor = result(".factor");
    import("Reshape", {bottom(1), constant_ints(shape)}, factor);
    import("Mul", {bottom(0), factor}, product);
  } else {
    import("Mul", {bottom(0), constant(shape, weights(0, shape, 1.0F))}, product);
  }
  if (with_bias) import("Add", {product, constant(shape, weights(bias_blob, shape, 0.0F))}, out);
  set_top(0, out);
}

void CaffeLayers::bias() {
  const TextMessage& p = parameters("bias_param");
  const std::string out = result();
  if (bottoms_.size() > 1) {
    std::vector<int64_t> shape = dims(1);
    while (axis_of(integer(p, "axis", 1), dims(0).size()) + shape.size() < dims(0).size())
      shape.push_back(1);
    const std::string summand = result(".summand");
    import("Reshape", {bottom(1), constant_ints(shape)}, summand);
    import("Add", {bottom(0), summand}, out);
  } else {
    const std::vector<int64_t> shape = span_dims(p);
    import("Add", {bottom(0), constant(shape, weights(0, shape, 0.0F))}, out);
  }
  set_top(0, out);
}

void CaffeLayers::eltwise() {
  const TextMessage& p = parameters("eltwise_param");
  const std::string operation = p.text("operation", "SUM");
  const bool sum = operation == "SUM" || operation == "1";
  const bool product = operation == "PROD" || operation == "0";
  if (!sum && !product && operation != "MAX" && operation != "2")
    fail("caffe.attribute", fmt::format("operation {}", operation));
  std::vector<double> coefficients;
  for (const TextField* f : p.all("coeff"))
    coefficients.push_back(std::strtod(f->value.c_str(), nullptr));
  if (!coefficients.empty() && (!sum || coefficients.size() != bottoms_.size())) {
    fail("caffe.attribute", fmt::format("{} coefficients for {} bottoms, operation {}",
                                        coefficients.size(), bottoms_.size(), operation));
  }
  std::string x;
  const std::string out = result();
  for (size_t i = 0; i < bottoms_.size(); ++i) {
    std::string term = bottom(i);
    if (dims(i) != dims(0)) {
      fail("caffe.shape", fmt::format("bottoms of [{}] and [{}]", fmt::join(dims(0), "x"),
                                      fmt::join(dims(i), "x")));
    }
    if (!coefficients.empty() && coefficients[i] != 1) {
      const std::string scaled = result(fmt::format(".term{}", i));
      import("Mul", {term, constant({}, {static_cast<float>(coefficients[i])})}, scaled);
      term = scaled;
    }
    if (i == 0) {
      x = term;
      continue;
    }
    const std::string to = i + 1 == bottoms_.size() ? out : result(fmt::format(".part{}", i));
    import(sum ? "Add" : product ? "Mul" : "Max", {x, term}, to);
    x = to;
  }
  if (bottoms_.size() < 2) fail("caffe.missing", "two bottoms or more are expected");
  set_top(0, out);
}

}  // namespace dlavp::compiler
