// dlavp run: executes a loadable on the platform, once for each input, and prints classes or
// tensors, cycles, and a table of the operations with where their cycles went.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

#include "apps/dlavp/cli.hpp"
#include "apps/dlavp/commands.hpp"
#include "apps/dlavp/file_kind.hpp"
#include "apps/dlavp/picture.hpp"
#include "apps/dlavp/run_report.hpp"
#include "compiler/custom/custom_layer.hpp"
#include "vp/host/tensor_io.hpp"
#include "vp/host/timeline.hpp"
#include "vp/serial/serial_run.hpp"

namespace dlavp::app {

namespace {

namespace po = boost::program_options;

/// A file, or one item of a .npy batch.
struct InputFile {
  std::filesystem::path path;
  size_t item = 0, of = 1;
  [[nodiscard]] std::string text() const {
    return of == 1 ? path.string() : fmt::format("{}[{}]", path.string(), item);
  }
};

struct Setup {
  HwConfig hw;
  PlatformConfig platform;
  std::vector<uint8_t> loadable;
  std::vector<uint8_t> firmware;  ///< with custom layers; empty: the program's own
  vp::Network network;
  std::vector<std::vector<InputFile>> runs;  ///< for each run one for each input of the network
};

Result<std::vector<uint8_t>> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path))
    return Error{"run.file", path, "cannot open this file"};
  std::vector<uint8_t> bytes;
  constexpr size_t kChunk = 1 << 20;
  do {
    const size_t have = bytes.size();
    bytes.resize(have + kChunk);
    in.read(reinterpret_cast<char*>(bytes.data() + have), kChunk);
    bytes.resize(have + static_cast<size_t>(in.gcount()));
  } while (in);
  return bytes;
}

void use_platform(const Cli& cli, Setup& s, Diagnostics& errors) {
  const auto platform = load_platform_config(cli.text("platform", "default"));
  if (platform)
    s.platform = *platform;
  else
    errors.append(platform.errors());
  if (cli.has("memory")) {
    if (const auto memory = parse_memory(cli.text("memory")))
      s.platform.dram = *memory;
    else
      errors.append(memory.errors());
  }
  if (!cli.has("mem-latency")) return;
  const auto latency = static_cast<uint32_t>(cli.integer("mem-latency", 32, 1, 100000, errors));
  for (MemoryConfig* memory : {&s.platform.dram, &s.platform.sram}) {
    memory->kind = MemoryKind::kFixed;
    memory->latency_cycles = latency;
  }
}

/// What the network takes: "data (28 x 28 x 1)".
std::string inputs_text(const vp::Network& network) {
  std::string out;
  for (const vp::IoTensor& t : network.inputs)
    out += fmt::format("{}{} ({} x {} x {})", out.empty() ? "" : " ", t.name, t.width, t.height,
                       t.network_channels != 0 ? t.network_channels : t.channels);
  return out;
}

/// How much is simulated: the options over the platform's own mode.
std::optional<RunMode> run_mode(const Cli& cli, RunMode mode, Diagnostics& errors) {
  if (cli.has("timing")) {
    const std::string text = cli.text("timing");
    const auto timing = parse_timing_mode(text);
    if (!timing) {
      errors.add("run.timing", "",
                 fmt::format("timing mode {}, expected cycle, fast or none", text));
      return std::nullopt;
    }
    mode.timing = *timing;
  }
  mode.function = !cli.has("no-function");
  for (const char* option : {"input", "output", "show"})
    if (!mode.function && cli.has(option))
      errors.add("run.function", "",
                 fmt::format("--{} with --no-function, which reads and computes no data", option));
  for (const char* option : {"timeline", "vcd"})
    if (!mode.timed() && cli.has(option))
      errors.add("run.timing", "", fmt::format("--{} with timing none, which has no time", option));
  return mode;
}

