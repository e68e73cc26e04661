// dlavp compile: a network to a loadable, with a summary of what was done to it.
#include <fmt/format.h>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/dlavp/calibration_options.hpp"
#include "apps/dlavp/check_run.hpp"
#include "apps/dlavp/cli.hpp"
#include "apps/dlavp/commands.hpp"
#include "apps/dlavp/file_kind.hpp"
#include "apps/dlavp/progress.hpp"
#include "apps/dlavp/schedule_options.hpp"
#include "apps/dlavp/write_file.hpp"
#include "compiler/custom/custom_layer.hpp"
#include "compiler/data/npy.hpp"
#include "compiler/data/samples.hpp"
#include "compiler/driver/compile.hpp"
#include "compiler/frontend/read_network.hpp"
#include "compiler/interpreter/int8_interpreter.hpp"
#include "compiler/schedule/core_verify.hpp"
#include "models/common/hw_config.hpp"
#include "models/common/read_file.hpp"

namespace dlavp::app {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using namespace dlavp::compiler;
using Json = nlohmann::ordered_json;

constexpr size_t kRandomSamples = 8;
constexpr size_t kMostValues = 4096;  ///< of an output in JSON

constexpr const char* kWriteError = "compile.write";

Result<std::vector<std::string>> read_labels(const std::string& path) {
  const auto text = read_file(path, "compile.labels");
  if (!text) return text.errors();
  std::istringstream file(*text);
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) out.push_back(line);
  }
  return out;
}

size_t core_operations(const HwProgram& p) {
  size_t n = 0;
  for (const HwTask& t : p.tasks) n += t.cpu.size();
  return n;
}

size_t operations(const HwProgram& p) {
  size_t n = core_operations(p);
  for (const HwTask& t : p.tasks) n += t.operations.size();
  return n;
}

Json to_json(const CheckRun& run, const PlatformConfig& platform) {
  const RunTotals& t = run.totals;
  Json j{{"equal", run.different == 0}, {"values", run.values}, {"different", run.different}};
  j["first_difference"] = run.first.empty() ? Json() : Json(run.first);
  j["platform"] = platform.name;
  j["clock_hz"] = platform.nvdla_clock_hz;
  j["memory"] = memory_text(platform.dram);
  j["cycles"] = {{"accelerator", t.accelerator_cycles}, {"core", t.core_cycles}};
  j["bytes"] = t.bytes;
  j["macs"] = t.macs;
  j["utilisation"] = t.utilisation;
  j["outputs"] = Json::array();
  for (const CheckedOutput& out : run.outputs) {
    Json o{{"name", out.name},
           {"scale", out.quantisation.scale},
           {"zero_point", out.quantisation.zero_point},
           {"sqnr_db", out.sqnr_db}};
    if (out.values.size() <= kMostValues) {
      o["values"] = out.values;
      o["float"] = out.exact;
    }
    j["outputs"].push_back(std::move(o));
  }
  j["seconds"] = {{"float", run.float_seconds},
                  {"interpreter", run.interpreter_seconds},
                  {"platform", run.platform_seconds}};
  return j;
}

void print_check(const HwConfig& hw, const PlatformConfig& platform, const CheckRun& run) {
  const RunTotals& t = run.totals;
  const double ms = 1e3 * static_cast<double>(t.accelerator_cycles) / platform.nvdla_clock_hz;
  if (run.different == 0)
    fmt::print("check: {} output values equal the interpreter's\n", run.values);
  for (const CheckedOutput& out : run.outputs)
    fmt::print("output '{}': {:.1f} dB SQNR against floating point\n", out.name, out.sqnr_db);
  fmt::print(
      "{} cycles on {} ({:.3f} ms at {:g} MHz, memory: {}), {} bytes moved, {:.1f} % of the "
      "multipliers\n",
      t.accelerator_cycles, hw.name, ms, platform.nvdla_clock_hz / 1e6, memory_text(platform.dram),
      t.bytes, 100 * t.utilisation);
}

