#include "apps/dlavp/compare.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/dlavp/in_child.hpp"
#include "apps/dlavp/run_report.hpp"
#include "models/common/read_file.hpp"

namespace dlavp::app {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Result<std::vector<uint8_t>> read_bytes(const std::string& path) {
  const auto text = read_file(path, "compare.peer");
  if (!text) return text.errors();
  return std::vector<uint8_t>(text->begin(), text->end());
}

/// In one line.
std::string reason(const Diagnostics& errors) {
  std::string out;
  for (const Error& e : errors.errors()) out += (out.empty() ? "" : "; ") + e.text();
  return out;
}

std::string input_form(const vp::Network& network) {
  const auto feature = [](const vp::IoTensor& t) { return t.feature; };
  const auto& inputs = network.inputs;
  return std::all_of(inputs.begin(), inputs.end(), feature) ? "feature data" : "pixels";
}

/// Channels of the network, without those that memory pads them with.
Json input_sizes(const vp::Network& network) {
  Json out = Json::array();
  for (const vp::IoTensor& t : network.inputs)
    out.push_back({t.network_channels != 0 ? t.network_channels : t.channels, t.height, t.width});
  return out;
}

/// How much of our inputs, which are the network's, the peer does not read.
std::string what_is_cut(const CompareSide& ours, const CompareSide& peer) {
  for (size_t i = 0; i < std::min(ours.sizes.size(), peer.sizes.size()); ++i) {
    const auto &a = ours.sizes[i], &b = peer.sizes[i];
    if (b[0] < a[0] || b[1] < a[1] || b[2] < a[2])
      return fmt::format("reads {} of the input's {}", fmt::join(b, " x "), fmt::join(a, " x "));
  }
  return {};
}

/// The measurement, as the text that a child process hands over.
std::string measured(const std::vector<uint8_t>& loadable, const std::string& place,
                     const HwConfig& hw, const PlatformConfig& platform) {
  const auto run = time_loadable(loadable, place, hw, platform);
  if (!run) return Json{{"refused", reason(run.errors())}}.dump();
  const auto network = vp::read_network(loadable, place);
  if (!network) return Json{{"refused", reason(network.errors())}}.dump();
  const RunTotals t = totals(*run, *network, hw);
  const double clocks = platform.nvdla_clock_hz / platform.core_clock_hz;
  const auto on_core = std::count_if(run->operations.begin(), run->operations.end(),
                                     [](const vp::RanOperation& op) { return !op.record; });
  return Json{{"operations", run->records.size()},
              {"core_operations", on_core},
              {"cycles", t.accelerator_cycles},
              {"all_cycles", static_cast<double>(t.core_cycles) * clocks},
              {"beats", run->read_beats + run->write_beats},
              {"input", input_form(*network)},
              {"sizes", input_sizes(*network)}}
      .dump();
}

/// Takes a child's text apart: a side, or why there is none.
std::optional<CompareSide> side_of(const Result<std::string>& text, std::string& refused) {
  if (!text) {
    refused = reason(text.errors());
    return std::nullopt;
  }
  const Json j = Json::parse(*text);
  if (j.contains("refused")) {
    refused = j["refused"];
    return std::nullopt;
  }
  CompareSide s;
  s.operations = j["operations"];
  s.core_operations = j["core_operations"];
  s.cycles = j["cycles"];
  s.all_cycles = static_cast<uint64_t>(j["all_cycles"].get<double>());
  s.beats = j["beats"];
  s.input = j["input"];
  s.sizes = j["sizes"].get<decltype(s.sizes)>();
  return s;
}

/// The network whose name `stem` starts with, and the configuration after it; the longest of each.
struct Named {
  std::string network, config;
};
std::optional<Named> split_name(const std::string& stem, const std::vector<std::string>& networks) {
  std::optional<Named> found;
  for (const std::string& network : networks)
    for (const std::string& config : published_configs()) {
      const std::string head = network + "_" + config;
      if (!stem.starts_with(head) || (stem.size() > head.size() && stem[head.size()] != '_'))
        continue;
      if (!found || head.size() > found->network.size() + 1 + found->config.size())
        found = Named{network, config};
    }
  return found;
}

std::vector<fs::path> files_of(const std::string& folder, const std::vector<std::string>& ends,
                               Diagnostics& errors) {
  std::error_code failed;
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder, failed))
    if (std::count(ends.begin(), ends.end(), entry.path().extension()) != 0)
      out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  if (out.empty())
    errors.add("compare.folder", folder,
               failed ? failed.message() : fmt::format("has no {} file", fmt::join(ends, " or ")));
  return out;
}

}  // namespace