void use_inputs(const Cli& cli, Setup& s, const std::string& model, Diagnostics& errors) {
  const std::vector<std::string> files = cli.texts("input");
  const size_t wanted = s.platform.mode.function ? s.network.inputs.size() : 0;
  if (wanted == 0) {
    if (!files.empty())
      errors.add("run.inputs", model,
                 fmt::format("{} input files, the network has no input", files.size()));
    s.runs.push_back({});
    return;
  }
  if (files.empty() || files.size() % wanted != 0)
    errors.add("run.inputs", model,
               fmt::format("{} input files, the network takes {} a run: --input {}", files.size(),
                           wanted, inputs_text(s.network)));
  for (size_t i = 0; i + wanted <= files.size(); i += wanted) {
    const size_t items = vp::inputs_in(files[i]);
    for (size_t item = 0; item < items; ++item) {
      s.runs.emplace_back();
      for (size_t k = i; k < i + wanted; ++k) s.runs.back().push_back({files[k], item, items});
    }
  }
}

/// Refuses what cannot be a file before anything runs or is written.
void check_traces(const Cli& cli, Diagnostics& errors) {
  std::error_code ignored;
  for (const char* option : {"timeline", "vcd"}) {
    const std::filesystem::path path = cli.text(option);
    const std::filesystem::path folder = path.parent_path();
    if (std::filesystem::is_directory(path, ignored) ||
        (!folder.empty() && !std::filesystem::is_directory(folder, ignored)))
      errors.add(
          "run.timeline", path.string(),
          fmt::format("--{} cannot be written: expected a file in a folder that exists", option));
  }
}

void use_custom(const Cli& cli, Setup& s, Diagnostics& errors) {
  if (!cli.has("custom")) return;
  const auto layers = compiler::read_custom_layers(cli.texts("custom"));
  if (!layers) return errors.append(layers.errors());
  auto firmware = kit::build_firmware(compiler::layer_sources(*layers));
  if (!firmware) return errors.append(firmware.errors());
  s.firmware = std::move(firmware).value();
}

Result<Setup> set_up(const Cli& cli) {
  Setup s;
  Diagnostics errors;
  check_traces(cli, errors);
  const std::string model = cli.texts("model").front();
  const auto hw = load_hw_config(cli.text("config", "nv_small"));
  if (hw)
    s.hw = *hw;
  else
    errors.append(hw.errors());
  use_platform(cli, s, errors);
  use_custom(cli, s, errors);
  if (const auto mode = run_mode(cli, s.platform.mode, errors)) s.platform.mode = *mode;
  auto bytes = read_file(model);
  if (!bytes) {
    errors.append(bytes.errors());
    return errors;
  }
  s.loadable = std::move(*bytes);
  const auto network = vp::read_network(s.loadable, model);
  if (!network) {
    errors.append(with_kind(network.errors(), model));
    return errors;
  }
  s.network = *network;
  if (hw) errors.append(check_config(s.network, s.hw, model));
  use_inputs(cli, s, model, errors);
  if (!errors.empty()) return errors;
  return s;
}

Result<std::vector<std::vector<uint8_t>>> read_inputs(const Setup& s, size_t run) {
  std::vector<std::vector<uint8_t>> out;
  Diagnostics errors;
  if (!s.platform.mode.function)
    for (const vp::IoTensor& input : s.network.inputs) out.emplace_back(input.bytes);
  for (size_t i = 0; i < s.runs[run].size(); ++i) {
    const InputFile& file = s.runs[run][i];
    auto bytes = vp::load_input(file.path, s.network.inputs[i], file.item);
    if (bytes)
      out.push_back(std::move(*bytes));
    else
      errors.append(bytes.errors());
  }
  if (!errors.empty()) return errors;
  return out;
}

/// Output k of run r of n: FILE itself, with numbers where there are several.
std::filesystem::path output_path(const std::string& base, size_t run, size_t runs, size_t output,
                                  size_t outputs) {
  std::filesystem::path path(base);
  std::string stem = path.stem().string();
  if (runs > 1) stem += fmt::format("_{}", run);
  if (outputs > 1) stem += fmt::format("_out{}", output);
  return path.parent_path() / (stem + path.extension().string());
}