Json to_json(const HwConfig& hw, const Compiled& c, const std::string& output, bool calibrated) {
  Json j;
  j["config"] = hw.name;
  j["output"] = output;
  j["bytes"] = c.bytes.size();
  j["layers"] = c.layers.layers.size();
  j["operations"] = operations(c.program);
  j["core_operations"] = core_operations(c.program);
  j["tasks"] = c.program.tasks.size();
  j["constant_bytes"] = c.program.constants.size();
  j["activation_bytes"] = c.program.activation_bytes;
  j["calibrated"] = calibrated;
  j["notes"] = c.graph.notes;
  j["passes"] = Json::array();
  for (const PassStatistic& p : c.passes)
    j["passes"].push_back({{"name", p.name}, {"applied", p.applied}});
  j["core_layers"] = Json::array();
  for (const Layer& layer : c.layers.layers) {
    if (const auto* core = layer.as<CoreLayer>())
      j["core_layers"].push_back(
          {{"layer", layer.name}, {"kernel", core_kernel_name(*core)}, {"reason", core->reason}});
  }
  j["quantisation"] = Json::array();
  for (const LayerQuality& q : c.quality) {
    j["quantisation"].push_back({{"layer", q.name},
                                 {"scale", q.quantisation.scale},
                                 {"zero_point", q.quantisation.zero_point},
                                 {"clipped", q.clipped},
                                 {"sqnr_db", q.sqnr_db}});
  }
  return j;
}

/// What runs on the core, and why: one line a layer.
void print_core_layers(const Compiled& c) {
  bool first = true;
  for (const Layer& layer : c.layers.layers) {
    const auto* core = layer.as<CoreLayer>();
    if (core == nullptr) continue;
    if (first) fmt::print("\non the core:\n");
    first = false;
    fmt::print("  {:<26} {:<10} {}: {}\n", layer.name, core_kernel_name(*core),
               c.layers.tensors[layer.output].shape.text(), core->reason);
  }
}

void print_summary(const HwConfig& hw, const Compiled& c, const std::string& output) {
  fmt::print("{} for {}\n\n", c.layers.name, hw.name);
  for (const PassStatistic& p : c.passes) {
    if (p.applied != 0) fmt::print("  {:<32}{:>6}\n", p.name, p.applied);
  }
  fmt::print("\n{:<28}{:>12}{:>12}{:>6}{:>10}{:>10}{:>6}\n", "layer", "MACs", "scale", "zero",
             "clipped", "SQNR dB", "ops");
  for (size_t i = 0; i < c.layers.layers.size(); ++i) {
    const Layer& layer = c.layers.layers[i];
    size_t count = 0;
    for (const HwTask& t : c.program.tasks) {
      for (const HwOperation& op : t.operations) count += op.layer == i ? 1 : 0;
      for (const CoreOperation& op : t.cpu) count += op.layer == i ? 1 : 0;
    }
    std::string quality = fmt::format("{:>10}{:>10}", "-", "-");
    for (const LayerQuality& q : c.quality) {
      if (q.name == layer.name)
        quality = fmt::format("{:>9.2f}%{:>10.1f}", q.clipped * 100, q.sqnr_db);
    }
    const Quantisation& q = c.layers.tensors[layer.output].quantisation;
    fmt::print("{:<28}{:>12}{:>12.4g}{:>6}{}{:>6}\n", layer.name, macs_of(c.layers, layer), q.scale,
               q.zero_point, quality, count);
  }
  print_core_layers(c);
  fmt::print("\n{} operations in {} tasks; {} bytes of constants, {} bytes of activations\n",
             operations(c.program), c.program.tasks.size(), c.program.constants.size(),
             c.program.activation_bytes);
  fmt::print("{}: {} bytes\n", output, c.bytes.size());
}

