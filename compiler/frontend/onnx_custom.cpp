// Operators that a user adds: their attributes and operands.
#include "compiler/frontend/importer.hpp"

namespace dlavp::compiler {

std::shared_ptr<const CustomDefinition> custom_operator(const OnnxNode& node,
                                                        const ImportOptions& options) {
  const auto found = options.custom.find(node.op_type);
  if (found == options.custom.end()) return nullptr;
  const std::string& domain = found->second->onnx_domain;
  return domain.empty() || domain == node.domain ? found->second : nullptr;
}

CustomAttributes custom_attributes(const OnnxNode& node, std::string& unfit) {
  CustomAttributes out;
  for (const auto& [name, a] : node.attributes) {
    switch (a.kind) {
      case OnnxAttributeKind::kInt:
        out.numbers[name] = static_cast<double>(a.i);
        break;
      case OnnxAttributeKind::kFloat:
        out.numbers[name] = double{a.f};
        break;
      case OnnxAttributeKind::kString:
        out.texts[name] = a.s;
        break;
      case OnnxAttributeKind::kInts:
        out.lists[name].assign(a.ints.begin(), a.ints.end());
        break;
      case OnnxAttributeKind::kFloats:
        out.lists[name].assign(a.floats.begin(), a.floats.end());
        break;
      case OnnxAttributeKind::kOther:
        unfit = name;
    }
  }
  return out;
}

void Importer::custom(const OnnxNode& node,
                      const std::shared_ptr<const CustomDefinition>& definition) {
  std::string unfit;
  CustomOp op{definition, custom_attributes(node, unfit)};
  if (!unfit.empty())
    fail(node, "onnx.attribute",
         fmt::format("{} is neither a number nor a string nor a list of numbers", unfit));
  std::vector<TensorId> inputs;
  size_t rank = 4;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!has_input(node, i)) continue;
    if (is_constant(node, i)) {
      const OnnxTensor& c = constant(node, i);
      const bool vector = c.dims.size() == 1;
      const std::vector<int64_t> dims = vector ? std::vector<int64_t>{1, c.dims[0]} : c.dims;
      inputs.push_back(add_constant(node, fmt::format("input{}", i).c_str(),
                                    placed_shape(dims, default_placement(dims)), floats(node, i)));
      continue;
    }
    const Activation& x = activation(node, i);
    if (inputs.empty()) rank = x.rank();
    inputs.push_back(place(node, x, default_placement(x.dims)).id);
  }
  if (inputs.empty()) fail(node, "onnx.missing", "a custom operator needs an input");
  const TensorId id = emit(node, std::move(op), std::move(inputs));
  const Shape& s = graph_.tensor(id).shape;
  std::vector<int64_t> dims = {1, s.c, s.h, s.w};
  if (rank == 2 && s.h == 1 && s.w == 1) dims = {1, s.c};
  if (rank == 3 && s.h == 1) dims = {1, s.c, s.w};
  define(node, placed_view(id, dims, default_placement(dims)));
}

}  // namespace dlavp::compiler
