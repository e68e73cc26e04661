// The state of one ONNX import: values by name, and the helpers the operator handlers share.
// Internal to the front end.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compiler/frontend/onnx_import.hpp"
#include "compiler/frontend/onnx_model.hpp"
#include "compiler/ir/graph.hpp"
#include "compiler/ir/view.hpp"

namespace dlavp::compiler {

/// An activation, and what a QuantizeLinear made of it.
struct Activation : ModelView {
  struct Quantised {
    double scale = 1;
    int64_t zero_point = 0;
    bool operator==(const Quantised&) const = default;
  };
  std::optional<Quantised> quantised = std::nullopt;
};

class Importer {
 public:
  using Handler = void (Importer::*)(const OnnxNode&);

  Importer(OnnxModel& model, const ImportOptions& options) : model_(model), options_(options) {}
  Result<Graph> run();

  /// The parts of `run`, for a front end that adds to the model's initializers and outputs as it
  /// goes. They throw Failure, except `finish`.
  void add_input(const OnnxValueInfo& v);
  void add(const OnnxNode& node) { import_node(node); }
  [[nodiscard]] const std::vector<int64_t>& dims_of(const std::string& tensor) const;
  [[nodiscard]] bool defines(const std::string& tensor) const;
  void note(std::string text) { graph_.notes.push_back(std::move(text)); }
  Result<Graph> finish();
  /// Fails the import; the first failure of a node is kept.
  struct Failure {
    Error error;
  };
  /// Handlers by operator name, from every onnx_*.cpp.
  static const std::map<std::string, Handler>& handlers();

 private:
  using HandlerMap = std::map<std::string, Handler>;
  static void add_conv_handlers(HandlerMap& table);
  static void add_elementwise_handlers(HandlerMap& table);
  static void add_layout_handlers(HandlerMap& table);
  static void add_norm_handlers(HandlerMap& table);
  static void add_quantise_handlers(HandlerMap& table);

  void add_inputs();
  void add_outputs();
  void import_node(const OnnxNode& node);
  [[noreturn]] void fail(const OnnxNode& node, const std::string& id,
                         const std::string& message) const;
  [[nodiscard]] std::string inputs_text(const OnnxNode& node) const;
  [[nodiscard]] std::vector<int64_t> input_dims(const OnnxValueInfo& v);
  [[nodiscard]] bool only_read_as_channels_first(const std::string& name) const;

  // Values.
  [[nodiscard]] static bool has_input(const OnnxNode& node, size_t i);
  [[nodiscard]] bool is_constant(const OnnxNode& node, size_t i) const;
  [[nodiscard]] const Activation& activation(const OnnxNode& node, size_t i) const;
  [[nodiscard]] const OnnxTensor* constant_or_null(const std::string& name) const;
  [[nodiscard]] const OnnxTensor& constant(const OnnxNode& node, size_t i) const;
  [[nodiscard]] std::vector<float> floats(const OnnxNode& node, size_t i) const;
  /// As `floats`, moved out of the model if nothing else reads them.
  [[nodiscard]] std::vector<float> take_floats(const OnnxNode& node, size_t i);
  [[nodiscard]] std::vector<int64_t> ints(const OnnxNode& node, size_t i) const;
  [[nodiscard]] float scalar(const OnnxNode& node, size_t i, const char* what) const;
  [[nodiscard]] const Shape& shape(const ModelView& v) const { return graph_.tensor(v.id).shape; }
  [[nodiscard]] std::string unique(std::string name);
  TensorId add_constant(const OnnxNode& node, const char* what, Shape shape,
                        std::vector<float> values);
  TensorId add_vector(const OnnxNode& node, const char* what, std::vector<float> values);
  /// Adds a node that writes a new tensor named after output `output` of the model's node.
  TensorId emit(const OnnxNode& node, Operator op, std::vector<TensorId> inputs,
                const std::string& suffix = "");
  /// Says how output `i` of the model's node lies in a graph tensor.
  void define(const OnnxNode& node, const ModelView& view, size_t i = 0);
  void define(const OnnxNode& node, Activation activation, size_t i);
  void define_constant(const OnnxNode& node, OnnxTensor value, size_t i = 0);
  /// The same view of another tensor of the same shape.
  [[nodiscard]] static ModelView with_id(ModelView view, TensorId id) {
    view.id = id;
    return view;
  }

  // Layout.
  /// The tensor that holds `view` placed so, reordered if need be.
  ModelView place(const OnnxNode& node, const ModelView& view, const Placement& placement);
  /// `view` reordered so that `axis` alone is one of the graph's axes, which is returned with it.
  std::pair<ModelView, uint32_t> with_axis(const OnnxNode& node, const ModelView& view,
                                           size_t axis);
  /// `view` with `channel` as C and nothing else there.
  ModelView with_channel(const OnnxNode& node, const ModelView& view, size_t channel);
  /// `view` as N C H W, for a rank of 3 or 4.
  ModelView as_image(const OnnxNode& node, const ModelView& view);
  ModelView reshape_view(const OnnxNode& node, const ModelView& view, std::vector<int64_t> dims);
  [[nodiscard]] size_t axis_of(const OnnxNode& node, int64_t axis, size_t rank) const;
  [[nodiscard]] std::vector<size_t> axes_of(const OnnxNode& node, const std::vector<int64_t>& axes,
                                            size_t rank) const;