/// Refuses an output that cannot be a file before anything is simulated for it.
Diagnostics check_output(const Cli& cli, const Setup& s) {
  Diagnostics errors;
  if (!cli.has("output")) return errors;
  const std::filesystem::path folder = std::filesystem::path(cli.text("output")).parent_path();
  const std::string kind = std::filesystem::path(cli.text("output")).extension().string();
  if (kind == ".png" || kind == ".jpg" || kind == ".jpeg" || kind == ".bmp" || kind == ".csv" ||
      kind == ".txt" || kind == ".json")
    errors.add("run.output", cli.text("output"),
               fmt::format("a tensor is not written as {}; expected .npy (an array), or .bin (the "
                           "memory's bytes)",
                           kind));
  std::error_code ignored;
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored)) {
    errors.add("run.output", cli.text("output"),
               fmt::format("there is no folder '{}'", folder.string()));
    return errors;
  }
  const auto writable = [](const std::filesystem::path& path) {
    return access(path.empty() ? "." : path.c_str(), W_OK) == 0;
  };
  for (size_t run = 0; run < s.runs.size(); ++run)
    for (size_t k = 0; k < s.network.outputs.size(); ++k) {
      const auto path =
          output_path(cli.text("output"), run, s.runs.size(), k, s.network.outputs.size());
      if (std::filesystem::is_directory(path, ignored))
        errors.add("run.output", path.string(), "is a folder, expected a file");
      else if (!writable(std::filesystem::exists(path, ignored) ? path : folder))
        errors.add("run.output", path.string(), "cannot be written");
    }
  return errors;
}

Diagnostics save(const Cli& cli, const Setup& s, const vp::RunResult& result, size_t run) {
  Diagnostics errors;
  if (!cli.has("output")) return errors;
  for (size_t k = 0; k < result.outputs.size(); ++k)
    errors.append(vp::save_output(
        output_path(cli.text("output"), run, s.runs.size(), k, result.outputs.size()),
        s.network.outputs[k], result.outputs[k]));
  return errors;
}

/// Writes what `write` puts out to FILE of `option`, if that was given.
template <typename Write>
void save_trace(const Cli& cli, const char* option, size_t run, size_t runs, Diagnostics& errors,
                const Write& write) {
  if (!cli.has(option)) return;
  const std::filesystem::path path = output_path(cli.text(option), run, runs, 0, 1);
  std::ofstream out(path, std::ios::binary);
  write(out);
  out.close();
  if (!out) errors.add("run.timeline", path.string(), "cannot be written");
}

void print_run(const Cli& cli, const Setup& s, const RunReport& report, const vp::RunResult& result,
               const std::vector<std::vector<uint8_t>>& inputs, const std::string& name,
               size_t run) {
  if (cli.has("show")) {
    for (size_t i = 0; i < inputs.size(); ++i)
      fmt::print("{}", picture(s.network.inputs[i], inputs[i]));
  }
  const RunTable table = cli.has("operations") ? RunTable::kOperations : RunTable::kLayers;
  report.print(result, name, run == 0 || cli.has("tables") ? table : RunTable::kNone);
}

