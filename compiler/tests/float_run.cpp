// float_run MODEL IN.npy OUT.npy [--passes] [CAFFEMODEL]: the float interpretation of a network, so
// that tests can compare it with another implementation. With --passes the standard passes run
// first. Further outputs of the network go to OUT.npy.1, OUT.npy.2, ...
#include <fmt/format.h>

#include <cstring>
#include <fstream>

#include "compiler/data/npy.hpp"
#include "compiler/data/samples.hpp"
#include "compiler/frontend/read_network.hpp"
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
    fmt::print(stderr, "float_run MODEL IN.npy OUT.npy [--passes] [CAFFEMODEL]\n");
    return 2;
  }
  bool passes = false;
  NetworkOptions options;
  for (int i = 4; i < argc; ++i) {
    if (std::strcmp(argv[i], "--passes") == 0) {
      passes = true;
    } else {
      options.weights = argv[i];
    }
  }
  auto graph = read_network(argv[1], options);
  if (!graph.ok()) return fail(graph.errors());
  if (passes) run_passes(*graph);
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
