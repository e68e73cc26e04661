// ONNX import: the driver, values and layout. Operator handlers are in the other onnx_*.cpp.
#include "compiler/frontend/onnx_import.hpp"

#include <algorithm>

#include "compiler/frontend/importer.hpp"
#include "compiler/frontend/onnx_fold.hpp"

namespace dlavp::compiler {
namespace {

constexpr int64_t kFirstOpset = 7;
constexpr int64_t kLastOpset = 17;
constexpr int64_t kLargestDimension = 1 << 24;
constexpr int64_t kLargestTensor = int64_t{1} << 31;

}  // namespace

const std::map<std::string, Importer::Handler>& Importer::handlers() {
  static const HandlerMap table = [] {
    HandlerMap out;
    add_conv_handlers(out);
    add_elementwise_handlers(out);
    add_layout_handlers(out);
    add_norm_handlers(out);
    add_quantise_handlers(out);
    return out;
  }();
  return table;
}

std::vector<std::string> supported_onnx_operators() {
  std::vector<std::string> out;
  for (const auto& [name, handler] : Importer::handlers()) out.push_back(name);
  return out;
}

Result<Graph> import_onnx(OnnxModel model, const ImportOptions& options) {
  Diagnostics unsupported;
  for (const OnnxNode& n : model.nodes) {
    const bool standard = n.domain.empty() || n.domain == "ai.onnx";
    if (custom_operator(n, options) != nullptr) continue;
    if (standard && (Importer::handlers().contains(n.op_type) || can_fold(n.op_type))) continue;
    unsupported.add(
        "onnx.operator", fmt::format("node '{}'", n.name),
        fmt::format("operator '{}{}{}' is not supported (inputs {}); --custom can add it; "
                    "supported: {}",
                    n.domain, n.domain.empty() ? "" : ".", n.op_type, fmt::join(n.inputs, ", "),
                    fmt::join(supported_onnx_operators(), ", ")));
  }
  if (!unsupported.empty()) return unsupported;
  return Importer(model, options).run();
}

void Importer::import_node(const OnnxNode& node) {
  if (node.outputs.empty()) fail(node, "onnx.missing", "the node has no output");
  if (const auto definition = custom_operator(node, options_)) return custom(node, definition);
  std::vector<const OnnxTensor*> inputs;
  bool constants = !node.inputs.empty();
  for (const std::string& name : node.inputs) {
    inputs.push_back(name.empty() ? nullptr : constant_or_null(name));
    if (!name.empty() && inputs.back() == nullptr) constants = false;
    if (inputs.back() != nullptr && !inputs.back()->problem.empty()) {
      fail(node, "onnx.initializer",
           fmt::format("initializer '{}': {}", name, inputs.back()->problem));
    }
  }
  if (constants && can_fold(node.op_type)) {
    auto folded = fold_constants(node, inputs);
    if (!folded.ok()) {
      const Error& e = folded.errors().errors().front();
      fail(node, e.id, e.message);
    }
    for (size_t i = 0; i < folded->size(); ++i) define_constant(node, std::move((*folded)[i]), i);
    return;
  }
  const auto it = handlers().find(node.op_type);
  if (it == handlers().end()) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == nullptr && has_input(node, i)) static_cast<void>(activation(node, i));
    }
    fail(node, "onnx.not_constant", fmt::format("{} is supported on constants only", node.op_type));
  }
  (this->*it->second)(node);
}

void Importer::fail(const OnnxNode& node, const std::string& id, const std::string& message) const {
  throw Failure{
      {id, fmt::format("node '{}' ({}; inputs {})", node.name, node.op_type, inputs_text(node)),
       message}};
}

std::string Importer::inputs_text(const OnnxNode& node) const {
  std::string out;
  for (const std::string& name : node.inputs) {
    if (!out.empty()) out += ", ";
    out += name.empty() ? "-" : name;
    if (auto it = activations_.find(name); it != activations_.end()) {
      out += " " + it->second.text();
    } else if (const OnnxTensor* c = constant_or_null(name)) {
      out += fmt::format(" constant [{}]", fmt::join(c->dims, "x"));
    }
  }
  return out.empty() ? "none" : out;
}

std::string Importer::unique(std::string name) {
  while (!names_.insert(name).second) name += "'";
  return name;
}

TensorId Importer::add_constant(const OnnxNode& node, const char* what, Shape shape,
                                std::vector<float> values) {
  return graph_.add_constant(unique(node.name + "." + what), shape, std::move(values));
}

TensorId Importer::add_vector(const OnnxNode& node, const char* what, std::vector<float> values) {
  const auto size = static_cast<int64_t>(values.size());
  return add_constant(node, what, {1, size, 1, 1}, std::move(values));
}

