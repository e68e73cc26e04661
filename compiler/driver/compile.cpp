// The pipeline, in order.
#include "compiler/driver/compile.hpp"

#include "compiler/quantise/tensor_groups.hpp"
#include "compiler/schedule/split_channels.hpp"

namespace dlavp::compiler {
namespace {

std::vector<Pass> passes_for(const HwConfig& hw, const ScheduleOptions& options) {
  std::vector<Pass> out = options.fuse ? standard_passes() : unfused_passes();
  if (options.move_strides && hw.pdp) out.push_back({"move strides to producers", move_strides});
  if (options.join_sums) out.push_back({"join sums of convolutions", join_sums});
  out.push_back({"drop unused tensors", drop_unused_tensors});
  return out;
}

}  // namespace

Result<Compiled> compile_graph(const HwConfig& hw, Graph graph, const Samples& samples,
                               const CompileOptions& options) {
  const auto stage = [&](const char* name, double done) {
    if (options.progress) options.progress(name, done);
  };
  Compiled out;
  out.graph = std::move(graph);
  if (Diagnostics wrong = out.graph.verify(); !wrong.empty()) return wrong;
  stage("passes", 0.1);
  out.passes = run_passes(out.graph, passes_for(hw, options.schedule));
  out.passes.push_back({"quantise for joins", quantise_for_joins(out.graph)});
  out.passes.push_back({"copy zero points", copy_zero_points(out.graph)});
  out.passes.push_back({"cut convolutions along channels", split_channels(hw, out.graph)});
  stage("calibrate", 0.2);
  auto ranges = calibrate(out.graph, samples, options.calibration);
  if (!ranges.ok()) return ranges.errors();
  stage("quantise", 0.6);
  auto layers = quantise(hw, out.graph, *ranges, options.quantise);
  if (!layers.ok()) return layers.errors();
  out.layers = std::move(layers).value();
  stage("schedule", 0.7);
  auto program = schedule(hw, out.layers, options.schedule);
  if (!program.ok()) return program.errors();
  out.program = std::move(program).value();
  stage("emit", 0.8);
  auto loadable = emit_loadable(hw, out.layers, out.program, options.emit);
  if (!loadable.ok()) return loadable.errors();
  out.loadable = std::move(loadable).value();
  out.bytes = loadable::write_loadable(out.loadable);
  stage("measure", 0.85);
  if (options.measure) out.quality = measure_quality(out.graph, out.layers, samples);
  stage("done", 1);
  return out;
}

}  // namespace dlavp::compiler
