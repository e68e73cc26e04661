// The compiler's front end for ONNX.
#include "compiler/frontend/onnx_import.hpp"
#include "fuzz/input_targets.hpp"

namespace dlavp::fuzz {

bool run_onnx(std::span<const uint8_t> input) {
  const std::string bytes(input.begin(), input.end());
  const auto model = compiler::decode_onnx(bytes, "input.onnx");
  if (!model) return false;
  const auto graph = compiler::import_onnx(*model);
  if (!graph) {
    DLAVP_CHECK(!graph.errors().errors().front().id.empty(), "an error without an id");
    return false;
  }
  const Diagnostics broken = graph->verify();
  DLAVP_CHECK(broken.empty(), "an imported graph breaks its rules: {}", broken.text());
  return true;
}

}  // namespace dlavp::fuzz
