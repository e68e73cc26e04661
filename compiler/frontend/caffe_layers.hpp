// Caffe layers to the nodes of an ONNX model, which the ONNX importer takes one by one. Internal to
// the front end.
#pragma once

#include <algorithm>

#include "compiler/frontend/caffe_import.hpp"
#include "compiler/frontend/caffe_text.hpp"
#include "compiler/frontend/importer.hpp"

namespace dlavp::compiler {

/// Attributes and axes as the layers need them.
namespace caffe {

inline OnnxAttribute of_integer(int64_t v) {
  OnnxAttribute a;
  a.kind = OnnxAttributeKind::kInt;
  a.i = v;
  return a;
}
inline OnnxAttribute of_number(double v) {
  OnnxAttribute a;
  a.kind = OnnxAttributeKind::kFloat;
  a.f = static_cast<float>(v);
  return a;
}
inline OnnxAttribute of_integers(std::vector<int64_t> v) {
  OnnxAttribute a;
  a.kind = OnnxAttributeKind::kInts;
  a.ints = std::move(v);
  return a;
}
/// `axis` counted from the end if negative, within 0 to rank.
inline size_t axis_of(int64_t axis, size_t rank) {
  const auto n = static_cast<int64_t>(rank);
  return static_cast<size_t>(std::clamp<int64_t>(axis < 0 ? axis + n : axis, 0, n));
}

}  // namespace caffe

class CaffeLayers {
 public:
  CaffeLayers(const CaffeBlobs& blobs, const CaffeOptions& options, std::string place)
      : blobs_(blobs),
        options_(options),
        place_(std::move(place)),
        importer_(model_, options.import) {}
  Result<Graph> run(const TextMessage& net);

  using Handler = void (CaffeLayers::*)();
  [[nodiscard]] static const std::map<std::string, Handler>& handlers();

 private:
  void add_inputs(const TextMessage& net);
  void add_input(const std::string& name, const std::vector<int64_t>& dims);
  void add_layer(const TextMessage& layer, const std::string& type);
  [[noreturn]] void fail(const char* id, const std::string& message) const;

  // The layer at hand.
  [[nodiscard]] const std::string& bottom(size_t i) const;
  [[nodiscard]] const std::vector<int64_t>& dims(size_t i) const;
  [[nodiscard]] const TextMessage& parameters(const char* name) const {
    return layer_->child(name);
  }
  [[nodiscard]] int64_t integer(const TextMessage& m, const char* name, int64_t otherwise) const;
  [[nodiscard]] double number(const TextMessage& m, const char* name, double otherwise) const;
  [[nodiscard]] bool flag(const TextMessage& m, const char* name, bool otherwise) const;
  [[nodiscard]] std::vector<int64_t> integers(const TextMessage& m, const char* name) const;
  /// H and W of a size given once, twice, or by axis.
  [[nodiscard]] std::vector<int64_t> both(const TextMessage& m, const char* name,
                                          const char* name_h, const char* name_w,
                                          int64_t otherwise) const;
  /// Blob `i`, which must have as many values as `dims`, or made-up values.
  [[nodiscard]] std::vector<float> weights(size_t i, const std::vector<int64_t>& dims,
                                           std::optional<float> made_up);
  /// The name of a constant added to the model.
  std::string constant(std::vector<int64_t> dims, std::vector<float> values);
  std::string constant_ints(std::vector<int64_t> values);
  [[nodiscard]] std::vector<int64_t> span_dims(const TextMessage& p) const;
  std::string affine(double factor, double shift);
  void set_top(size_t i, const std::string& tensor);
  /// The first top, or a name of the layer's own if `part` is given.
  [[nodiscard]] std::string result(const std::string& part = "") const;
  OnnxNode node(const std::string& op, std::vector<std::string> inputs, std::string output) const;
  void import(const OnnxNode& n);
  void import(const std::string& op, std::vector<std::string> inputs, std::string output) {
    import(node(op, std::move(inputs), std::move(output)));
  }

  void convolution();
  void deconvolution();
  OnnxNode convolution_node(const char* op, const TextMessage& p, std::vector<int64_t>& kernel,
                            int64_t& groups);
  void inner_product();
  void pooling();
  void relu();
  void prelu();
  void function();
  void lrn();
  void batch_norm();
  void scale();
  void bias();
  void eltwise();
  void concat();
  void slice();
  void copy();
  void softmax();
  void power();
  void exponential();
  void logarithm();
  void flatten();
  void reshape();
  void permute();
  void crop();
  void upsample();
  void arg_max();
  void reduction();
  void custom(const CustomDefinition& definition);
  void nothing() {}

  const CaffeBlobs& blobs_;
  const CaffeOptions& options_;
  std::string place_;
  OnnxModel model_;
  Importer importer_;
  std::map<std::string, std::string> tensors_;  ///< blob name to the model's tensor, newest
  std::set<std::string> unread_;                ///< tensors that no layer has read yet
  std::vector<std::string> order_;              ///< of their making
  size_t made_up_ = 0;                          ///< blobs
  size_t next_ = 0;                             ///< constant or tensor
  const TextMessage* layer_ = nullptr;
  std::string name_, type_;
  std::vector<std::string> bottoms_, tops_;
};

}  // namespace dlavp::compiler
