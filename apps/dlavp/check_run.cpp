#include "apps/dlavp/check_run.hpp"

#include <chrono>
#include <cmath>

#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/interpreter/int8_interpreter.hpp"
#include "vp/host/tensor_io.hpp"

namespace dlavp::app {
namespace {

using namespace compiler;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Result<vp::RunResult> run(const HwConfig& hw, const PlatformConfig& platform,
                          const std::vector<uint8_t>& bytes, const vp::Network& network,
                          const std::vector<std::vector<uint8_t>>& inputs,
                          std::span<const uint8_t> firmware) {
  const auto timing = TimingParams::load(hw);
  if (!timing) return timing.errors();
  auto session = vp::Session::create(hw, *timing, platform, firmware);
  if (!session) return session.errors();
  if (const Diagnostics wrong = (*session)->load(bytes, network); !wrong.empty()) return wrong;
  auto outcome = (*session)->run(inputs);
  if (auto* failure = std::get_if<vp::RunFailure>(&outcome)) return failure->errors;
  return std::get<vp::RunResult>(std::move(outcome));
}

void compare(const vp::IoTensor& tensor, const std::vector<int8_t>& actual,
             const std::vector<int8_t>& expected, CheckRun& out) {
  out.values += expected.size();
  for (size_t i = 0; i < expected.size(); ++i) {
    if (i < actual.size() && actual[i] == expected[i]) continue;
    if (++out.different != 1) continue;
    out.first = fmt::format("output '{}' value {}: {}, the interpreter has {}", tensor.name, i,
                            i < actual.size() ? fmt::format("{}", int{actual[i]}) : "nothing",
                            int{expected[i]});
  }
}

double sqnr_db(const CheckedOutput& out) {
  constexpr double kBest = 120;
  double signal = 0, noise = 0;
  for (size_t i = 0; i < out.values.size(); ++i) {
    const double exact = double{out.exact[i]};
    signal += exact * exact;
    noise += std::pow(out.quantisation.real(out.values[i]) - exact, 2);
  }
  return signal > 0 && noise > 0 ? std::min(kBest, 10 * std::log10(signal / noise)) : kBest;
}

}  // namespace

Result<CheckRun> check_run(const HwConfig& hw, const PlatformConfig& platform,
                           const compiler::Compiled& compiled,
                           const std::vector<std::vector<float>>& sample,
                           std::span<const uint8_t> firmware) {
  const auto network = vp::read_network(compiled.bytes, compiled.layers.name);
  if (!network) return network.errors();
  std::vector<std::vector<uint8_t>> values, inputs;
  for (size_t i = 0; i < compiled.layers.inputs.size(); ++i) {
    values.push_back(input_bytes(compiled.layers.inputs[i], sample[i]));
    inputs.push_back(vp::pack_stored(network->inputs[i], values.back()));
  }
  CheckRun out;
  auto begin = Clock::now();
  const FloatValues exact = interpret_float(compiled.graph, sample);
  out.float_seconds = seconds_since(begin);
  begin = Clock::now();
  const Int8Values expected = interpret_int8(compiled.layers, values);
  out.interpreter_seconds = seconds_since(begin);
  const auto start = Clock::now();
  const auto result = run(hw, platform, compiled.bytes, *network, inputs, firmware);
  if (!result) return result.errors();
  out.platform_seconds = seconds_since(start);
  out.totals = totals(*result, *network, hw);
  for (size_t k = 0; k < compiled.layers.outputs.size(); ++k) {
    const TensorId id = compiled.layers.outputs[k];
    compare(network->outputs[k], vp::unpack_output(network->outputs[k], result->outputs[k]),
            expected[id], out);
    const LayerTensor& t = compiled.layers.tensors[id];
    out.outputs.push_back({t.name, t.quantisation, expected[id], exact[compiled.graph.outputs[k]]});
    out.outputs.back().sqnr_db = sqnr_db(out.outputs.back());
  }
  return out;
}

}  // namespace dlavp::app
