// Published figures from a CSV, evaluated with the formulas.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <sstream>

#include "apps/estimate/published.hpp"
#include "models/common/read_file.hpp"

namespace dlavp::estimate {

namespace {

constexpr const char* kId = "estimate.published";

std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> out{""};
  for (const char c : line) {
    if (c == ',')
      out.emplace_back();
    else if (c != '\r')
      out.back() += c;
  }
  return out;
}

using Row = std::map<std::string, std::string>;

/// A number in column `name`; an empty one gives none.
std::optional<double> number(const Row& row, const std::string& name, const std::string& place,
                             Diagnostics& errors) {
  const std::string& text = row.at(name);
  if (text.empty()) return std::nullopt;
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code == std::errc{} && end == text.data() + text.size() && value > 0) return value;
  errors.add(kId, place, fmt::format("{} is '{}', expected a number above 0", name, text));
  return std::nullopt;
}

unsigned decimals(const std::string& text) {
  const size_t point = text.find('.');
  return point == std::string::npos ? 0 : static_cast<unsigned>(text.size() - point - 1);
}

bool same(double published, double ours, unsigned digits) {
  // Half a unit of the last digit that was printed.
  return std::abs(published - ours) <= 0.5 * std::pow(10.0, -double{1} * digits) * (1 + 1e-9);
}

void read_note(PublishedFigure& f) {
  if (f.note.find("Winograd credit removed") != std::string::npos) f.rules.winograd_credit = false;
  static const std::string kPadded = "kernels padded to a multiple of ";
  if (const size_t at = f.note.find(kPadded); at != std::string::npos) {
    const uint32_t multiple =
        static_cast<uint32_t>(std::strtoul(f.note.c_str() + at + kPadded.size(), nullptr, 10));
    if (multiple > 0) f.rules.kernel_multiple = multiple;
  }
}

std::optional<PublishedFigure> figure(const Row& row, const std::string& place,
                                      Diagnostics& errors) {
  PublishedFigure f;
  f.source = row.at("source");
  f.network = row.at("network");
  f.note = row.at("note");
  std::optional<SheetNetwork> network = published_network(f.network);
  if (!network) {
    errors.add(
        kId, place,
        fmt::format("network '{}', expected {}", f.network, fmt::join(published_networks(), ", ")));
    return std::nullopt;
  }
  const size_t before = errors.errors().size();
  const auto get = [&](const char* name, double otherwise) {
    return number(row, name, place, errors).value_or(otherwise);
  };
  SheetMachine& m = f.machine;
  m.macs = static_cast<uint32_t>(get("macs", m.macs));
  m.cbuf_kib = get("cbuf_kib", m.cbuf_kib);
  m.dram_gb_per_s = get("dram_gb_per_s", m.dram_gb_per_s);
  m.clock_mhz = get("clock_mhz", m.clock_mhz);
  m.element_bytes = static_cast<uint32_t>(get("bytes_per_elem", m.element_bytes));
  m.fc_batch = static_cast<uint32_t>(get("fc_batch", m.fc_batch));
  if (row.at("sram") == "yes") m.sram = SheetSram{};
  f.fps = number(row, "fps", place, errors);
  f.cycles = number(row, "cycles", place, errors);
  if (errors.errors().size() != before) return std::nullopt;
  f.fps_decimals = decimals(row.at("fps"));
  f.cycle_decimals = decimals(row.at("cycles"));
  f.rules = network->rules;
  read_note(f);
  network->rules = f.rules;
  const SheetEstimate e = evaluate(*network, m);
  f.our_cycles = e.cycles;
  f.our_fps = e.fps(m.clock_mhz);
  return f;
}

}  // namespace

bool PublishedFigure::equal() const {
  return (!fps || same(*fps, our_fps, fps_decimals)) &&
         (!cycles || same(*cycles, our_cycles, cycle_decimals));
}

Result<std::vector<PublishedFigure>> check_published(const std::string& path) {
  const auto text = read_file(path, kId);
  if (!text) return text.errors();
  std::istringstream in(*text);
  std::string line;
  std::getline(in, line);
  const std::vector<std::string> names = fields(line);
  Diagnostics errors;
  const std::string header = line;
  for (const char* wanted : {"source", "network", "macs", "cbuf_kib", "dram_gb_per_s", "clock_mhz",
                             "bytes_per_elem", "fc_batch", "sram", "fps", "cycles", "note"})
    if (std::find(names.begin(), names.end(), wanted) == names.end())
      errors.add(kId, path + ":1", fmt::format("no column '{}' in '{}'", wanted, header));
  if (!errors.empty()) return errors;
  std::vector<PublishedFigure> out;
  for (unsigned number_of_line = 2; std::getline(in, line); ++number_of_line) {
    const std::vector<std::string> values = fields(line);
    if (line.empty()) continue;
    const std::string place = fmt::format("{}:{}", path, number_of_line);
    // The note is last and may hold commas.
    if (values.size() < names.size()) {
      errors.add(kId, place, fmt::format("{} fields, expected {}", values.size(), names.size()));
      continue;
    }
    Row row;
    for (size_t i = 0; i < names.size(); ++i) row[names[i]] = values[i];
    for (size_t i = names.size(); i < values.size(); ++i) row[names.back()] += "," + values[i];
    if (row["source"] != "primer" && row["source"] != "spreadsheet") continue;
    if (auto f = figure(row, place, errors)) out.push_back(std::move(*f));
  }
  if (errors.empty() && out.empty())
    errors.add(kId, path, "no row of source primer or spreadsheet");
  if (!errors.empty()) return errors;
  return out;
}

}  // namespace dlavp::estimate
