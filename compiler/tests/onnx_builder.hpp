// ONNX models built with ONNX's own protobuf classes, for the import tests.
#pragma once

#include <onnx/onnx_pb.h>

#include <numeric>
#include <string>
#include <vector>

#include "compiler/frontend/onnx_import.hpp"

namespace dlavp::compiler::testing {

struct OnnxBuilder {
  onnx::ModelProto proto;

  explicit OnnxBuilder(std::vector<int64_t> shape = {1, 3, 6, 6}, int64_t opset = 13) {
    proto.set_ir_version(7);
    proto.add_opset_import()->set_version(opset);
    proto.mutable_graph()->set_name("net");
    input("x", std::move(shape));
    output("y");
  }
  void input(const std::string& name, std::vector<int64_t> shape) {
    auto* in = proto.mutable_graph()->add_input();
    in->set_name(name);
    auto* type = in->mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx::TensorProto::FLOAT);
    for (int64_t d : shape) type->mutable_shape()->add_dim()->set_dim_value(d);
  }
  void output(const std::string& name) { proto.mutable_graph()->add_output()->set_name(name); }
  onnx::TensorProto* tensor(const std::string& name, const std::vector<int64_t>& dims, int type) {
    auto* t = proto.mutable_graph()->add_initializer();
    t->set_name(name);
    t->set_data_type(type);
    for (int64_t d : dims) t->add_dims(d);
    return t;
  }
  void weights(const std::string& name, std::vector<int64_t> dims) {
    auto* t = tensor(name, dims, onnx::TensorProto::FLOAT);
    int64_t n = 1;
    for (int64_t d : dims) n *= d;
    for (int64_t i = 0; i < n; ++i) t->add_float_data(0.25F);
  }
  void floats(const std::string& name, std::vector<int64_t> dims, const std::vector<float>& v) {
    auto* t = tensor(name, dims, onnx::TensorProto::FLOAT);
    for (float x : v) t->add_float_data(x);
  }
  void ints(const std::string& name, const std::vector<int64_t>& v) {
    auto* t = tensor(name, {static_cast<int64_t>(v.size())}, onnx::TensorProto::INT64);
    for (int64_t x : v) t->add_int64_data(x);
  }
  void bytes(const std::string& name, std::vector<int64_t> dims, const std::vector<int>& v,
             bool is_signed) {
    auto* t = tensor(name, dims, is_signed ? onnx::TensorProto::INT8 : onnx::TensorProto::UINT8);
    for (int x : v) t->add_int32_data(x);
  }
  onnx::NodeProto* node(const std::string& op, std::vector<std::string> inputs,
                        const std::string& result) {
    auto* n = proto.mutable_graph()->add_node();
    n->set_op_type(op);
    n->set_name("the_" + op);
    for (const auto& i : inputs) n->add_input(i);
    n->add_output(result);
    return n;
  }
  [[nodiscard]] Result<Graph> import(const ImportOptions& options = {}) const {
    auto model = decode_onnx(proto.SerializeAsString(), "test");
    if (!model.ok()) return model.errors();
    return import_onnx(model.value(), options);
  }
};

inline void set(onnx::NodeProto* n, const char* name, int64_t v) {
  auto* a = n->add_attribute();
  a->set_name(name);
  a->set_type(onnx::AttributeProto::INT);
  a->set_i(v);
}
inline void set(onnx::NodeProto* n, const char* name, float v) {
  auto* a = n->add_attribute();
  a->set_name(name);
  a->set_type(onnx::AttributeProto::FLOAT);
  a->set_f(v);
}
inline void set(onnx::NodeProto* n, const char* name, const char* v) {
  auto* a = n->add_attribute();
  a->set_name(name);
  a->set_type(onnx::AttributeProto::STRING);
  a->set_s(v);
}
inline void set(onnx::NodeProto* n, const char* name, const std::vector<int64_t>& v) {
  auto* a = n->add_attribute();
  a->set_name(name);
  a->set_type(onnx::AttributeProto::INTS);
  for (int64_t x : v) a->add_ints(x);
}
inline void set(onnx::NodeProto* n, const char* name, const std::vector<float>& v) {
  auto* a = n->add_attribute();
  a->set_name(name);
  a->set_type(onnx::AttributeProto::FLOATS);
  for (float x : v) a->add_floats(x);
}

}  // namespace dlavp::compiler::testing
