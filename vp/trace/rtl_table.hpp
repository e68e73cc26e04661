// Tables of figures measured on RTL: CSV files with a header that names the columns.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp::trace {

struct CsvRow {
  std::vector<std::string> texts;
  std::vector<uint64_t> numbers;
};

/// What the file's errors are called.
struct CsvErrors {
  const char *file, *column, *row, *number;
};

/// The columns `texts` and `numbers` of a file, in this order; others are ignored. Errors
/// with file:line.
[[nodiscard]] Result<std::vector<CsvRow>> read_csv(const std::filesystem::path& file,
                                                   const CsvErrors& ids,
                                                   const std::vector<std::string>& texts,
                                                   const std::vector<std::string>& numbers);

/// A whole network on the RTL, one operation at a time.
struct RtlNetwork {
  std::string network;
  std::filesystem::path loadable;
  std::string config;
  uint32_t mem_latency = 0;
  uint64_t operations = 0, macs = 0, run_cycles = 0, total_cycles = 0, read_beats = 0,
           write_beats = 0;
};
/// A CSV file with the columns network, loadable (a path from the file's folder), config,
/// mem_latency, operations, macs, sum_run_cycles, total_cycles, read_beats, write_beats. Errors:
/// "rtl_networks.*".
[[nodiscard]] Result<std::vector<RtlNetwork>> load_rtl_networks(const std::filesystem::path& file);

}  // namespace dlavp::trace