/// Writes every layer's int8 tensor of the interpreter as <dir>/<number>_<tensor>.npy.
Diagnostics dump_reference(const Compiled& c, const std::string& input, const std::string& dir) {
  auto samples = load_samples(c.graph, input);
  if (!samples.ok()) return samples.errors();
  std::error_code failed;
  fs::create_directories(dir, failed);
  if (failed) return Diagnostics(Error{kWriteError, dir, failed.message()});
  const Int8Values values = interpret_int8_real(c.layers, samples->front());
  for (TensorId id = 0; id < values.size(); ++id) {
    const LayerTensor& t = c.layers.tensors[id];
    std::string name = t.name;
    for (char& ch : name) {
      if (ch == '/' || ch == '\0') ch = '_';
    }
    const auto size = [](int64_t v) { return static_cast<size_t>(v); };
    const std::string bytes = encode_npy(
        {size(t.shape.n), size(t.shape.c), size(t.shape.h), size(t.shape.w)}, values[id]);
    Diagnostics wrong = write_file((fs::path(dir) / fmt::format("{:03}_{}.npy", id, name)).string(),
                                   bytes, kWriteError);
    if (!wrong.empty()) return wrong;
  }
  return {};
}

Result<CompileOptions> read_options(const Cli& cli) {
  Diagnostics wrong;
  CompileOptions options;
  const std::string mode = cli.text("input-mode", "auto");
  if (mode != "auto" && mode != "image" && mode != "feature") {
    wrong.add("compile.option", "--input-mode",
              fmt::format("'{}', expected auto, image or feature", mode));
  }
  options.quantise.input_mode = mode == "image"     ? InputMode::kImage
                                : mode == "feature" ? InputMode::kFeature
                                                    : InputMode::kAuto;
  options.calibration = calibration_options(cli, wrong);
  options.schedule = schedule_options(cli, wrong);
  options.measure = !cli.has("no-measure");
  if (cli.has("labels")) {
    auto labels = read_labels(cli.text("labels"));
    if (labels.ok()) {
      options.emit.labels = *labels;
    } else {
      wrong.append(labels.errors());
    }
  }
  if (cli.has("reference-input") != cli.has("reference-output")) {
    wrong.add("compile.option", "--reference-input", "goes together with --reference-output");
  }
  if (!wrong.empty()) return wrong;
  return options;
}

/// What --check runs with.
struct CheckSetup {
  std::vector<std::vector<float>> input;
  PlatformConfig platform;
  std::vector<uint8_t> firmware;  ///< with the custom layers; empty: without any
};

/// Read before anything is compiled or written.
Result<CheckSetup> check_setup(const Cli& cli, const Graph& graph, const Samples& samples,
                               const std::vector<CustomLayer>& custom) {
  const auto inputs =
      cli.has("input") ? load_samples(graph, cli.text("input")) : Result<Samples>(samples);
  const auto platform = load_platform_config(cli.text("platform", "default"));
  Diagnostics wrong;
  if (!inputs) wrong.append(inputs.errors());
  if (!platform) wrong.append(platform.errors());
  if (!wrong.empty()) return wrong;
  CheckSetup out{inputs->front(), *platform, {}};
  if (custom.empty()) return out;
  auto firmware = kit::build_firmware(layer_sources(custom));
  if (!firmware) return firmware.errors();
  out.firmware = std::move(firmware).value();
  return out;
}

/// Runs what was compiled on the platform; adds "check" to the summary.
int check(const Cli& cli, const HwConfig& hw, const Compiled& compiled, const CheckSetup& setup,
          Json& summary) {
  const auto run = check_run(hw, setup.platform, compiled, setup.input, setup.firmware);
  if (!run) {
    fail(run.errors());
    return kNotSo;
  }
  summary["check"] = to_json(*run, setup.platform);
  if (!cli.json()) print_check(hw, setup.platform, *run);
  if (run->different == 0) return kDone;
  fmt::print(stderr, "check: {} of {} output values differ from the interpreter's; {}\n",
             run->different, run->values, run->first);
  return kNotSo;
}