int run_all(const Cli& cli, const Setup& s, vp::Session& session) {
  // All inputs are read first: a wrong one must not cost the runs before it.
  std::vector<std::vector<std::vector<uint8_t>>> inputs;
  Diagnostics errors;
  for (size_t run = 0; run < s.runs.size(); ++run) {
    auto bytes = read_inputs(s, run);
    if (bytes)
      inputs.push_back(std::move(*bytes));
    else
      errors.append(bytes.errors());
  }
  if (!errors.empty()) return fail(errors);
  std::optional<vp::TimelineRecorder> recorder;
  if (cli.has("timeline")) recorder.emplace(session.soc().accelerator());
  RunReport report(s.hw, s.platform, s.network, cli.texts("model").front());
  for (size_t run = 0; run < s.runs.size(); ++run) {
    const auto outcome = session.run(inputs[run]);
    if (const auto* failure = std::get_if<vp::RunFailure>(&outcome)) {
      fail(failure->errors);
      return failure->never_finished ? kNotSo : kBadInput;
    }
    const auto& result = std::get<vp::RunResult>(outcome);
    std::string name;
    for (const auto& file : s.runs[run]) name += (name.empty() ? "" : " ") + file.text();
    errors.append(save(cli, s, result, run));
    save_trace(cli, "timeline", run, s.runs.size(), errors, [&](std::ostream& out) {
      recorder->write_json(out, result, s.network, s.platform);
    });
    save_trace(cli, "vcd", run, s.runs.size(), errors,
               [&](std::ostream& out) { vp::write_vcd(out, result, s.platform); });
    if (cli.json())
      report.add_json(result, name);
    else
      print_run(cli, s, report, result, inputs[run], name, run);
  }
  if (cli.json()) fmt::print("{}\n", report.json());
  return errors.empty() ? kDone : fail(errors);
}

// One operation at a time on the accelerator alone, as the RTL's network cycles were counted.
int run_serial(const Cli& cli) {
  Diagnostics errors;
  const std::string model = cli.texts("model").front();
  const auto hw = load_hw_config(cli.text("config", "nv_small"));
  if (!hw) return fail(hw.errors());
  const auto timing = TimingParams::load(*hw);
  if (!timing) return fail(timing.errors());
  const auto bytes = read_file(model);
  if (!bytes) return fail(bytes.errors());
  const auto latency = static_cast<uint32_t>(cli.integer("mem-latency", 32, 1, 100000, errors));
  const auto mode = run_mode(cli, {}, errors);
  if (!errors.empty()) return fail(errors);
  const auto result = vp::run_serial(*hw, *timing, *bytes, latency, *mode);
  if (!result) {
    fail(result.errors());
    return result.errors().has("run.unfinished") ? kNotSo : kBadInput;
  }
  nlohmann::json operations = nlohmann::json::array();
  if (!cli.json())
    fmt::print("{:>5} {:<14} {:>12} {:>10} {:>10}\n", "op", "units", "cycles", "read", "written");
  for (const vp::SerialOperation& op : result->operations) {
    if (cli.json())
      operations.push_back({{"index", op.index},
                            {"units", op.engines},
                            {"run_cycles", op.run_cycles},
                            {"read_beats", op.read_beats},
                            {"write_beats", op.write_beats}});
    else
      fmt::print("{:>5} {:<14} {:>12} {:>10} {:>10}\n", op.index, op.engines, op.run_cycles,
                 op.read_beats, op.write_beats);
  }
  if (cli.json())
    fmt::print("{}\n", nlohmann::json{{"config", hw->name},
                                      {"model", model},
                                      {"mem_latency", latency},
                                      {"schedule", "serial"},
                                      {"timing", timing_mode_name(mode->timing)},
                                      {"operations", operations},
                                      {"sum_run_cycles", result->run_cycles()},
                                      {"total_cycles", result->total_cycles},
                                      {"read_beats", result->read_beats()},
                                      {"write_beats", result->write_beats()}}
                           .dump(2));
  else
    fmt::print(
        "{} operations: {} cycles from last enable to interrupt, {} in all, {} beats read, {} "
        "written\n"
        "{}, one at a time, one register write a cycle, one clock, memory of fixed latency {}, "
        "timing {}\n",
        result->operations.size(), result->run_cycles(), result->total_cycles, result->read_beats(),
        result->write_beats(), hw->name, latency, timing_mode_name(mode->timing));
  return kDone;
}