  // Attributes.
  [[nodiscard]] static const OnnxAttribute* attribute(const OnnxNode& node,
                                                      const std::string& name);
  [[nodiscard]] static int64_t integer(const OnnxNode& node, const std::string& name,
                                       int64_t otherwise);
  [[nodiscard]] static float real(const OnnxNode& node, const std::string& name, float otherwise);
  [[nodiscard]] static std::string text(const OnnxNode& node, const std::string& name,
                                        const std::string& otherwise);
  /// Values that are not negative, as many as `otherwise` has.
  [[nodiscard]] std::vector<int64_t> integers(const OnnxNode& node, const std::string& name,
                                              std::vector<int64_t> otherwise) const;
  /// An input since `since_opset`, an attribute before; none if neither is given.
  [[nodiscard]] std::optional<std::vector<int64_t>> ints_or_attribute(
      const OnnxNode& node, size_t i, const std::string& name) const;
  /// Window attributes of `spatial` (1 or 2) axes; a missing first axis is of size 1.
  [[nodiscard]] Window window(const OnnxNode& node, const Shape& in, size_t spatial,
                              std::vector<int64_t> kernel) const;
  void apply_padding(const OnnxNode& node, const Shape& in, size_t spatial, Window& w) const;

  // Operators: onnx_conv.cpp.
  void conv(const OnnxNode& node);
  void conv_transpose(const OnnxNode& node);
  void gemm(const OnnxNode& node);
  void matmul(const OnnxNode& node);
  void dense(const OnnxNode& node, const ModelView& x, size_t axis, std::vector<float> weights,
             int64_t kernels, std::vector<float> bias, const std::vector<double>& scales);
  void pool(const OnnxNode& node);
  void global_pool(const OnnxNode& node);
  [[nodiscard]] TensorId add_weights(const OnnxNode& node, Shape weight_shape,
                                     std::vector<float> values, const std::vector<double>& scales);
  [[nodiscard]] std::vector<double> kernel_scales(const OnnxTensor& w, int64_t axis) const;

  // onnx_elementwise.cpp.
  void relu(const OnnxNode& node);
  void clip(const OnnxNode& node);
  void unary(const OnnxNode& node);
  void prelu(const OnnxNode& node);
  void arithmetic(const OnnxNode& node);
  void variadic(const OnnxNode& node);
  void expand(const OnnxNode& node);
  ModelView combine(const OnnxNode& node, BinaryKind kind, const ModelView& a, const ModelView& b,
                    const std::string& suffix = "");
  ModelView with_constant(const OnnxNode& node, BinaryKind kind, const ModelView& x,
                          const OnnxTensor& c, bool reversed, const std::string& suffix = "");
  ModelView with_scalar(const OnnxNode& node, BinaryKind kind, const ModelView& x, double c,
                        bool reversed, const std::string& suffix);
  /// A constant for each channel: a factor and a shift.
  ModelView with_vector(const OnnxNode& node, BinaryKind kind, const ModelView& x,
                        const std::vector<float>& values, bool reversed, const std::string& suffix);
  ModelView apply(const OnnxNode& node, const ModelView& x, UnaryProgram program,
                  const std::string& suffix = "");

  // onnx_layout.cpp.
  void flatten(const OnnxNode& node);
  void reshape(const OnnxNode& node);
  void squeeze(const OnnxNode& node);
  void unsqueeze(const OnnxNode& node);
  void transpose(const OnnxNode& node);
  void identity(const OnnxNode& node);
  void concat(const OnnxNode& node);
  void split(const OnnxNode& node);
  void slice(const OnnxNode& node);
  void gather(const OnnxNode& node);
  void pad(const OnnxNode& node);
  void resize(const OnnxNode& node);
  void resize_modes(const OnnxNode& node, bool old, ResizeOp& op) const;
  void depth_to_space(const OnnxNode& node);
  void constant_node(const OnnxNode& node);
  void shape_node(const OnnxNode& node);
  ModelView cut(const OnnxNode& node, const ModelView& x, size_t axis, int64_t start, int64_t step,
                int64_t count, const std::string& suffix);

  // onnx_norm.cpp.
  void batch_norm(const OnnxNode& node);
  void instance_norm(const OnnxNode& node);
  void layer_norm(const OnnxNode& node);
  void lrn(const OnnxNode& node);
  void softmax(const OnnxNode& node);
  void arg_max(const OnnxNode& node);
  void reduce(const OnnxNode& node);

  // onnx_quantise.cpp.
  void quantize_linear(const OnnxNode& node);
  void dequantize_linear(const OnnxNode& node);

  void custom(const OnnxNode& node, const std::shared_ptr<const CustomDefinition>& definition);

  OnnxModel& model_;
  const ImportOptions& options_;
  std::map<std::string, size_t> reads_;  ///< by nodes of a whole model, of each tensor
  Graph graph_;
  std::map<std::string, Activation> activations_;
  std::map<std::string, OnnxTensor> constants_;
  std::set<std::string> names_;  ///< of the graph's tensors
};

/// The user's operator that `node` is, if it is one.
[[nodiscard]] std::shared_ptr<const CustomDefinition> custom_operator(const OnnxNode& node,
                                                                      const ImportOptions& options);
/// Its attributes; `unfit` gets the name of one that is none of number, text and list of numbers.
[[nodiscard]] CustomAttributes custom_attributes(const OnnxNode& node, std::string& unfit);

}  // namespace dlavp::compiler
