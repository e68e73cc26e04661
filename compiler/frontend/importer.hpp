// The state of one ONNX import: values by name, and the helpers the operator handlers share.
// Internal to the front end.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/frontend/onnx_model.hpp"
#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

class Importer {
 public:
  explicit Importer(const OnnxModel& model) : model_(model) {}
  Result<Graph> run();

 private:
  friend struct OperatorTable;
  /// Fails the import; the first failure of a node is kept.
  struct Failure {
    Error error;
  };
  struct Activation {
    TensorId id = 0;
    size_t rank = 4;  ///< ONNX rank: 4 (N C H W) or 2 (N C)
  };

  void add_inputs();
  void add_outputs();
  void import_node(const OnnxNode& node);
  [[noreturn]] void fail(const OnnxNode& node, const std::string& id,
                         const std::string& message) const;
  [[nodiscard]] std::string inputs_text(const OnnxNode& node) const;

  // Values.
  [[nodiscard]] bool has_input(const OnnxNode& node, size_t i) const;
  [[nodiscard]] Activation activation(const OnnxNode& node, size_t i) const;
  [[nodiscard]] const OnnxTensor* constant_or_null(const std::string& name) const;
  [[nodiscard]] const OnnxTensor& constant(const OnnxNode& node, size_t i) const;
  [[nodiscard]] std::vector<float> floats(const OnnxNode& node, size_t i) const;
  TensorId add_vector(const OnnxNode& node, const char* what, std::vector<float> values);
  Activation emit(const OnnxNode& node, Operator op, std::vector<TensorId> inputs, size_t rank);

  // Attributes.
  [[nodiscard]] int64_t integer(const OnnxNode& node, const std::string& name,
                                int64_t otherwise) const;
  [[nodiscard]] float real(const OnnxNode& node, const std::string& name, float otherwise) const;
  [[nodiscard]] std::vector<int64_t> integers(const OnnxNode& node, const std::string& name,
                                              std::vector<int64_t> otherwise) const;
  [[nodiscard]] Window window(const OnnxNode& node, const Shape& in,
                              std::vector<int64_t> kernel) const;
  void apply_padding(const OnnxNode& node, const Shape& in, Window& w) const;

  // Operators.
  void conv(const OnnxNode& node);
  void gemm(const OnnxNode& node);
  void matmul(const OnnxNode& node);
  void batch_norm(const OnnxNode& node);
  void relu(const OnnxNode& node);
  void clip(const OnnxNode& node);
  void pool(const OnnxNode& node);
  void global_average_pool(const OnnxNode& node);
  void arithmetic(const OnnxNode& node);
  void flatten(const OnnxNode& node);
  void reshape(const OnnxNode& node);
  void softmax(const OnnxNode& node);
  void identity(const OnnxNode& node);
  void constant_node(const OnnxNode& node);
  void pad_for_ceil(const OnnxNode& node, const Shape& in, Window& w) const;
  void scale_by_constant(const OnnxNode& node, const Activation& x, const OnnxTensor& c,
                         bool reversed);

  const OnnxModel& model_;
  Graph graph_;
  std::map<std::string, Activation> activations_;
  std::map<std::string, OnnxTensor> constants_;
};

}  // namespace dlavp::compiler