TensorId Importer::emit(const OnnxNode& node, Operator op, std::vector<TensorId> inputs,
                        const std::string& suffix) {
  Node out{node.name + suffix, std::move(op), std::move(inputs), 0};
  auto inferred = infer_shape(graph_, out);
  if (!inferred.ok()) {
    const Error& e = inferred.errors().errors().front();
    fail(node, e.id, e.message);
  }
  int64_t elements = 1;
  for (size_t axis = 0; axis < 4; ++axis) {
    const int64_t size = (*inferred)[axis];
    if (size < 1 || size > kLargestDimension || (elements *= size) > kLargestTensor) {
      fail(node, "onnx.shape",
           fmt::format("its output would be {}: sizes from 1 to {} and at most {} elements are "
                       "supported",
                       inferred->text(), kLargestDimension, kLargestTensor));
    }
  }
  out.output = graph_.add_tensor(unique(node.outputs[0] + suffix), inferred.value());
  graph_.nodes.push_back(std::move(out));
  return graph_.nodes.back().output;
}

void Importer::define(const OnnxNode& node, const ModelView& view, size_t i) {
  define(node, Activation{view, std::nullopt}, i);
}

void Importer::define(const OnnxNode& node, Activation activation, size_t i) {
  if (i >= node.outputs.size()) fail(node, "onnx.missing", "the node has no output");
  if (node.outputs[i].empty()) return;
  if (activations_.contains(node.outputs[i]) || constants_.contains(node.outputs[i])) {
    fail(node, "onnx.duplicate", fmt::format("'{}' is produced twice", node.outputs[i]));
  }
  activations_[node.outputs[i]] = std::move(activation);
}

void Importer::define_constant(const OnnxNode& node, OnnxTensor value, size_t i) {
  if (i >= node.outputs.size()) fail(node, "onnx.missing", "the node has no output");
  if (activations_.contains(node.outputs[i]) || constants_.contains(node.outputs[i])) {
    fail(node, "onnx.duplicate", fmt::format("'{}' is produced twice", node.outputs[i]));
  }
  constants_[node.outputs[i]] = std::move(value);
}

ModelView Importer::place(const OnnxNode& node, const ModelView& view, const Placement& placement) {
  if (lies_as(view, shape(view), placement)) return view;
  auto op = reorder_to(view, shape(view), placement);
  TensorId id = view.id;
  if (op) {
    const bool flat = op->perm.size() == 1 && op->shape == Shape{1, op->shape.c, 1, 1};
    id = flat ? emit(node, FlattenOp{}, {view.id}, ".flat")
              : emit(node, std::move(*op), {view.id}, ".reorder");
  }
  return placed_view(id, view.dims, placement);
}

std::pair<ModelView, uint32_t> Importer::with_axis(const OnnxNode& node, const ModelView& view,
                                                   size_t axis) {
  if (const uint32_t a = graph_axis(view, shape(view), axis); a != 0) return {view, a};
  // An axis of one element is any of the graph's that has one, if the others are placed.
  if (view.dims[axis] == 1) {
    const Placement usual = default_placement(view.dims);
    for (uint32_t a : {1U, 2U, 3U}) {
      const auto& axes = usual[a - 1];
      if (shape(view)[a] == 1 && axes.size() == 1 && axes[0] == axis) return {view, a};
    }
    for (uint32_t a : {1U, 3U, 2U}) {
      if (shape(view)[a] == 1) return {view, a};
    }
  }
  const ModelView placed = place(node, view, channel_placement(view.dims, axis));
  return {placed, 1};
}

ModelView Importer::with_channel(const OnnxNode& node, const ModelView& view, size_t channel) {
  const Shape& s = shape(view);
  if (view.dims[channel] == s.c && (s.c == 1 || graph_axis(view, s, channel) == 1)) return view;
  return place(node, view, channel_placement(view.dims, channel));
}

ModelView Importer::as_image(const OnnxNode& node, const ModelView& view) {
  if (view.rank() < 3 || view.rank() > 4 || view.dims[0] != 1) {
    fail(node, "onnx.shape",
         fmt::format("input {}: expected N C H W or N C L with N = 1", view.text()));
  }
  return place(node, view, default_placement(view.dims));
}

ModelView Importer::reshape_view(const OnnxNode& node, const ModelView& view,
                                 std::vector<int64_t> dims) {
  int64_t elements = 1;
  for (int64_t d : dims) {
    if (d < 1 || d > kLargestDimension || elements > kLargestTensor) {
      elements = 0;
      break;
    }
    elements *= d;
  }
  if (elements != view.elements()) {
    fail(node, "onnx.shape",
         fmt::format("{} has {} elements, [{}] needs {}", view.text(), view.elements(),
                     fmt::join(dims, "x"), elements));
  }
  if (auto out = reshaped(view, dims)) return *out;
  Placement all;
  for (size_t i = 0; i < view.rank(); ++i) all[0].push_back(i);
  const auto out = reshaped(place(node, view, all), dims);
  DLAVP_CHECK(out.has_value(), "{} as [{}]", view.text(), fmt::join(dims, "x"));
  return *out;
}