Diagnostics network_options(const Cli& cli, NetworkOptions& out) {
  out.weights = cli.text("weights");
  if (!cli.has("weights-seed")) return {};
  const std::string given = cli.text("weights-seed");
  uint64_t seed = 0;
  const auto [end, code] = std::from_chars(given.data(), given.data() + given.size(), seed);
  if (code != std::errc() || end != given.data() + given.size()) {
    return Diagnostics(Error{"compile.option", "--weights-seed",
                             fmt::format("'{}', expected a whole number from 0 on", given)});
  }
  out.weights_seed = seed;
  return {};
}

Result<Graph> read_graph(const Cli& cli, const std::vector<CustomLayer>& custom) {
  NetworkOptions network;
  if (const Diagnostics wrong = network_options(cli, network); !wrong.empty()) return wrong;
  auto registry = custom_registry(custom);
  if (!registry) return registry.errors();
  network.import.custom = std::move(registry).value();
  return read_network(cli.texts("model").front(), network);
}

Diagnostics save_scales(const Cli& cli, const Graph& graph) {
  if (!cli.has("save-scales")) return {};
  const std::string table = encode_scale_table(graph);
  return write_file(cli.text("save-scales"), table, kWriteError);
}

/// Refuses targets that cannot be before any work is done for them.
Diagnostics check_targets(const Cli& cli) {
  Diagnostics wrong = check_target(cli.text("output"), kWriteError);
  if (cli.has("save-scales")) wrong.append(check_target(cli.text("save-scales"), kWriteError));
  return wrong;
}

void print_notes(const Compiled& compiled, bool calibrated) {
  for (const std::string& note : compiled.graph.notes) fmt::print(stderr, "note: {}\n", note);
  if (calibrated) return;
  fmt::print(stderr,
             "warning: no --calibrate: scales come from random inputs in [-1, 1]; results will "
             "not be accurate\n");
}

void print_text(const Cli& cli, const HwConfig& hw, const Compiled& compiled,
                const StageTimes& times) {
  if (cli.has("dump-ir")) {
    fmt::print("{}\n{}\n{}\n", compiled.graph.text(), compiled.layers.text(),
               text(compiled.program));
  }
  print_summary(hw, compiled, cli.text("output"));
  fmt::print("compiled in {:.2f} s, {:.2f} s with samples and measuring\n", times.total(true),
             times.total(false));
}

int compile(const Cli& cli) {
  auto options = read_options(cli);
  if (!options) return fail(options.errors());
  const auto hw = load_hw_config(cli.text("config"));
  if (!hw) return fail(hw.errors());
  if (const Diagnostics wrong = check_targets(cli); !wrong.empty()) return fail(wrong);
  const Progress progress(!cli.json());
  StageTimes times;
  const auto enter = [&](const std::string& stage, double done) {
    times.enter(stage);
    progress.show(stage, done);
  };
  enter("import", 0);
  const auto custom = read_custom_layers(cli.texts("custom"));
  if (!custom) return fail(custom.errors());
  auto graph = read_graph(cli, *custom);
  if (!graph) return fail(with_kind(graph.errors(), cli.texts("model").front()));
  if (const Diagnostics wrong = apply_scales(cli, *graph); !wrong.empty()) return fail(wrong);
  const bool calibrated = cli.has("calibrate") || cli.has("scales");
  enter("samples", 0.1);
  auto samples = cli.has("calibrate") ? load_samples(*graph, cli.text("calibrate"))
                                      : Result<Samples>(random_samples(*graph, kRandomSamples));
  if (!samples) return fail(samples.errors());
  std::optional<CheckSetup> checked;
  if (cli.has("check")) {
    auto setup = check_setup(cli, *graph, *samples, *custom);
    if (!setup) return fail(setup.errors());
    checked = std::move(setup).value();
  }
  (*options).progress = enter;
  auto compiled = compile_graph(*hw, std::move(graph).value(), *samples, *options);
  progress.clear();
  if (!compiled) return fail(compiled.errors());
  const std::string output = cli.text("output");
  if (cli.has("reference-input")) {
    const Diagnostics wrong =
        dump_reference(*compiled, cli.text("reference-input"), cli.text("reference-output"));
    if (!wrong.empty()) return fail(wrong);
  }
  const Diagnostics wrong = write_file(
      output, {reinterpret_cast<const char*>(compiled->bytes.data()), compiled->bytes.size()},
      kWriteError);
  if (!wrong.empty()) return fail(wrong);
  if (const Diagnostics failed = save_scales(cli, compiled->graph); !failed.empty())
    return fail(failed);
  print_notes(*compiled, calibrated);
  Json summary = to_json(*hw, *compiled, output, calibrated);
  times.add_to(summary);
  if (!cli.json()) print_text(cli, *hw, *compiled, times);
  const int code = checked ? check(cli, *hw, *compiled, *checked, summary) : kDone;
  if (cli.json()) fmt::print("{}\n", summary.dump(2, ' ', false, Json::error_handler_t::replace));
  return code;
}

}  // namespace

