// The JSON blob that tells tools what the numbers in and out of a loadable mean.
#include <nlohmann/json.hpp>

#include "compiler/emit/emit.hpp"

namespace dlavp::compiler {
namespace {

using Json = nlohmann::ordered_json;

Json shape_json(const LayerTensor& t) {
  if (t.pooled_flat) return {1, t.shape.elements()};
  return {t.shape.n, t.shape.c, t.shape.h, t.shape.w};
}

Json input_json(const LayerProgram& layers, size_t i) {
  const LayerInput& in = layers.inputs[i];
  const LayerTensor& t = layers.tensors[in.tensor];
  const char* format = !in.image ? "feature" : in.channels == 1 ? "R8" : "A8B8G8R8";
  return {{"name", t.name},
          {"bind_id", i},
          {"scale", in.scale},
          {"zero_point", in.zero_point},
          {"mean", std::vector<double>(static_cast<size_t>(t.shape.c), 0.0)},
          {"shape", shape_json(t)},
          {"format", format}};
}

}  // namespace

std::string info_json(const HwConfig& hw, const LayerProgram& layers, const HwProgram& program,
                      const EmitOptions& options) {
  Json j;
  j["config"] = hw.name;
  j["inputs"] = Json::array();
  for (size_t i = 0; i < layers.inputs.size(); ++i) j["inputs"].push_back(input_json(layers, i));
  j["outputs"] = Json::array();
  for (size_t i = 0; i < layers.outputs.size(); ++i) {
    const LayerTensor& t = layers.tensors[layers.outputs[i]];
    j["outputs"].push_back({{"name", t.name},
                            {"bind_id", i},
                            {"scale", t.quantisation.scale},
                            {"zero_point", t.quantisation.zero_point},
                            {"shape", shape_json(t)}});
  }
  j["layers"] = Json::array();
  for (const Layer& layer : layers.layers)
    j["layers"].push_back(
        {{"name", layer.name}, {"shape", shape_json(layers.tensors[layer.output])}});
  j["operations"] = Json::array();
  for (size_t t = 0; t < program.tasks.size(); ++t) {
    const HwTask& task = program.tasks[t];
    const auto add = [&](size_t index, const auto& op, uint64_t macs) {
      j["operations"].push_back(
          {{"task", t}, {"index", index}, {"name", op.name}, {"layer", op.layer}, {"macs", macs}});
    };
    for (size_t i = 0; i < task.operations.size(); ++i)
      add(i, task.operations[i], task.operations[i].macs);
    for (size_t i = 0; i < task.cpu.size(); ++i) add(i, task.cpu[i], 0);
  }
  j["labels"] = options.labels;
  // The names come from user files: bytes that are no UTF-8 must not stop the compiler.
  return j.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace dlavp::compiler
