// dlavp compare: cycles of our loadable of a network beside those of another compiler's, for one
// network or for a folder of loadables.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/dlavp/cli.hpp"
#include "apps/dlavp/commands.hpp"
#include "apps/dlavp/compare.hpp"
#include "apps/dlavp/progress.hpp"
#include "apps/dlavp/run_report.hpp"
#include "apps/dlavp/schedule_options.hpp"
#include "models/common/hw_config.hpp"

namespace dlavp::app {

namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

double ratio(uint64_t ours, uint64_t peer) {
  return peer == 0 ? 1 : static_cast<double>(ours) / static_cast<double>(peer);
}

struct Summary {
  size_t compared = 0, worse = 0, not_compared = 0;
  size_t cut = 0;   ///< the peer's computes something else
  double mean = 1;  ///< of the ratios of all cycles of those compared, geometric
};

Summary summarise(const std::vector<CompareRow>& rows) {
  Summary s;
  double logs = 0;
  for (const CompareRow& row : rows) {
    if (row.worse()) ++s.worse;
    if (!row.both()) {
      ++s.not_compared;
      continue;
    }
    if (!row.alike()) {
      ++s.cut;
      continue;
    }
    ++s.compared;
    logs += std::log(ratio(row.ours->all_cycles, row.peer->all_cycles));
  }
  if (s.compared != 0) s.mean = std::exp(logs / static_cast<double>(s.compared));
  return s;
}

std::string operations_text(const CompareSide& s) {
  return s.core_operations == 0 ? fmt::format("{}", s.operations)
                                : fmt::format("{}+{}", s.operations, s.core_operations);
}

void print_row(const CompareRow& row, size_t width) {
  fmt::print("{:<{}} {:<10}", row.name, width, row.config);
  if (!row.both()) {
    fmt::print(" not compared: {}\n", row.peer ? row.ours_refused : row.peer_refused);
    if (row.ours)
      fmt::print("{:<{}} {:<10} ours alone: {} operations, {} cycles, {} with the core, {} beats\n",
                 "", width, "", operations_text(*row.ours), row.ours->cycles, row.ours->all_cycles,
                 row.ours->beats);
    return;
  }
  const CompareSide &a = *row.ours, &b = *row.peer;
  fmt::print("{:>9}{:>9}{:>12}{:>12}{:>7.3f}{:>12}{:>12}{:>7.3f}{:>11}{:>11}{:>7.3f}{}\n",
             operations_text(a), operations_text(b), a.cycles, b.cycles, ratio(a.cycles, b.cycles),
             a.all_cycles, b.all_cycles, ratio(a.all_cycles, b.all_cycles), a.beats, b.beats,
             ratio(a.beats, b.beats),
             row.worse()   ? "  slower"
             : row.alike() ? ""
                           : "  other work");
}

void print_table(const std::vector<CompareRow>& rows, const PlatformConfig& platform) {
  size_t width = 7;
  for (const CompareRow& row : rows) width = std::max(width, row.name.size());
  fmt::print("{:<{}} {:<10}{:>18}{:>31}{:>31}{:>29}\n", "", width, "", "operations",
             "cycles, accelerator", "cycles, with the core", "beats");
  fmt::print("{:<{}} {:<10}{:>9}{:>9}{:>12}{:>12}{:>7}{:>12}{:>12}{:>7}{:>11}{:>11}{:>7}\n",
             "network", width, "hardware", "ours", "peer", "ours", "peer", "ratio", "ours", "peer",
             "ratio", "ours", "peer", "ratio");
  for (const CompareRow& row : rows) print_row(row, width);
  bool first = true;
  for (const CompareRow& row : rows)
    for (const std::string& note : row.notes) {
      if (first) fmt::print("\n");
      first = false;
      fmt::print("note: {}: {}\n", row.name, note);
    }
  const Summary s = summarise(rows);
  fmt::print(
      "\n{} compared, ours / peer {:.3f} (geometric mean, with the core); ours is slower or "
      "missing in {}\n",
      s.compared, s.mean, s.worse);
  if (s.cut != 0)
    fmt::print("{} beside a peer that does other work: neither slower nor in the mean\n", s.cut);
  if (s.not_compared != 0) fmt::print("{} not compared\n", s.not_compared);
  fmt::print(
      "operations: of the accelerator + of the core; accelerator: first enable to last completion; "
      "with the core:\nuntil it has seen the last operation done, its own included. Platform {}: "
      "{:g} MHz (core {:g} MHz), int8, batch 1,\nmemory: {}\n",
      platform.name, platform.nvdla_clock_hz / 1e6, platform.core_clock_hz / 1e6,
      memory_text(platform.dram));
}

Json side_json(const std::optional<CompareSide>& s, const std::string& refused) {
  if (!s) return {{"refused", refused}};
  return {{"operations", s->operations}, {"core_operations", s->core_operations},
          {"cycles", s->cycles},         {"cycles_with_core", s->all_cycles},
          {"beats", s->beats},           {"input", s->input}};
}

Json to_json(const std::vector<CompareRow>& rows, const PlatformConfig& platform) {
  Json all = Json::array();
  for (const CompareRow& row : rows)
    all.push_back({{"network", row.name},
                   {"config", row.config},
                   {"ours", side_json(row.ours, row.ours_refused)},
                   {"peer", side_json(row.peer, row.peer_refused)},
                   {"worse", row.worse()},
                   {"other_work", row.both() && !row.alike()},
                   {"notes", row.notes}});
  const Summary s = summarise(rows);
  return {{"platform", platform.name},
          {"clock_hz", platform.nvdla_clock_hz},
          {"core_clock_hz", platform.core_clock_hz},
          {"memory", memory_text(platform.dram)},
          {"rows", all},
          {"compared", s.compared},
          {"other_work", s.cut},
          {"not_compared", s.not_compared},
          {"worse", s.worse},
          {"mean_ratio", s.mean}};
}

Result<std::vector<CompareCase>> one_case(const Cli& cli) {
  const std::string path = cli.texts("network").front();
  auto hw = load_hw_config(cli.text("config"));
  if (!hw) return hw.errors();
  CompareCase c{std::filesystem::path(path).stem().string(), with_neighbours(path),
                cli.text("with"), std::move(hw).value()};
  if (cli.has("weights")) c.network.weights = cli.text("weights");
  if (cli.has("scales")) c.network.scales = cli.text("scales");
  return std::vector{std::move(c)};
}

Result<std::vector<CompareCase>> cases(const Cli& cli) {
  Diagnostics errors;
  const compiler::ScheduleOptions schedule = schedule_options(cli, errors);
  if (!errors.empty()) return errors;
  auto out = cli.has("peers")
                 ? compare_cases(cli.text("peers"), cli.text("networks"), cli.text("config"))
                 : one_case(cli);
  if (!out) return out;
  for (CompareCase& c : *out) c.network.schedule = schedule;
  return out;
}

void check_options(const Cli& cli, Diagnostics& errors) {
  const bool one = cli.has("network"), folder = cli.has("peers") || cli.has("networks");
  const auto need = [&](const char* option, const char* what) {
    if (!cli.has(option)) errors.add("cli.missing", fmt::format("--{}", option), what);
  };
  if (one == folder) {
    errors.add("cli.missing", "compare",
               "expected a network with --with, or two folders with --peers and --networks");
  } else if (one) {
    need("with", "is missing: the other compiler's loadable");
    need("config", "is missing; dlavp configs lists the names");
  } else {
    need("peers", "is missing: a folder of loadables");
    need("networks", "is missing: the folder of their networks");
    for (const char* option : {"with", "weights", "scales"})
      if (cli.has(option))
        errors.add("compare.option", fmt::format("--{}", option), "goes with one network");
  }
}

int compare(const Cli& cli) {
  const auto platform = load_platform_config(cli.text("platform", "default"));
  if (!platform) return fail(platform.errors());
  const auto all = cases(cli);
  if (!all) return fail(all.errors());
  const Progress progress(!cli.json());
  std::vector<CompareRow> rows;
  for (const CompareCase& c : *all) {
    progress.show(c.name, static_cast<double>(rows.size()) / static_cast<double>(all->size()));
    rows.push_back(compare_one(c, *platform));
  }
  progress.clear();
  if (cli.has("network") && !rows.front().both())  // one network: its refusal is bad input
    return fail("compare.refused", rows.front().peer ? rows.front().name : cli.text("with"),
                rows.front().peer ? rows.front().ours_refused : rows.front().peer_refused);
  if (cli.json())
    fmt::print("{}\n",
               to_json(rows, *platform).dump(2, ' ', false, Json::error_handler_t::replace));
  else
    print_table(rows, *platform);
  const Summary s = summarise(rows);
  return s.worse == 0 && s.compared != 0 ? kDone : kNotSo;
}

}  // namespace

