// Caffe import: the network's inputs, phases, blobs and outputs. The layers are in
// caffe_layers.cpp.
#include "compiler/frontend/caffe_import.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "compiler/frontend/caffe_layers.hpp"
#include "models/common/read_file.hpp"

namespace dlavp::compiler {
namespace {

constexpr int64_t kOpset = 13;
constexpr int64_t kLargest = int64_t{1} << 31;

/// Names that the older generation of prototxts used for layer types.
const std::map<std::string, std::string>& old_types() {
  static const std::map<std::string, std::string> table = {{"ABSVAL", "AbsVal"},
                                                           {"ACCURACY", "Accuracy"},
                                                           {"ARGMAX", "ArgMax"},
                                                           {"BNLL", "BNLL"},
                                                           {"CONCAT", "Concat"},
                                                           {"CONVOLUTION", "Convolution"},
                                                           {"DECONVOLUTION", "Deconvolution"},
                                                           {"DROPOUT", "Dropout"},
                                                           {"ELTWISE", "Eltwise"},
                                                           {"EXP", "Exp"},
                                                           {"FLATTEN", "Flatten"},
                                                           {"INNER_PRODUCT", "InnerProduct"},
                                                           {"LRN", "LRN"},
                                                           {"POOLING", "Pooling"},
                                                           {"POWER", "Power"},
                                                           {"RELU", "ReLU"},
                                                           {"SIGMOID", "Sigmoid"},
                                                           {"SILENCE", "Silence"},
                                                           {"SLICE", "Slice"},
                                                           {"SOFTMAX", "Softmax"},
                                                           {"SOFTMAX_LOSS", "SoftmaxWithLoss"},
                                                           {"SPLIT", "Split"},
                                                           {"TANH", "TanH"}};
  return table;
}

/// Whether a rule of include or exclude holds for the TEST phase.
bool holds(const TextField& rule) {
  if (rule.message.empty()) return false;
  const TextMessage& m = rule.message[0];
  const std::string phase = m.text("phase", "TEST");
  return (phase == "TEST" || phase == "1") && !m.has("stage");
}

bool in_test_phase(const TextMessage& layer) {
  const std::string phase = layer.text("phase", "TEST");
  if (phase != "TEST" && phase != "1") return false;
  const auto include = layer.all("include");
  const auto exclude = layer.all("exclude");
  const auto test = [](const TextField* rule) { return holds(*rule); };
  if (!include.empty()) return std::any_of(include.begin(), include.end(), test);
  return std::none_of(exclude.begin(), exclude.end(), test);
}

/// Errors of the shared importer under the name of this front end.
Diagnostics as_caffe(const Diagnostics& errors, const std::string& place) {
  Diagnostics out;
  for (const Error& e : errors.errors()) {
    const bool onnx = e.id.rfind("onnx.", 0) == 0;
    out.add(onnx ? "caffe." + e.id.substr(5) : e.id, e.place.empty() ? place : e.place, e.message);
  }
  return out;
}

std::optional<int64_t> parse_integer(const std::string& text) {
  int64_t v = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return v;
}

}  // namespace

void CaffeLayers::fail(const char* id, const std::string& message) const {
  const size_t line = layer_ == nullptr ? 0 : layer_->line;
  throw Importer::Failure{
      {id, fmt::format("{}:{}: layer '{}' ({})", place_, line, name_, type_), message}};
}

int64_t CaffeLayers::integer(const TextMessage& m, const char* name, int64_t otherwise) const {
  const TextField* f = m.find(name);
  if (f == nullptr) return otherwise;
  const auto v = parse_integer(f->value);
  if (!v || std::abs(*v) > kLargest) {
    fail("caffe.attribute",
         fmt::format("line {}: {} '{}', expected a whole number", f->line, name, f->value));
  }
  return *v;
}

std::vector<int64_t> CaffeLayers::integers(const TextMessage& m, const char* name) const {
  std::vector<int64_t> out;
  for (const TextField* f : m.all(name)) {
    const auto v = parse_integer(f->value);
    if (!v || std::abs(*v) > kLargest) {
      fail("caffe.attribute",
           fmt::format("line {}: {} '{}', expected a whole number", f->line, name, f->value));
    }
    out.push_back(*v);
  }
  return out;
}

double CaffeLayers::number(const TextMessage& m, const char* name, double otherwise) const {
  const TextField* f = m.find(name);
  if (f == nullptr) return otherwise;
  char* end = nullptr;
  const double v = std::strtod(f->value.c_str(), &end);
  if (f->value.empty() || *end != '\0' || !std::isfinite(v)) {
    fail("caffe.attribute",
         fmt::format("line {}: {} '{}', expected a number", f->line, name, f->value));
  }
  return v;
}

bool CaffeLayers::flag(const TextMessage& m, const char* name, bool otherwise) const {
  const std::string v = m.text(name, otherwise ? "true" : "false");
  if (v != "true" && v != "false" && v != "0" && v != "1")
    fail("caffe.attribute", fmt::format("{} '{}', expected true or false", name, v));
  return v == "true" || v == "1";
}

std::vector<int64_t> CaffeLayers::both(const TextMessage& m, const char* name, const char* name_h,
                                       const char* name_w, int64_t otherwise) const {
  const std::vector<int64_t> given = integers(m, name);
  std::vector<int64_t> out = {otherwise, otherwise};
  if (given.size() == 1) out = {given[0], given[0]};
  if (given.size() == 2) out = given;
  if (given.size() > 2)
    fail("caffe.attribute",
         fmt::format("{} is given {} times, expected 1 or 2", name, given.size()));
  out[0] = integer(m, name_h, out[0]);
  out[1] = integer(m, name_w, out[1]);
  return out;
}

const std::string& CaffeLayers::bottom(size_t i) const {
  if (i >= bottoms_.size()) fail("caffe.missing", fmt::format("bottom {} is missing", i));
  auto it = tensors_.find(bottoms_[i]);
  if (it == tensors_.end())
    fail("caffe.missing", fmt::format("bottom '{}' is the top of no layer before", bottoms_[i]));
  return it->second;
}

const std::vector<int64_t>& CaffeLayers::dims(size_t i) const {
  return importer_.dims_of(bottom(i));
}

std::vector<float> CaffeLayers::weights(size_t i, const std::vector<int64_t>& wanted,
                                        std::optional<float> made_up) {
  size_t elements = 1;
  for (int64_t d : wanted) {
    if (d < 1 || d > kLargest || elements > static_cast<size_t>(kLargest))
      fail("caffe.attribute", fmt::format("weights of [{}]", fmt::join(wanted, "x")));
    elements *= static_cast<size_t>(d);
  }
  auto it = blobs_.find(name_);
  if (it != blobs_.end() && i < it->second.size()) {
    const CaffeBlob& b = it->second[i];
    if (b.values.size() != elements) {
      fail("caffe.weights", fmt::format("blob {} is [{}], the layer needs [{}]", i,
                                        fmt::join(b.dims, "x"), fmt::join(wanted, "x")));
    }
    return b.values;
  }
  if (!options_.weights_seed) {
    fail(
        "caffe.weights",
        fmt::format("no weights for blob {} of [{}]{}: give its .caffemodel as --weights, or "
                    "--weights-seed 1 for made-up ones (cycles are the same, results are not)",
                    i, fmt::join(wanted, "x"),
                    blobs_.empty() || it != blobs_.end() ? "" : ", the weights have no such layer"));
  }
  ++made_up_;
  if (made_up) return std::vector<float>(elements, *made_up);
  // Uniform with the variance that keeps a sum's as large as its terms'.
  uint64_t state = *options_.weights_seed * 0x9E3779B97F4A7C15U + 1;
  for (char c : name_) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  const double fan_in = static_cast<double>(elements) / static_cast<double>(wanted[0]);
  const double range = std::sqrt(3.0 * 1.6 / fan_in);
  std::vector<float> out(elements);
  for (float& v : out) {
    state += 0x9E3779B97F4A7C15U;
    uint64_t z = (state ^ (state >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    z ^= z >> 31U;
    v = static_cast<float>((static_cast<double>(z >> 11U) / static_cast<double>(1ULL << 52U) - 1) *
                           range);
  }
  return out;
}

std::string CaffeLayers::constant(std::vector<int64_t> wanted, std::vector<float> values) {
  const std::string name = fmt::format("{}.blob{}", name_, next_++);
  OnnxTensor& t = model_.initializers[name];
  t.name = name;
  t.dims = std::move(wanted);
  t.floats = std::move(values);
  return name;
}

std::string CaffeLayers::constant_ints(std::vector<int64_t> values) {
  const std::string name = fmt::format("{}.blob{}", name_, next_++);
  OnnxTensor& t = model_.initializers[name];
  t.name = name;
  t.integral = true;
  t.dims = {static_cast<int64_t>(values.size())};
  t.ints = std::move(values);
  return name;
}

std::string CaffeLayers::result(const std::string& part) const {
  std::string name = tops_.size() == 1 || !part.empty() ? name_ + part : tops_.at(0);
  while (importer_.defines(name) || model_.initializers.contains(name)) name += "'";
  return name;
}

OnnxNode CaffeLayers::node(const std::string& op, std::vector<std::string> inputs,
                           std::string output) const {
  OnnxNode n;
  n.op_type = op;
  n.name = name_;
  n.inputs = std::move(inputs);
  n.outputs = {std::move(output)};
  return n;
}

void CaffeLayers::import(const OnnxNode& n) { importer_.add(n); }

void CaffeLayers::add_input(const std::string& name, const std::vector<int64_t>& sizes) {
  OnnxValueInfo v;
  v.name = name;
  for (int64_t d : sizes) v.dims.push_back({d, ""});
  if (!v.dims.empty() && v.dims[0].size > 1) {
    importer_.note(fmt::format("input '{}': its batch of {} is taken as 1", name, sizes[0]));
    v.dims[0].size = 1;
  }
  importer_.add_input(v);
  tensors_[name] = name;
}

void CaffeLayers::add_inputs(const TextMessage& net) {
  const auto names = net.texts("input");
  const auto shapes = net.all("input_shape");
  name_ = net.text("name", "network");
  type_ = "network";
  layer_ = &net;
  const std::vector<int64_t> flat = integers(net, "input_dim");
  for (size_t i = 0; i < names.size(); ++i) {
    std::vector<int64_t> sizes;
    if (i < shapes.size() && !shapes[i]->message.empty()) {
      sizes = integers(shapes[i]->message[0], "dim");
    } else if (flat.size() >= 4 * (i + 1)) {
      const auto from = flat.begin() + static_cast<std::ptrdiff_t>(4 * i);
      sizes.assign(from, from + 4);
    } else {
      fail("caffe.shape", fmt::format("input '{}' has no shape", names[i]));
    }
    add_input(names[i], sizes);
  }
}

void CaffeLayers::add_layer(const TextMessage& layer, const std::string& type) {
  layer_ = &layer;
  type_ = type;
  name_ = layer.text("name", type);
  bottoms_ = layer.texts("bottom");
  tops_ = layer.texts("top");
  if (type == "Input") {
    const auto shapes = parameters("input_param").all("shape");
    for (size_t i = 0; i < tops_.size(); ++i) {
      if (shapes.empty() || shapes[std::min(i, shapes.size() - 1)]->message.empty())
        fail("caffe.shape", "input_param has no shape");
      add_input(tops_[i], integers(shapes[std::min(i, shapes.size() - 1)]->message[0], "dim"));
    }
    return;
  }
  for (size_t i = 0; i < bottoms_.size(); ++i) unread_.erase(bottom(i));
  const auto own = options_.import.custom.find(type);
  if (own != options_.import.custom.end()) return custom(*own->second);
  (this->*handlers().at(type))();
}

Result<Graph> CaffeLayers::run(const TextMessage& net) {
  model_.opset = kOpset;
  model_.graph_name = net.text("name", "network");
  try {
    std::vector<const TextMessage*> layers;
    std::vector<std::string> types;
    Diagnostics unsupported;
    for (const TextField& f : net.fields) {
      if ((f.name != "layer" && f.name != "layers") || f.message.empty()) continue;
      const TextMessage& layer = f.message[0];
      if (!in_test_phase(layer)) continue;
      std::string type = layer.text("type");
      if (auto it = old_types().find(type); it != old_types().end()) type = it->second;
      layers.push_back(&layer);
      types.push_back(type);
      if (type == "Input" || handlers().contains(type) || options_.import.custom.contains(type))
        continue;
      unsupported.add("caffe.layer",
                      fmt::format("{}:{}: layer '{}'", place_, layer.line, layer.text("name")),
                      fmt::format("type '{}' is not supported; --custom can add it; supported: Input, {}",
                                  type,
                                  fmt::join(supported_caffe_layers(), ", ")));
    }
    if (!unsupported.empty()) return unsupported;
    add_inputs(net);
    for (size_t i = 0; i < layers.size(); ++i) add_layer(*layers[i], types[i]);
    for (const std::string& name : order_) {
      if (unread_.contains(name)) model_.outputs.push_back({name, false, {}});
    }
    if (model_.outputs.empty()) {
      return Error{
          "caffe.missing", place_,
          fmt::format("{} layers without an output that no other layer reads", layers.size())};
    }
    if (made_up_ != 0) {
      importer_.note(
          fmt::format("{} blobs have made-up weights (seed {}): the results mean nothing, only the "
                      "performance does",
                      made_up_, *options_.weights_seed));
    }
  } catch (const Importer::Failure& failure) {
    return as_caffe(Diagnostics(failure.error), place_);
  }
  auto graph = importer_.finish();
  if (!graph.ok()) return as_caffe(graph.errors(), place_);
  return graph;
}

Result<Graph> import_caffe(const std::string& prototxt, const std::string& place,
                           const CaffeBlobs& blobs, const CaffeOptions& options) {
  const auto net = parse_text(prototxt, place);
  if (!net.ok()) return net.errors();
  return CaffeLayers(blobs, options, place).run(*net);
}

Result<Graph> read_caffe(const std::string& prototxt, const std::string& weights,
                         const CaffeOptions& options) {
  const auto text = read_file(prototxt, "caffe.open");
  if (!text.ok()) return text.errors();
  CaffeBlobs blobs;
  if (!weights.empty()) {
    auto read = read_caffemodel(weights);
    if (!read.ok()) return read.errors();
    blobs = std::move(read).value();
  }
  return import_caffe(*text, prototxt, blobs, options);
}

std::vector<std::string> supported_caffe_layers() {
  std::vector<std::string> out;
  for (const auto& [name, handler] : CaffeLayers::handlers()) out.push_back(name);
  return out;
}

}  // namespace dlavp::compiler
