// float_run MODEL.onnx IN.npy OUT.npy [--passes]: the float interpretation of a network, so that
// tests can compare it with another implementation. With --passes the standard passes run first.
// Further outputs of the network go to OUT.npy.1, OUT.npy.2, ...
#include <fmt/format.h>

#include <cstring>
#include <fstream>

#include "compiler/data/npy.hpp"
#include "compiler/data/samples.hpp"
#include "compiler/frontend/onnx_import.hpp"
#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/passes/passes.hpp"

using namespace dlavp;
using namespace dlavp::compiler;

namespace {

int fail(const Diagnostics& errors) {
  fmt::print(stderr, "{}\n", errors.text());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "float_run MODEL.onnx IN.npy OUT.npy [--passes]\n");
    return 2;
  }
  auto model = read_onnx(argv[1]);
  if (!model.ok()) return fail(model.errors());
  auto graph = import_onnx(*model);
  if (!graph.ok()) return fail(graph.errors());
  if (argc > 4 && std::strcmp(argv[4], "--passes") == 0) run_passes(*graph);
  const auto samples = load_samples(*graph, argv[2]);
  if (!samples.ok()) return fail(samples.errors());
  const FloatValues values = interpret_float(*graph, samples->front());
  for (size_t i = 0; i < graph->outputs.size(); ++i) {
    const TensorId id = graph->outputs[i];
    const Shape& s = graph->tensor(id).shape;
    const auto size = [](int64_t v) { return static_cast<size_t>(v); };
    const std::string bytes =
        encode_npy_floats({size(s.n), size(s.c), size(s.h), size(s.w)}, values[id]);
    std::ofstream(i == 0 ? argv[3] : fmt::format("{}.{}", argv[3], i), std::ios::binary) << bytes;
  }
  fmt::print("{}\n", graph->nodes.size());
  for (const std::string& note : graph->notes) fmt::print(stderr, "note: {}\n", note);
  return 0;
}
