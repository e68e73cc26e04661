// Runs an imported ONNX model on counting numbers and compares with values worked out by hand.
#pragma once

#include <catch2/catch.hpp>

#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/tests/onnx_builder.hpp"

namespace dlavp::compiler::testing {

inline Graph imported(const OnnxBuilder& m, const ImportOptions& options = {}) {
  auto g = m.import(options);
  if (!g.ok()) FAIL(g.errors().text());
  return *g;
}

/// The first output for 1, 2, 3, ... plus `start` as each input.
inline std::vector<float> outputs(const Graph& g, float start = 0, float step = 1) {
  std::vector<std::vector<float>> inputs;
  for (TensorId id : g.inputs) {
    inputs.emplace_back();
    for (int64_t i = 1; i <= g.tensor(id).shape.elements(); ++i)
      inputs.back().push_back(start + static_cast<float>(i) * step);
  }
  return interpret_float(g, inputs)[g.outputs[0]];
}

inline void near(const std::vector<float>& actual, const std::vector<float>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    INFO("element " << i);
    REQUIRE(actual[i] == Approx(expected[i]).margin(1e-5));
  }
}

/// The model's output is `expected`, before and after the passes.
inline Graph gives(const OnnxBuilder& m, const std::vector<float>& expected, float start = 0,
                   float step = 1) {
  Graph g = imported(m);
  near(outputs(g, start, step), expected);
  Graph after = g;
  run_passes(after);
  INFO(g.text() << after.text());
  near(outputs(after, start, step), expected);
  return g;
}

inline void refused(const OnnxBuilder& m, const char* id, const std::string& text) {
  const auto g = m.import();
  REQUIRE(!g.ok());
  INFO(g.errors().text());
  REQUIRE(g.errors().has(id));
  REQUIRE(g.errors().text().find(text) != std::string::npos);
}

}  // namespace dlavp::compiler::testing