int cmd_compare(const std::vector<std::string>& args) {
  Cli cli(
      "compare",
      "NETWORK --with PEER.nvdla --config NAME | --peers FOLDER --networks FOLDER [--config "
      "NAME]",
      "Compiles a network and runs our loadable and another compiler's on the same platform: "
      "operations,\ncycles, beats of the memory port. The input is bound in the form (pixels "
      "or feature data) that the\nother loadable takes, where ours can. A folder's loadables "
      "are named "
      "<network>_<configuration>[_...].nvdla.\nNAME.caffemodel and NAME.calib.json beside "
      "NAME.prototxt are used; without weights, made-up ones. A peer that reads only a part of the "
      "network's\ninput does other work: shown, not counted.\nExit 1: ours needs more cycles "
      "somewhere, or does not compile what the other runs, or nothing is alike.",
      {"dlavp compare resnet50.prototxt --with resnet50_nv_small_int8.nvdla --config nv_small",
       "dlavp compare --peers peer_loadables --networks caffe",
       "dlavp compare --peers peer_loadables --networks caffe --config nv_large --json"});
  cli.add()("with", po::value<std::string>(), "the other compiler's loadable")(
      "peers", po::value<std::string>(), "a folder of loadables")(
      "networks", po::value<std::string>(), "the folder of their networks")(
      "config,c", po::value<std::string>(),
      "hardware configuration, a name or a file; of folders: only this one")(
      "weights", po::value<std::string>(), "of a .prototxt: its .caffemodel")(
      "scales", po::value<std::string>(), "a calibration table (JSON)")(
      "platform,p", po::value<std::string>(), "a name or a file (default: default)");
  add_schedule_options(cli);
  cli.add_json();
  cli.positional("network", 1);
  if (const auto exit = cli.parse(args, check_options)) return *exit;
  return compare(cli);
}

}  // namespace dlavp::app
