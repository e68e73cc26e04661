// dlavp report: what `dlavp run --json` printed, as a page to look at.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/dlavp/cli.hpp"
#include "apps/dlavp/commands.hpp"
#include "apps/dlavp/report_html.hpp"
#include "apps/dlavp/write_file.hpp"
#include "models/common/hw_config.hpp"
#include "models/common/read_file.hpp"

namespace dlavp::app {

namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

ReportOperation operation(const Json& j, double multipliers) {
  ReportOperation op;
  op.name = j.at("name");
  op.engine = j.at("engine");
  op.start = j.at("start");
  op.cycles = j.at("cycles");
  op.bytes = j.at("bytes");
  if (!j.at("utilisation").is_null())
    op.macs = j.at("utilisation").get<double>() * op.cycles * multipliers;
  double sum = 0;
  for (const auto& [cause, cycles] : j.at("cycles_by_cause").items()) {
    op.causes.emplace_back(cause, cycles.get<double>());
    sum += op.causes.back().second;
  }
  if (sum == 0) op.causes.clear();  // the core's own operations have none
  return op;
}

/// A layer's cycles are shared out as those of its longest-working unit were.
ReportOperation layer(const Json& j) {
  ReportOperation out;
  out.name = j.at("name");
  for (const auto& [engine, count] : j.at("operations").items())
    out.engine += (out.engine.empty() ? "" : " ") +
                  (count == 1 ? engine : fmt::format("{} \u00d7{}", engine, count.get<int>()));
  out.start = j.at("start");
  out.cycles = j.at("cycles");
  out.bytes = j.at("bytes");
  out.macs = j.at("macs");
  double sum = 0;
  for (const auto& [cause, cycles] : j.at("cycles_by_cause").items()) sum += cycles.get<double>();
  for (const auto& [cause, cycles] : j.at("cycles_by_cause").items())
    if (sum != 0) out.causes.emplace_back(cause, cycles.get<double>() / sum * out.cycles);
  if (sum == 0) out.causes.emplace_back("core", out.cycles);
  return out;
}

ReportRun run_of(const Json& file, const Json& run, const HwConfig& hw) {
  ReportRun out;
  out.title = fmt::format(
      "{} on {}", std::filesystem::path(file.at("model").get<std::string>()).filename().string(),
      file.at("config").get<std::string>());
  out.clock_hz = file.at("clock_hz");
  out.details =
      fmt::format("{:g} MHz, {}, batch {}, platform {}, memory: {}, input {}", out.clock_hz / 1e6,
                  file.at("precision").get<std::string>(), file.at("batch").get<int>(),
                  file.at("platform").get<std::string>(), file.at("memory").get<std::string>(),
                  run.at("input").get<std::string>());
  out.multipliers = hw.macs();
  out.bytes_per_cycle = hw.primary_memif.width_bytes();
  out.cycles = run.at("cycles").at("accelerator");
  out.bytes = run.at("bytes");
  out.macs = run.at("macs");
  for (const Json& op : run.at("operations"))
    out.operations.push_back(operation(op, out.multipliers));
  for (const Json& l : run.value("layers", Json::array())) out.layers.push_back(layer(l));
  return out;
}

Diagnostics read_runs(const std::string& path, std::vector<ReportRun>& runs) {
  const auto text = read_file(path, "report.file");
  if (!text) return text.errors();
  const Json file = Json::parse(*text, nullptr, false);
  try {
    if (file.is_discarded()) return Diagnostics(Error{"report.json", path, "is not JSON"});
    const auto hw = load_hw_config(file.at("config").get<std::string>());
    if (!hw) return hw.errors();
    for (const Json& run : file.at("runs")) runs.push_back(run_of(file, run, *hw));
  } catch (const nlohmann::json::exception& e) {
    return Diagnostics(Error{"report.json", path,
                             fmt::format("is not what dlavp run --json prints: {}", e.what())});
  }
  return {};
}

}  // namespace

int cmd_report(const std::vector<std::string>& args) {
  Cli cli("report", "RUN.json... -o report.html",
          "Turns what dlavp run --json printed into one HTML page without anything to load: "
          "summary,\nroofline, units over time, where each operation's cycles went; several runs "
          "side by side.",
          {"dlavp report resnet50.json -o report.html",
           "dlavp report small.json large.json -o sizes.html"});
  cli.add()("output,o", po::value<std::string>(), "the page to write");
  cli.add_json();
  cli.positional("run", -1);
  if (const auto exit = cli.parse(args)) return *exit;
  Diagnostics errors;
  if (!cli.has("run")) errors.add("cli.missing", "report", "no run is given; see --help");
  if (!cli.has("output")) errors.add("cli.missing", "report", "no page is given; use -o FILE");
  std::vector<ReportRun> runs;
  for (const std::string& path : cli.texts("run")) errors.append(read_runs(path, runs));
  if (errors.empty() && runs.empty())
    errors.add("report.json", cli.texts("run").front(), "holds no run");
  if (!errors.empty()) return fail(errors);
  const std::string page = report_page(runs);
  if (const Diagnostics wrong = write_file(cli.text("output"), page, "report.write");
      !wrong.empty())
    return fail(wrong);
  if (cli.json())
    fmt::print(
        "{}\n",
        Json{{"output", cli.text("output")}, {"runs", runs.size()}, {"bytes", page.size()}}.dump(
            2));
  else
    fmt::print("{}: {} runs, {} bytes\n", cli.text("output"), runs.size(), page.size());
  return kDone;
}

}  // namespace dlavp::app
