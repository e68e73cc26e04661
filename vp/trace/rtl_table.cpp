#include "vp/trace/rtl_table.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "vp/trace/data_file.hpp"
#include "vp/trace/runner.hpp"

namespace dlavp::trace {

namespace {

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::stringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.emplace_back(trimmed(cell));
  return cells;
}

/// Where the columns `names` stand in `head`.
std::vector<size_t> columns(const std::vector<std::string>& head,
                            const std::vector<std::string>& names, const CsvErrors& ids,
                            const std::string& place, Diagnostics& errors) {
  std::vector<size_t> at;
  for (const std::string& name : names) {
    const auto found = std::find(head.begin(), head.end(), name);
    if (found == head.end())
      errors.add(ids.column, place, fmt::format("there is no column {}", name));
    at.push_back(static_cast<size_t>(found - head.begin()));
  }
  return at;
}

}  // namespace

Result<std::vector<CsvRow>> read_csv(const std::filesystem::path& file, const CsvErrors& ids,
                                     const std::vector<std::string>& texts,
                                     const std::vector<std::string>& numbers) {
  std::ifstream in(file);
  std::string line;
  if (!in || !std::getline(in, line))
    return Error{ids.file, file.string(), "cannot be read, or is empty"};
  const auto head = split(line);
  Diagnostics errors;
  const auto text_at = columns(head, texts, ids, file.string() + ":1", errors);
  const auto number_at = columns(head, numbers, ids, file.string() + ":1", errors);
  if (!errors.empty()) return errors;
  std::vector<CsvRow> rows;
  for (unsigned number = 2; std::getline(in, line); ++number) {
    if (trimmed(line).empty()) continue;
    const auto cells = split(line);
    const std::string place = fmt::format("{}:{}", file.string(), number);
    if (cells.size() != head.size()) {
      errors.add(ids.row, place,
                 fmt::format("has {} cells, expected {}", cells.size(), head.size()));
      continue;
    }
    CsvRow& row = rows.emplace_back();
    for (const size_t at : text_at) row.texts.push_back(cells[at]);
    for (size_t i = 0; i < numbers.size(); ++i) {
      const auto value = to_number(cells[number_at[i]]);
      if (!value)
        errors.add(ids.number, place,
                   fmt::format("{} is '{}', expected a number", numbers[i], cells[number_at[i]]));
      row.numbers.push_back(value.value_or(0));
    }
  }
  if (!errors.empty()) return errors;
  return rows;
}

Result<RtlTable> load_rtl_cycles(const std::filesystem::path& file) {
  const auto rows = read_csv(
      file, {"rtl_cycles.file", "rtl_cycles.column", "rtl_cycles.row", "rtl_cycles.number"},
      {"config", "trace"}, {"mem_latency", "run_cycles", "read_beats", "write_beats"});
  if (!rows) return rows.errors();
  RtlTable table;
  for (const CsvRow& row : *rows)
    table[{row.texts[0], row.texts[1], static_cast<uint32_t>(row.numbers[0])}] = {
        row.numbers[1], row.numbers[2], row.numbers[3]};
  return table;
}

Result<std::vector<RtlNetwork>> load_rtl_networks(const std::filesystem::path& file) {
  const auto rows = read_csv(
      file, {"rtl_networks.file", "rtl_networks.column", "rtl_networks.row", "rtl_networks.number"},
      {"network", "loadable", "config"},
      {"mem_latency", "operations", "macs", "sum_run_cycles", "total_cycles", "read_beats",
       "write_beats"});
  if (!rows) return rows.errors();
  std::vector<RtlNetwork> networks;
  for (const CsvRow& row : *rows) {
    const std::vector<uint64_t>& n = row.numbers;
    networks.push_back({row.texts[0], file.parent_path() / row.texts[1], row.texts[2],
                        static_cast<uint32_t>(n[0]), n[1], n[2], n[3], n[4], n[5], n[6]});
  }
  return networks;
}

}  // namespace dlavp::trace
