// Parts of an ONNX model: attributes, shapes, constants, operators and the names that join nodes.
#include <onnx/onnx_pb.h>

#include <string>

#include "fuzz/draw.hpp"
#include "fuzz/mutators.hpp"

namespace dlavp::fuzz {

namespace {

constexpr const char* kOperators[] = {"Add",     "AveragePool", "BatchNormalization",
                                      "Clip",    "Concat",      "Conv",
                                      "Div",     "Flatten",     "Gather",
                                      "Gemm",    "LRN",         "MatMul",
                                      "MaxPool", "Mul",         "Pad",
                                      "Relu",    "Reshape",     "Resize",
                                      "Slice",   "Softmax",     "Split",
                                      "Squeeze", "Sub",         "Transpose"};

template <typename Repeated>
auto* one_of(Repeated* list, Draw& draw) {
  return list->empty() ? nullptr : list->Mutable(static_cast<int>(draw.below(list->size())));
}

void change_number(google::protobuf::RepeatedField<int64_t>* list, Draw& draw) {
  if (list->empty() || draw.chance(8)) return list->Add(static_cast<int64_t>(draw.below(8)));
  const int at = static_cast<int>(draw.below(static_cast<size_t>(list->size())));
  list->Set(at, static_cast<int64_t>(draw.number(static_cast<uint64_t>(list->Get(at)))));
}

void change_attribute(onnx::NodeProto& node, Draw& draw) {
  onnx::AttributeProto* attribute = one_of(node.mutable_attribute(), draw);
  if (!attribute) return;
  if (attribute->ints_size() > 0) return change_number(attribute->mutable_ints(), draw);
  if (attribute->has_i())
    return attribute->set_i(
        static_cast<int64_t>(draw.number(static_cast<uint64_t>(attribute->i()))));
  attribute->set_f(static_cast<float>(static_cast<int64_t>(draw.number(1))));
}

void change_node(onnx::GraphProto& graph, Draw& draw) {
  onnx::NodeProto* node = one_of(graph.mutable_node(), draw);
  if (!node) return;
  switch (draw.below(4)) {
    case 0:
      return node->set_op_type(kOperators[draw.below(std::size(kOperators))]);
    case 1: {
      // One more reader of some other node's result, or of a constant.
      const onnx::NodeProto& other = graph.node(static_cast<int>(draw.below(graph.node_size())));
      std::string name = other.output_size() > 0 ? other.output(0) : "";
      if (graph.initializer_size() > 0 && draw.chance(2))
        name = graph.initializer(static_cast<int>(draw.below(graph.initializer_size()))).name();
      if (std::string* input = one_of(node->mutable_input(), draw)) *input = name;
      return;
    }
    default:
      return change_attribute(*node, draw);
  }
}

void change_shape(onnx::GraphProto& graph, Draw& draw) {
  if (draw.chance(2)) {
    onnx::TensorProto* constant = one_of(graph.mutable_initializer(), draw);
    if (constant) change_number(constant->mutable_dims(), draw);
    return;
  }
  onnx::ValueInfoProto* value = one_of(graph.mutable_input(), draw);
  if (!value) return;
  auto* shape = value->mutable_type()->mutable_tensor_type()->mutable_shape();
  if (auto* dim = one_of(shape->mutable_dim(), draw))
    dim->set_dim_value(static_cast<int64_t>(draw.number(static_cast<uint64_t>(dim->dim_value()))));
}

void change_constant(onnx::GraphProto& graph, Draw& draw) {
  onnx::TensorProto* constant = one_of(graph.mutable_initializer(), draw);
  if (!constant) return;
  if (draw.chance(4)) return constant->set_data_type(static_cast<int>(draw.below(17)));
  std::string* raw = constant->mutable_raw_data();
  if (!raw->empty()) (*raw)[draw.below(raw->size())] = static_cast<char>(draw.below(256));
}

}  // namespace

std::vector<uint8_t> mutate_onnx(std::span<const uint8_t> input, uint32_t seed) {
  Draw draw(seed);
  onnx::ModelProto model;
  if (!model.ParseFromArray(input.data(), static_cast<int>(input.size())) || !model.has_graph())
    return {};
  onnx::GraphProto& graph = *model.mutable_graph();
  switch (draw.below(8)) {
    case 0:
      change_shape(graph, draw);
      break;
    case 1:
      change_constant(graph, draw);
      break;
    case 2:
      if (model.opset_import_size() > 0)
        model.mutable_opset_import(0)->set_version(static_cast<int64_t>(1 + draw.below(20)));
      break;
    default:
      change_node(graph, draw);
  }
  const std::string out = model.SerializeAsString();
  return {out.begin(), out.end()};
}

}  // namespace dlavp::fuzz