bool CompareRow::worse() const {
  if (!cut.empty()) return false;
  if (both()) return ours->cycles > peer->cycles || ours->all_cycles > peer->all_cycles;
  return peer && !ours;
}

CompareRow compare_one(const CompareCase& c, const PlatformConfig& platform) {
  CompareRow row{c.name, c.hw.name, {}, {}, {}, {}, {}, {}};
  const auto measure_peer = [&] {
    const auto bytes = read_bytes(c.peer);
    if (!bytes) return Json{{"refused", reason(bytes.errors())}}.dump();
    return measured(*bytes, c.peer, c.hw, platform);
  };
  row.peer = side_of(in_child(c.peer, measure_peer), row.peer_refused);
  TimedNetwork network = c.network;
  if (row.peer && row.peer->input != "pixels") network.input_mode = compiler::InputMode::kFeature;
  const auto compile_and_measure = [&] {
    const auto ours = compile_for_time(network, c.hw);
    if (!ours) return Json{{"refused", reason(ours.errors())}}.dump();
    return measured(*ours, network.path, c.hw, platform);
  };
  row.ours = side_of(in_child(network.path, compile_and_measure), row.ours_refused);
  if (!row.both()) return row;
  row.cut = what_is_cut(*row.ours, *row.peer);
  if (!row.cut.empty())
    row.notes.push_back("the peer " + row.cut + ": another computation, whose cycles do not count");
  if (row.ours->input != row.peer->input)
    row.notes.push_back(
        fmt::format("the peer's input is {}, ours {}", row.peer->input, row.ours->input));
  return row;
}

TimedNetwork with_neighbours(const std::string& path) {
  TimedNetwork out{.path = path};
  std::error_code ignored;
  const auto beside = [&](const char* end) {
    fs::path file(path);
    file.replace_extension(end);
    return fs::exists(file, ignored) ? file.string() : std::string();
  };
  if (path.ends_with(".prototxt")) out.weights = beside(".caffemodel");
  out.scales = beside(".calib.json");
  return out;
}

Result<std::vector<CompareCase>> compare_cases(const std::string& peers,
                                               const std::string& networks,
                                               const std::string& only) {
  Diagnostics errors;
  const std::vector<fs::path> loadables = files_of(peers, {".nvdla"}, errors);
  std::vector<std::string> stems;
  const std::vector<fs::path> files = files_of(networks, {".prototxt", ".onnx"}, errors);
  for (const fs::path& file : files) stems.push_back(file.stem().string());
  if (!errors.empty()) return errors;
  std::vector<CompareCase> out;
  for (const fs::path& loadable : loadables) {
    const auto named = split_name(loadable.stem().string(), stems);
    if (!named) {
      errors.add("compare.network", loadable.string(),
                 fmt::format("expected the name of a network in {}, then _ and a configuration's",
                             networks));
      continue;
    }
    if (!only.empty() && named->config != only) continue;
    const size_t at =
        static_cast<size_t>(std::find(stems.begin(), stems.end(), named->network) - stems.begin());
    auto hw = load_hw_config(named->config);
    if (!hw) return hw.errors();
    out.push_back({loadable.stem().string(), with_neighbours(files[at].string()), loadable.string(),
                   std::move(hw).value()});
  }
  if (errors.empty() && out.empty())
    errors.add("compare.folder", peers, fmt::format("has no loadable for {}", only));
  if (!errors.empty()) return errors;
  return out;
}

}  // namespace dlavp::app