void add_options(Cli& cli) {
  cli.add()("config,c", po::value<std::string>(),
            "hardware configuration, a name or a file (default nv_small)");
  cli.add()("input,i", po::value<std::vector<std::string>>()->multitoken(),
            "input files, one run each");
  cli.add()("output,o", po::value<std::string>(),
            "write the output tensor: .npy, or the memory's bytes");
  cli.add()("platform,p", po::value<std::string>(),
            "platform, a name or a file (default: default)");
  cli.add()("custom", po::value<std::vector<std::string>>()->composing(),
            "custom layers of the loadable: a YAML file or a folder of them (as for compile)");
  cli.add()("memory", po::value<std::string>(),
            "DRAM instead of the platform's: fixed:LATENCY, bandwidth:LATENCY:BYTES or a part "
            "(ddr3_1600, ddr4_2400, ddr4_3200, lpddr4_3200)");
  cli.add()("mem-latency", po::value<int64_t>(),
            "fixed memory latency in cycles, instead of the platform's memory");
  cli.add()("timeline", po::value<std::string>(),
            "write Chrome trace events (JSON), which ui.perfetto.dev opens");
  cli.add()("vcd", po::value<std::string>(), "write the operations as a VCD");
  cli.add()("timing", po::value<std::string>(),
            "cycle (every decision of the hardware), fast (each operation in closed form) or none "
            "(function only)");
  cli.add()("no-function", "time without data: no inputs are read, no outputs computed or written");
  cli.add()("check-hazards",
            "exit 1 if operations in flight read or write what another one in flight writes");
  cli.add()(
      "serial",
      "operations one at a time on the accelerator alone, without inputs: cycles and beats of "
      "each, as counted on RTL");
  cli.add()("tables", "print the table for every input, not only the first")(
      "operations", "the table has a line for each operation, not for each layer");
  cli.add()("show", "print each input as a picture of characters");
}

}  // namespace

int cmd_run(const std::vector<std::string>& args) {
  Cli cli(
      "run", "MODEL --config NAME --input FILE... [--output FILE] [--json]",
      "Executes a loadable: the firmware on the RISC-V core programs the accelerator. Inputs are "
      "pictures\n(PGM, PPM, PNG, JPEG), .npy arrays (C x H x W, or a batch of them), .dimg dumps "
      "or .raw/.bin bytes of "
      "the "
      "tensor;\nseveral inputs run one after the other. Exit 1: an operation never finished.",
      {"dlavp run digits.nvdla --config nv_small --input seven.png",
       "dlavp run model.nvdla --config nv_large --input a.npy b.npy --output out.npy",
       "dlavp run model.nvdla --input cat.png --platform dram --json",
       "dlavp run model.nvdla --input cat.png --timeline out.json --vcd out.vcd",
       "dlavp run model.nvdla --input cat.png --custom my_layers/",
       "dlavp run resnet50.nvdla --config nv_small --serial --mem-latency 32"});
  add_options(cli);
  cli.add_json();
  cli.positional("model", 1);
  if (const auto exit = cli.parse(args)) return *exit;
  if (!cli.has("model"))
    return fail("cli.missing", "run", "no loadable given; see dlavp run --help");
  if (cli.has("serial")) return run_serial(cli);
  const auto setup = set_up(cli);
  if (!setup) return fail(setup.errors());
  if (const Diagnostics errors = check_output(cli, *setup); !errors.empty()) return fail(errors);
  const auto timing = TimingParams::load(setup->hw);
  if (!timing) return fail(timing.errors());
  auto session = vp::Session::create(setup->hw, *timing, setup->platform, setup->firmware);
  if (!session) return fail(session.errors());
  if (const Diagnostics errors = (*session)->load(setup->loadable, setup->network); !errors.empty())
    return fail(errors);
  nvdla::Accelerator& accelerator = (*session)->soc().accelerator();
  if (cli.has("check-hazards")) accelerator.check_hazards();
  const int code = run_all(cli, *setup, **session);
  if (accelerator.hazards().empty()) return code;
  fail(accelerator.hazards());
  return code == kDone ? kNotSo : code;
}

}  // namespace dlavp::app
