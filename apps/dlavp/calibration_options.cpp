// Reading of --method, --percentile and --scales.
#include "apps/dlavp/calibration_options.hpp"

namespace dlavp::app {

namespace po = boost::program_options;
using namespace dlavp::compiler;

void add_calibration_options(Cli& cli) {
  cli.add()("calibrate", po::value<std::string>(),
            "sample inputs: a .npy batch, or a folder of images or .npy files")(
      "method", po::value<std::string>(),
      "how a scale follows from the samples: minmax (default), percentile or entropy")(
      "percentile", po::value<std::string>(),
      "share of values, in percent, that a scale must cover (of --method percentile)")(
      "scales", po::value<std::string>(),
      "a calibration table (JSON as NVIDIA's compiler takes it); the samples give what it lacks")(
      "save-scales", po::value<std::string>(), "write the scales as such a table")(
      "symmetric", "no zero points, which NVIDIA's compiler does not read from a table");
}

CalibrationOptions calibration_options(const Cli& cli, Diagnostics& wrong) {
  CalibrationOptions out;
  const std::string method = cli.text("method", cli.has("percentile") ? "percentile" : "minmax");
  if (method == "percentile") {
    out.method = CalibrationMethod::kPercentile;
  } else if (method == "entropy") {
    out.method = CalibrationMethod::kEntropy;
  } else if (method != "minmax") {
    wrong.add("compile.option", "--method",
              fmt::format("'{}', expected minmax, percentile or entropy", method));
  }
  out.zero_points = !cli.has("symmetric");
  if (!cli.has("percentile")) return out;
  const std::string given = cli.text("percentile");
  char* end = nullptr;
  const double percent = std::strtod(given.c_str(), &end);
  if (end == given.c_str() || *end != '\0' || !(percent > 0 && percent <= 100)) {
    wrong.add("compile.option", "--percentile",
              fmt::format("'{}', expected a number above 0 and at most 100", given));
  } else if (out.method != CalibrationMethod::kPercentile) {
    wrong.add("compile.option", "--percentile",
              fmt::format("goes with --method percentile, not {}", method));
  }
  out.percentile = percent / 100;
  return out;
}

Diagnostics apply_scales(const Cli& cli, Graph& graph) {
  if (!cli.has("scales")) return {};
  const std::string path = cli.text("scales");
  const auto table = read_scale_table(path);
  if (!table) return table.errors();
  const auto found = apply_scale_table(graph, *table, path);
  if (!found) return found.errors();
  const size_t all = graph.nodes.size() + graph.inputs.size();
  const bool random = !cli.has("calibrate") && *found < all;
  graph.notes.push_back(fmt::format("{} gives {} of {} scales{}", path, *found, all,
                                    random ? "; random inputs in [-1, 1] give the others" : ""));
  return {};
}

}  // namespace dlavp::app