std::vector<int64_t> Importer::input_dims(const OnnxValueInfo& v) {
  const std::string place = fmt::format("input '{}'", v.name);
  std::vector<int64_t> dims;
  for (size_t i = 0; i < v.dims.size(); ++i) {
    const auto& d = v.dims[i];
    if (d.size < 0 && i == 0) {
      note(fmt::format("input '{}': its batch '{}' is taken as 1", v.name, d.name));
      dims.push_back(1);
      continue;
    }
    if (d.size < 0) {
      throw Failure{{"onnx.dynamic_shape", place,
                     fmt::format("dimension {} ('{}') is dynamic; export the model with a fixed "
                                 "size",
                                 i, d.name.empty() ? "?" : d.name)}};
    }
    if (d.size == 0 || d.size > kLargestDimension) {
      throw Failure{{"onnx.shape", place, fmt::format("dimension {} is {}", i, d.size)}};
    }
    dims.push_back(d.size);
  }
  if (dims.size() < 2 || dims.size() > 4) {
    throw Failure{
        {"onnx.shape", place,
         fmt::format("{} dimensions, expected 4 (NCHW), 3 (NCL) or 2 (NC)", dims.size())}};
  }
  if (dims[0] != 1) {
    throw Failure{
        {"onnx.batch", place,
         fmt::format("batch {} is not supported; export the model with batch 1", dims[0])}};
  }
  return dims;
}

bool Importer::only_read_as_channels_first(const std::string& name) const {
  bool found = false;
  for (const OnnxNode& n : model_.nodes) {
    if (std::find(n.inputs.begin(), n.inputs.end(), name) == n.inputs.end()) continue;
    const OnnxAttribute* perm = attribute(n, "perm");
    if (n.op_type != "Transpose" || perm == nullptr ||
        perm->ints != std::vector<int64_t>{0, 3, 1, 2})
      return false;
    found = true;
  }
  return found;
}

void Importer::add_input(const OnnxValueInfo& v) {
  const std::vector<int64_t> dims = input_dims(v);
  Placement placement = default_placement(dims);
  if (dims.size() == 4 && only_read_as_channels_first(v.name)) {
    placement = {{{3}, {1}, {2}}};
    note(fmt::format("input '{}' [{}] is N H W C in the model and N C H W in the loadable", v.name,
                     fmt::join(dims, "x")));
  }
  const TensorId id = graph_.add_tensor(unique(v.name), placed_shape(dims, placement));
  graph_.inputs.push_back(id);
  activations_[v.name] = {placed_view(id, dims, placement), std::nullopt};
}

void Importer::add_inputs() {
  for (const OnnxValueInfo& v : model_.inputs) {
    // One with a default value is none: IR version 3 lists weights here.
    if (!model_.initializers.contains(v.name)) add_input(v);
  }
  if (graph_.inputs.empty())
    throw Failure{{"onnx.no_input", model_.graph_name, "the graph has no input"}};
}

const std::vector<int64_t>& Importer::dims_of(const std::string& tensor) const {
  return activations_.at(tensor).dims;
}

bool Importer::defines(const std::string& tensor) const {
  return activations_.contains(tensor) || constants_.contains(tensor);
}

void Importer::add_outputs() {
  for (const OnnxValueInfo& v : model_.outputs) {
    auto it = activations_.find(v.name);
    if (it == activations_.end()) {
      throw Failure{{"onnx.missing", fmt::format("output '{}'", v.name),
                     constant_or_null(v.name) != nullptr ? "it is a constant: nothing to compute"
                                                         : "no node produces it"}};
    }
    OnnxNode node;
    node.name = v.name;
    node.op_type = "output";
    node.inputs = node.outputs = {v.name};
    const ModelView placed = place(node, it->second, default_placement(it->second.dims));
    const auto has = [&](const std::vector<TensorId>& in) {
      return std::find(in.begin(), in.end(), placed.id) != in.end();
    };
    if (!has(graph_.inputs) && !has(graph_.outputs) && !names_.contains(v.name)) {
      names_.erase(graph_.tensor(placed.id).name);
      graph_.tensor(placed.id).name = unique(v.name);
    }
    graph_.outputs.push_back(placed.id);
  }
}

Result<Graph> Importer::run() {
  try {
    if (model_.opset < kFirstOpset || model_.opset > kLastOpset) {
      throw Failure{
          {"onnx.opset", model_.graph_name,
           fmt::format("opset {}, supported are {} to {}; export the model with one of them",
                       model_.opset, kFirstOpset, kLastOpset)}};
    }
    add_inputs();
    for (const OnnxNode& node : model_.nodes)
      for (const std::string& name : node.inputs) ++reads_[name];
    for (const OnnxNode& node : model_.nodes) import_node(node);
  } catch (const Failure& failure) {
    return failure.error;
  }
  return finish();
}

Result<Graph> Importer::finish() {
  graph_.name = model_.graph_name.empty() ? "network" : model_.graph_name;
  try {
    add_outputs();
  } catch (const Failure& failure) {
    return failure.error;
  }
  Diagnostics wrong = graph_.verify();
  if (!wrong.empty()) return wrong;
  return std::move(graph_);
}

}  // namespace dlavp::compiler