int cmd_compile(const std::vector<std::string>& args) {
  Cli cli("compile", "MODEL --config NAME -o FILE [--calibrate PATH]",
          "Turns a network (ONNX, or Caffe's prototxt) into a loadable. Weights and activations "
          "become int8; their scales come "
          "from\n"
          "sample inputs, without which the result computes but is not accurate.",
          {"dlavp compile examples/digits/digits.onnx --config nv_small -o digits.nvdla "
           "--calibrate examples/digits/calibration.npy",
           "dlavp compile model.onnx --config nv_large -o model.nvdla --calibrate images/ "
           "--percentile 99.99 --labels names.txt",
           "dlavp compile net.prototxt --weights net.caffemodel --config nv_small -o net.nvdla",
           "dlavp compile model.onnx --config nv_small -o model.nvdla --calibrate images/ --check",
           "dlavp compile model.onnx --config nv_small -o model.nvdla --custom my_layers/ --check",
           "dlavp compile model.onnx --config nv_small -o m.nvdla --reference-input x.npy "
           "--reference-output layers/"});
  cli.add()("no-measure", "no comparison with floating point: no SQNR, and done sooner");
  cli.add()("config,c", po::value<std::string>(),
            "hardware configuration: a published name or a YAML file")(
      "output,o", po::value<std::string>(), "the loadable to write")(
      "weights", po::value<std::string>(), "of a .prototxt: its .caffemodel")(
      "weights-seed", po::value<std::string>(),
      "of a .prototxt: make up weights that are not given, for estimates of performance")(
      "input-mode", po::value<std::string>(),
      "auto, image (pixels, converted by the hardware) or feature (int8)")(
      "custom", po::value<std::vector<std::string>>()->composing(),
      "a custom layer's YAML file, or a folder of them; may be given several times")(
      "labels", po::value<std::string>(), "names of the classes, one a line")(
      "check",
      "run the loadable on the platform and compare every output with the int8 interpreter's; "
      "exit 1 if one differs")("input", po::value<std::string>(),
                               "of --check: .npy or image (default: the first sample)")(
      "platform", po::value<std::string>(), "of --check: a name or a file (default: default)")(
      "dump-ir", "print the graph, the quantised layers and the operations")(
      "reference-input", po::value<std::string>(),
      "an input (.npy or image) for the int8 interpreter")(
      "reference-output", po::value<std::string>(),
      "folder for the interpreter's int8 tensor of every layer");
  add_calibration_options(cli);
  add_schedule_options(cli);
  cli.add_json();
  cli.positional("model", 1);
  if (const auto exit = cli.parse(args)) return *exit;
  Diagnostics missing;
  if (!cli.has("model")) missing.add("compile.option", "MODEL", "is missing");
  if (!cli.has("config"))
    missing.add("compile.option", "--config", "is missing; dlavp configs lists the names");
  if (!cli.has("output")) missing.add("compile.option", "--output", "is missing");
  if (!missing.empty()) return fail(missing);
  return compile(cli);
}

}  // namespace dlavp::app
