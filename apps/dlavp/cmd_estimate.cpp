// dlavp estimate: cycles of a network by a formula, beside what the platform's simulation gives.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "apps/dlavp/cli.hpp"
#include "apps/dlavp/commands.hpp"
#include "apps/dlavp/estimate_report.hpp"
#include "apps/estimate/from_graph.hpp"
#include "compiler/passes/passes.hpp"
#include "models/common/read_file.hpp"

namespace dlavp::app {

namespace {

namespace po = boost::program_options;
using namespace dlavp::estimate;

constexpr double kKib = 1024;

Result<SheetNetwork> find_network(const std::string& name) {
  if (auto network = published_network(name)) return std::move(*network);
  if (!std::filesystem::exists(name))
    return Error{"estimate.network", name,
                 fmt::format("no such file, and none of the built-in networks {}",
                             fmt::join(published_networks(), ", "))};
  auto graph = read_for_time({.path = name});
  if (!graph) return graph.errors();
  compiler::run_passes(*graph);
  auto network = from_graph(*graph, name);
  if (network && network->name.empty())
    (*network).name = std::filesystem::path(name).stem().string();
  return network;
}

/// The published defaults, then the configuration's sizes, then what the options say.
SheetMachine find_machine(const Cli& cli, const std::optional<HwConfig>& hw, Diagnostics& errors) {
  SheetMachine m;
  m.clock_mhz = cli.positive("clock", m.clock_mhz, errors);
  if (hw) {
    m.macs = hw->macs();
    m.cbuf_kib = static_cast<double>(hw->cbuf_bytes()) / kKib;
    m.dram_gb_per_s = hw->primary_memif.width_bytes() * m.clock_mhz / 1000;
  }
  const auto whole = [&](const char* name, uint32_t otherwise, int64_t most) {
    return static_cast<uint32_t>(cli.integer(name, otherwise, 1, most, errors));
  };
  m.macs = whole("macs", m.macs, 1 << 20);
  m.cbuf_kib = cli.positive("cbuf", m.cbuf_kib, errors);
  m.dram_gb_per_s = cli.positive("bandwidth", m.dram_gb_per_s, errors);
  m.element_bytes = whole("element-bytes", m.element_bytes, 4);
  m.fc_batch = whole("fc-batch", m.fc_batch, 1024);
  if (cli.has("sram")) m.sram = SheetSram{};
  if (m.sram) m.sram->kib = cli.positive("sram", m.sram->kib, errors);
  return m;
}

void check_options(const Cli& cli, Diagnostics& errors) {
  if (const std::string method = cli.text("method", "nvidia-sheet"); method != "nvidia-sheet")
    errors.add("estimate.method", "--method", fmt::format("'{}', expected nvidia-sheet", method));
  for (const char* option : {"timed", "loadable"})
    if (cli.has(option) && !cli.has("config"))
      errors.add("estimate.config", fmt::format("--{}", option),
                 "needs --config: a timed run is of one hardware configuration");
  if (cli.has("published") == cli.has("network"))
    errors.add("cli.missing", "estimate",
               "expected a network or --published FILE; see dlavp estimate --help");
}

/// Nothing if no timed figure is wanted.
Result<std::optional<TimedFigure>> time_network(const Cli& cli, const HwConfig& hw) {
  const auto platform = load_platform_config(cli.text("platform", "default"));
  if (!platform) return platform.errors();
  const std::string network = cli.texts("network").front();
  std::string place = network;
  std::vector<uint8_t> loadable;
  if (cli.has("loadable")) {
    place = cli.text("loadable");
    const auto bytes = read_file(place, "estimate.loadable");
    if (!bytes) return bytes.errors();
    loadable.assign(bytes->begin(), bytes->end());
  } else {
    auto bytes = compile_for_time({.path = network}, hw);
    if (!bytes) return bytes.errors();
    loadable = std::move(*bytes);
  }
  const auto run = time_loadable(loadable, place, hw, *platform);
  if (!run) return run.errors();
  TimedFigure figure;
  figure.split = split_time(run->records);
  figure.operations = run->operations.size();
  figure.clock_hz = platform->nvdla_clock_hz;
  figure.memory = "memory: " + platform->dram.text();
  return std::optional(figure);
}

int published(const Cli& cli) {
  const auto figures = check_published(cli.text("published"));
  if (!figures) return fail(figures.errors());
  if (cli.json())
    fmt::print("{}\n", published_json(*figures).dump(2));
  else
    print_published(*figures);
  return std::all_of(figures->begin(), figures->end(), [](const auto& f) { return f.equal(); })
             ? kDone
             : kNotSo;
}

int estimate_network(const Cli& cli) {
  Diagnostics errors;
  EstimateReport report;
  auto network = find_network(cli.texts("network").front());
  if (!network) return fail(network.errors());
  report.network = std::move(*network);
  if (cli.has("config")) {
    const auto hw = load_hw_config(cli.text("config"));
    if (hw)
      report.hw = *hw;
    else
      errors.append(hw.errors());
  }
  report.machine = find_machine(cli, report.hw, errors);
  if (cli.has("no-winograd")) report.network.rules.winograd_credit = false;
  if (cli.has("kernel-multiple"))
    report.network.rules.kernel_multiple = report.network.rules.sram_kernel_multiple =
        static_cast<uint32_t>(cli.integer("kernel-multiple", 128, 1, 4096, errors));
  if (report.machine.sram && !report.network.knows_sram)
    errors.add("estimate.sram", report.network.name,
               "its page counts the SRAM module by module, which is not modelled; expected "
               "alexnet, resnet50 or a file");
  const bool timed = cli.has("loadable") || cli.has("timed");
  if (timed && !cli.has("loadable") && published_network(cli.texts("network").front()))
    errors.add("estimate.loadable", "--timed",
               fmt::format("{} is built in as a layer table without weights; give --loadable",
                           report.network.name));
  if (!errors.empty()) return fail(errors);
  if (timed) {
    auto figure = time_network(cli, *report.hw);
    if (!figure) return fail(figure.errors());
    report.timed = *figure;
  }
  if (cli.json())
    fmt::print("{}\n",
               estimate_json(report).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  else
    print_estimate(report, cli.has("layers"));
  return kDone;
}

}  // namespace

int cmd_estimate(const std::vector<std::string>& args) {
  Cli cli("estimate", "NETWORK [--config NAME] [--timed | --loadable FILE] [options]",
          "Estimates a network's cycles by NVIDIA's published spreadsheet, and says why our timed "
          "figure\ndiffers. NETWORK is alexnet, googlenet or resnet50 (as published), or an ONNX "
          "or prototxt file.\nWithout options the machine is the published one: 2048 multipliers, "
          "512 KiB, 10 "
          "GB/s, 1 GHz.",
          {"dlavp estimate resnet50 --macs 2048 --cbuf 512 --bandwidth 20",
           "dlavp estimate resnet50 --config nv_small --loadable resnet50.nvdla",
           "dlavp estimate digits.onnx --config nv_small --timed --layers",
           "dlavp estimate --published published_performance.csv"});
  cli.add()("method", po::value<std::string>(), "formula: nvidia-sheet")(
      "config,c", po::value<std::string>(), "take multipliers, buffer and port from this hardware")(
      "timed", "compile the network for --config, run it, and explain the difference")(
      "loadable", po::value<std::string>(), "the same with this loadable of the network")(
      "platform,p", po::value<std::string>(), "platform of the timed run (default)")(
      "macs", po::value<int64_t>(), "multipliers (2048)")("cbuf", po::value<double>(),
                                                          "convolution buffer in KiB (512)")(
      "bandwidth", po::value<double>(), "DRAM bandwidth in GB/s (10; the port's with --config)")(
      "clock", po::value<double>(), "clock in MHz (1000)")("element-bytes", po::value<int64_t>(),
                                                           "bytes of a value (1)")(
      "fc-batch", po::value<int64_t>(), "frames a fully connected layer takes at once (16)")(
      "sram", po::value<double>(), "KiB of SRAM at the second port, 25 GB/s each way")(
      "no-winograd", "without the credit of 2.25 on 3x3 layers")(
      "kernel-multiple", po::value<int64_t>(), "kernels are padded to a multiple of this")(
      "layers", "print every layer")(
      "published", po::value<std::string>(),
      "check the formulas against a CSV of published figures; exit 1 if one differs");
  cli.add_json();
  cli.positional("network", 1);
  if (const auto exit = cli.parse(args, check_options)) return *exit;
  return cli.has("published") ? published(cli) : estimate_network(cli);
}

}  // namespace dlavp::app
